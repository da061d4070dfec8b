"""Iterating over the items that a service sends in pages."""

from __future__ import annotations

import weakref
from itertools import islice
from typing import Any, Callable, Generic, Iterable, Iterator, Optional, Sequence, Set, Sized, Tuple, TypeVar

import grpc
from typing_extensions import Protocol

from viam_sync.errors import GRPCError, grpc_error
from viam_sync.rpc.classification import is_too_large
from viam_sync.rpc.closing import ClosingIterator
from viam_sync.rpc.streams import iterator_repr

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: A filter can leave pages empty, but a service that sends this many in a row would never come to an end.
_MOST_EMPTY_PAGES = 100
#: The number of pages that must fit before a larger one is asked for.
_FITTED_PAGES = 2
#: The errors of a service that does not give pages of a size, or not in time.
_REFUSALS = frozenset(
    [
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    ]
)


class PageItems(Sized, Iterable[T_co], Protocol[T_co]):
    """The items of a page, which know their number."""


class ConvertedPage(Generic[T]):
    """A page whose items are converted when they are iterated over, not before.

    Args:
        items: The items before the conversion.
        convert: Makes an item.

    Example:
        >>> from viam_sync.transfer.paging.pages import ConvertedPage
        >>> list(ConvertedPage(["1", "2"], int))
        [1, 2]
    """

    def __init__(self, items: Sequence[Any], convert: Callable[[Any], T]) -> None:
        self._items = items
        self._convert = convert

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return map(self._convert, self._items)


#: Takes the cursor of a page, "" for the first, and the number of items that it may hold, 0 to leave it to the service;
#: returns the page, and the cursor of the next one, "" after the last.
FetchPage = Callable[[str, int], Tuple[PageItems[T], str]]


class PageSize:
    """The number of items to ask for: fewer after a page that was too large, and more again after pages that fitted.

    Several threads may share one; at worst, it then changes a little too often.

    Args:
        first: The number at the beginning; 0 leaves it to the service.
        most: The highest number; None for ``first``. The service need not know pages of it: once it refuses one of more
            than ``first``, or a page has fewer items than were asked for, pages no longer grow.

    Attributes:
        now: The number of items to ask for now.
    """

    def __init__(self, first: int, most: Optional[int] = None) -> None:
        self.now = first
        self._first = first
        self._most = first if most is None else most
        self._good = 0
        self._patience = _FITTED_PAGES
        self._grown = False

    @property
    def may_grow(self) -> bool:
        """Whether pages may become larger than the first one."""
        return self._most > self._first

    def for_at_most(self, left: Optional[int]) -> int:
        """Return the number of items to ask for if no more than ``left`` are needed."""
        return self.now if left is None else min(self.now, left)

    def limit_to(self, most: int) -> None:
        """Ask for no more than so many items from now on, or than at the beginning if that is more."""
        self._most = max(most, self._first)
        self.now = min(self.now, self._most)

    def shrink_from(self, asked: int) -> None:
        """Take note that a page of so many items was too large."""
        # After a growth in vain, the next one waits longer.
        self._patience *= 2 if self._grown else 1
        self._grown = False
        self._good = 0
        self.now = min(self.now, asked // 2)

    def is_refused(self, asked: int, error: GRPCError) -> bool:
        """Tell whether an error may come of so many items being asked for; if so, no such page is asked for again."""
        if asked <= self._first or error.status not in _REFUSALS:
            return False
        self.limit_to(self._first)
        return True

    def fitted(self, asked: int, count: int) -> None:
        """Take note that a page fitted, and how many items were asked for and have come."""
        if count < asked:
            self.limit_to(count)
        self._good += 1
        self._grown = False
        if self.now < self._most and self._good >= self._patience:
            self.now = min(self.now * 2, self._most)
            self._good = 0
            self._grown = True


def walk(
    fetch: FetchPage[T],
    page_size: int = 0,
    limit: Optional[int] = None,
    method: str = "",
    advice: str = "",
    size: Optional[PageSize] = None,
) -> Iterator[Iterable[T]]:
    """Iterate over the pages of a service; those that are empty are left out.

    A page that is too large for one message is asked for again in smaller ones.

    Args:
        fetch: Fetches a page.
        page_size: The number of items that a page may hold; 0 leaves it to the service.
        limit: The number of items at most; None for all. No page is asked for that is not needed for them.
        method: The name of the RPC in errors.
        advice: The advice of the error if a single item is too large.
        size: A page size that others share, in place of ``page_size``.

    Yields:
        The items of a page.

    Raises:
        InternalError: If the pages would never end.
        GRPCError: If ``fetch`` raises one.

    Example:
        >>> from viam_sync.transfer.paging.pages import walk
        >>> pages = {"": ("ab", "p-2"), "p-2": ("c", "")}
        >>> list(walk(lambda cursor, size: pages[cursor]))
        ['ab', 'c']
    """
    size = PageSize(page_size) if size is None else size
    seen: Set[str] = set()
    cursor, left, empty = "", limit, 0
    while left is None or left > 0:
        items, cursor = _fetch_fitting(fetch, cursor, size, left, advice)
        count = len(items)
        empty = 0 if count else empty + 1
        if count:
            yield items if left is None or count <= left else islice(items, left)
        left = None if left is None else left - count
        if not cursor or left == 0:
            return
        if cursor in seen:
            raise _endless(method, f"gave the page token {cursor!r} a second time")
        if empty == _MOST_EMPTY_PAGES:
            raise _endless(method, f"sent {empty} empty pages in a row")
        seen.add(cursor)


class PageSource(Iterator[Iterable[T_co]], Protocol[T_co]):
    """Pages that other threads fetch."""

    def stop(self) -> None:
        """Tell the threads to end, and do not wait for them."""
        ...

    def close(self) -> None:
        """End the threads, and wait until they have ended."""
        ...


class Pages(ClosingIterator[T]):
    """The items of all pages of a call, one after the other, until there are no more or it is closed.

    The next page is fetched in a background thread while the caller works on this one; without ``prefetch``, it is
    fetched when it is needed. No page is fetched before the first item is asked for. An error ends the iteration: it
    comes after all items that were there before it.

    A caller that stops before the end closes it, best by a ``with`` statement; one that is not closed ends when it is
    garbage collected. It can be closed from another thread, which ends a waiting ``next``; without ``prefetch``, once
    its page is there.

    Attributes:
        item_type: The type of an item; None where it does not matter.

    Example:
        >>> with client.data_client.iter_tabular_data(page_size=10) as rows:
        ...     warm = next(row for row in rows if row.data["readings"]["temperature"] > 25)
        >>> list(rows)
        []
    """

    def __init__(
        self,
        fetch: FetchPage[T],
        *,
        page_size: int = 0,
        size: Optional[PageSize] = None,
        limit: Optional[int] = None,
        prefetch: bool = True,
        cancel: Callable[[], None] = lambda: None,
        method: str = "",
        advice: str = "",
        source: Optional[PageSource[T]] = None,
        item_type: Optional[type] = None,
    ) -> None:
        """Take what it is made of; only the package makes one.

        Args:
            fetch: Fetches a page.
            page_size: The number of items that a page may hold; 0 leaves it to the service.
            size: A page size that grows, in place of ``page_size``.
            limit: The number of items at most; None for all.
            prefetch: Whether to prefetch the next page.
            cancel: Makes a page that is being fetched fail soon; it is called from another thread.
            method: The name of the RPC in errors.
            advice: The advice of the error if a single item is too large.
            source: The pages, in place of all other arguments.
            item_type: The type of an item, where it matters also without items.
        """
        self.item_type = item_type
        self._pages = walk(fetch, page_size, limit, method, advice, size)
        self._items: Iterator[T] = iter(())
        self._closed = False
        self._close: Callable[[], None] = cancel
        stop = cancel
        if source is None and prefetch:
            from viam_sync.transfer.concurrency.prefetch import Prefetch  # only of use here

            source = Prefetch(self._pages, cancel)
        if source is not None:
            self._pages, self._close, stop = source, source.close, source.stop
        # The thread has no reference to this object, so that one that is not closed is collected, and its thread ended.
        self._finalizer = weakref.finalize(self, stop)
        # A function of atexit may still read it, and would take its end for that of the pages.
        self._finalizer.atexit = False

    def __next__(self) -> T:
        try:
            while not self._closed:
                for item in self._items:
                    return item
                # The last page is not kept alive while the next one is waited for.
                self._items = iter(())
                self._items = iter(next(self._pages))
        except BaseException as error:
            was_closed = self._closed
            self.close()
            if was_closed and isinstance(error, GRPCError):
                raise StopIteration from None
            raise
        raise StopIteration

    def __repr__(self) -> str:
        return iterator_repr(self, self.item_type, self._closed)

    def close(self) -> None:
        """End the iteration, and the thread; closing it again does nothing.

        Example:
            >>> rows = client.data_client.iter_tabular_data()
            >>> rows.close()
            >>> next(rows, "closed")
            'closed'
        """
        self._closed = True
        self._items = iter(())
        self._finalizer.detach()
        self._close()


def _fetch_fitting(
    fetch: FetchPage[T], cursor: str, size: PageSize, left: Optional[int], advice: str
) -> Tuple[PageItems[T], str]:
    """Fetch a page, a smaller one where it is too large."""
    while True:
        asked = size.for_at_most(left)
        try:
            page = fetch(cursor, asked)
        except GRPCError as error:
            if asked and is_too_large(error.status, error.message):
                failure = error
            elif size.is_refused(asked, error):
                continue
            else:
                raise
        else:
            size.fitted(asked, len(page[0]))
            return page
        if asked == 1:
            text = " ".join(filter(None, ("A single item is too large for one message.", advice, failure.message)))
            raise failure.restated(text) from failure
        size.shrink_from(asked)


def _endless(method: str, what: str) -> GRPCError:
    text = f"The service {what}, so its pages would never end; name a limit, or ask for less by a filter."
    return grpc_error(grpc.StatusCode.INTERNAL, text, None, method)
