"""What one process has of a channel: its connection, and the calls that are under way on it."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Optional, Set, Tuple

import grpc
from typing_extensions import Protocol

from viam_sync.errors import ClosedError
from viam_sync.rpc import forks
from viam_sync.rpc.cancellation import CancellableCall, Cancellation
from viam_sync.rpc.off_main_thread import ThreadedStream, run_off_main_thread

CLOSED = "The client is closed; make a new one to call again."

#: Seconds between two looks at whether the connection was closed meanwhile.
_LOOK = 0.1


class Connection:
    """A channel of grpc that is opened when it is first needed, in the process that it is needed in.

    Args:
        open: Makes the channel of grpc.
    """

    def __init__(self, open: Callable[[], grpc.Channel]) -> None:
        self._open = open
        self._channel: Optional[grpc.Channel] = None
        self._lock = threading.RLock()  # a signal handler may close it at any moment
        self._told = False
        self.closed = False
        #: Each call that a thread waits for has a mark in here, as long as it waits.
        self.waits: Set[object] = set()
        self._calls: forks.WeakBag[Any] = forks.WeakBag()

    def channel(self) -> grpc.Channel:
        """Return the channel of grpc, which is open.

        Raises:
            ClosedError: If the connection was closed.
        """
        with self._lock:
            if self._channel is None and not self.closed:
                self._channel = self._open()
            if self.closed or self._channel is None:
                self.close()
                raise ClosedError(CLOSED)
            return self._channel

    def follow(self, call: Any) -> Any:
        """Return a call that has begun, and remember it for as long as it runs."""
        self._calls.add(call)
        return call

    def sleep(self, seconds: float, cancellation: Optional[Cancellation] = None) -> None:
        """Wait that many seconds, or until the connection is closed, or the call of a cancellation is ended."""
        pause = time.sleep if cancellation is None else cancellation.sleep
        end = time.monotonic() + seconds
        while seconds > 0 and not self.closed and not (cancellation is not None and cancellation.cancelled):
            pause(min(seconds, _LOOK))
            seconds = end - time.monotonic()

    def close(self) -> None:
        """Close the connection for good; calls under way end as cancelled."""
        self.closed = True
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
            forks.closed()

    def about_to_fork(self) -> int:
        """Tell how many calls are under way, the first time that there are any."""
        if self._told:
            return 0
        count = len(self.waits) + len([call for call in self._calls.alive() if call.is_active()])
        self._told = count > 0
        return count

    def anew(self) -> Connection:
        """Return a connection of the child process after a fork; this one stays as it is, and is the parent's."""
        if self._channel is not None:
            forks.keep_for_good(self._channel)
        mine = Connection(self._open)
        mine.closed = self.closed
        return mine


class Connected(Protocol):
    """A channel whose connection is another in each process."""

    connection: Connection
    accepted: bool


class Method:
    """Calls a method of the service, always on the connection of the process that it is called in.

    Args:
        channel: The channel.
        make: Makes the callable on a channel of grpc.
    """

    def __init__(self, channel: Connected, make: Callable[[grpc.Channel], Any]) -> None:
        self._channel = channel
        self._make = make
        self._made: Tuple[Optional[Connection], Any] = (None, None)

    def _here(self) -> Tuple[Any, Any]:
        made = self._made
        connection = self._channel.connection
        if made[0] is not connection:
            made = self._made = (connection, self._make(connection.channel()))
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, and wait for the one message that answers."""
        connection, callable = self._here()
        mark = object()
        connection.waits.add(mark)
        try:
            answer = callable(*args, **kwargs)
        finally:
            connection.waits.discard(mark)
        if not self._channel.accepted and "authorization" in dict(kwargs.get("metadata") or ()):
            self._channel.accepted = True
        return answer

    def with_call(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, and wait for the one message that answers; return the call, too."""
        connection, callable = self._here()
        mark = object()
        connection.waits.add(mark)
        try:
            return callable.with_call(*args, **kwargs)
        finally:
            connection.waits.discard(mark)

    def future(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, and return the call, which waits for the answer when asked for it."""
        connection, callable = self._here()
        return connection.follow(callable.future(*args, **kwargs))

    def start(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, and return the call, which gives the messages that answer."""
        connection, callable = self._here()
        begun = CancellableCall(lambda: connection.follow(callable(*args, **kwargs)))
        return ThreadedStream(run_off_main_thread(begun.call, begun.cancel))
