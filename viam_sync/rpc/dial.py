"""The channel: how it is opened, and what may go wrong while it is."""

import logging
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, List, Mapping, Optional, Tuple

import grpc
from typing_extensions import Self

from viam_sync.checks import describe
from viam_sync.errors import (
    ClosedError,
    DeadlineExceededError,
    GRPCError,
    InsecureConnectionError,
    UnavailableError,
    UnimplementedError,
    ViamError,
)
from viam_sync.rpc import diagnose, forks
from viam_sync.rpc.auth import Credentials, Token
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.connection import CLOSED, Connection, Method
from viam_sync.rpc.options import DialOptions, FilePath
from viam_sync.rpc.retry import READ, RetryThrottle
from viam_sync.rpc.single_flight import SingleFlight

__all__ = ["Channel", "Credentials", "DialOptions", "dial", "parse_address"]

LOGGER = logging.getLogger(__name__)

#: The cloud refuses messages above 32 MiB; an answer of that size needs room for its frame.
MAX_MESSAGE = 64 << 20


@dataclass(frozen=True)
class Address:
    """Where the service listens, and whether it speaks TLS there."""

    host: str
    port: int
    tls: bool
    ca_certificate: Optional[FilePath] = None

    @property
    def target(self) -> str:
        """The address as grpc takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_ADDRESS = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^\s/:?#@\[\]\x00-\x1f\x7f\ud800-\udfff]{1,253}))(?::(?P<port>[0-9]{1,9}))?(?:[/?#].*)?",
    re.IGNORECASE,
)


def parse_address(address: str, insecure: bool = False) -> Address:
    """Return where an address leads.

    Args:
        address: ``host``, ``host:port``, or either behind ``https://``, or behind ``http://`` for no TLS. A path is
            left out.
        insecure: No TLS, whatever the scheme.

    Returns:
        The address; the port is 443, or 80 without TLS, unless one is given.

    Raises:
        ValueError: If that is no address, or its scheme is another.

    Example:
        >>> from viam_sync.rpc.dial import parse_address
        >>> parse_address("https://app.viam.com").target
        'app.viam.com:443'
    """
    parts = _ADDRESS.fullmatch(address.strip()) if isinstance(address, str) else None
    if parts is None:
        raise ValueError(
            f"{describe(address)} is no address; it takes one like app.viam.com or https://app.viam.com:443"
        )
    scheme = (parts["scheme"] or "https").lower()
    if scheme not in ("https", "http"):
        raise ValueError(f"{address!r} begins with {scheme}://; an address takes https://, http:// or no scheme")
    tls = scheme == "https" and not insecure
    port = int(parts["port"] or (443 if tls else 80))
    if not 0 < port < 65536:
        raise ValueError(f"{address!r} names port {port}; a port is a number from 1 to 65535")
    return Address(parts["v6"] or parts["host"], port, tls)


class Channel(grpc.Channel):  # type: ignore[misc, unused-ignore]
    """A channel to the cloud, which knows how often its calls may be tried again.

    Every process has a connection of its own, made when it is first used: a forked child never uses its parent's.

    Args:
        address: Where to connect.
        max_reconnect_attempts: How often a call may be tried again after its connection was lost.

    Raises:
        OSError: If the file of certificate authorities cannot be read.
    """

    def __init__(self, address: Address, max_reconnect_attempts: int) -> None:
        self.address = address
        self.max_reconnect_attempts = max_reconnect_attempts
        #: What the retries of all calls may use up.
        self.budget = RetryThrottle()
        #: Whether a call that carried the caller's token was ever answered.
        self.accepted = False
        # Read only once: a child may have no right to.
        authorities = None if address.ca_certificate is None else Path(address.ca_certificate).read_bytes()
        self.connection = Connection(lambda: _open(address, authorities))
        forks.watch(self)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        """Tell ``callback`` of each change of the connection's state."""
        self.connection.channel().subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """Tell ``callback`` no more."""
        if not self.connection.closed:
            self.connection.channel().unsubscribe(callback)

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes one message and answers one."""
        return Method(self, lambda channel: channel.unary_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes one message and answers a stream."""
        return Method(self, lambda channel: channel.unary_stream(*args, **kwargs)).start

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes a stream and answers one message."""
        return Method(self, lambda channel: channel.stream_unary(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes a stream and answers one."""
        return Method(self, lambda channel: channel.stream_stream(*args, **kwargs)).start

    def sleep(self, seconds: float, cancellation: Optional[Cancellation] = None) -> None:
        """Wait that many seconds, or until the channel is closed, or the call of a cancellation is ended."""
        self.connection.sleep(seconds, cancellation)

    def close(self) -> None:
        """Close the connection of this process; calls under way end as cancelled."""
        self.connection.close()

    def about_to_fork(self) -> int:
        """Tell how many calls are under way that it has not told of before."""
        return self.connection.about_to_fork()

    def forked(self) -> None:
        """Leave the connection to the parent process, and be ready to make one of this process."""
        self.connection = self.connection.anew()

    def __reduce__(self) -> Any:
        raise TypeError("a connection cannot be pickled or copied; pickle its ViamClient, which dials where it lands")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def _open(address: Address, authorities: Optional[bytes]) -> grpc.Channel:
    options: List[Tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.initial_reconnect_backoff_ms", 200),
        # Channels that share connections break in a forked child.
        ("grpc.use_local_subchannel_pool", 1),
        # What is tried again, and when, is for our policies to say, not for a TXT record.
        ("grpc.service_config_disable_resolution", 1),
    ]
    if address.tls:
        return grpc.secure_channel(address.target, grpc.ssl_channel_credentials(authorities), options)
    return grpc.insecure_channel(address.target, options)


def dial(address: str, options: Optional[DialOptions] = None) -> Tuple[Channel, Mapping[str, str]]:
    """Connect to a service, and authenticate where the options hold credentials.

    Args:
        address: See :func:`parse_address`.
        options: How; None for the defaults, which are TLS and no credentials.

    Returns:
        What every client takes: an open channel, and the metadata of the caller, which renews itself.

    Raises:
        ValueError: If the address is none.
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
    if options is not None and not isinstance(options, DialOptions):
        raise TypeError(f"options takes a DialOptions, got {type(options).__name__}")
    return Link(address, options or DialOptions()).get()


class Link:
    """A connection that is dialled when it is first asked for, once for all threads.

    A copy of it, or what a pickle of it becomes, is dialled anew.

    Args:
        address: See :func:`parse_address`.
        options: How.

    Example:
        >>> from viam_sync.rpc.dial import Link
        >>> link = Link(sandbox.url, sandbox.dial_options())
        >>> channel, metadata = link.get()
        >>> link.close()
    """

    def __init__(self, address: str, options: DialOptions) -> None:
        self.address = address
        self.options = options
        self._channel: Optional[Channel] = None
        self._made: Optional[Tuple[Channel, Mapping[str, str]]] = None
        self._closed = False
        self._together: SingleFlight[Tuple[Channel, Mapping[str, str]]] = SingleFlight(verdicts=(ViamError, OSError))

    def get(self) -> Tuple[Channel, Mapping[str, str]]:
        """Return what every client takes; raises what :func:`dial` does, and ClosedError after closing."""
        if self._made is None and not self._closed:
            self._together.do(self._dial, self.options.timeout)
        if self._made is None or self._closed:
            raise ClosedError(CLOSED)
        return self._made

    def _dial(self, seconds: Optional[float]) -> Tuple[Channel, Mapping[str, str]]:
        if self._made is None:
            self._made = _dial(self.address, self.options, seconds or 0, self._begun)
        return self._made

    def _begun(self, channel: Channel) -> None:
        # Kept before it is asked whether it may be, as closing does it the other way round.
        self._channel = channel
        if self._closed:
            channel.close()

    def close(self) -> None:
        """Close the connection, also one that another thread is about to make."""
        self._closed = True
        if self._channel is not None:
            self._channel.close()

    def __reduce__(self) -> Any:
        return type(self), (self.address, self.options)


def _dial(
    address: str, options: DialOptions, seconds: float, begun: Callable[[Channel], None]
) -> Tuple[Channel, Mapping[str, str]]:
    where = replace(parse_address(address, options.insecure), ca_certificate=options.ca_certificate)
    end = time.monotonic() + seconds
    try:
        return _connect(where, options, end, begun)
    except InsecureConnectionError:
        allowed = options.allow_insecure_with_creds_downgrade or (
            options.allow_insecure_downgrade and options.credentials is None
        )
        if not (allowed and _speaks_plaintext(where, end)):
            raise
    LOGGER.warning("%s speaks no TLS; going on without, as the dial options allow", where.target)
    return _connect(replace(where, tls=False), options, end, begun)


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
            metadata = Token(channel, options.auth_entity or where.host, options.credentials)
            _authenticate(metadata, where, options, end)
    except BaseException:
        channel.close()
        raise
    channel.max_reconnect_attempts = options.max_reconnect_attempts
    LOGGER.debug("connected to %s %s TLS", where.target, "with" if where.tls else "without")
    return channel, metadata


def _authenticate(token: Token, where: Address, options: DialOptions, end: float) -> None:
    policy = replace(
        READ,
        attempts=options.initial_connection_attempts,
        attempt_timeout=options.initial_connection_attempt_timeout,
        total_timeout=max(end - time.monotonic(), 0),
    )
    try:
        token.refresh(policy=policy)
        return
    except GRPCError as error:
        failure = error
    failure.method = ""  # what failed is connecting, whatever call it was noticed by
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


def _find_problem(where: Address, end: float) -> diagnose.Problem:
    left = max(end - time.monotonic(), 0)
    return diagnose.find_problem(where.host, where.port, where.tls, left, where.ca_certificate)


def _speaks_plaintext(where: Address, end: float) -> bool:
    return _find_problem(where, end).kind == diagnose.PLAINTEXT


def _raise_for(problem: diagnose.Problem, failure: Optional[GRPCError]) -> None:
    """Raise what a problem means to the caller; nothing where there is no failure and the server looks well."""
    if problem.kind == diagnose.PLAINTEXT:
        raise InsecureConnectionError(
            f"{problem.text} If it is a server of your own, use an address that begins with http://, or"
            " DialOptions(insecure=True); credentials then travel unencrypted."
        )
    if problem.kind == diagnose.CERTIFICATE:
        raise InsecureConnectionError(
            f"{problem.text} Check the address and this computer's clock; for a certificate authority of your own,"
            " name its file in DialOptions(ca_certificate=...), or in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH."
        )
    if failure is None:
        if problem.kind == diagnose.UNKNOWN:
            return
        failure = UnavailableError(grpc.StatusCode.UNAVAILABLE)
    unclear = f" ({failure.message})" if problem.kind == diagnose.UNKNOWN else ""
    failure.message = problem.text + unclear
    raise failure.with_traceback(None)
