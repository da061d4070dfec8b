"""The base of objects that a ``with`` statement closes."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterator, Optional, Type, TypeVar

from typing_extensions import Self

from viam_sync.rpc.synchronous import Synchronous

T = TypeVar("T")


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
    """The base of iterators that are closed; who takes one for a list, or for one of its items, is told what it is."""

    #: What is done with it.
    _use = "write `for item in …`, or list(…) for all of them"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, an iterator: {self._use}>"

    if not TYPE_CHECKING:  # a type checker goes on saying that there is no such attribute

        def __getattr__(self, name: str) -> Any:
            # Tools ask every object for methods of theirs, which begin so.
            advice = "" if name.startswith("_") else f"; it is an iterator: {self._use}"
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{advice}")
