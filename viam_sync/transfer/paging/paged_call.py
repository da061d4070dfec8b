"""Paged calls: the declaration of an RPC that answers in pages, as an iterator over all items."""

from __future__ import annotations

from datetime import tzinfo
from functools import partial
from operator import attrgetter
from typing import Any, Callable, NamedTuple, Optional, Tuple, TypeVar, cast

from google.protobuf.message import Message

from viam_sync.checks.numbers import boolean, require_seconds, whole, worker_count
from viam_sync.clock import now
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.method import Method
from viam_sync.rpc.threads import can_start_threads
from viam_sync.transfer.paging.pages import ConvertedPage, FetchPage, PageItems, Pages, PageSize, PageSource

T = TypeVar("T")

#: The largest number of items that the service puts in a page of data for sure.
_LARGEST_PAGE = 100
#: The seconds that a page may take, and the bytes that it may have, if a larger one is to be asked for.
_QUICK, _LIGHT = 0.5, 1 << 20

#: Takes a request and its response, and as ``tz`` the time zone of the times in records; returns the page, and the
#: cursor of the next one, "" after the last.
ReadPage = Callable[..., Tuple[PageItems[Any], str]]


def items_in(field: str, convert: Optional[Callable[..., Any]] = None) -> ReadPage:
    """Return a function that reads a page of the usual form: a list of items, and the token of the next page.

    Args:
        field: The field of the response that holds the items.
        convert: Makes an item of a message, with times in ``tz``; None leaves the message as it is.
    """

    def read(request: Any, response: Any, tz: Optional[tzinfo] = None) -> Tuple[PageItems[Any], str]:
        items = getattr(response, field)
        page = items if convert is None else ConvertedPage(items, partial(convert, tz=tz))
        return page, response.next_page_token

    return read


class PagedCall(NamedTuple):
    """The declaration of an RPC that answers in pages: how a page is read, and how its request names it.

    Attributes:
        method: The RPC.
        read: Reads a page.
        size: The field of the request for the number of items that a page may hold; "" if it has none.
        cursor: The field of the request for the cursor of the page.
        place: The field of the request that holds these two; "" for the request itself.
        time: The field of an item for its time, where a request can be narrowed to a range of time; "" where not.
        advice: The advice of the error if a single item is too large.
        item_type: The type of an item, where the iterator must tell it.
        largest: The number of items up to which pages grow where no size is named, and the service gives them; 0 if
            they do not grow.
    """

    method: Method
    read: ReadPage
    size: str = ""
    cursor: str = "page_token"
    place: str = ""
    time: str = ""
    advice: str = ""
    item_type: Optional[type] = None
    largest: int = 0

    def with_times_in(self, tz: Optional[tzinfo]) -> PagedCall:
        """Return the call with the times of its records in a time zone; None for UTC without one."""
        return self._replace(read=partial(self.read, tz=tz))

    def pages(
        self,
        call: Callable[..., Any],
        request: Message,
        *,
        page_size: Optional[int] = 0,
        limit: Optional[int],
        prefetch: bool,
        timeout: Optional[float],
        workers: int = 1,
        segment_pages: int = 8,
    ) -> Pages[Any]:
        """Return the items of all pages.

        Args:
            call: Makes a unary call of the client.
            request: Asks for the first page.
            page_size: The number of items that a page may hold, where the request has a field for it; None for pages
                that grow from the size that the service gives for sure.
            limit: The number of items at most; None for all.
            prefetch: Whether to prefetch the next page.
            timeout: Seconds that each page may take.
            workers: The number of pages that are fetched at a time, where items have times.
            segment_pages: The number of pages that one worker may fetch one after the other; twice as many for each
                worker are in memory.

        Raises:
            TypeError: If a number, or ``prefetch``, is of the wrong type.
            ValueError: If the service has no pages of this size, ``limit`` is negative, or the workers do not fit.
        """
        most = self.largest if page_size is None else 0
        page_size, limit, prefetch, workers = self._checked(page_size, limit, prefetch, workers)
        sizes = PageSize(page_size, max(page_size, most))
        timeout = require_seconds("timeout", timeout)
        cancellation = Cancellation()
        source: Optional[PageSource[Any]] = None
        # Two pages leave nothing to share.
        if self.time and workers > 1 and (limit is None or limit > 2 * page_size) and can_start_threads():
            how = (page_size, limit, workers, segment_pages, self.method.name, self.advice)
            source = self._parallel_pages(call, request, timeout, how)
        return Pages(
            self._fetch(lambda: call(self.method, request, timeout, cancellation), request, sizes),
            size=sizes,
            limit=limit,
            prefetch=prefetch,
            cancel=cancellation.cancel,
            method=self.method.name,
            advice=self.advice,
            source=source,
            item_type=self.item_type,
        )

    def _fetch(self, send: Callable[[], Any], request: Message, sizes: PageSize) -> FetchPage[Any]:
        """Return the function that fetches a page by a request, which it changes."""
        place = getattr(request, self.place) if self.place else request

        def fetch(cursor: str, size: int) -> Tuple[PageItems[Any], str]:
            if cursor:
                setattr(place, self.cursor, cursor)
            if size:
                setattr(place, self.size, size)
            began = now()
            response = send()
            if sizes.may_grow and (now() - began > _QUICK or response.ByteSize() > _LIGHT):
                sizes.limit_to(sizes.now)
            return self.read(request, response)

        return fetch

    def _parallel_pages(
        self, call: Callable[..., Any], request: Message, timeout: Optional[float], how: Tuple[Any, ...]
    ) -> PageSource[Any]:
        from viam_sync.transfer.paging.capture_timeline import CaptureTimeline  # these two are only of use with workers
        from viam_sync.transfer.paging.parallel_pages import ParallelPages

        def send(asked: Message, cancellation: Cancellation) -> Any:
            return call(self.method, asked, timeout, cancellation)

        return ParallelPages(CaptureTimeline(request, send, self.read, attrgetter(self.time)), *how)

    def _checked(
        self, page_size: Optional[int], limit: Optional[int], prefetch: bool, workers: int
    ) -> Tuple[int, Optional[int], bool, int]:
        page_size = _LARGEST_PAGE if page_size is None and self.largest else cast("int", page_size)
        if self.size:
            page_size = whole("page_size", page_size, 1, _LARGEST_PAGE)
        if limit is not None:
            limit = whole("limit", limit, 0, note=", or None for all")
        prefetch, workers = boolean("prefetch", prefetch), worker_count(workers)
        if workers > 1 and not prefetch:
            raise ValueError(f"prefetch is False, but workers is {workers}, and they fetch ahead; name one of the two")
        return page_size, limit, prefetch, workers
