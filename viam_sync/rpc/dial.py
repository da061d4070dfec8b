"""The channel: how it is opened, and what may go wrong while it is."""

import logging
import os
import re
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, List, Mapping, Optional, Tuple, Union

import grpc
from typing_extensions import Self

from viam_sync.errors import (
    DeadlineExceededError,
    GRPCError,
    InsecureConnectionError,
    UnavailableError,
    UnimplementedError,
)
from viam_sync.rpc import diagnose
from viam_sync.rpc.auth import Credentials, Token
from viam_sync.rpc.retry import READ

__all__ = ["Channel", "Credentials", "DialOptions", "dial", "parse_address"]

LOGGER = logging.getLogger(__name__)

#: The cloud refuses messages above 32 MiB; an answer of that size needs room for its frame.
MAX_MESSAGE = 64 << 20

_Path = Union[str, "os.PathLike[str]"]


class DialOptions:
    """How to connect, and as whom.

    Attributes:
        disable_webrtc: No effect: the cloud is always reached directly, never through WebRTC.
        auth_entity: Whose credentials they are: the ID of the API key.
        credentials: What proves it.
        insecure: Connect without TLS. The credentials then travel in plaintext: for a machine of your own only.
        allow_insecure_downgrade: Go on without TLS where the server speaks none. Only where there are no credentials
            to protect.
        allow_insecure_with_creds_downgrade: The same with credentials, which then travel in plaintext.
        max_reconnect_attempts: How often a call may be tried again after its connection was lost.
        timeout: Seconds that connecting and authenticating may take together.
        initial_connection_attempts: How often connecting is tried before it is given up.
        initial_connection_attempt_timeout: Seconds that one such attempt may take; None for all that is left.
        force_relay: No effect, as it concerns WebRTC.
        force_p2p: No effect, as it concerns WebRTC.
        turn_uri: No effect, as it concerns WebRTC.
        ca_certificate: A file with certificate authorities, in the PEM format, to trust instead of those that grpc
            brings along; None for those.

    Raises:
        ValueError: If a number is not positive.
        TypeError: If ``credentials`` is no ``Credentials``.

    Example:
        >>> from viam_sync.rpc.dial import DialOptions
        >>> DialOptions(timeout=5).timeout
        5
    """

    def __init__(
        self,
        *,
        disable_webrtc: bool = False,
        auth_entity: Optional[str] = None,
        credentials: Optional[Credentials] = None,
        insecure: bool = False,
        allow_insecure_downgrade: bool = False,
        allow_insecure_with_creds_downgrade: bool = False,
        max_reconnect_attempts: int = 3,
        timeout: float = 20,
        initial_connection_attempts: int = 3,
        initial_connection_attempt_timeout: Optional[float] = None,
        force_relay: bool = False,
        force_p2p: bool = False,
        turn_uri: Optional[str] = None,
        ca_certificate: Optional[_Path] = None,
    ) -> None:
        if credentials is not None and not isinstance(credentials, Credentials):
            raise TypeError(f"credentials takes a Credentials, got {type(credentials).__name__}")
        _at_least("max_reconnect_attempts", max_reconnect_attempts, 0)
        _at_least("initial_connection_attempts", initial_connection_attempts, 1)
        _positive("timeout", timeout)
        if initial_connection_attempt_timeout is not None:
            _positive("initial_connection_attempt_timeout", initial_connection_attempt_timeout)
        self.disable_webrtc = disable_webrtc
        self.auth_entity = auth_entity
        self.credentials = credentials
        self.insecure = insecure
        self.allow_insecure_downgrade = allow_insecure_downgrade
        self.allow_insecure_with_creds_downgrade = allow_insecure_with_creds_downgrade
        self.max_reconnect_attempts = max_reconnect_attempts
        self.timeout = timeout
        self.initial_connection_attempts = initial_connection_attempts
        self.initial_connection_attempt_timeout = initial_connection_attempt_timeout
        self.force_relay = force_relay
        self.force_p2p = force_p2p
        self.turn_uri = turn_uri
        self.ca_certificate = ca_certificate

    @classmethod
    def with_api_key(cls, api_key: str, api_key_id: str) -> Self:
        """Return options that authenticate with an API key; all else is left at its default.

        Args:
            api_key: The key.
            api_key_id: The key's ID, a UUID.

        Raises:
            ValueError: If the key is empty, or its ID is no UUID.

        Example:
            >>> from viam_sync.rpc.dial import DialOptions
            >>> options = DialOptions.with_api_key("abc123", "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d")
            >>> options.auth_entity
            '9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d'
        """
        if not isinstance(api_key, str) or not api_key.strip():
            raise ValueError("api_key is empty; copy the key from the settings page of your organization")
        if api_key_id == api_key:
            raise ValueError("api_key_id got the key itself; its ID is the UUID that is shown beside it")
        if not _is_uuid(api_key_id):
            example = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
            raise ValueError(f"api_key_id takes the key's ID, a UUID such as {example}, got {api_key_id!r}")
        return cls(auth_entity=api_key_id, credentials=Credentials("api-key", api_key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def _is_uuid(value: Any) -> bool:
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def _at_least(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise ValueError(f"{name} takes a whole number from {least} on, got {value!r}")


def _positive(name: str, value: float) -> None:
    if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ValueError(f"{name} takes a number of seconds above 0, got {value!r}")


@dataclass(frozen=True)
class Address:
    """Where the service listens, and whether it speaks TLS there."""

    host: str
    port: int
    tls: bool
    ca_certificate: Optional[_Path] = None

    @property
    def target(self) -> str:
        """The address as grpc takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_ADDRESS = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^\s/:?#@\[\]]+))(?::(?P<port>\d+))?(?:[/?#].*)?",
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
        raise ValueError(f"{address!r} is no address; it takes one like app.viam.com or https://app.viam.com:443")
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

    Args:
        address: Where to connect.
        max_reconnect_attempts: How often a call may be tried again after its connection was lost.
    """

    def __init__(self, address: Address, max_reconnect_attempts: int) -> None:
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
        self.max_reconnect_attempts = max_reconnect_attempts
        self._channel = (
            grpc.secure_channel(address.target, _trusting(address.ca_certificate), options)
            if address.tls
            else grpc.insecure_channel(address.target, options)
        )

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        """Tell ``callback`` of each change of the connection's state."""
        self._channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """Tell ``callback`` no more."""
        self._channel.unsubscribe(callback)

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes one message and answers one."""
        return self._channel.unary_unary(*args, **kwargs)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes one message and answers a stream."""
        return self._channel.unary_stream(*args, **kwargs)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes a stream and answers one message."""
        return self._channel.stream_unary(*args, **kwargs)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return the callable of a method that takes a stream and answers one."""
        return self._channel.stream_stream(*args, **kwargs)

    def close(self) -> None:
        """Close the connection; calls under way end as cancelled."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def _trusting(ca_certificate: Optional[_Path]) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(None if ca_certificate is None else Path(ca_certificate).read_bytes())


def dial(address: str, options: Optional[DialOptions] = None) -> Tuple[Channel, Mapping[str, str]]:
    """Connect to a service, and authenticate where the options hold credentials.

    Args:
        address: See :func:`parse_address`.
        options: How; None for the defaults, which are TLS and no credentials.

    Returns:
        What every client takes: an open channel, and the metadata of the caller, which renews itself.

    Raises:
        ValueError: If the address is none.
        InsecureConnectionError: If the server speaks no TLS, or has no certificate that can be trusted.
        UnauthenticatedError: If the service does not accept the credentials.
        GRPCError: If it could not be reached, or not in time.
        OSError: If the file of certificate authorities cannot be read.

    Example:
        >>> from viam_sync.rpc.dial import dial
        >>> channel, metadata = dial(sandbox.url, sandbox.dial_options())
        >>> channel.close()
    """
    options = options or DialOptions()
    where = replace(parse_address(address, options.insecure), ca_certificate=options.ca_certificate)
    end = time.monotonic() + options.timeout
    try:
        return _connect(where, options, end)
    except InsecureConnectionError:
        allowed = options.allow_insecure_with_creds_downgrade or (
            options.allow_insecure_downgrade and options.credentials is None
        )
        if not (allowed and _speaks_plaintext(where, end)):
            raise
    LOGGER.warning("%s speaks no TLS; going on without, as the dial options allow", where.target)
    return _connect(replace(where, tls=False), options, end)


def _connect(where: Address, options: DialOptions, end: float) -> Tuple[Channel, Mapping[str, str]]:
    channel = Channel(where, max_reconnect_attempts=options.initial_connection_attempts)
    try:
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
    problem = diagnose.find_problem(where.host, where.port, where.tls, max(end - time.monotonic(), 0))
    if problem.kind == diagnose.CERTIFICATE and where.ca_certificate is not None:
        # The knock trusts the authorities of this computer alone, so it cannot tell.
        text = f"{where.target} speaks TLS; whether its certificate is good was for {where.ca_certificate} to say."
        return diagnose.Problem(diagnose.UNKNOWN, text)
    return problem


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
            " name its file in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH."
        )
    if failure is None:
        if problem.kind == diagnose.UNKNOWN:
            return
        failure = UnavailableError(grpc.StatusCode.UNAVAILABLE)
    unclear = f" ({failure.message})" if problem.kind == diagnose.UNKNOWN else ""
    failure.message = problem.text + unclear
    raise failure.with_traceback(None)
