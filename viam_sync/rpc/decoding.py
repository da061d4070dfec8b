"""What a service answers with: messages, or an error that says why they are none."""

from typing import Any, Callable, TypeVar

import grpc

from viam_sync.errors import GRPCError

T = TypeVar("T")

_WHAT_TO_DO = "Check the address; if it is right, a newer version of viam-sync may be needed."


class UndecodableError(GRPCError):
    """A call that went well as far as the service says, without an answer that can be read (INTERNAL)."""


class _Undecodable:
    """What stands for bytes that are no message of the kind that was asked for."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size


def deserializer(cls: Any) -> Callable[[bytes], Any]:
    """Return what reads messages of a class; what it returns of other bytes is for `checked` to refuse.

    Example:
        >>> from viam_sync.rpc.decoding import deserializer
        >>> deserializer(pb.Robot)(pb.Robot(name="rover").SerializeToString()).name
        'rover'
    """

    def read(data: bytes) -> Any:
        try:
            return cls.FromString(data)
        except Exception:  # each runtime of protobuf has its own; grpc would put it into its log, and tell nobody why
            return _Undecodable(cls.DESCRIPTOR.name, len(data))

    return read


def require_message(answer: T) -> T:
    """Return an answer, if it is one.

    Raises:
        BadAnswer: If there is none, or it cannot be read.
    """
    if answer is None:
        text = "The service says that all went well, and sent no answer."
    elif isinstance(answer, _Undecodable):
        text = f"The service answered with {answer.size} bytes that are no {answer.name}."
    else:
        return answer
    raise UndecodableError(grpc.StatusCode.INTERNAL, f"{text} {_WHAT_TO_DO}")
