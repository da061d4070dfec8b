"""``DialOptions``, which scripts import from here, too; the client of a machine is that of the official SDK."""

from typing import TYPE_CHECKING, Any

from viam_sync.rpc.dial import DialOptions
from viam_sync.viam_sdk import missing_name

__all__ = ["DialOptions"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "RobotClient":
            raise missing_name(__name__, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
