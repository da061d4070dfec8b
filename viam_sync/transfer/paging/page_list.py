"""The items of one page as a list, which tells those who take it for one of its items what to do."""

from typing import TYPE_CHECKING, Any, List, TypeVar

T = TypeVar("T")


class PageList(List[T]):
    """The items of a page that a call returns as ``(items, count, last)``.

    A loop over that tuple meets this list first. It is a list in all else.

    Example:
        >>> from viam_sync.transfer.paging.page_list import PageList
        >>> page = (PageList(["a", "b"]), 2, "")
        >>> [item.metadata for item in page]
        Traceback (most recent call last):
        AttributeError: this list has no attribute 'metadata', but its items may: the call returns a tuple; write ...
    """

    if not TYPE_CHECKING:  # a type checker goes on saying that a list has no such attribute

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(f"'list' object has no attribute {name!r}")
            raise AttributeError(
                f"this list has no attribute {name!r}, but its items may: the call returns a tuple; write"
                " `items, count, last = …`, and go through the items"
            )
