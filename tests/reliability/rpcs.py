"""Every RPC that the client has a method for, with the retry class that its method names."""

from pathlib import Path
from typing import Any, NamedTuple, Tuple

import viam_sync
from viam_sync.messages.pool import message, pool
from viam_sync.rpc import retry

ROOT = Path(viam_sync.__file__).parent

#: The names of the classes, as the methods import them.
CLASSES = {name for name, value in vars(retry).items() if isinstance(value, retry.Policy) and name.isupper()}
SENDERS = {"_call": "unary", "_send": "upload", "_receive": "stream"}


class Rpc(NamedTuple):
    """An RPC as one of the client's methods sends it."""

    service: str
    name: str
    kind: str
    policy: str

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    def types(self) -> Tuple[Any, Any]:
        """Return the classes of its requests and its answers."""
        described = pool().FindServiceByName(self.service).methods_by_name[self.name]
        return message(described.input_type), message(described.output_type)
