"""An RPC as the fault matrix sends it."""

from typing import Any, NamedTuple, Tuple

from viam_sync.messages.pool import message, pool


class Rpc(NamedTuple):
    """An RPC of the table, with the retry class that it is sent with."""

    service: str
    name: str
    kind: str
    policy: str

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    def types(self) -> Tuple[Any, Any]:
        """Return the classes of its requests and its responses."""
        described = pool().FindServiceByName(self.service).methods_by_name[self.name]
        return message(described.input_type), message(described.output_type)
