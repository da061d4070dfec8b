"""The thread pool that answers calls."""

from __future__ import annotations

import functools
import queue
import threading
from concurrent.futures import Executor, Future
from typing import Any, Callable, List, Optional, Tuple

_Task = Tuple["Future[Any]", Callable[[], Any]]


class DaemonThreadPool(Executor):
    """A pool like ThreadPoolExecutor, but of daemon threads, which do not keep the process alive.

    With ThreadPoolExecutor, a program that does not stop its sandbox could not exit while a client follows a log.

    Args:
        most: The largest number of threads; a thread is started only when none is idle.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: queue.SimpleQueue[Optional[_Task]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: List[threading.Thread] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **others: Any) -> Future[Any]:
        """Run a function in a thread, as soon as one is idle."""
        future: Future[Any] = Future()
        self._tasks.put((future, functools.partial(function, *arguments, **others)))
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=f"viam-sandbox_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def shutdown(self, wait: bool = True, **_: Any) -> None:
        """End the threads after their tasks."""
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
            del task, future, function  # references would otherwise live until the next task
            self._idle.release()
