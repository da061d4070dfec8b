"""Pressing Ctrl-C amid a call that waits."""

import logging
import os
import signal
import threading
from typing import Any, Callable, Iterator

import grpc
import pytest
from waiting import LONG, is_calling, until

from viam_sync.rpc.retry import LOGGER


class Stuck:
    """A method of a service that is reached and does not answer, until its caller has gone."""

    def __init__(self, *first: bytes) -> None:
        self.first = first
        self.reached = threading.Event()
        self.left = threading.Event()

    def wait(self, context: grpc.ServicerContext) -> None:
        if not context.add_callback(self.left.set):
            self.left.set()
        self.reached.set()
        self.left.wait(LONG)

    def unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.wait(context)
        return b""

    def stream(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from self.first
        self.wait(context)

    def upload(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        for _ in zip(range(2), requests):
            pass
        self.wait(context)
        return b""


class Retried(logging.Handler):
    """Sets ``reached`` when the client says in the log that it waits before another attempt."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.reached = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "trying again in" in record.msg:
            self.reached.set()

    def __enter__(self) -> "Retried":
        self._level = LOGGER.level
        LOGGER.setLevel(logging.INFO)
        LOGGER.addHandler(self)
        return self

    def __exit__(self, *error: object) -> None:
        LOGGER.removeHandler(self)
        LOGGER.setLevel(self._level)


def interrupted(call: Callable[[], Any], reached: threading.Event) -> BaseException:
    """Make a call, and press Ctrl-C once it is under way and has reached the service; return what it raised."""

    def press() -> None:
        if reached.wait(LONG):
            until(lambda: is_calling(threading.main_thread()))
            os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:  # noqa: PT012 (it may come before the call)
            pressing.start()
            call()
    finally:
        pressing.join()
    return caught.value
