"""The token: who the caller is, proved once and sent with every call."""

import re
from dataclasses import dataclass, field, replace
from typing import Iterator, Mapping, Optional

import grpc

from viam_sync.checks import string
from viam_sync.errors import UnauthenticatedError, grpc_error
from viam_sync.proto.rpc import auth as pb
from viam_sync.rpc.retry import READ, Policy
from viam_sync.rpc.service import Service
from viam_sync.rpc.single_flight import SingleFlight

#: What a header can carry.
_SENDABLE = re.compile(r"[!-~]+")


@dataclass
class Credentials:
    """What proves that the caller is who it says.

    Attributes:
        type: What kind of secret it is: ``api-key`` for the cloud.
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


class AuthService(Service):
    """The service that gives out tokens."""

    _service = "proto.rpc.v1.AuthService"

    def authenticate(
        self, entity: str, credentials: Credentials, *, policy: Policy = READ, timeout: Optional[float] = None
    ) -> str:
        """Trade credentials for an access token.

        Args:
            entity: Whose credentials they are: the ID of an API key, a UUID.
            credentials: The secret.
            policy: How often it is tried.
            timeout: Seconds that the whole call may take; None for the limit of the policy.

        Returns:
            The token, to be sent as ``authorization: Bearer <token>``.

        Raises:
            UnauthenticatedError: If the service does not accept the credentials.
            InternalError: If what it gives is no token.
        """
        request = pb.AuthenticateRequest(
            entity=entity, credentials=pb.Credentials(type=credentials.type, payload=credentials.payload)
        )
        response: pb.AuthenticateResponse = self._call("Authenticate", request, policy, timeout)
        if not _SENDABLE.fullmatch(response.access_token):
            # grpc would refuse it with each call, and some of its versions would show it.
            text = "The service gave a token that cannot be sent. Check the address; this is no Viam service."
            raise grpc_error(grpc.StatusCode.INTERNAL, text)
        return response.access_token


class Token(Mapping[str, str]):
    """The metadata of an authenticated caller, made anew when the service stops accepting it.

    Args:
        channel: An open channel to the service.
        entity: Whose credentials they are.
        credentials: What proves it.
    """

    def __init__(self, channel: grpc.Channel, entity: str, credentials: Credentials) -> None:
        self._channel = channel
        self._service = AuthService(channel, {})
        self._entity = entity
        self._credentials = credentials
        self._together: SingleFlight[None] = SingleFlight(verdicts=(UnauthenticatedError,))
        self._authorization = ""

    def refresh(self, refused: str = "", timeout: Optional[float] = None, policy: Policy = READ) -> bool:
        """Get a new token, unless another thread has done so since ``refused`` was sent.

        Args:
            refused: The value of ``authorization`` that the service did not accept.
            timeout: Seconds that it may take; None for the limit of the policy.
            policy: How often it is tried.

        Returns:
            Whether it was this call that got it.

        Raises:
            UnauthenticatedError: If the credentials are no longer accepted either.
            DeadlineExceededError: If there was none in time.
        """
        asked = False

        def renew(seconds: Optional[float]) -> None:
            nonlocal asked
            if self._authorization == refused:
                asked = True
                limited = replace(policy, total_timeout=seconds)
                self._authorization = f"Bearer {self._new(limited, None if timeout is None else seconds)}"

        # What another thread was just done with may be the token that was refused; then it is this one's turn.
        while self._authorization == refused and not asked:
            self._together.do(renew, policy.total_timeout if timeout is None else timeout)
        return asked

    @property
    def was_accepted(self) -> bool:
        """Whether a token was ever good: then one that is refused has expired, and the next may be better."""
        return bool(getattr(self._channel, "accepted", False))

    def _new(self, policy: Policy, timeout: Optional[float]) -> str:
        try:
            return self._service.authenticate(self._entity, self._credentials, policy=policy, timeout=timeout)
        except UnauthenticatedError as error:
            error.message += (
                f" The credentials of {self._entity!r} were refused: check the API key and its ID (VIAM_API_KEY and"
                " VIAM_API_KEY_ID); a key that was rotated or deleted is refused at once."
            )
            raise

    def __getitem__(self, name: str) -> str:
        if name != "authorization":
            raise KeyError(name)
        return self._authorization

    def __iter__(self) -> Iterator[str]:
        return iter(("authorization",))

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return f"Token(entity={self._entity!r})"
