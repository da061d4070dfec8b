"""Renewing the token of a call that was rejected as unauthenticated."""

import logging
from typing import Any, Mapping, Optional

import grpc
from typing_extensions import Protocol, runtime_checkable

from viam_sync.rpc import classification
from viam_sync.rpc.metadata import Header

LOGGER = logging.getLogger(__name__)

#: How often one call may ask for a new token where tokens expire faster than it is made.
_RENEWALS = 5


@runtime_checkable
class Renewable(Protocol):
    """Metadata with a token that can be replaced when the service rejects it."""

    def refresh(self, refused: Optional[Header], timeout: Optional[float]) -> bool:
        """Replace the token that was sent in ``refused``, unless another thread does; tell whether it was done here."""
        ...

    @property
    def was_accepted(self) -> bool:
        """Whether a token was ever accepted, so that the next one may be, too."""
        ...


class Renewal:
    """The renewals of one call, whose token is replaced the first time that it is rejected.

    A further renewal needs proof that tokens are accepted at all: then this one has expired.

    Args:
        metadata: The metadata of the caller.
    """

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._metadata = metadata
        self._renewals = 0
        self._renewed = False

    def is_worth_it(self, error: Any) -> bool:
        """Tell whether another token may mend a failure."""
        if classification.status_of(error) is not grpc.StatusCode.UNAUTHENTICATED:
            return False
        if not isinstance(self._metadata, Renewable):
            return False
        return not self._renewed or (self._renewals < _RENEWALS and self._metadata.was_accepted)

    def renew(self, refused: Optional[Header], seconds: Optional[float]) -> None:
        """Replace the token that was sent in ``refused``, within that many seconds."""
        assert isinstance(self._metadata, Renewable)
        self._renewed = True
        self._renewals += self._metadata.refresh(refused, seconds)
