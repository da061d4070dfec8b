"""Retry classes: how often an RPC of each kind may be sent, and how long that may take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Optional, Union

from viam_sync.checks import wrong_type
from viam_sync.checks.numbers import seconds, whole


class Lane(Enum):
    """The connection that a call is made on: what is slow on one keeps nothing waiting on another."""

    CALLS = "calls"
    #: Large requests, behind which pings would wait, too.
    UPLOADS = "uploads"
    #: Responses that hold the contents of files.
    DOWNLOADS = "downloads"
    #: Streams without an end, however few of which a server allows.
    TAILS = "tails"

    # That of Enum is written in Python, and a call looks its lane up.
    __hash__ = object.__hash__


@dataclass(frozen=True)
class Policy:
    """How often a request may be sent, on which failures, and how long that may take.

    Attributes:
        name: The name that ``protos/surface.toml`` uses.
        attempts: How often a request may be sent.
        attempt_timeout: Seconds that one attempt may take; None leaves it to the total.
        total_timeout: Seconds that all attempts and the waits between them may take; None is no limit.
        idle_timeout: Seconds that may pass in a stream without a message; None is no limit.
        idempotent: Whether a request may be sent again that may have been processed.
        not_found_is_success: Whether NOT_FOUND counts as success after an attempt that may have been processed.
        returns_count: Whether the response is a count, which an earlier attempt may have lowered.
        resumes: Whether the next attempt goes on where the last one ended, so that only a rejection is final.
        longest_wait: Seconds between two attempts at most.
        outage_timeout: Seconds that attempts may go on while the service cannot be reached or is unavailable; these
            attempts do not count. None leaves it to the total, 0 counts them like any other.
        counts_unavailable: Whether attempts that an unavailable service has answered count all the same.
        lane: The connection that the calls are made on.
        first_timeout: Seconds that the first attempt may take: the shorter of its own limit and the total.
    """

    name: str
    attempts: int
    attempt_timeout: Optional[float]
    total_timeout: Optional[float]
    idle_timeout: Optional[float] = None
    idempotent: bool = True
    not_found_is_success: bool = False
    returns_count: bool = False
    resumes: bool = False
    longest_wait: float = 10
    outage_timeout: Optional[float] = None
    counts_unavailable: bool = False
    lane: Lane = Lane.CALLS
    first_timeout: Optional[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given = [seconds for seconds in (self.attempt_timeout, self.total_timeout) if seconds is not None]
        object.__setattr__(self, "first_timeout", min(given, default=None))

    def changed_by(self, retry: Retry) -> Policy:
        """Return the policy with the numbers of a client; one attempt stays one."""
        if self.attempts == 1:
            return self
        changed = self
        if retry.attempts is not None:
            changed = replace(changed, attempts=retry.attempts, counts_unavailable=True)
        if retry.total_timeout is not None and self.total_timeout is None:
            changed = replace(changed, outage_timeout=retry.total_timeout)
        elif retry.total_timeout is not None:
            changed = replace(changed, total_timeout=retry.total_timeout)
        return changed


#: Changes nothing, so it can be sent again.
READ = Policy("READ", attempts=5, attempt_timeout=20, total_timeout=60)
#: A read that the service computes for a long time: SQL and MQL.
QUERY = Policy("QUERY", attempts=2, attempt_timeout=120, total_timeout=300)
#: A read that carries the contents of files, possibly over slow lines.
READ_FILES = Policy("READ_FILES", attempts=5, attempt_timeout=120, total_timeout=300, lane=Lane.DOWNLOADS)
#: Has the same effect when it is processed twice.
IDEMPOTENT = Policy("IDEMPOTENT", attempts=5, attempt_timeout=20, total_timeout=60)
#: Deletes one thing by its ID: after the first time there is nothing left to delete.
DELETE = replace(IDEMPOTENT, name="DELETE", not_found_is_success=True)
#: Deletes several things, and returns how many.
DELETE_SOME = replace(DELETE, name="DELETE_SOME", returns_count=True)
#: Does harm when it is processed twice: sent again only where it is certain that it was not processed.
NON_IDEMPOTENT = Policy("NON_IDEMPOTENT", attempts=3, attempt_timeout=30, total_timeout=60, idempotent=False)
#: Sends a stream of messages; as NON_IDEMPOTENT, and only where its source can be read again.
UPLOAD = Policy("UPLOAD", 3, None, None, idle_timeout=60, idempotent=False, outage_timeout=60, lane=Lane.UPLOADS)
#: Receives a stream of messages that ends; as READ until the first message is there.
STREAM = Policy("STREAM", attempts=5, attempt_timeout=None, total_timeout=None, idle_timeout=60, outage_timeout=60)
#: Receives a stream of messages until it is closed; its reader resumes it, the channel says how often.
TAIL = Policy("TAIL", 1, None, None, resumes=True, longest_wait=30, outage_timeout=600, lane=Lane.TAILS)


@dataclass(frozen=True)
class Retry:
    """How often the calls of a client may be sent, and for how long; None keeps what the retry class says.

    It does not change which calls may be sent again: one that creates something is sent again only where it is certain
    that the service did not process it.

    Attributes:
        attempts: How often a request may be sent; 1 turns retries off. Attempts that reach nobody, as there is no
            connection, do not count.
        total_timeout: Seconds that a call may take with all its attempts and the waits between them. Uploads and
            streams have no such limit while something moves; they may wait that long for a service that is away.

    Raises:
        TypeError: If a number is of the wrong type.
        ValueError: If ``attempts`` is less than 1, or ``total_timeout`` not above 0.

    Example:
        >>> from viam_sync import Retry
        >>> patient = client.options(retry=Retry(attempts=10, total_timeout=600))
        >>> patient.app_client.get_robot(sandbox.robot_id).name
        'rover'
    """

    attempts: Optional[int] = None
    total_timeout: Optional[float] = None

    def __post_init__(self) -> None:
        if self.attempts is not None:
            object.__setattr__(self, "attempts", whole("attempts", self.attempts, 1))
        if self.total_timeout is not None:
            object.__setattr__(self, "total_timeout", seconds("total_timeout", self.total_timeout))


#: Turns retries off: everything is sent once.
OFF = Retry(attempts=1)


def retry_from(retry: Union[Retry, bool, None]) -> Optional[Retry]:
    """Return an argument ``retry`` as a Retry; False turns retries off, None changes nothing.

    Raises:
        TypeError: If it is neither of these, nor a ``Retry``.
    """
    if retry is None or isinstance(retry, Retry):
        return retry
    if retry is False:
        return OFF
    raise wrong_type("retry", "a viam_sync.Retry, or False for none", retry)
