"""Authentication: an API key is traded for a token, which every call carries."""

import re
from typing import Any, Callable, Dict, Optional, Tuple

import grpc

from viam_sync.errors import UnauthenticatedError, grpc_error
from viam_sync.proto.rpc import auth as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.channel import ServiceChannel
from viam_sync.rpc.metadata import Header, Metadata
from viam_sync.rpc.method import Method
from viam_sync.rpc.options import Credentials
from viam_sync.rpc.policies import READ, Policy
from viam_sync.rpc.service import Service
from viam_sync.rpc.single_flight import SingleFlight

#: The row of the table of RPCs, which stands above this room.
AUTHENTICATE = Method("/proto.rpc.v1.AuthService/Authenticate", "unary_unary", READ)
#: The characters that a header can carry. A function of re would have the token in a variable; a method of C has not.
_SENDABLE = r"[!-~]+"


class _Login:
    """The request for a token: a message that is made only of grpc, as one shows its key wherever it is a variable.

    Args:
        entity: The owner of the credentials.
        credentials: The secret.
    """

    def __init__(self, entity: str, credentials: Credentials) -> None:
        self._entity = entity
        self._credentials = credentials

    def encode(self) -> bytes:
        """Return the bytes of the message."""
        return pb.AuthenticateRequest(
            entity=self._entity,
            credentials=pb.Credentials(type=self._credentials.type, payload=self._credentials.payload),
        ).SerializeToString()


class _Answer:
    """The answer to it, in place of a message that shows its token."""

    token: str


class AuthService(Service):
    """The service that issues tokens.

    Frames of grpc hold for a moment what is sent and received. A signal handler can raise in the main thread alone,
    which lets another one make a call that can be cancelled.
    """

    _service = "proto.rpc.v1.AuthService"

    def authenticate(
        self, entity: str, credentials: Credentials, *, policy: Policy = READ, timeout: Optional[float] = None
    ) -> str:
        """Trade credentials for an access token.

        Args:
            entity: The owner of the credentials: the ID of an API key, a UUID.
            credentials: The secret.
            policy: How often the request may be sent.
            timeout: Seconds that the whole call may take; None for the limit of the policy.

        Returns:
            The token, to be sent as ``authorization: Bearer <token>``.

        Raises:
            UnauthenticatedError: If the service does not accept the credentials.
            InternalError: If the response holds no token.
        """
        login: Any = _Login(entity, credentials)
        answer: _Answer = self._unary_unary(AUTHENTICATE._replace(policy=policy), login, timeout, Cancellation())
        if not re.compile(_SENDABLE).fullmatch(answer.token):
            # A header cannot carry it: grpc would raise with each call, and some of its versions would print it.
            text = "The service gave a token that cannot be sent. Check the address; this is no Viam service."
            raise grpc_error(grpc.StatusCode.INTERNAL, text)
        return answer.token

    def _codec(self, method: Method) -> Tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
        _, decode = super()._codec(method)

        def hide(data: bytes) -> Any:
            response = decode(data)
            if not isinstance(response, pb.AuthenticateResponse):
                return response
            answer = _Answer()
            answer.token = response.access_token
            return answer

        return _Login.encode, hide


class Token(Metadata):
    """The metadata of an authenticated caller, with a token that is replaced when the service rejects it.

    Args:
        channel: An open channel to the service.
        entity: The owner of the credentials.
        credentials: The secret.
    """

    def __init__(self, channel: ServiceChannel, entity: str, credentials: Credentials) -> None:
        self._current: Dict[str, str] = {"authorization": ""}
        super().__init__(self._current)
        self._channel = channel
        self._service = AuthService(channel, {})
        self._entity = entity
        self._credentials = credentials
        self._together: SingleFlight[None] = SingleFlight(verdicts=(UnauthenticatedError,))

    def refresh(self, refused: Optional[Header] = None, timeout: Optional[float] = None, policy: Policy = READ) -> bool:
        """Get a new token, unless another thread has done so since ``refused`` was sent.

        Args:
            refused: The header ``authorization`` that the service rejected; None if none was sent.
            timeout: Seconds that it may take; None for the limit of the policy.
            policy: How often the request may be sent.

        Returns:
            Whether this call got it, and not another thread.

        Raises:
            UnauthenticatedError: If the credentials are no longer accepted either.
            DeadlineExceededError: If there was none in time.
        """
        asked = False

        def is_refused() -> bool:
            return self["authorization"] == ("" if refused is None else refused.value)

        def renew(seconds: Optional[float]) -> None:
            nonlocal asked
            if is_refused():
                asked = True
                limited = policy._replace(total_timeout=seconds)
                self._current["authorization"] = f"Bearer {self._new(limited, None if timeout is None else seconds)}"

        # A flight that was about to land may bring the very token that was rejected; then this thread flies itself.
        while is_refused() and not asked:
            self._together.do(renew, policy.total_timeout if timeout is None else timeout)
        return asked

    @property
    def was_accepted(self) -> bool:
        """Whether a token was ever accepted: then one that is rejected has expired, and the next may be accepted."""
        return self._channel.token_accepted

    def _new(self, policy: Policy, timeout: Optional[float]) -> str:
        try:
            return self._service.authenticate(self._entity, self._credentials, policy=policy, timeout=timeout)
        except UnauthenticatedError as error:
            error.message += (
                f" The credentials of {self._entity!r} were refused: check the API key and its ID (VIAM_API_KEY and"
                " VIAM_API_KEY_ID); a key that was rotated or deleted is refused at once."
            )
            raise

    def __repr__(self) -> str:
        return f"Token(entity={self._entity!r})"
