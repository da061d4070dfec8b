"""What the planned faults do to one call: it waits, it fails, or its connection is dropped."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from types import TracebackType
from typing import Iterator, List, Optional, Type, TypeVar

import grpc

from viam_sync.sandbox.errors import CallError, cancelled
from viam_sync.sandbox.faults import Fault, Faults, open_files

T = TypeVar("T")

# What was sent just before a connection is dropped may be lost on its way. Of 1500 streams, 22 lost a message when
# there was no wait, and none after 5 ms.
_ARRIVING = 0.05


class Mishaps:
    """The faults that one call meets; a context manager, since it may end before it meets them.

    Args:
        faults: What is planned.
        rpc: The full name of the RPC, such as "viam.app.v1.AppService/GetRobot".
        context: The call.
        port: The port that it came in by.
    """

    def __init__(self, faults: Faults, rpc: str, context: grpc.ServicerContext, port: int) -> None:
        self._faults = faults
        self._rpc = rpc
        self._context = context
        self._port = port
        self._delays: List[Fault] = []
        self._fault: Optional[Fault] = None

    def __enter__(self) -> Mishaps:
        self._delays, self._fault = self._faults.claim(self._rpc)
        return self

    def __exit__(
        self, type: Optional[Type[BaseException]], value: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        for fault in (*self._delays, self._fault):
            if fault is not None:
                self._faults.release(fault)

    def before(self) -> None:
        """Let happen what is to happen before the call takes effect.

        Raises:
            CallError: If the call is to fail, or its client went away while it waited.
        """
        while self._delays:
            fault = self._delays.pop(0)
            self._faults.strike(fault)
            self._wait(fault.seconds)
        if self._fault is not None and not self._fault.after and self._fault.after_messages is None:
            self._strike(self._fault)

    def after(self) -> None:
        """Let happen what is to happen once the call took effect.

        Raises:
            CallError: If the call is to fail.
        """
        if self._fault is not None and self._fault.after:
            self._strike(self._fault)

    def passing(self, messages: Iterator[T]) -> Iterator[T]:
        """Return the messages of a stream; where the connection is to be dropped among them, it is, and they raise.

        Raises:
            CallError: From the iterator, when the connection was dropped.
        """
        fault = self._fault
        return messages if fault is None or fault.after_messages is None else self._until(fault, messages)

    def _until(self, fault: Fault, messages: Iterator[T]) -> Iterator[T]:
        for _ in range(fault.after_messages or 0):
            try:
                message = next(messages)
            except StopIteration:
                return
            yield message
        self._strike(fault)

    def _strike(self, fault: Fault) -> None:
        self._fault = None
        self._faults.strike(fault)
        when = "after it took effect" if fault.after else "before it took effect"
        if fault.what == "drop":
            self._wait(_ARRIVING)
            _drop(int(self._context.peer().rpartition(":")[2]), self._port)
            # The first grpcio of our range may never notice, and wait for the rest of an upload for ever.
            self._context.cancel()
            raise CallError(grpc.StatusCode.UNAVAILABLE, f"The sandbox dropped the connection of {self._rpc}.")
        if fault.pushback_ms is not None:
            self._context.set_trailing_metadata((("grpc-retry-pushback-ms", str(fault.pushback_ms)),))
        text = f"The sandbox was told to let {self._rpc} fail, {when}."
        raise CallError(getattr(grpc.StatusCode, fault.what), text)

    def _wait(self, seconds: float) -> None:
        gone = threading.Event()
        # Stopping and resetting the sandbox end the call, and with it the wait.
        if not self._context.add_callback(gone.set) or gone.wait(seconds):
            raise cancelled(f"The call of {self._rpc} ended while it was being delayed.")


def _drop(client: int, server: int) -> None:
    """Shut the connection between two ports of this computer, as if a cable had been cut."""
    folder = open_files()
    assert folder is not None, "without it, no drop can be planned"
    for path in folder.iterdir():
        # Files come and go meanwhile.
        with contextlib.suppress(OSError):
            _shut_if_between(int(path.name), client, server)


def _shut_if_between(number: int, client: int, server: int) -> None:
    if not stat.S_ISSOCK(os.fstat(number).st_mode):
        return
    copy = os.dup(number)
    try:
        connection = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with connection:
        if connection.type == socket.SOCK_STREAM and connection.family in (socket.AF_INET, socket.AF_INET6):
            ports = connection.getpeername()[1], connection.getsockname()[1]
            if ports == (client, server):
                connection.shutdown(socket.SHUT_RDWR)
