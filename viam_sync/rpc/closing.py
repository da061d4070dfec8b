"""The base of objects that a ``with`` statement closes."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Optional, Type

from typing_extensions import Self

from viam_sync.rpc.synchronous import Synchronous


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
