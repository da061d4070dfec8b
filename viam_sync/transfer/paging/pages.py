"""Going through what a service sends in pages, item by item."""

from __future__ import annotations

import weakref
from itertools import islice
from typing import Any, Callable, Generic, Iterable, Iterator, Optional, Sequence, Set, Sized, Tuple, TypeVar

import grpc
from typing_extensions import Protocol

from viam_sync.errors import GRPCError, grpc_error
from viam_sync.rpc.classification import is_too_large
from viam_sync.rpc.closing import Closing
from viam_sync.transfer.concurrency.prefetch import Prefetch

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: A filter can leave pages empty, but a service that sends this many in a row is not going anywhere.
_MOST_EMPTY_PAGES = 100
#: After a page that was too large, so many must have come through before a larger one is asked for.
_PATIENCE = 2


class Items(Sized, Iterable[T_co], Protocol[T_co]):
    """The items of a page, which know how many they are."""


class Converted(Generic[T]):
    """Items that are converted when they are iterated over, not before.

    Args:
        items: What they are made of.
        convert: Makes an item.

    Example:
        >>> from viam_sync.transfer.paging.pages import Converted
        >>> list(Converted(["1", "2"], int))
        [1, 2]
    """

    def __init__(self, items: Sequence[Any], convert: Callable[[Any], T]) -> None:
        self._items = items
        self._convert = convert

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return map(self._convert, self._items)


#: Takes where the page begins, "" for the first, and how many items it may hold, 0 for as many as the service likes;
#: returns the items and where the next page begins, "" after the last.
Fetch = Callable[[str, int], Tuple[Items[T], str]]


class PageSize:
    """How many items to ask for: fewer once they were too large, and more again when that has gone well for a while.

    Several threads may share one; at worst, it then changes a little too often.

    Args:
        most: Where it begins, and never goes beyond; 0 leaves it to the service.

    Attributes:
        now: How many to ask for now.
    """

    def __init__(self, most: int) -> None:
        self.now = most
        self._most = most
        self._good = 0
        self._patience = _PATIENCE
        self._grown = False

    def for_at_most(self, left: Optional[int]) -> int:
        """Return how many to ask for if no more than ``left`` are needed."""
        return self.now if left is None else min(self.now, left)

    def shrink_from(self, asked: int) -> None:
        """Take note that so many were too large."""
        # Whoever grew in vain waits longer until it tries that again.
        self._patience *= 2 if self._grown else 1
        self._grown = False
        self._good = 0
        self.now = min(self.now, asked // 2)

    def fitted(self) -> None:
        """Take note that a page came through."""
        self._good += 1
        self._grown = False
        if self.now < self._most and self._good >= self._patience:
            self.now = min(self.now * 2, self._most)
            self._good = 0
            self._grown = True


def walk(
    fetch: Fetch[T],
    page_size: int = 0,
    limit: Optional[int] = None,
    method: str = "",
    advice: str = "",
    size: Optional[PageSize] = None,
) -> Iterator[Iterable[T]]:
    """Go through the pages of a service, one by one; those that are empty are left out.

    A page that is too large for one message is asked for again in smaller ones.

    Args:
        fetch: Asks for a page.
        page_size: How many items a page may hold; 0 leaves it to the service.
        limit: How many items at most; None for all. No page is asked for that is not needed for them.
        method: What an error calls the RPC.
        advice: What to do if a single item is too large, for the error.
        size: What is known of how many items fit into a page, in place of ``page_size``.

    Yields:
        The items of a page.

    Raises:
        InternalError: If the pages would never end.
        GRPCError: What ``fetch`` raises.

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
        items, cursor = _fitting(fetch, cursor, size, left, advice)
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


class Source(Iterator[Iterable[T_co]], Protocol[T_co]):
    """Pages that come from other threads."""

    def stop(self) -> None:
        """Tell the threads to end, and do not wait for them."""
        ...

    def close(self) -> None:
        """End the threads, and wait until they have ended."""
        ...


class Pages(Closing, Iterator[T]):
    """The items of all pages of a call, one after the other, until there are no more or it is closed.

    The next page is fetched in a background thread while the caller works on this one; without ``prefetch``, it is
    fetched when it is needed. Nothing is asked before the first item is. An error ends the iteration: it comes after
    all items that were there before it.

    Who stops before the end closes it, best by a ``with`` statement; forgotten, it ends when it is collected. It can be
    closed from another thread, which ends a waiting ``next``; without ``prefetch``, once its page is there.

    Args:
        fetch: Asks for a page.
        page_size: How many items a page may hold; 0 leaves it to the service.
        limit: How many items at most; None for all.
        prefetch: Whether to fetch the next page ahead.
        cancel: Called from another thread, makes a page that is being fetched fail soon.
        method: What an error calls the RPC.
        advice: What to do if a single item is too large, for the error.
        source: Where the pages come from, in place of all of these.

    Example:
        >>> with client.data_client.iter_tabular_data(page_size=10) as rows:
        ...     warm = next(row for row in rows if row.data["readings"]["temperature"] > 25)
        >>> list(rows)
        []
    """

    def __init__(
        self,
        fetch: Fetch[T],
        *,
        page_size: int = 0,
        limit: Optional[int] = None,
        prefetch: bool = True,
        cancel: Callable[[], None] = lambda: None,
        method: str = "",
        advice: str = "",
        source: Optional[Source[T]] = None,
    ) -> None:
        self._pages = walk(fetch, page_size, limit, method, advice)
        self._items: Iterator[T] = iter(())
        self._closed = False
        self._close: Callable[[], None] = cancel
        stop = cancel
        if source is None and prefetch:
            source = Prefetch(self._pages, cancel)
        if source is not None:
            self._pages, self._close, stop = source, source.close, source.stop
        # The thread knows nothing of this object, so that it is collected, and the thread ended, where it is forgotten.
        self._forgotten = weakref.finalize(self, stop)

    def __next__(self) -> T:
        try:
            while not self._closed:
                for item in self._items:
                    return item
                # A page that is through is not kept while the next one is waited for.
                self._items = iter(())
                self._items = iter(next(self._pages))
        except BaseException as error:
            was_closed = self._closed
            self.close()
            if was_closed and isinstance(error, GRPCError):
                raise StopIteration from None
            raise
        raise StopIteration

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
        self._forgotten.detach()
        self._close()


def _fitting(fetch: Fetch[T], cursor: str, size: PageSize, left: Optional[int], advice: str) -> Tuple[Items[T], str]:
    """Fetch a page, a smaller one where it is too large."""
    while True:
        asked = size.for_at_most(left)
        try:
            page = fetch(cursor, asked)
        except GRPCError as error:
            if asked == 0 or not is_too_large(error.status, error.message):
                raise
            failure = error
        else:
            size.fitted()
            return page
        if asked == 1:
            text = " ".join(filter(None, ("A single item is too large for one message.", advice, failure.message)))
            raise grpc_error(failure.status, text, failure.details, failure.method) from failure
        size.shrink_from(asked)


def _endless(method: str, what: str) -> GRPCError:
    text = f"The service {what}, so its pages would never end; name a limit, or ask for less by a filter."
    return grpc_error(grpc.StatusCode.INTERNAL, text, None, method)
