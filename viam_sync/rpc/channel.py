"""The channel that services make their calls on: its connection, and all that their retries share."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import Any, Callable, Mapping, Optional

import grpc
from typing_extensions import Protocol, Self

from viam_sync.checks import wrong_type
from viam_sync.clock import now
from viam_sync.rpc import forks
from viam_sync.rpc.address import Address
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.closing import Closing
from viam_sync.rpc.connection import Connection
from viam_sync.rpc.late_channel import NOT_PICKLED, LateChannel
from viam_sync.rpc.policies import Lane
from viam_sync.rpc.retry_limits import RetryThrottle

#: How often a lost connection is tried again on a channel that a caller has opened.
_RECONNECTS = 3
#: Seconds between two looks at whether the channel was closed meanwhile.
_LOOK = 0.1


class Time(Protocol):
    """A clock, as ``grpc_testing`` defines one: its fake clocks are of this kind."""

    def time(self) -> float:
        """Return the seconds since any origin."""
        ...

    def sleep_for(self, duration: float) -> None:
        """Wait that many seconds."""
        ...


class _SystemTime:
    """The clock of this computer."""

    time = staticmethod(now)

    def sleep_for(self, duration: float) -> None:
        time.sleep(duration)


SYSTEM_TIME: Time = _SystemTime()


class ServiceChannel(grpc.Channel):  # type: ignore[misc, unused-ignore]
    """A channel with all that the calls of a service need of it.

    Every process has a connection of its own, opened when it is first used: a forked child never uses its parent's. The
    exception is a channel that a caller has opened, which only that caller could open anew.

    Attributes:
        lanes: The connections of this process.
        retry_throttle: The tokens that all calls share for their retries.
        token_accepted: Whether a call that carried the caller's token ever succeeded.
        was_reached: Whether the service was ever reached.
        attached: What is closed together with the channel, if it is still there.
    """

    def __init__(
        self,
        open: Callable[[], grpc.Channel],
        address: Optional[Address] = None,
        max_reconnect_attempts: int = _RECONNECTS,
        time: Time = SYSTEM_TIME,
        most_calls: Optional[int] = None,
        open_lanes: Mapping[Lane, Callable[[], grpc.Channel]] = MappingProxyType({}),
    ) -> None:
        """Take what it is made of; only the package makes one.

        Args:
            open: Opens a channel of grpc.
            address: The address of the service; None if it is not known.
            max_reconnect_attempts: How often a call may be tried again after its connection was lost.
            time: The clock of deadlines and waits.
            most_calls: The number of calls at a time on one connection; None for any number.
            open_lanes: Open the channels of grpc of the lanes that have one of their own.
        """
        self.address = address
        self.max_reconnect_attempts = max_reconnect_attempts
        self.time = time
        self.retry_throttle = RetryThrottle(time.time)
        self.token_accepted = False
        self.was_reached = False
        self.attached: forks.WeakBag[Closing] = forks.WeakBag()
        shared = Connection(open, most_calls)
        self.lanes = {lane: Connection(open_lanes[lane], most_calls) if lane in open_lanes else shared for lane in Lane}
        forks.watch(self)

    @property
    def target(self) -> str:
        """The name of the service in error texts."""
        return "the service" if self.address is None else self.address.target

    @property
    def connection(self) -> Connection:
        """The connection that most calls are made on."""
        return self.lanes[Lane.CALLS]

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        """Call ``callback`` at each change of the connection's state."""
        self.connection.channel().subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """Call ``callback`` no more."""
        if not self.connection.closed:
            self.connection.channel().unsubscribe(callback)

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return a stub on the connection of this process."""
        return self.connection.channel().unary_unary(*args, **kwargs)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return a stub on the connection of this process."""
        return self.connection.channel().unary_stream(*args, **kwargs)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return a stub on the connection of this process."""
        return self.connection.channel().stream_unary(*args, **kwargs)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return a stub on the connection of this process."""
        return self.connection.channel().stream_stream(*args, **kwargs)

    def sleep(self, seconds: float, cancellation: Optional[Cancellation] = None) -> None:
        """Wait that many seconds, or until the channel is closed, or a call is cancelled."""
        # Counted down and not looked up: a test may have stopped the clock.
        pause = self.time.sleep_for if cancellation is None or self.time is not SYSTEM_TIME else cancellation.sleep
        while seconds > 0 and not self.connection.closed and not (cancellation is not None and cancellation.cancelled):
            pause(min(seconds, _LOOK))
            seconds -= _LOOK

    def close(self) -> None:
        """Close the connection of this process; calls under way end as cancelled."""
        for connection in set(self.lanes.values()):
            connection.close()
        for thing in self.attached.alive():
            thing.close()

    def about_to_fork(self) -> int:
        """Return how many calls are under way that were not reported before."""
        return sum(connection.about_to_fork() for connection in set(self.lanes.values()))

    def forked(self) -> None:
        """Leave the connections to the parent process, and be ready to make those of this process."""
        fresh = {connection: connection.after_fork() for connection in set(self.lanes.values())}
        self.lanes = {lane: fresh[connection] for lane, connection in self.lanes.items()}

    def __reduce__(self) -> Any:
        raise TypeError(NOT_PICKLED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def service_channel(channel: grpc.Channel, time: Time = SYSTEM_TIME) -> ServiceChannel:
    """Return a channel that services can use: itself, or a channel of grpc that a caller has opened, wrapped.

    Args:
        channel: The channel, such as one of ``grpc_testing``.
        time: The clock of deadlines and waits on a channel that is wrapped.

    Raises:
        TypeError: If it is no channel.

    Example:
        >>> import grpc_testing
        >>> from viam_sync.app.app_client import AppClient
        >>> clock = grpc_testing.strict_fake_time(0)
        >>> app = AppClient(service_channel(grpc_testing.channel(AppClient.service_descriptors(), clock), clock), {})
    """
    if isinstance(channel, ServiceChannel):
        return channel
    error = channel_error(channel)
    if error is not None:
        del channel  # it may be a key, and tools show the variables of each frame of a traceback
        raise error
    return ServiceChannel(lambda: channel, time=time)


def channel_error(given: Any) -> Optional[TypeError]:
    """Return the error of what is no channel, which is not raised here, where it is a variable; None for a channel."""
    if isinstance(given, (grpc.Channel, LateChannel)):
        return None
    advice = "ViamClient.create_from_dial_options(…) makes a client"
    return wrong_type("channel", "a grpc.Channel", given, advice=advice)
