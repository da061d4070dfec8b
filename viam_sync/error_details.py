"""The parts of an error of a call besides its text: the status, the metadata, and the messages of a rich error."""

from typing import Any, Iterable, NamedTuple, Tuple, Union

import grpc


class Metadatum(NamedTuple):
    """One entry of the metadata of a call: a pair of its name and its value."""

    key: str
    value: Union[str, bytes]


class CallMetadata(NamedTuple):
    """The metadata that a service sent for a call: before its answer, and with the status."""

    initial: Tuple[Metadatum, ...] = ()
    trailing: Tuple[Metadatum, ...] = ()


#: That of a call for which nothing came.
NO_METADATA = CallMetadata()


class Details(Tuple[Any, ...]):
    """The messages of a rich error, a tuple as in grpclib; when it is called, the text of the error, as in grpc.

    Example:
        >>> from viam_sync.errors import Details
        >>> details = Details((), "No such machine.")
        >>> details(), len(details)
        ('No such machine.', 0)
    """

    _text: str

    def __new__(cls, messages: Iterable[Any] = (), text: str = "") -> "Details":
        """Return the messages, with the text beside them."""
        details = super().__new__(cls, messages)
        details._text = text
        return details

    def __call__(self) -> str:
        """Return the text."""
        return self._text


# Celery keeps the error of a task as JSON, and makes it anew of its arguments, of which some are text then.
def as_status(status: Union[grpc.StatusCode, str]) -> grpc.StatusCode:
    """Return a status that may have become text, its name or its ``repr``; text of another kind is UNKNOWN.

    Example:
        >>> from viam_sync.error_details import as_status
        >>> as_status("NOT_FOUND") is as_status(repr(grpc.StatusCode.NOT_FOUND)) is grpc.StatusCode.NOT_FOUND
        True
    """
    if not isinstance(status, str):
        return status
    name = status.partition("StatusCode.")[2].partition(":")[0] or status
    return getattr(grpc.StatusCode, name, grpc.StatusCode.UNKNOWN)


def as_messages(details: Union[Iterable[Any], str, None]) -> Iterable[Any]:
    """Return the messages of a rich error; none of them if they have become text.

    Example:
        >>> from viam_sync.error_details import as_messages
        >>> as_messages("(type_url: ...)")
        ()
    """
    return () if details is None or isinstance(details, str) else details
