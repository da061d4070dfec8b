"""Dial options: how to connect, and as whom."""

import inspect
import os
import re
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from typing_extensions import Self

from viam_sync.checks import path_from, wrong_type, wrong_value
from viam_sync.checks.descriptions import is_text
from viam_sync.checks.numbers import boolean, seconds, whole
from viam_sync.checks.official import is_of_official_sdk
from viam_sync.rpc.address import FilePath

#: More are no number of attempts, but a mistake.
_MOST_ATTEMPTS = 2**31 - 1

#: An API key: no spaces, ends of lines or quotation marks, which come with it from a file or an environment. Functions
#: of re would have it in a variable, which tools show in tracebacks; methods of C have not.
_API_KEY = r"[!#-&(-~]*"
#: A text in the quotation marks of a file of settings, or in the brackets of an example.
_MARKED = "(?s)[\"'`<{(].*|.*[\"'`>})]"
_WHITE_SPACE = r"\s"
#: A UUID as Python's uuid takes it, a module that is slow to load.
_UUID = r"(?i)(urn:)?(uuid:)?\{*([0-9a-f]-*){32}\}*"

#: What to do about a text that is none; None is most often that of os.getenv.
_ADVICE = {bytes: "decode it", type(None): "if it is that of an environment variable, set the variable"}

_SWITCHES = (
    "disable_webrtc",
    "insecure",
    "allow_insecure_downgrade",
    "allow_insecure_with_creds_downgrade",
    "force_relay",
    "force_p2p",
)


@dataclass(init=False)
class Credentials:
    """The secret by which a caller authenticates.

    Attributes:
        type: The kind of the secret: ``api-key`` for the cloud.
        payload: The secret; it is not printed. White space around it, such as the end of a file's line, is left out.

    Raises:
        TypeError: If one is no str.
        ValueError: If there is half a character in one, or an API key has white space or quotation marks in it.

    Example:
        >>> from viam_sync.rpc.dial import Credentials
        >>> Credentials("api-key", "abc123")
        Credentials(type='api-key')
    """

    type: str
    payload: str = field(repr=False)

    def __init__(self, type: str, payload: str) -> None:
        error = _text_error("type", type) or _text_error("payload", payload)
        if error is None and _trimmed(type) == "api-key":
            error = _mark_error("payload", payload) or _odd_key_error("payload", payload)
        if error is not None:
            del payload  # tools show the variables of each frame of a traceback
            raise error
        self.type, self.payload = _trimmed(type), _trimmed(payload)


class DialOptions:
    """How to connect, and as whom.

    Attributes:
        disable_webrtc: No effect: the cloud is always reached directly, never through WebRTC.
        auth_entity: The owner of the credentials: the ID of the API key.
        credentials: The secret; that of the official SDK is taken, too.
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
        own = None if credentials is None else _own_credentials(credentials, auth_entity)
        del credentials  # tools show the variables of each frame of a traceback
        if isinstance(own, Exception):
            del auth_entity
            raise own
        self.disable_webrtc = disable_webrtc
        self.auth_entity = auth_entity
        self.credentials = own
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
        for name in ("auth_entity", "turn_uri"):
            if getattr(self, name) is not None:
                _require_header_text(name, getattr(self, name))
        if self.auth_entity is not None:
            self.auth_entity = _trimmed(self.auth_entity)
        for name in _SWITCHES:
            # To take the text "false" for true would send credentials in plaintext.
            setattr(self, name, boolean(name, getattr(self, name)))
        if self.ca_certificate is not None:
            path = self.ca_certificate
            self.ca_certificate = path_from("ca_certificate", os.fsdecode(path) if isinstance(path, bytes) else path)
        self.max_reconnect_attempts = whole("max_reconnect_attempts", self.max_reconnect_attempts, 0, _MOST_ATTEMPTS)
        attempts = whole("initial_connection_attempts", self.initial_connection_attempts, 1, _MOST_ATTEMPTS)
        self.initial_connection_attempts = attempts
        self.timeout = seconds("timeout", self.timeout)
        if self.initial_connection_attempt_timeout is not None:
            limit = seconds("initial_connection_attempt_timeout", self.initial_connection_attempt_timeout)
            self.initial_connection_attempt_timeout = limit

    @classmethod
    def with_api_key(cls, api_key: str, api_key_id: str) -> Self:
        """Return options that authenticate with an API key; all else is left at its default.

        White space around the two, such as the end of a file's line, is left out.

        Args:
            api_key: The key.
            api_key_id: The key's ID, a UUID.

        Raises:
            TypeError: If one is no str.
            ValueError: If the key is empty, or its ID is no UUID.

        Example:
            >>> from viam_sync.rpc.dial import DialOptions
            >>> options = DialOptions.with_api_key("abc123", "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d")
            >>> options.auth_entity
            '9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d'
        """
        error = _key_error(api_key, api_key_id)
        if error is not None:
            del api_key, api_key_id  # tools show the variables of each frame of a traceback
            raise error
        return cls(auth_entity=api_key_id, credentials=Credentials("api-key", api_key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


#: The names of the parameters of DialOptions.
_SETTINGS = tuple(inspect.signature(DialOptions).parameters)


def own_options(name: str, given: Any) -> DialOptions:
    """Return dial options as new ones of ours, so that what was assigned to the given ones is checked, too.

    Those of the official SDK are taken, whichever version it has.

    Raises:
        TypeError: If they are something else; ``name`` is that of the parameter.
        ValueError: If something in them has no meaning.
    """
    if not (isinstance(given, DialOptions) or is_of_official_sdk(given, "DialOptions")):
        raise wrong_type(name, "a viam_sync.DialOptions", given, advice=_advice_on_options(given))
    return DialOptions(**{setting: getattr(given, setting) for setting in _SETTINGS if hasattr(given, setting)})


def _advice_on_options(given: Any) -> str:
    """Return what to do about something in the place of dial options; an empty text where nothing is known."""
    if isinstance(given, str):
        return "an address goes into app_url, a key into DialOptions.with_api_key(…)"
    return f"the dial_options() of the {type(given).__name__} are some" if hasattr(given, "dial_options") else ""


def _own_credentials(given: Any, auth_entity: Any) -> Union[Credentials, Exception]:
    """Return credentials as ours, or their error, which is not raised here, where the secret is a variable."""
    if isinstance(given, Credentials):
        return _swap_error(given, auth_entity) or given
    if not is_of_official_sdk(given, "Credentials"):
        advice = "DialOptions.with_api_key(…) makes some"
        return wrong_type("credentials", "a viam_sync.Credentials", given, advice=advice)
    try:
        return _own_credentials(Credentials(given.type, given.payload), auth_entity)
    except (TypeError, ValueError) as error:
        return error.with_traceback(None)


def _swap_error(credentials: Credentials, auth_entity: Any) -> Optional[Exception]:
    """Return the error of an API key in the place of its ID, which is shown, while the key must not be."""
    if credentials.type != "api-key" or not credentials.payload or not isinstance(auth_entity, str):
        return None
    if _trimmed(auth_entity) == credentials.payload:
        return _key_itself_error("auth_entity")
    if not _is_uuid(_trimmed(auth_entity)) and _is_uuid(credentials.payload):
        return ValueError("auth_entity takes the key's ID, a UUID, which credentials have as payload; swap the two")
    return None


def _key_error(api_key: Any, api_key_id: Any) -> Optional[Exception]:
    """Return the error of an API key or its ID; either text may be the key, so none is shown."""
    if api_key is None or (isinstance(api_key, str) and not _trimmed(api_key)):
        return ValueError("api_key is empty; copy the key from the settings page of your organization")
    error = (
        _text_error("api_key", api_key)
        or _mark_error("api_key", api_key)
        or _odd_key_error("api_key", api_key)
        or _text_error("api_key_id", api_key_id)
        or _mark_error("api_key_id", api_key_id)
        or _nul_error("api_key_id", api_key_id)
    )
    if error is not None:
        return error
    key, key_id = _trimmed(api_key), _trimmed(api_key_id)
    if key_id == key:
        return _key_itself_error("api_key_id")
    if not _is_uuid(key_id):
        got = f"a text of {len(key_id)} characters"
        swapped = "; api_key has one, so the two may be swapped" if _is_uuid(key) else ""
        example = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
        return ValueError(f"api_key_id takes the key's ID, a UUID such as {example}, got {got}{swapped}")
    return None


def _key_itself_error(name: str) -> Exception:
    return ValueError(f"{name} got the key itself; its ID is the UUID that is shown beside it")


def _is_uuid(value: str) -> bool:
    return re.compile(_UUID).fullmatch(value) is not None


def _require_header_text(name: str, value: Any) -> None:
    error = _text_error(name, value) or _nul_error(name, value)
    if error is not None:
        raise error
    if re.compile(_WHITE_SPACE).search(_trimmed(value)):
        raise ValueError(f"{name} has white space in it, such as the end of a line; give it alone")


def _text_error(name: str, value: Any) -> Optional[Exception]:
    """Return the error of what is no text; it is not raised here, where the text is among the variables."""
    if not isinstance(value, str):
        return wrong_type(name, "a str", value, advice=_ADVICE.get(type(value), ""))
    return None if is_text(value) else wrong_value(name, "a str", value)


def _mark_error(name: str, text: str) -> Optional[Exception]:
    if not re.compile(_MARKED).fullmatch(_trimmed(text)):
        return None
    return ValueError(f"{name} has quotation marks or brackets around it; give what is between them alone")


def _odd_key_error(name: str, key: str) -> Optional[Exception]:
    if re.compile(_API_KEY).fullmatch(_trimmed(key)):
        return None
    what = "white space, such as the end of a line, a quotation mark, or another character that no key has"
    return ValueError(f"{name} has in it {what}; give the key alone, as the settings page shows it")


def _nul_error(name: str, value: str) -> Optional[Exception]:
    return ValueError(f"{name} takes a str without NUL, got one with it") if "\0" in value else None


def _trimmed(text: str) -> str:
    """Return a text without white space around it, and without the mark that Windows puts at the start of files."""
    return text.lstrip("\ufeff").strip()
