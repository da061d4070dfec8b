"""What a handler of a signal raises comes in between no step of grpc."""

import gc
import os
import signal
import threading
from queue import SimpleQueue
from typing import Any, Iterator, List

import pytest

from viam_sync.rpc.off_main_thread import ThreadedStream, run_off_main_thread

LONG = 60


def press_soon() -> threading.Timer:
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_the_main_thread_waits_for_another() -> None:
    assert run_off_main_thread(threading.current_thread, cancel=lambda: None) is not threading.main_thread()


def test_another_thread_does_it_itself() -> None:
    seen: List[Any] = []
    thread = threading.Thread(
        target=lambda: seen.append(run_off_main_thread(threading.current_thread, cancel=lambda: None))
    )
    thread.start()
    thread.join(LONG)
    assert seen == [thread]


def test_an_exception_of_the_work_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        run_off_main_thread(lambda: 1 // 0, cancel=lambda: None)


def test_ctrl_c_gives_the_work_up() -> None:
    given_up = threading.Event()
    timer = press_soon()
    with pytest.raises(KeyboardInterrupt):
        run_off_main_thread(lambda: given_up.wait(LONG), given_up.set)
    timer.join()
    assert given_up.is_set()


class Call:
    """A call that sends what is put into it."""

    def __init__(self, *messages: Any) -> None:
        self.queue: SimpleQueue[Any] = SimpleQueue()
        for message in messages:
            self.queue.put(message)
        self.cancelled = threading.Event()
        self.threads: List[threading.Thread] = []

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self.threads.append(threading.current_thread())
        message = self.queue.get()
        if isinstance(message, BaseException):
            raise message
        return message

    def cancel(self) -> None:
        self.cancelled.set()
        self.queue.put(KeyError("cancelled"))


def test_messages_come_in_order_and_end_for_good() -> None:
    messages: ThreadedStream[int] = ThreadedStream(Call(1, 2, 3, 4, 5, 6, 7, StopIteration()))
    assert list(messages) == [1, 2, 3, 4, 5, 6, 7]
    assert list(messages) == []


def test_a_failure_comes_after_what_came_before_it_and_again() -> None:
    messages: ThreadedStream[int] = ThreadedStream(Call(1, ValueError("lost")))
    assert next(messages) == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="lost"):
            next(messages)


def test_no_more_than_a_few_are_taken_before_they_are_asked_for() -> None:
    call = Call(*range(100))
    messages: ThreadedStream[int] = ThreadedStream(call)
    assert next(messages) == 0
    threading.Event().wait(0.1)
    assert call.queue.qsize() >= 70
    assert threading.main_thread() not in call.threads
    messages.cancel()


def test_ctrl_c_ends_a_wait_for_a_message_and_not_the_stream() -> None:
    call = Call()
    messages: ThreadedStream[int] = ThreadedStream(call)
    timer = press_soon()
    with pytest.raises(KeyboardInterrupt):
        next(messages)
    timer.join()
    call.queue.put(1)
    assert next(messages) == 1
    messages.cancel()


def test_messages_that_are_dropped_end_their_call_and_its_thread() -> None:
    call = Call(1)
    messages: ThreadedStream[int] = ThreadedStream(call)
    assert next(messages) == 1
    (thread,) = set(call.threads)
    del messages
    gc.collect()
    assert call.cancelled.wait(LONG)
    thread.join(LONG)
    assert not thread.is_alive()
