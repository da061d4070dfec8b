"""Responses: decoded into messages, or an error that says why that cannot be done."""

from typing import Any, Callable, TypeVar

import grpc

from viam_sync.rpc.classification import AttemptError

T = TypeVar("T")

_ADVICE = "Check the address; if it is right, a newer version of viam-sync may be needed."


class _Undecodable:
    """Stands for bytes that are no message of the expected type."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size


def deserializer(cls: Any) -> Callable[[bytes], Any]:
    """Return the function that decodes messages of a class; `require_message` rejects what it makes of other bytes.

    Example:
        >>> from viam_sync.rpc.decoding import deserializer
        >>> deserializer(pb.Robot)(pb.Robot(name="rover").SerializeToString()).name
        'rover'
    """

    def decode(data: bytes) -> Any:
        try:
            return cls.FromString(data)
        except Exception:  # each protobuf runtime has its own; grpc would log it, and not tell the caller why
            return _Undecodable(cls.DESCRIPTOR.name, len(data))

    return decode


def require_message(response: T) -> T:
    """Return a response, if it is a message.

    Raises:
        AttemptError: If there is none, or it cannot be decoded (INTERNAL).
    """
    if response is None:
        text = "The service reported success and sent no message."
    elif isinstance(response, _Undecodable):
        text = f"The service sent {response.size} bytes that are no {response.name}."
    else:
        return response
    raise AttemptError(grpc.StatusCode.INTERNAL, f"{text} {_ADVICE}")
