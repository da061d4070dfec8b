"""Injection of planned faults into one call: delays, failures and drops of its connection."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Iterator, List, Optional, Type, TypeVar

import grpc

from viam_sync.sandbox.core.call_errors import CallError, cancelled
from viam_sync.sandbox.faults.connections import cut_connection
from viam_sync.sandbox.faults.faults import Fault, Faults

T = TypeVar("T")


class Injection:
    """The faults of one call; a context manager, which releases those that the call did not meet.

    Args:
        faults: The planned faults.
        rpc: The full name of the RPC, such as "viam.app.v1.AppService/GetRobot".
        context: The context of the call.
        port: The port of the server.
    """

    def __init__(self, faults: Faults, rpc: str, context: grpc.ServicerContext, port: int) -> None:
        self._faults = faults
        self._rpc = rpc
        self._context = context
        self._port = port
        self._delays: List[Fault] = []
        self._fault: Optional[Fault] = None

    def __enter__(self) -> Injection:
        self._delays, self._fault = self._faults.claim(self._rpc)
        return self

    def __exit__(
        self, type: Optional[Type[BaseException]], value: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        for fault in (*self._delays, self._fault):
            if fault is not None:
                self._faults.release(fault)

    def before(self) -> None:
        """Trigger the faults that come before the call takes effect.

        Raises:
            CallError: If the call fails, or is cancelled during a delay.
        """
        while self._delays:
            fault = self._delays.pop(0)
            self._faults.trigger(fault)
            self._wait(fault.seconds)
        if self._fault is not None and not self._fault.after and self._fault.after_messages is None:
            self._trigger(self._fault)

    def after(self) -> None:
        """Trigger the fault that comes after the call took effect.

        Raises:
            CallError: If the call fails.
        """
        if self._fault is not None and self._fault.after:
            self._trigger(self._fault)

    def stream(self, messages: Iterator[T]) -> Iterator[T]:
        """Return the messages of a stream, up to the point at which a fault drops the connection.

        Raises:
            CallError: From the iterator, when the connection is dropped.
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
        self._trigger(fault)

    def _trigger(self, fault: Fault) -> None:
        self._fault = None
        self._faults.trigger(fault)
        when = "after it took effect" if fault.after else "before it took effect"
        if fault.what == "drop":
            self._wait(self._faults.drop_delay)
            cut_connection(int(self._context.peer().rpartition(":")[2]), self._port)
            # The call is cancelled too: older versions of grpcio may not notice, and wait for the rest of an upload.
            self._context.cancel()
            raise CallError(grpc.StatusCode.UNAVAILABLE, f"The sandbox dropped the connection of {self._rpc}.")
        if fault.pushback_ms is not None:
            self._context.set_trailing_metadata((("grpc-retry-pushback-ms", str(fault.pushback_ms)),))
        text = f"The sandbox was told to let {self._rpc} fail, {when}."
        raise CallError(getattr(grpc.StatusCode, fault.what), text)

    def _wait(self, seconds: float) -> None:
        ended = threading.Event()
        # A stop or a reset of the sandbox cancels the call, and ends the wait.
        if not self._context.add_callback(ended.set) or ended.wait(seconds):
            raise cancelled(f"The call of {self._rpc} ended while it was being delayed.")
