"""The base of objects that a ``with`` statement closes."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterator, Optional, Type, TypeVar

from typing_extensions import Self

from viam_sync.rpc.synchronous import Synchronous

T = TypeVar("T")

#: What is done with an iterator, for those who take it for a list or for one of its items.
HOW_TO_ITERATE = "go through it by a for loop, or give it to list()"


class Closing(Synchronous, ABC):
    """The base of objects with a method ``close``, which the end of a ``with`` statement calls.

    Example:
        >>> from viam_sync.rpc.closing import Closing
        >>> class Door(Closing):
        ...     def close(self):
        ...         print("closed")
        >>> with Door():
        ...     print("open")
        open
        closed
    """

    @abstractmethod
    def close(self) -> None:
        """Close it; closing it again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class ClosingIterator(Closing, Iterator[T]):
    """The base of iterators that are closed; those who take one for one of its items are told how to get them."""

    if not TYPE_CHECKING:  # a type checker goes on saying that there is no such attribute

        def __getattr__(self, name: str) -> Any:
            # Tools ask every object for methods of theirs, which begin so.
            advice = "" if name.startswith("_") else f"; {HOW_TO_ITERATE}"
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{advice}")
