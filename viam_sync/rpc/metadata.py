"""The metadata of calls, whose values no traceback shows.

Tools that show the variables of a traceback, such as ``rich``, ``pytest -l`` and Sentry, print each of them, and go
through those that are tuples, lists, or mappings by their type. A signal handler that raises amid a call gives them the
frames of grpc, too, which keep the metadata for all of the call.
"""

import re
from typing import TYPE_CHECKING, Iterator, Mapping, Optional, Tuple

#: The texts that a header can carry.
_SENDABLE = re.compile(r"[ -~]*")

if TYPE_CHECKING:
    _Mapping = Mapping[str, str]
else:

    class _Mapping:
        """The methods of a mapping, without its type."""

        keys, values, items, get = Mapping.keys, Mapping.values, Mapping.items, Mapping.get


class Header:
    """A header as grpc takes it: a pair of name and value.

    Its ``value`` is set when it is there, as an argument would be a variable of its constructor.

    Example:
        >>> from viam_sync.rpc.metadata import Header
        >>> header = Header("authorization")
        >>> header.value = "Bearer abc123"
        >>> name, value = header
        >>> value, header
        ('Bearer abc123', <authorization: hidden>)
    """

    __slots__ = ("name", "value")

    value: str

    def __init__(self, name: str) -> None:
        self.name = name

    def __iter__(self) -> Iterator[str]:
        return iter((self.name, self.value))

    def __getitem__(self, index: int) -> str:
        return (self.name, self.value)[index]

    def __repr__(self) -> str:
        return f"<{self.name}: hidden>"


class Metadata(_Mapping):
    """Metadata of a caller: a mapping by its methods, and not by its type, so that nothing goes through it unasked.

    Args:
        values: The values by their names.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        #: The values that the headers were made of, and these.
        self._made: Tuple[Mapping[str, str], Tuple[Header, ...]] = ({}, ())

    def headers(self) -> Tuple[Header, ...]:
        """Return the headers of a call; they are made anew where a value has changed.

        Raises:
            ValueError: If a header cannot carry a value.
        """
        if self._made[0] != self._values:
            # The values first: where one changes in between, the next call sees that they are no longer the same.
            self._made = dict(self._values), headers_of(self)
        return self._made[1]

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"


def headers_of(metadata: Mapping[str, str]) -> Tuple[Header, ...]:
    """Return metadata as the headers of a call, their names in lower case.

    Raises:
        ValueError: If a header cannot carry a value.
    """
    return tuple(_header(name, metadata) for name in metadata)


def _header(name: str, metadata: Mapping[str, str]) -> Header:
    header = Header(name.lower())
    header.value = metadata[name]
    if isinstance(header.value, str) and not _SENDABLE.fullmatch(header.value):
        # Some versions of grpc would write it to the standard error.
        raise ValueError(f"metadata[{name!r}] has a character that no header can carry, such as the end of a line")
    return header


def token_of(headers: Tuple[Header, ...]) -> Optional[Header]:
    """Return the header with the token; None if there is none."""
    return next((header for header in headers if header.name == "authorization"), None)
