"""The threads in which a sandbox answers calls."""

from __future__ import annotations

import functools
import queue
import threading
from concurrent.futures import Executor, Future
from typing import Any, Callable, List, Optional, Tuple

_Task = Tuple["Future[Any]", Callable[[], Any]]


class Threads(Executor):
    """A pool of threads like ThreadPoolExecutor, but a process that ends does not wait for them.

    Without this, a program that forgets to stop its sandbox could not end while a client follows a log.

    Args:
        most: How many threads there may be; one is only made when none is idle.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: queue.SimpleQueue[Optional[_Task]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: List[threading.Thread] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **others: Any) -> Future[Any]:
        """Run a function in a thread, as soon as there is one."""
        future: Future[Any] = Future()
        self._tasks.put((future, functools.partial(function, *arguments, **others)))
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=f"viam-sandbox_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def shutdown(self, wait: bool = True, **_: Any) -> None:
        """End the threads when they have done what was asked of them."""
        for _thread in self._threads:
            self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            if task is None:
                return
            future, function = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as error:
                    future.set_exception(error)
            del task, future, function  # or what is done with would be kept until the next call
            self._idle.release()
