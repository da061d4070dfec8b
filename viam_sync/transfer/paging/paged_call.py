"""Calls whose answers come in pages, as iterators over all of them."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, NamedTuple, Optional, Tuple, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import boolean, require_seconds, whole, worker_count
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.retry import Policy
from viam_sync.transfer.paging.pages import Items, Pages
from viam_sync.transfer.paging.parallel_pages import ParallelPages
from viam_sync.transfer.paging.timeline import CaptureTimeline

T = TypeVar("T")

#: The most that the service puts in a page of data.
_LARGEST_PAGE = 100


class PagedCall(NamedTuple):
    """An RPC that answers in pages, and where its request says which.

    Attributes:
        method: Full name of the RPC.
        policy: How often a page is tried.
        request: Asks for the first page.
        place: The part of the request that says where a page begins, in the field ``cursor``, and how large it is.
        cursor: Name of that field.
        size: Name of the field for the size; empty if the request has none.
        advice: What to do if a single item is too large, for the error.
        time: Returns the time of a message in an answer; None if the request cannot be narrowed to a time.
    """

    method: str
    policy: Policy
    request: Message
    place: Message
    cursor: str = "page_token"
    size: str = ""
    advice: str = ""
    time: Optional[Callable[[Any], Timestamp]] = None

    def pages(
        self,
        call: Callable[..., Any],
        read: Callable[[Any], Tuple[Items[T], str]],
        *,
        page_size: int = 0,
        limit: Optional[int],
        prefetch: bool,
        timeout: Optional[float],
        workers: int = 1,
        longest: int = 8,
    ) -> Pages[T]:
        """Return the items of all pages.

        Args:
            call: Makes a call of the client.
            read: Returns the items in an answer, and where the next page begins, "" after the last.
            page_size: How many items a page may hold, where the request has a field for that.
            limit: How many items at most; None for all.
            prefetch: Whether to fetch the next page ahead.
            timeout: Seconds that each page may take.
            workers: How many pages are fetched at a time, where there are times to go by.
            longest: How many pages one worker may fetch one after the other; twice as many for each are in memory.

        Raises:
            TypeError: If a number, or ``prefetch``, is of the wrong type.
            ValueError: If the service has no pages of this size, ``limit`` is negative, or the workers do not fit.
        """
        self._check(page_size, limit, prefetch, workers)
        require_seconds("timeout", timeout)
        cancellation = Cancellation()
        rpc = self.method.rpartition("/")[2]

        def fetch(cursor: str, size: int) -> Tuple[Items[T], str]:
            if cursor:
                setattr(self.place, self.cursor, cursor)
            if size:
                setattr(self.place, self.size, size)
            return read(call(rpc, self.request, self.policy, timeout, cancellation))

        return Pages(
            fetch,
            page_size=page_size,
            limit=limit,
            prefetch=prefetch,
            cancel=cancellation.cancel,
            method=self.method,
            advice=self.advice,
            source=self._spread(partial(call, rpc), read, page_size, limit, timeout, workers, longest),
        )

    def _check(self, page_size: int, limit: Optional[int], prefetch: bool, workers: int) -> None:
        if self.size:
            whole("page_size", page_size, 1, _LARGEST_PAGE)
        if limit is not None:
            whole("limit", limit, 0, note=", or None for all")
        boolean("prefetch", prefetch)
        if worker_count(workers) > 1 and not prefetch:
            raise ValueError(f"prefetch is False, but workers is {workers}, and they fetch ahead; name one of the two")

    def _spread(
        self,
        call: Callable[..., Any],
        read: Callable[[Any], Tuple[Items[T], str]],
        page_size: int,
        limit: Optional[int],
        timeout: Optional[float],
        workers: int,
        longest: int,
    ) -> Optional[ParallelPages[T]]:
        """Return what asks for several pages at a time; None if they are asked for one after the other."""
        # Where two pages are enough, there is nothing to share.
        if self.time is None or workers == 1 or (limit is not None and limit <= 2 * page_size):
            return None
        timeline = CaptureTimeline(
            self.request, lambda asked, ended: call(asked, self.policy, timeout, ended), read, self.time
        )
        return ParallelPages(timeline, page_size, limit, workers, longest, self.method, self.advice)
