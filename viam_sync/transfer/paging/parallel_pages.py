"""Parallel pages: workers fetch several segments of a timeline at once, and the caller gets the pages in order."""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from itertools import islice
from typing import Generic, Iterable, Iterator, List, Optional, Sequence, Tuple, TypeVar, cast

import grpc

from viam_sync.clock import now
from viam_sync.errors import CancelledError, GRPCError, ViamError, grpc_error
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import PageItems, PageSize, walk
from viam_sync.transfer.paging.time_ranges import Segment, TimedPage, Timeline, TimeRange

T = TypeVar("T")

#: The share that a segment is made to hold of the pages after which it is cut.
_TARGET_SHARE = 0.75
#: The number of segments for each worker that may be under way, or hold pages for the caller.
_SEGMENTS_PER_WORKER = 2
#: The factor by which a segment may be longer than the last one at most.
_GROWTH = 8
#: The number of ticks beyond a time range in which the service may give items, as it may round times.
_SLACK = 3
#: Seconds between two looks of a waiting thread at whether it is to end: the garbage collector can wake no thread.
_POLL = 0.1


class ParallelPages(Iterator[Iterable[T]]):
    """The pages of a timeline in their order, while several workers fetch those of different times.

    Nothing is assumed of how items lie in time: the first page tells how dense they are, and each segment how long the
    next one should be. A segment that turns out to hold too many pages is cut after the page that was fetched last,
    and its rest is for the next worker that is free. So each segment is short, and the pages ahead of the caller stay
    bounded: twice ``segment_pages`` for each worker.

    The items of a time range come with one segment alone, whether or not the service includes the ends of a range. If
    it gives items that cannot be in a range, or in another order, that is an error, and no silent loss.

    It is used as `Prefetch` is: an error comes in the place of its page, and a caller that stops before the end closes
    it.

    Args:
        timeline: The timeline.
        page_size: The number of items that a page may hold.
        limit: The number of items at most; None for all.
        workers: The number of pages that are fetched at a time; more than one.
        segment_pages: The number of pages of a segment that are fetched, one after the other, before it is cut.
        method: The name of the RPC in errors.
        advice: The advice of the error if a single item is too large.
        patience: Seconds that ``close`` waits for the threads; one that takes longer ends with the process.
    """

    def __init__(
        self,
        timeline: Timeline[T],
        page_size: int,
        limit: Optional[int],
        workers: int,
        segment_pages: int = 8,
        method: str = "",
        advice: str = "",
        *,
        patience: float = 1.0,
    ) -> None:
        size = PageSize(page_size)
        self._workers = _SegmentWorkers(timeline, size, workers, segment_pages, method, advice, patience)
        self._left = limit

    def __next__(self) -> Iterable[T]:
        try:
            if self._left == 0:
                raise StopIteration
            page = self._workers.next()
        except BaseException:  # a KeyboardInterrupt, too
            self.close()
            raise
        if self._left is None:
            return page
        count = min(len(page), self._left)
        self._left -= count
        return page if count == len(page) else islice(page, count)

    def stop(self) -> None:
        """Tell the threads to end, and do not wait for them; a ``next`` that waits in another one ends soon."""
        self._workers.stop()

    def close(self) -> None:
        """End the threads, and wait until they have ended; closing it again does nothing."""
        self._workers.close()


class _SegmentWorkers(Generic[T]):
    """The threads, and the segments that they share.

    The segments are in order, and without gaps between them; one that no worker has begun with is cut when it is taken.
    This has no reference to the iterator, so that one that is not closed is collected, and its threads ended.
    """

    def __init__(
        self,
        timeline: Timeline[T],
        size: PageSize,
        workers: int,
        segment_pages: int,
        method: str,
        advice: str,
        patience: float,
    ) -> None:
        self._timeline = timeline
        self._size = size
        self._segment_pages = segment_pages
        self._method = method
        self._advice = advice
        self._patience = patience
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._segments: List[Segment[T]] = [Segment(TimeRange(None, None))]
        #: The tick of the last item of all; None while it is not known.
        self._last: Optional[int] = None
        self._stopped = False
        self._cancellations = [Cancellation() for _ in range(workers)]
        self._threads: List[threading.Thread] = []

    def next(self) -> PageItems[T]:
        if self._process != os.getpid():
            raise RuntimeError("This iterator began in another process, and its threads are there; begin a new one.")
        if not self._threads:
            self._start()
        with self._changed:
            while self._segments and not self._stopped:
                head = self._segments[0]
                if head.pages:
                    self._changed.notify_all()
                    return head.pages.popleft()
                if head.error is not None:
                    raise head.error
                if head.over:
                    del self._segments[0]
                    self._changed.notify_all()
                else:
                    self._changed.wait(_POLL)
        raise StopIteration

    def stop(self) -> None:
        # The garbage collector may call this amid anything that this thread does, so it must not wait for a lock.
        self._stopped = True
        if self._process == os.getpid():
            for cancellation in self._cancellations:
                cancellation.cancel()

    def close(self) -> None:
        self.stop()
        if self._process == os.getpid() and threading.current_thread() not in self._threads:
            with self._changed:
                self._changed.notify_all()
            end = now() + self._patience
            for thread in self._threads:
                if thread.ident is not None:
                    thread.join(max(end - now(), 0))

    def _start(self) -> None:
        for cancellation in self._cancellations:
            # While the first worker fetches the first page, the second asks for the last item.
            task = self._work_after_last if len(self._threads) == 1 else self._work
            # The calls of the threads belong to the caller's context, such as a span of OpenTelemetry.
            run = contextvars.copy_context().run
            thread = threading.Thread(target=run, args=(task, cancellation), name="viam-sync-prefetch", daemon=True)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()

    def _work_after_last(self, cancellation: Cancellation) -> None:
        """Ask for the last item, up to which segments can be cut; then work as all others."""
        # If the request fails, nothing is cut; the worker that fetches the pages meets the same error, if it lasts.
        with contextlib.suppress(ViamError):
            last = self._timeline.last(cancellation)
            with self._changed:
                self._last = last
        self._work(cancellation)

    def _work(self, cancellation: Cancellation) -> None:
        while True:
            segment = self._next_segment()
            if segment is None:
                return
            try:
                self._fill(segment, cancellation)
            except BaseException as error:
                self._fail(segment, error)
            with self._changed:
                segment.over = True
                self._changed.notify_all()

    def _next_segment(self) -> Optional[Segment[T]]:
        """Return the next segment to fetch, once there is room for it; None if there will be no more."""
        with self._changed:
            while not self._stopped:
                index = next((index for index, each in enumerate(self._segments) if not each.begun), None)
                if index is None and all(each.over for each in self._segments):
                    return None
                # The first segment never waits for room, so one worker always gets on.
                if index is not None and index < _SEGMENTS_PER_WORKER * len(self._threads):
                    return self._begin(index)
                self._changed.wait(_POLL)
        return None

    def _begin(self, index: int) -> Segment[T]:
        """Begin with a segment, or with as much of it as is good for one worker."""
        segment = self._segments[index]
        segment.begun = True
        start, end = segment.time_range
        if start is not None and segment.length is not None and self._last is not None:
            middle = start + segment.length
            # Items that are new after the last one belong to its segment.
            if middle <= self._last and (end is None or middle < end):
                self._cut(segment, middle, segment.length)
        return segment

    def _cut(self, segment: Segment[T], at: int, length: int) -> None:
        """End a segment at a tick, and make its rest a segment of its own."""
        with self._changed:
            if segment in self._segments:
                rest: Segment[T] = Segment(TimeRange(at, segment.time_range.end), length)
                self._segments.insert(self._segments.index(segment) + 1, rest)
            segment.time_range = TimeRange(segment.time_range.start, at)
            self._changed.notify_all()

    def _fail(self, segment: Segment[T], error: BaseException) -> None:
        with self._changed:
            segment.error = error
            if segment in self._segments:
                # The caller gets no page after an error.
                del self._segments[self._segments.index(segment) + 1 :]

    def _fill(self, segment: Segment[T], cancellation: Cancellation) -> None:
        """Fetch the pages of a segment, until there are no more, or so many that it is cut."""
        asked = segment.time_range

        def fetch(cursor: str, size: int) -> Tuple[TimedPage[T], str]:
            with self._changed:
                while len(segment.pages) >= self._segment_pages and not self._stopped:
                    self._changed.wait(_POLL)
            if self._stopped:
                raise CancelledError(grpc.StatusCode.CANCELLED, "The iterator was closed before this page was fetched.")
            items, ticks, after = self._timeline.page(asked, cursor, size, cancellation)
            return TimedPage(items, ticks), after

        for items in walk(fetch, method=self._method, advice=self._advice, size=self._size):
            page = cast("TimedPage[T]", items)
            segment.count += 1
            segment.full_pages += len(page) / self._size.now
            if page.is_timed:
                is_cut = self._measure(segment, asked, page)
                self._add(segment, page.within(segment.time_range))
                if is_cut:
                    return
            elif asked == (None, None):
                self._add(segment, page.items)
            else:
                raise self._disorder("an item without a time")
        self._set_next_length(segment)

    def _measure(self, segment: Segment[T], asked: TimeRange, page: TimedPage[T]) -> bool:
        """Look at the ticks of a page, and cut the segment at its end if the segment has enough pages.

        Returns:
            Whether it was cut.
        """
        at, before = page.ticks[-1], segment.latest
        self._check(page.ticks, asked, before)
        segment.first = first = page.ticks[0] if segment.first is None else segment.first
        segment.latest = at
        # All items of a tick belong to one segment, so no earlier page may have the tick of the cut; and the segment
        # must keep some ticks.
        least = max(first if before is None else before, first if asked.start is None else asked.start)
        if self._last is None or at <= least:
            return False
        enough = 1 if asked.start is None else self._segment_pages
        if segment.count < enough or (asked.end is not None and at >= asked.end):
            return False
        so_far = at - (first if asked.start is None else asked.start)
        length = int(so_far * self._segment_pages * _TARGET_SHARE / segment.count)
        self._cut(segment, at, max(length, 1))
        return True

    def _check(self, ticks: Sequence[int], asked: TimeRange, before: Optional[int]) -> None:
        if any(after < tick for tick, after in zip(ticks, islice(ticks, 1, None))) or (
            before is not None and ticks[0] < before
        ):
            raise self._disorder("items in another order than was asked for")
        if (asked.start is not None and ticks[0] < asked.start - _SLACK) or (
            asked.end is not None and ticks[-1] > asked.end + _SLACK
        ):
            raise self._disorder("an item of another time than was asked for")

    def _disorder(self, what: str) -> GRPCError:
        text = f"The service gave {what}, so it cannot be asked for several times at once; use workers=1."
        return grpc_error(grpc.StatusCode.INTERNAL, text, None, self._method)

    def _add(self, segment: Segment[T], page: PageItems[T]) -> None:
        if len(page):
            with self._changed:
                segment.pages.append(page)
                self._changed.notify_all()

    def _set_next_length(self, segment: Segment[T]) -> None:
        """Set the length of the next segment that is begun so that it will hold the share of pages that it should."""
        start, end = segment.time_range
        if start is None or end is None:
            return
        wanted = self._segment_pages * _TARGET_SHARE
        growth = min(wanted / segment.full_pages, _GROWTH) if segment.full_pages else _GROWTH
        with self._changed:
            after = self._segments[self._segments.index(segment) + 1 :] if segment in self._segments else []
            for rest in after:
                if not rest.begun:
                    rest.length = max(int((end - start) * growth), 1)
                    return
