"""The connections of one process: channels of grpc, the stubs made on them, and the calls under way."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Callable, Dict, Optional, Set, Tuple, Type

import grpc

from viam_sync.clock import grpc_timeout
from viam_sync.errors import ClosedError, ViamError
from viam_sync.rpc import forks
from viam_sync.rpc.method import Method

CLOSED = "The client is closed; make a new one to call again."


class Connection:
    """A channel of grpc that is opened when it is first needed, in the process that needs it.

    Args:
        open: Makes the channel of grpc.
        most_calls: The number of calls under way at which another connection is made, as a server allows only so many
            on one; None for any number.
    """

    def __init__(self, open: Callable[[], grpc.Channel], most_calls: Optional[int] = None) -> None:
        self._open = open
        self._most_calls = most_calls
        self._next: Optional[Connection] = None
        self._channel: Optional[grpc.Channel] = None
        self._lock = threading.RLock()  # a signal handler may close it at any moment
        self._stubs: Dict[Tuple[type, str], Any] = {}
        self._reported = False
        self.closed = False
        #: The calls that are about to begin, and the blocking ones under way.
        self.places: Set[Place] = set()
        self._calls: forks.WeakBag[Any] = forks.WeakBag()

    def channel(self) -> grpc.Channel:
        """Return the channel of grpc, which is open.

        Raises:
            ClosedError: If the connection was closed.
        """
        with self._lock:
            if self._channel is None and not self.closed:
                forks.about_to_open()
                self._channel = self._open()
            if self.closed or self._channel is None:
                self.close()
                raise ClosedError(CLOSED)
            return self._channel

    def with_room(self) -> Place:
        """Take a place for a call on this connection, or on another one where so many are taken that it might wait."""
        connection = self
        while True:
            # Taken first and counted then, so that threads that come at the same time do not all get the last place.
            place, most = Place(connection), connection._most_calls
            if most is None or len(connection.places) + len(connection._calls) <= most:
                return place
            # Not all of the calls that are alive are under way.
            if connection.closed or connection._under_way() <= most:
                return place
            place.leave()
            connection = connection._following()

    def _following(self) -> Connection:
        with self._lock:
            if self._next is None:
                self._next = Connection(self._open, self._most_calls)
                self._next.closed = self.closed
            return self._next

    def _under_way(self) -> int:
        return len(self.places) + len([call for call in self._calls.alive() if call.is_active()])

    def stub(self, owner: type, method: Method, make: Callable[[grpc.Channel, Method], Any]) -> Any:
        """Return the stub of an RPC for a class of services; ``make`` makes it at the first call.

        Raises:
            ClosedError: If the connection was closed.
        """
        if self.closed:
            raise ClosedError(CLOSED)
        # Those of this moment: a stub that is made for a channel which is abandoned meanwhile is lost with the others.
        stubs = self._stubs
        stub = stubs.get((owner, method.path))
        if stub is None:
            stub = stubs[owner, method.path] = make(self.channel(), method)
        return stub

    def begin(self, start: Callable[..., Any], request: Any, seconds: Optional[float], headers: Any) -> Any:
        """Begin a call that threads of grpc serve, and remember it for as long as it runs.

        Raises:
            RuntimeError: If such a thread cannot be started, as the interpreter has just begun to shut down.
        """
        try:
            call = start(request, timeout=grpc_timeout(seconds), metadata=headers)
        except RuntimeError:
            self.abandon()
            raise
        self._calls.add(call)
        return call

    def abandon(self) -> None:
        """Leave a channel alone that may hang, also when it is closed or freed; the next call opens another."""
        with self._lock:
            channel, self._channel, self._stubs = self._channel, None, {}
        forks.keep_for_good(channel)

    def close(self) -> None:
        """Close the connection for good; calls under way end as cancelled."""
        self.closed = True
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
            forks.closed()
        if self._next is not None:
            self._next.close()

    def about_to_fork(self) -> int:
        """Return how many calls are under way, the first time that there are any."""
        following = 0 if self._next is None else self._next.about_to_fork()
        if self._reported:
            return following
        count = self._under_way()
        self._reported = count > 0
        return count + following

    def after_fork(self) -> Connection:
        """Return a connection for the child process; this one is left as it is to the parent."""
        if self._channel is not None:
            forks.keep_for_good(self._channel)
        if self._next is not None:
            self._next.after_fork()
        fresh = Connection(self._open, self._most_calls)
        fresh.closed = self.closed
        return fresh


class Place:
    """The place of a call on a connection, from before it begins until the ``with`` block ends.

    A call that threads of grpc serve is counted by itself as soon as it has begun.

    Args:
        connection: The connection.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.places.add(self)

    def begin(self, start: Callable[..., Any], request: Any, seconds: Optional[float], headers: Any) -> Any:
        """Begin such a call; see :meth:`Connection.begin`."""
        try:
            return self.connection.begin(start, request, seconds, headers)
        finally:
            self.leave()

    def leave(self) -> None:
        """Give the place back; doing it again does nothing."""
        self.connection.places.discard(self)

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        connection = self.connection
        is_signal = kind is not None and not issubclass(kind, (grpc.RpcError, ViamError, ValueError))
        if is_signal and self in connection.places:
            # A signal handler has raised, perhaps amid steps of grpc: then a lock of the channel is left taken.
            connection.abandon()
        connection.places.discard(self)
