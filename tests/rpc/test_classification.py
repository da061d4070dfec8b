"""The texts of grpc on each of its versions, measured against a server of raw HTTP/2, and their classes."""

from typing import Optional

import grpc
import pytest

from viam_sync.rpc import classification

from .failures import Failed

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
INTERNAL = grpc.StatusCode.INTERNAL
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


NEVER_SENT = [
    "failed to connect to all addresses",
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect: Connection refused",
    "DNS resolution failed for service: nowhere.invalid:1",
    "DNS resolution failed for nowhere.invalid:1: C-ares status is not ARES_SUCCESS qtype=A: Domain name not found",
    "errors resolving nowhere.invalid:1: [field:hostname lookup error:address lookup failed: Domain name not found]",
]
EXCLUDED = [
    "GOAWAY received; Error code: 0; Debug Text: ",
    "Stream removed (GOAWAY received; Error code: 0; Debug Text: )",
]
TURNED_AWAY = [
    "Received RST_STREAM with error code 7",
    "Stream removed (RST_STREAM (Received RST_STREAM with error code 7))",
    "Received http2 header with status: 429",
]
LOST = [
    "Socket closed",
    "Connection reset by peer",
    "recvmsg:Connection reset by peer",
    "Stream removed (recvmsg:Connection reset by peer)",
    "Stream removed (Socket closed (GOAWAY received; Error code: 0; Debug Text: ))",
    "Stream removed (Delayed close due to in-progress write (Socket closed))",
    "keepalive watchdog timeout",
    "Stream removed (ping timeout)",
]
SAID_BY_THE_SERVICE = [
    "busy",
    "",
    "rpc error: failed to connect to all addresses",
    "the backend said: Received RST_STREAM with error code 7",
    "Received RST_STREAM with error code 77",
    "Received http2 header with status: 503",
    "upstream connect error or disconnect/reset before headers",
]


@pytest.mark.parametrize("text", NEVER_SENT + EXCLUDED + TURNED_AWAY)
def test_a_request_that_was_never_processed_is_known(text: str) -> None:
    assert classification.was_not_processed(Failed(UNAVAILABLE, text))
    assert classification.had_no_effect(Failed(UNAVAILABLE, text))


@pytest.mark.parametrize("text", LOST + SAID_BY_THE_SERVICE)
def test_a_request_that_may_have_been_processed_is_not_taken_for_unprocessed(text: str) -> None:
    assert not classification.was_not_processed(Failed(UNAVAILABLE, text))
    assert not classification.had_no_effect(Failed(UNAVAILABLE, text))


@pytest.mark.parametrize("text", NEVER_SENT + EXCLUDED + TURNED_AWAY)
def test_no_other_status_proves_that(text: str) -> None:
    assert not classification.was_not_processed(Failed(INTERNAL, text))


@pytest.mark.parametrize("text", EXCLUDED + LOST)
def test_a_lost_connection_is_known(text: str) -> None:
    assert classification.is_connection_lost(Failed(UNAVAILABLE, text))
    assert not classification.is_unreachable(Failed(UNAVAILABLE, text))
    assert not classification.is_unavailable(Failed(UNAVAILABLE, text))


@pytest.mark.parametrize("text", NEVER_SENT)
def test_a_service_that_cannot_be_reached_is_known(text: str) -> None:
    assert classification.is_unreachable(Failed(UNAVAILABLE, text))
    assert not classification.is_unavailable(Failed(UNAVAILABLE, text))


@pytest.mark.parametrize("text", ["", "busy", "Received http2 header with status: 503", *SAID_BY_THE_SERVICE])
def test_a_service_that_is_unavailable_is_known(text: str) -> None:
    assert classification.is_unavailable(Failed(UNAVAILABLE, text))
    assert not classification.is_unavailable(Failed(INTERNAL, text))


@pytest.mark.parametrize("text", NEVER_SENT + TURNED_AWAY + SAID_BY_THE_SERVICE)
def test_an_answer_is_no_lost_connection(text: str) -> None:
    assert not classification.is_connection_lost(Failed(UNAVAILABLE, text))


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 8, 10, 11, 12, 13])
def test_a_reset_stream_proves_nothing_whatever_its_status(code: int) -> None:
    text = f"Received RST_STREAM with error code {code}"
    for said in (text, f"Stream removed (RST_STREAM ({text}))"):
        assert classification.is_reset(said)
        for status in (INTERNAL, EXHAUSTED, grpc.StatusCode.CANCELLED, grpc.StatusCode.PERMISSION_DENIED):
            assert not classification.had_no_effect(Failed(status, said))


def test_a_read_of_a_reset_stream_may_pass_and_one_of_a_broken_service_may_not() -> None:
    assert classification.is_transient(Failed(INTERNAL, "Received RST_STREAM with error code 2"))
    assert not classification.is_transient(Failed(INTERNAL, "database is broken"))


def test_a_request_that_asks_for_too_much_does_not_pass_later_and_one_that_comes_too_often_does() -> None:
    assert not classification.is_transient(Failed(EXHAUSTED, "Sort exceeded memory limit of 104857600 bytes"))
    assert classification.is_transient(Failed(EXHAUSTED, "too many requests"))


@pytest.mark.parametrize(("milliseconds", "passes"), [(None, False), ("-1", False), ("0", False), ("2500", True)])
def test_a_service_that_names_a_time_to_wait_is_believed(milliseconds: Optional[str], passes: bool) -> None:
    busy = Failed(EXHAUSTED, "There is no memory for your query now.", milliseconds)
    assert classification.is_transient(busy) is passes


def test_an_error_without_a_status_proves_nothing() -> None:
    assert classification.status_of(grpc.RpcError()) is grpc.StatusCode.UNKNOWN
    assert not classification.had_no_effect(grpc.RpcError())
