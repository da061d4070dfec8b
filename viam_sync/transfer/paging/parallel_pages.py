"""Going through what is ordered by time in several places at once, and giving it in its order all the same."""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
import time
from itertools import islice
from typing import Generic, Iterable, Iterator, List, Optional, Sequence, Tuple, TypeVar, cast

import grpc

from viam_sync.errors import CancelledError, GRPCError, grpc_error
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import Items, PageSize, walk
from viam_sync.transfer.paging.time_ranges import Segment, TimedPage, Timeline, TimeRange

T = TypeVar("T")

#: Of the pages after which a stretch is cut, the share that it is made to hold.
_AIM = 0.75
#: How many stretches for each worker may be under way, or wait to be given.
_AHEAD = 2
#: How many times as long as the last stretch the next one is at most.
_GROWTH = 8
#: How far beyond a stretch the service may give items, for it may round times, in ticks.
_SLACK = 3
#: How often those that wait look whether they are to end, in seconds; nobody can be woken by the garbage collector.
_NAP = 0.1
#: How long threads that were told to end are waited for, in seconds; one that does not heed it dies with the process.
_PATIENCE = 1.0


class ParallelPages(Iterator[Iterable[T]]):
    """The pages of a timeline in their order, of which several workers fetch those of different times.

    Nothing is assumed of how items lie in time: the first page tells how dense they are, and each stretch after it how
    long the next one should be. One that holds more pages than it should is cut where it has got to, and its rest is
    for whoever is free. So each stretch is short, and what is ahead of the caller stays bounded: twice ``longest``
    pages for each worker.

    What has the times of one stretch comes with that stretch alone, whether the service counts the ends of a range in
    or not. If it gives what cannot be in a range, or in another order, that is an error, and no silent loss.

    It is used as `Ahead` is: an error comes in the place of its page; who ends before the end closes it.

    Args:
        timeline: What is gone through.
        page_size: How many items a page may hold.
        limit: How many items at most; None for all.
        workers: How many pages are fetched at a time; more than one.
        longest: How many pages of a stretch are fetched, one after the other, before it is cut.
        method: What an error calls the RPC.
        advice: What to do if a single item is too large, for the error.
    """

    def __init__(
        self,
        timeline: Timeline[T],
        page_size: int,
        limit: Optional[int],
        workers: int,
        longest: int = 8,
        method: str = "",
        advice: str = "",
    ) -> None:
        self._crew = _Crew(timeline, page_size, workers, longest, method, advice)
        self._left = limit

    def __next__(self) -> Iterable[T]:
        try:
            if self._left == 0:
                raise StopIteration
            page = self._crew.next()
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
        self._crew.stop()

    def close(self) -> None:
        """End the threads, and wait until they have ended; closing it again does nothing."""
        self._crew.close()


class _Crew(Generic[T]):
    """The threads, and the runs that they share.

    The runs are in order, and without gaps between them; one that nobody has begun with is cut as it is taken. This
    knows nothing of the iterator, so that that is collected, and the threads ended, where it is forgotten.
    """

    def __init__(
        self, timeline: Timeline[T], page_size: int, workers: int, longest: int, method: str, advice: str
    ) -> None:
        self._timeline = timeline
        self._size = PageSize(page_size)
        self._longest = longest
        self._method = method
        self._advice = advice
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._runs: List[Segment[T]] = [Segment(TimeRange(None, None))]
        #: The tick of the last item; None while it is not known.
        self._last: Optional[int] = None
        self._stopped = False
        self._cancellations = [Cancellation() for _ in range(workers)]
        self._threads: List[threading.Thread] = []

    def next(self) -> Items[T]:
        if self._process != os.getpid():
            raise RuntimeError("This iterator began in another process, and its threads are there; begin a new one.")
        if not self._threads:
            self._start()
        with self._changed:
            while self._runs and not self._stopped:
                head = self._runs[0]
                if head.pages:
                    self._changed.notify_all()
                    return head.pages.popleft()
                if head.error is not None:
                    raise head.error
                if head.over:
                    del self._runs[0]
                    self._changed.notify_all()
                else:
                    self._changed.wait(_NAP)
        raise StopIteration

    def stop(self) -> None:
        # This may be the garbage collector, amid whatever this thread does, so it must not wait for a lock.
        self._stopped = True
        if self._process == os.getpid():
            for cancellation in self._cancellations:
                cancellation.cancel()

    def close(self) -> None:
        self.stop()
        if self._process == os.getpid() and threading.current_thread() not in self._threads:
            with self._changed:
                self._changed.notify_all()
            end = time.monotonic() + _PATIENCE
            for thread in self._threads:
                if thread.ident is not None:
                    thread.join(max(end - time.monotonic(), 0))

    def _start(self) -> None:
        for cancellation in self._cancellations:
            # While the first one is at the first page, the second looks how far it is to the last.
            task = self._look_ahead if len(self._threads) == 1 else self._work
            # Calls that are made there belong to what the caller is at, such as a span of OpenTelemetry.
            run = contextvars.copy_context().run
            thread = threading.Thread(target=run, args=(task, cancellation), name="viam-sync-ahead", daemon=True)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()

    def _look_ahead(self, cancellation: Cancellation) -> None:
        # If that fails, nothing is cut; what is really wrong will be met by the one who is at work.
        with contextlib.suppress(GRPCError):
            last = self._timeline.last(cancellation)
            with self._changed:
                self._last = last
        self._work(cancellation)

    def _work(self, cancellation: Cancellation) -> None:
        while True:
            run = self._taken()
            if run is None:
                return
            try:
                self._fill(run, cancellation)
            except BaseException as error:
                self._fail(run, error)
            with self._changed:
                run.over = True
                self._changed.notify_all()

    def _taken(self) -> Optional[Segment[T]]:
        """Return the next run that somebody is needed for, once there is room for it; None if there will be no more."""
        with self._changed:
            while not self._stopped:
                waiting = next((index for index, run in enumerate(self._runs) if not run.begun), None)
                if waiting is None and all(run.over for run in self._runs):
                    return None
                # The first one is never kept waiting, so there is always somebody who gets on.
                if waiting is not None and waiting < _AHEAD * len(self._threads):
                    return self._begun(waiting)
                self._changed.wait(_NAP)
        return None

    def _begun(self, index: int) -> Segment[T]:
        """Begin with a run, or with as much of it as is good for one worker."""
        run = self._runs[index]
        run.begun = True
        start, end = run.stretch
        if start is not None and run.length is not None and self._last is not None:
            middle = start + run.length
            # What may still come after the last item goes with that.
            if middle <= self._last and (end is None or middle < end):
                self._cut(run, middle, run.length)
        return run

    def _cut(self, run: Segment[T], at: int, length: int) -> None:
        """End a run there, and leave its rest to others."""
        with self._changed:
            if run in self._runs:
                rest: Segment[T] = Segment(TimeRange(at, run.stretch.end), length)
                self._runs.insert(self._runs.index(run) + 1, rest)
            run.stretch = TimeRange(run.stretch.start, at)
            self._changed.notify_all()

    def _fail(self, run: Segment[T], error: BaseException) -> None:
        with self._changed:
            run.error = error
            if run in self._runs:
                # Nobody gets beyond an error.
                del self._runs[self._runs.index(run) + 1 :]

    def _fill(self, run: Segment[T], cancellation: Cancellation) -> None:
        """Fetch the pages of a run, until there are no more, or so many that it is cut."""
        asked = run.stretch

        def fetch(cursor: str, size: int) -> Tuple[TimedPage[T], str]:
            with self._changed:
                while len(run.pages) >= self._longest and not self._stopped:
                    self._changed.wait(_NAP)
            if self._stopped:
                raise CancelledError(grpc.StatusCode.CANCELLED, "Nobody waits for this page any more.")
            items, ticks, after = self._timeline.page(asked, cursor, size, cancellation)
            return TimedPage(items, ticks), after

        for items in walk(fetch, method=self._method, advice=self._advice, size=self._size):
            page = cast("TimedPage[T]", items)
            run.count += 1
            run.share += len(page) / self._size.now
            if page.is_timed:
                is_cut = self._measure(run, asked, page)
                self._add(run, page.within(run.stretch))
                if is_cut:
                    return
            elif asked == (None, None):
                self._add(run, page.items)
            else:
                raise self._disorder("an item without a time")
        self._pass_on(run)

    def _measure(self, run: Segment[T], asked: TimeRange, page: TimedPage[T]) -> bool:
        """Look at the ticks of a page, and cut the run in it if it is the last one that should belong to it."""
        at, before = page.ticks[-1], run.latest
        self._check(page.ticks, asked, before)
        run.first = first = page.ticks[0] if run.first is None else run.first
        run.latest = at
        # All items of a tick go with the same run, so none of an earlier page may have it; and something must be left.
        least = max(first if before is None else before, first if asked.start is None else asked.start)
        if self._last is None or at <= least:
            return False
        if run.count < (1 if asked.start is None else self._longest) or (asked.end is not None and at >= asked.end):
            return False
        so_far = at - (first if asked.start is None else asked.start)
        self._cut(run, at, max(int(so_far * self._longest * _AIM / run.count), 1))
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

    def _add(self, run: Segment[T], page: Items[T]) -> None:
        if len(page):
            with self._changed:
                run.pages.append(page)
                self._changed.notify_all()

    def _pass_on(self, run: Segment[T]) -> None:
        """Let the next run that is begun be so long that it has the number of pages that is aimed at."""
        start, end = run.stretch
        if start is None or end is None:
            return
        times = min(self._longest * _AIM / run.share, _GROWTH) if run.share else _GROWTH
        with self._changed:
            after = self._runs[self._runs.index(run) + 1 :] if run in self._runs else []
            for rest in after:
                if not rest.begun:
                    rest.length = max(int((end - start) * times), 1)
                    return
