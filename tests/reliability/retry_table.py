"""What the policy says of each retry class and of each fault, written from its text and read from no code."""

from typing import NamedTuple, Optional, Tuple

import grpc

from .h2_faults import (
    GO_AWAY_EXCLUDING,
    GO_AWAY_INCLUDING,
    SILENCE,
    TOO_LARGE,
    cut,
    finished,
    http,
    midway,
    reset,
    status,
)
from .h2_server import Answer, Exchange

GRPC_VERSION = tuple(int(part) for part in grpc.__version__.split(".")[:2])


class Class(NamedTuple):
    """What the policy says of a retry class."""

    #: How often a request is sent at most.
    attempts: int
    #: Whether it may be sent again when nobody knows whether it was processed.
    repeats: bool = True
    #: Whether it is done as well where nothing is found after such an attempt.
    gone_is_done: bool = False


CLASSES = {
    "READ": Class(5),
    "QUERY": Class(2),
    "READ_FILES": Class(5),
    "IDEMPOTENT": Class(5),
    "DELETE": Class(5, gone_is_done=True),
    "DELETE_SOME": Class(5, gone_is_done=True),
    "NON_IDEMPOTENT": Class(3, repeats=False),
    "UPLOAD": Class(3, repeats=False),
    # An upload out of what can be read only once is sent only once.
    "PIPE": Class(1, repeats=False),
    "STREAM": Class(5),
    # app/logs.py takes a tail up again, where it left off.
    "TAIL": Class(1),
}

#: What a fault proves: that the request was not processed, that it was turned down, or nothing.
UNPROCESSED, REFUSED, NOTHING = "unprocessed", "refused", "nothing"


class Fault(NamedTuple):
    """What the policy says of a fault."""

    answer: Answer
    #: The status that grpc reports, which may depend on its version.
    status: Tuple[str, ...]
    proves: str
    #: Whether what may be repeated is tried again.
    passing: bool = False
    #: Seconds that are waited, where the service says so.
    wait: Optional[float] = None
    #: How often grpc itself sends a request that keeps meeting it.
    sent: int = 1

    def __str__(self) -> str:
        return self.answer.name


def doubtful(answer: Answer, *names: str, passing: bool = False) -> Fault:
    return Fault(answer, names, NOTHING, passing)


def lost(answer: Answer) -> Fault:
    return doubtful(answer, "UNAVAILABLE", passing=True)


def unprocessed(answer: Answer, name: str = "UNAVAILABLE", wait: Optional[float] = None, sent: int = 1) -> Fault:
    return Fault(answer, (name,), UNPROCESSED, True, wait, sent)


def refused(name: str, answer: Optional[Answer] = None, passing: bool = False) -> Fault:
    return Fault(answer or status(name), (name,), REFUSED, passing)


FAULTS = [
    unprocessed(reset("REFUSED_STREAM")),
    unprocessed(reset("REFUSED_STREAM", early=True)),
    # Before 1.46, grpc looks at no GOAWAY, and only sees the connection end.
    unprocessed(GO_AWAY_EXCLUDING, sent=2) if GRPC_VERSION >= (1, 46) else lost(GO_AWAY_EXCLUDING),
    lost(GO_AWAY_INCLUDING),
    doubtful(reset("INTERNAL_ERROR"), "INTERNAL", passing=True),
    doubtful(reset("INTERNAL_ERROR", early=True), "INTERNAL", passing=True),
    doubtful(reset("CANCEL"), "CANCELLED"),
    doubtful(reset("CANCEL", early=True), "CANCELLED"),
    doubtful(reset("ENHANCE_YOUR_CALM"), "RESOURCE_EXHAUSTED", passing=True),
    doubtful(reset("ENHANCE_YOUR_CALM", early=True), "RESOURCE_EXHAUSTED", passing=True),
    doubtful(reset("INADEQUATE_SECURITY"), "PERMISSION_DENIED"),
    lost(finished()),
    lost(finished(early=True)),
    lost(cut()),
    lost(cut(early=True)),
    doubtful(midway("RST_STREAM", lambda exchange: exchange.reset(2)), "INTERNAL", passing=True),
    lost(midway("FIN", Exchange.finish)),
    lost(midway("TCP reset", Exchange.cut)),
    doubtful(midway("END_STREAM", Exchange.end), "UNKNOWN", "INTERNAL"),
    doubtful(TOO_LARGE, "RESOURCE_EXHAUSTED"),
    unprocessed(http(429)),
    lost(http(502)),
    lost(http(503)),
    lost(http(504)),
    doubtful(http(500), "UNKNOWN"),
    refused("UNAUTHENTICATED", http(401)),
    refused("PERMISSION_DENIED", http(403)),
    refused("UNIMPLEMENTED", http(404)),
    lost(status("UNAVAILABLE")),
    lost(status("UNAVAILABLE", pushback="7"))._replace(wait=0.007),
    doubtful(status("UNAVAILABLE", pushback="-1"), "UNAVAILABLE"),
    doubtful(status("UNAVAILABLE", pushback="900000"), "UNAVAILABLE"),
    # Newer versions of grpc cannot read such an answer at all.
    doubtful(status("UNAVAILABLE", pushback="soon"), "UNAVAILABLE", "UNKNOWN", "INTERNAL"),
    refused("RESOURCE_EXHAUSTED", passing=True),
    unprocessed(status("RESOURCE_EXHAUSTED", pushback="11"), "RESOURCE_EXHAUSTED", wait=0.011),
    refused("RESOURCE_EXHAUSTED", status("RESOURCE_EXHAUSTED", pushback="-1")),
    refused("RESOURCE_EXHAUSTED", status("RESOURCE_EXHAUSTED", pushback="900000")),
    refused("RESOURCE_EXHAUSTED", status("RESOURCE_EXHAUSTED", "grpc: received message larger than max (9 vs. 4)")),
    # The service's own deadline, not the caller's.
    doubtful(status("DEADLINE_EXCEEDED"), "DEADLINE_EXCEEDED", passing=True),
    doubtful(status("INTERNAL"), "INTERNAL"),
    doubtful(status("UNKNOWN"), "UNKNOWN"),
    doubtful(status("DATA_LOSS"), "DATA_LOSS"),
    doubtful(status("CANCELLED"), "CANCELLED"),
    refused("INVALID_ARGUMENT"),
    refused("NOT_FOUND"),
    refused("ALREADY_EXISTS"),
    refused("PERMISSION_DENIED"),
    refused("FAILED_PRECONDITION"),
    refused("ABORTED"),
    refused("OUT_OF_RANGE"),
    refused("UNIMPLEMENTED"),
    refused("UNAUTHENTICATED"),
    # What a service quotes from a call of its own says nothing about ours.
    lost(status("UNAVAILABLE", "upstream: failed to connect to all addresses")),
    lost(status("UNAVAILABLE", "upstream: Received RST_STREAM with error code 7")),
    lost(status("UNAVAILABLE", "upstream: GOAWAY received; Error code: 0; Debug Text: ")),
    lost(status("UNAVAILABLE", "upstream: Received http2 header with status: 429")),
    doubtful(status("INTERNAL", "upstream: Received RST_STREAM with error code 2"), "INTERNAL"),
]

#: Nothing comes until the time of the attempt, or of the call, is up.
NO_ANSWER = doubtful(SILENCE, "DEADLINE_EXCEEDED", passing=True)
