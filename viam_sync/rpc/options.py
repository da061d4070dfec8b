"""Dial options: how to connect, and as whom."""

import os
import uuid
from dataclasses import dataclass, field
from typing import Any, Optional

from typing_extensions import Self

from viam_sync.checks import boolean, is_text, path_from, seconds, string, whole, wrong_type
from viam_sync.rpc.address import FilePath

#: More are no number of attempts, but a mistake.
_MOST_ATTEMPTS = 2**31 - 1

_SWITCHES = (
    "disable_webrtc",
    "insecure",
    "allow_insecure_downgrade",
    "allow_insecure_with_creds_downgrade",
    "force_relay",
    "force_p2p",
)


@dataclass
class Credentials:
    """The secret by which a caller authenticates.

    Attributes:
        type: The kind of the secret: ``api-key`` for the cloud.
        payload: The secret; it is not printed.

    Example:
        >>> from viam_sync.rpc.dial import Credentials
        >>> Credentials("api-key", "abc123")
        Credentials(type='api-key')
    """

    type: str
    payload: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("type", self.type), ("payload", self.payload)):
            string(name, value)


class DialOptions:
    """How to connect, and as whom.

    Attributes:
        disable_webrtc: No effect: the cloud is always reached directly, never through WebRTC.
        auth_entity: The owner of the credentials: the ID of the API key.
        credentials: The secret.
        insecure: Connect without TLS. The credentials then travel in plaintext: for a machine of your own only.
        allow_insecure_downgrade: Go on without TLS where the server speaks none. Only where there are no credentials
            to protect.
        allow_insecure_with_creds_downgrade: The same with credentials, which then travel in plaintext.
        max_reconnect_attempts: How often a call may be tried again after its connection was lost; attempts that find
            no connection do not count.
        timeout: Seconds that connecting and authenticating may take together.
        initial_connection_attempts: How often connecting is tried before it is given up.
        initial_connection_attempt_timeout: Seconds that one such attempt may take; None for all that is left.
        force_relay: No effect, as it concerns WebRTC.
        force_p2p: No effect, as it concerns WebRTC.
        turn_uri: No effect, as it concerns WebRTC.
        ca_certificate: A file with certificate authorities, in the PEM format, to trust instead of all others, in calls
            and downloads; None for those that the environment names, or else for those that the system and grpc trust.
            See ``docs/network.md``.

    Raises:
        ValueError: If a number is not positive, or a text or path has what none has.
        TypeError: If an argument is of the wrong type.

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
        ca_certificate: Optional[FilePath] = None,
    ) -> None:
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
        self._check()

    def _check(self) -> None:
        if self.credentials is not None and not isinstance(self.credentials, Credentials):
            raise wrong_type("credentials", "a Credentials", self.credentials)
        for name in ("auth_entity", "turn_uri"):
            if getattr(self, name) is not None:
                _require_header_text(name, getattr(self, name))
        for name in _SWITCHES:
            boolean(name, getattr(self, name))  # to take the text "false" for true would send credentials in plaintext
        if self.ca_certificate is not None:
            path = self.ca_certificate
            self.ca_certificate = path_from("ca_certificate", os.fsdecode(path) if isinstance(path, bytes) else path)
        whole("max_reconnect_attempts", self.max_reconnect_attempts, 0, _MOST_ATTEMPTS)
        whole("initial_connection_attempts", self.initial_connection_attempts, 1, _MOST_ATTEMPTS)
        seconds("timeout", self.timeout)
        if self.initial_connection_attempt_timeout is not None:
            seconds("initial_connection_attempt_timeout", self.initial_connection_attempt_timeout)

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
        if not is_text(api_key):
            raise ValueError("api_key takes a text, got one with half a character in it; copy the key once more")
        _require_header_text("api_key_id", api_key_id)
        if api_key_id == api_key:
            raise ValueError("api_key_id got the key itself; its ID is the UUID that is shown beside it")
        if not _is_uuid(api_key_id):
            # The text may be the key, so it is not shown.
            got = f"a text of {len(api_key_id)} characters"
            swapped = "; api_key has one, so the two may be swapped" if _is_uuid(api_key) else ""
            example = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
            raise ValueError(f"api_key_id takes the key's ID, a UUID such as {example}, got {got}{swapped}")
        return cls(auth_entity=api_key_id, credentials=Credentials("api-key", api_key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def _is_uuid(value: Any) -> bool:
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def _require_header_text(name: str, value: str) -> None:
    if "\0" in string(name, value):
        raise ValueError(f"{name} takes a str without NUL, got one with it")
