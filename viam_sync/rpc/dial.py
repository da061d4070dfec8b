"""Dialling: opens the channel to a service, and explains why that failed."""

import logging
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, NamedTuple, Optional, Tuple

import grpc

from viam_sync.checks import parameter_names
from viam_sync.clock import now
from viam_sync.errors import (
    ClosedError,
    DeadlineExceededError,
    GRPCError,
    InsecureConnectionError,
    UnavailableError,
    UnimplementedError,
    ViamError,
)
from viam_sync.rpc.address import Address, FilePath, parse_address
from viam_sync.rpc.channel import ServiceChannel, Time, service_channel
from viam_sync.rpc.connection import CLOSED
from viam_sync.rpc.options import Credentials, DialOptions, own_options
from viam_sync.rpc.policies import READ, Lane
from viam_sync.rpc.proxies import proxy_for_calls
from viam_sync.rpc.single_flight import SingleFlight
from viam_sync.rpc.threads import adapt_to_gevent

if TYPE_CHECKING:
    from viam_sync.rpc import diagnose
    from viam_sync.rpc.auth import Token

__all__ = [
    "Address",
    "Channel",
    "Credentials",
    "DialOptions",
    "FilePath",
    "ServiceChannel",
    "Time",
    "dial",
    "parse_address",
    "service_channel",
]

LOGGER = logging.getLogger(__name__)

#: The cloud rejects messages above 32 MiB; a response of that size needs room for its frame.
MAX_MESSAGE = 64 << 20
#: The number of calls at a time that servers commonly allow on one connection, and HTTP/2 recommends at least.
MOST_CALLS = 100
#: Bytes of a stream that a server may send ahead of what was read.
_LOOKAHEAD = 4 << 20


class ConnectionTimes(NamedTuple):
    """How long a connection may be silent, unused or away, in seconds.

    Attributes:
        keepalive: A connection that is silent for so long amid a call gets a ping. Viam's servers allow one every 5
            seconds.
        ping_timeout: A ping that is not answered in that time ends the connection.
        upload_ping_timeout: The same for the connection of uploads, where a ping waits behind their bytes, of which the
            system may hold some megabytes.
        idle: A connection without a call for so long is closed, before a NAT or load balancer forgets it.
        connecting: An attempt to connect may take that long.
        backoff: The longest pause between two attempts to connect.
    """

    keepalive: float = 10
    ping_timeout: float = 5
    upload_ping_timeout: float = 60
    idle: float = 30
    connecting: float = 10
    backoff: float = 2


_TIMES = ConnectionTimes()


class Channel(ServiceChannel):
    """A channel to the address of a service."""

    def __init__(self, address: Address, max_reconnect_attempts: int, times: ConnectionTimes = _TIMES) -> None:
        """Take what it is made of; only the package makes one.

        Args:
            address: Where to connect.
            max_reconnect_attempts: How often a call may be tried again after its connection was lost.
            times: How long a connection may be silent, unused or away.
        """

        def open(ping_timeout: float = times.ping_timeout) -> grpc.Channel:
            return _open(address, times._replace(ping_timeout=ping_timeout))

        super().__init__(
            open,
            address,
            max_reconnect_attempts,
            most_calls=MOST_CALLS,
            open_lanes={
                Lane.UPLOADS: lambda: open(times.upload_ping_timeout),
                Lane.DOWNLOADS: open,
                Lane.TAILS: open,
            },
        )


def _open(address: Address, times: ConnectionTimes) -> grpc.Channel:
    adapt_to_gevent()
    options: List[Tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        ("grpc.keepalive_time_ms", int(1000 * times.keepalive)),
        # A ping is given up after the shorter of these two.
        ("grpc.keepalive_timeout_ms", int(1000 * times.ping_timeout)),
        ("grpc.http2.ping_timeout_ms", int(1000 * times.ping_timeout)),
        # Without it, a call that waits in silence gets two pings and no more.
        ("grpc.http2.max_pings_without_data", 0),
        # grpc sends more pings to find out how much to ask for. On a slow line their answers wait behind the data.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", _LOOKAHEAD),
        # grpc closes a connection between once and twice this time after its last call.
        ("grpc.client_idle_timeout_ms", int(500 * times.idle)),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", int(1000 * times.connecting)),
        ("grpc.max_reconnect_backoff_ms", int(1000 * times.backoff)),
        # Channels that share connections break in a forked child.
        ("grpc.use_local_subchannel_pool", 1),
        # Retries are for our policies alone: a service config from a TXT record would retry beneath them.
        ("grpc.service_config_disable_resolution", 1),
    ]
    if proxy_for_calls(address.host) is None:
        options.append(("grpc.enable_http_proxy", 0))
    if address.tls:
        return grpc.secure_channel(address.target, grpc.ssl_channel_credentials(address.authorities), options)
    return grpc.insecure_channel(address.target, options)


def dial(address: str, options: Optional[DialOptions] = None) -> Tuple[Channel, Mapping[str, str]]:
    """Connect to a service, and authenticate where the options hold credentials.

    Args:
        address: See :func:`parse_address`.
        options: How; None for the defaults, which are TLS and no credentials. Those of the official SDK are taken, too.

    Returns:
        The arguments of every client: an open channel, and the metadata of the caller, which renews itself.

    Raises:
        ValueError: If the address is none, or the file of certificate authorities has none.
        TypeError: If ``options`` is no ``DialOptions``.
        InsecureConnectionError: If the server speaks no TLS, or has no certificate that can be trusted.
        UnauthenticatedError: If the service does not accept the credentials.
        GRPCError: If it could not be reached, or not in time.
        OSError: If the file of certificate authorities cannot be read.

    Example:
        >>> from viam_sync.rpc.dial import dial
        >>> channel, metadata = dial(sandbox.url, sandbox.dial_options())
        >>> channel.close()
    """
    link = Link(address, DialOptions() if options is None else own_options("options", options))
    del address  # it may have a password in it, and tools show the variables of each frame of a traceback
    return link.get()


class Link:
    """A connection that is dialled when it is first asked for, once for all threads.

    A copy of it, or what a pickle of it becomes, is dialled anew.

    Args:
        address: See :func:`parse_address`.
        options: How.
        named: The name of the address in error texts.

    Example:
        >>> from viam_sync.rpc.dial import Link
        >>> link = Link(sandbox.url, sandbox.dial_options())
        >>> channel, metadata = link.get()
        >>> link.close()
    """

    def __init__(self, address: str, options: DialOptions, named: str = "address") -> None:
        self.address = address
        self.options = options
        self.named = named
        self._channel: Optional[Channel] = None
        self._made: Optional[Tuple[Channel, Mapping[str, str]]] = None
        self._closed = False
        self._together: SingleFlight[Tuple[Channel, Mapping[str, str]]] = SingleFlight(verdicts=(ViamError, OSError))

    def get(self) -> Tuple[Channel, Mapping[str, str]]:
        """Return the channel and the metadata; raises the errors of :func:`dial`, and ClosedError after closing."""
        if self._made is None and not self._closed:
            self._together.do(self._dial, self.options.timeout)
        if self._made is None or self._closed:
            raise ClosedError(CLOSED)
        return self._made

    def _dial(self, seconds: Optional[float]) -> Tuple[Channel, Mapping[str, str]]:
        if self._made is None:
            self._made = _dial(self.parsed(), self.options, seconds or 0, self._begun)
        return self._made

    def parsed(self) -> Address:
        """Return the address, in its parts; raises ValueError if it is none."""
        with parameter_names(address=self.named):
            return parse_address(self.address, self.options.insecure)

    def _begun(self, channel: Channel) -> None:
        # close() sets the flag, then reads the channel; this stores it, then reads the flag: one sees the other.
        self._channel = channel
        if self._closed:
            channel.close()

    def close(self) -> None:
        """Close the connection, also one that another thread is about to make."""
        self._closed = True
        if self._channel is not None:
            self._channel.close()

    def __reduce__(self) -> Any:
        return type(self), (self.address, self.options, self.named)


class LateLink(Link):
    """A link whose arguments are looked up when it is first asked for.

    Args:
        find: Returns a link with them; a copy and a pickle look them up where they land.

    Example:
        >>> from viam_sync.rpc.dial import LateLink
        >>> link = LateLink(lambda: Link(sandbox.url, sandbox.dial_options()))
        >>> channel, metadata = link.get()
        >>> link.close()
    """

    def __init__(self, find: Callable[[], Link]) -> None:
        super().__init__("", DialOptions())
        self._find = find

    def get(self) -> Tuple[Channel, Mapping[str, str]]:
        """Return the channel and the metadata; raises the errors of ``find``, too."""
        if self._made is None and not self._closed:
            found = self._find()
            self.address, self.options, self.named = found.address, found.options, found.named
        return super().get()

    def __reduce__(self) -> Any:
        return type(self), (self._find,)


def _dial(
    where: Address, options: DialOptions, seconds: float, begun: Callable[[Channel], None]
) -> Tuple[Channel, Mapping[str, str]]:
    if where.tls or options.ca_certificate is not None:
        from viam_sync.rpc.trust import read_authorities  # only of use with TLS

        # Read only once: a child may have no right to.
        where = where._replace(authorities=read_authorities(options.ca_certificate))
    end = now() + seconds
    try:
        return _connect(where, options, end, begun)
    except InsecureConnectionError:
        allowed = options.allow_insecure_with_creds_downgrade or (
            options.allow_insecure_downgrade and options.credentials is None
        )
        if not (allowed and _speaks_plaintext(where, end)):
            raise
    LOGGER.warning("%s speaks no TLS; going on without, as the dial options allow", where.target)
    return _connect(where._replace(tls=False), options, end, begun)


def _connect(
    where: Address, options: DialOptions, end: float, begun: Callable[[Channel], None]
) -> Tuple[Channel, Mapping[str, str]]:
    channel = Channel(where, max_reconnect_attempts=options.initial_connection_attempts)
    try:
        begun(channel)
        metadata: Mapping[str, str] = {}
        if options.credentials is None:
            _raise_for(_find_problem(where, end), None)
        else:
            from viam_sync.rpc.auth import Token  # protobuf, and all of the way of a call, is loaded now

            metadata = Token(channel, options.auth_entity or where.host, options.credentials)
            _authenticate(metadata, where, options, end)
    except BaseException:
        channel.close()
        raise
    channel.max_reconnect_attempts = options.max_reconnect_attempts
    channel.was_reached = True
    LOGGER.debug("connected to %s %s TLS", where.target, "with" if where.tls else "without")
    return channel, metadata


def _authenticate(token: "Token", where: Address, options: DialOptions, end: float) -> None:
    policy = READ._replace(
        attempts=options.initial_connection_attempts,
        attempt_timeout=options.initial_connection_attempt_timeout,
        total_timeout=max(end - now(), 0),
    )
    try:
        token.refresh(policy=policy)
        return
    except GRPCError as error:
        failure = error
    failure.method = ""  # connecting failed, whatever call noticed it
    if isinstance(failure, UnimplementedError):
        failure.message = f"{where.target} is no Viam service: it cannot authenticate. Check the address."
    elif isinstance(failure, DeadlineExceededError):
        failure.message = (
            f"No answer from {where.target} within {options.timeout} s. Check the address, the network and firewalls,"
            " or give DialOptions a longer timeout."
        )
    elif isinstance(failure, UnavailableError):
        _raise_for(_find_problem(where, end), failure)
    raise failure.with_traceback(None)


def _find_problem(where: Address, end: float) -> "diagnose.Problem":
    from viam_sync.rpc import diagnose  # only of use where connecting failed

    return diagnose.find_problem(where, max(end - now(), 0))


def _speaks_plaintext(where: Address, end: float) -> bool:
    from viam_sync.rpc import diagnose

    return _find_problem(where, end).kind == diagnose.PLAINTEXT


def _raise_for(problem: "diagnose.Problem", failure: Optional[GRPCError]) -> None:
    """Raise the error of a problem; none where there is no failure and the server looks well."""
    from viam_sync.rpc import diagnose

    if problem.kind == diagnose.PLAINTEXT:
        raise InsecureConnectionError(
            f"{problem.text} If it is a server of your own, use an address that begins with http://, or"
            " DialOptions(insecure=True); credentials then travel unencrypted."
        )
    if problem.kind == diagnose.CERTIFICATE:
        raise InsecureConnectionError(
            f"{problem.text} Check the address and this computer's clock; for a certificate authority of your own, name"
            " its file in DialOptions(ca_certificate=...), in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH or in SSL_CERT_FILE."
        )
    is_unclear = problem.kind in (diagnose.UNKNOWN, diagnose.NO_HTTP_2)
    if failure is None:
        if is_unclear:
            return
        failure = UnavailableError(grpc.StatusCode.UNAVAILABLE)
    unclear = f" ({failure.text})" if failure.text and is_unclear else ""
    failure.message = problem.text + unclear
    raise failure.with_traceback(None)
