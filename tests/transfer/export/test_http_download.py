"""Downloads from a real HTTP server on loopback that does what a test tells it to."""

import gzip
import io
import ssl
import threading
import time
from email.utils import formatdate
from typing import Any, Callable, Dict, Mapping, Optional

import grpc_testing
import pytest
from http_server import (
    CONTENTS,
    TOKEN,
    Answer,
    Handler,
    downloader,
    everything,
    ranges,
    redirect,
    serving,
)
from reliability.forwarder import Forwarder
from servers import ConnectProxy
from variables import variables_of_error

from viam_sync.errors import (
    CancelledError,
    DataLossError,
    GRPCError,
    InsecureConnectionError,
    InternalError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
    UnknownError,
)
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.channel import Time
from viam_sync.rpc.metadata import Header


def fetched(
    uri: str,
    size: Optional[int] = len(CONTENTS),
    metadata: Mapping[str, str] = TOKEN,
    timeout: float = 30,
    range_size: int = 300_000,
    clock: Optional[Time] = None,
) -> bytes:
    file = io.BytesIO()
    count = downloader(metadata, timeout, range_size, clock).fetch(uri, file, size, Cancellation())
    assert count == len(file.getvalue())
    return file.getvalue()


def test_a_large_file_comes_in_ranges() -> None:
    with serving(ranges) as server:
        assert fetched(server.url) == CONTENTS
    assert server.spans == [f"bytes={first}-{first + 299_999}" for first in range(0, len(CONTENTS), 300_000)]
    assert set(server.tokens) == {"Bearer token-1"}
    assert [request.headers["If-Range"] for request in server.requests] == [None, '"1"', '"1"', '"1"']
    assert {request.headers["Accept-Encoding"] for request in server.requests} == {"identity"}
    assert {request.path for request in server.requests} == {"/data/o/l/f?signature=secret"}


def test_a_file_of_unknown_size_comes_in_ranges_too() -> None:
    with serving(ranges) as server:
        assert fetched(server.url, size=None) == CONTENTS


def test_a_small_file_comes_at_once() -> None:
    with serving(ranges) as server:
        assert fetched(server.url, range_size=len(CONTENTS)) == CONTENTS
    assert server.spans == [None]


def test_after_a_lost_connection_the_rest_is_asked_for() -> None:
    def lost(handler: Handler) -> None:
        contents = CONTENTS[handler.span]
        span = f"bytes {handler.span.start}-{handler.span.stop - 1}/{len(CONTENTS)}"
        handler.answer(206, contents, 12_345, Content_Range=span, ETag='"1"')

    with serving(lost, lost, ranges) as server:
        assert fetched(server.url) == CONTENTS
    assert server.spans[:3] == ["bytes=0-299999", "bytes=12345-312344", "bytes=24690-324689"]


def test_a_connection_that_is_lost_again_and_again_is_given_up() -> None:
    with serving(lambda handler: handler.connection.close()) as server:
        with pytest.raises(UnavailableError, match=r"from http://127\.0\.0\.1 failed: the connection was lost"):
            fetched(server.url)
        assert len(server.requests) == 8


class _Time:
    """A clock that stands still, except for the waits between attempts; ``wake`` is called in each."""

    def __init__(self, wake: Callable[[float], None]) -> None:
        self._now = 0.0
        self._wake = wake

    def time(self) -> float:
        return self._now

    def sleep_for(self, duration: float) -> None:
        self._now += duration
        self._wake(self._now)


def test_a_host_that_cannot_be_reached_is_waited_for() -> None:
    with serving(everything) as server, Forwarder(server.server_port) as line:
        line.shut()
        uri = f"http://{line.address}/data/o/l/f"
        assert fetched(uri, clock=_Time(lambda now: line.open() if now > 50 and not line.is_open else None)) == CONTENTS
        assert len(server.requests) == 1
        line.shut()
        with pytest.raises(UnavailableError, match=r"failed: no connection could be made \(ConnectionRefusedError"):
            fetched(uri, clock=_Time(lambda now: None))


def test_as_long_as_something_comes_it_is_not_given_up() -> None:
    def a_little(handler: Handler) -> None:
        first = handler.span.start if "Range" in handler.headers else 0
        end = min(first + 20_000, len(CONTENTS))
        handler.answer(
            206, CONTENTS[first:], end - first, Content_Range=f"bytes {first}-{len(CONTENTS) - 1}/{len(CONTENTS)}"
        )

    with serving(a_little) as server:
        assert fetched(server.url) == CONTENTS
        assert len(server.requests) > 50


def test_a_server_without_ranges_sends_everything() -> None:
    with serving(everything) as server:
        assert fetched(server.url) == CONTENTS
        assert fetched(server.url, size=None) == CONTENTS


def test_a_server_without_ranges_that_loses_the_connection_sends_everything_again() -> None:
    with serving(lambda handler: handler.answer(200, CONTENTS, 500_000), everything) as server:
        assert fetched(server.url) == CONTENTS
    assert server.spans[1] == "bytes=500000-799999"


def test_contents_that_changed_on_the_way_are_asked_for_anew() -> None:
    def lost(handler: Handler) -> None:
        handler.answer(206, b"old" * 100_000, 5000, Content_Range=f"bytes 0-299999/{len(CONTENTS)}", ETag='"0"')

    def changed(handler: Handler) -> None:
        assert handler.headers["If-Range"] == '"0"'
        everything(handler)

    with serving(lost, changed) as server:
        assert fetched(server.url) == CONTENTS


@pytest.mark.parametrize("span", ["bytes 5-299999/1024000", "bytes 0-299999/*", "junk", "", "bytes 0-x/1024000"])
def test_a_range_other_than_the_one_asked_for_is_not_believed(span: str) -> None:
    answer = lambda handler: handler.answer(206, CONTENTS[:300_000], Content_Range=span)  # noqa: E731
    with serving(answer, everything) as server:
        assert fetched(server.url) == CONTENTS
    assert server.spans[1] is None


@pytest.mark.parametrize("length", [None, ""])
@pytest.mark.parametrize("kind", ["gzip", "x-gzip", "GZip"])
def test_encoded_contents_are_decoded(kind: str, length: Optional[str]) -> None:
    encoded = gzip.compress(CONTENTS[:400_000]) + gzip.compress(CONTENTS[400_000:])
    more = {} if length is None else {"Content_Length": length, "Content-Length": length}
    with serving(lambda handler: handler.answer(200, encoded, Content_Encoding=kind, **more)) as server:
        assert fetched(server.url) == CONTENTS
        assert fetched(server.url, size=None) == CONTENTS


def test_encoded_contents_that_are_cut_off_come_again_from_the_start() -> None:
    encoded = gzip.compress(CONTENTS)
    cut = lambda handler: handler.answer(200, encoded, 2000, Content_Encoding="gzip")  # noqa: E731
    with serving(cut, cut, lambda handler: handler.answer(200, encoded, Content_Encoding="gzip")) as server:
        assert fetched(server.url) == CONTENTS
    assert server.spans[1:] == [None, None]
    with serving(cut) as server, pytest.raises(UnavailableError):
        fetched(server.url)


def test_a_range_of_encoded_contents_is_not_asked_for_twice() -> None:
    encoded = gzip.compress(CONTENTS)

    def encoded_range(handler: Handler) -> None:
        handler.answer(206, encoded[:100], Content_Encoding="gzip", Content_Range=f"bytes 0-99/{len(encoded)}")

    with serving(encoded_range, lambda handler: handler.answer(200, encoded, Content_Encoding="gzip")) as server:
        assert fetched(server.url) == CONTENTS
    with serving(encoded_range) as server, pytest.raises(UnknownError, match="it answered 206"):
        fetched(server.url)


def test_contents_that_never_end_are_cut_at_their_size() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    endless = lambda handler: handler.answer(200, bomb, Content_Encoding="gzip")  # noqa: E731
    with serving(endless) as server, pytest.raises(DataLossError, match="has more than that"):
        fetched(server.url, size=1000)


def test_an_encoding_that_is_unknown_is_named() -> None:
    odd = lambda handler: handler.answer(200, b"x", Content_Encoding="br")  # noqa: E731
    with serving(odd) as server, pytest.raises(UnimplementedError, match="encoded as br"):
        fetched(server.url)


@pytest.mark.parametrize("size", [len(CONTENTS) - 1, len(CONTENTS) + 1, 1])
@pytest.mark.parametrize("answer", [everything, ranges])
def test_contents_of_another_size_are_refused(size: int, answer: Answer) -> None:
    with serving(answer) as server, pytest.raises(DataLossError, match=f"the file should have {size} bytes, and has"):
        fetched(server.url, size)


def test_an_empty_file_is_one() -> None:
    with serving(lambda handler: handler.answer(416 if "Range" in handler.headers else 200)) as server:
        assert fetched(server.url, size=None) == b""
        assert fetched(server.url, size=0) == b""
        with pytest.raises(DataLossError):
            fetched(server.url, size=10**6)


@pytest.mark.parametrize(
    ("status", "error", "requests"),
    [
        (400, UnknownError, 1),
        (401, UnauthenticatedError, 1),
        (403, PermissionDeniedError, 1),
        (404, NotFoundError, 1),
        (410, NotFoundError, 1),
        (429, ResourceExhaustedError, 8),
        (500, UnavailableError, 8),
        (503, UnavailableError, 8),
        (204, UnknownError, 1),
        (302, UnknownError, 1),
    ],
)
def test_a_status_becomes_the_error_of_its_kind(status: int, error: "type[GRPCError]", requests: int) -> None:
    with serving(lambda handler: handler.answer(status)) as server:
        with pytest.raises(error, match=f"it answered {status}") as raised:
            fetched(server.url)
        assert len(server.requests) == requests
    assert "secret" not in str(raised.value)
    assert "token-1" not in str(raised.value)


@pytest.mark.parametrize(("status", "seconds"), [(429, 7), (503, 7), (503, 120)])
def test_the_seconds_of_retry_after_are_waited(status: int, seconds: int) -> None:
    clock = grpc_testing.strict_fake_time(0)
    with serving(lambda handler: handler.answer(status, Retry_After=str(seconds)), ranges) as server:
        file = io.BytesIO()
        downloader(clock=clock).fetch(server.url, file, len(CONTENTS), Cancellation())
    assert file.getvalue() == CONTENTS
    assert clock.time() == pytest.approx(seconds)


def test_the_date_of_retry_after_is_waited_for() -> None:
    clock = grpc_testing.strict_fake_time(0)
    date = formatdate(time.time() + 30, usegmt=True)
    with serving(lambda handler: handler.answer(503, Retry_After=date), ranges) as server:
        downloader(clock=clock).fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
        assert len(server.requests) == 5
    # The date has whole seconds, and some time has passed since it was written.
    assert 15 < clock.time() <= 30


@pytest.mark.parametrize(
    "header", ["Wed, 21 Oct 2015 07:28:00 GMT", "-5", "soon", "1.5", "Mon, 01 Jan 2024 00:00:00 +9999999999999999"]
)
def test_a_retry_after_that_is_over_or_makes_no_sense_costs_no_more_than_a_wait_of_ours(header: str) -> None:
    clock = grpc_testing.strict_fake_time(0)
    answer = lambda handler: handler.answer(503, Retry_After=header)  # noqa: E731
    with serving(answer, ranges) as server:
        downloader(clock=clock).fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
    assert clock.time() <= 0.2


class Renewable(Dict[str, str]):
    """Metadata whose token can be made anew."""

    was_accepted = True

    def refresh(self, refused: Header, timeout: Optional[float]) -> bool:
        assert refused.value == self["authorization"]
        self["authorization"] += "+"
        return True


def test_a_token_that_is_refused_is_made_anew_once() -> None:
    with serving(lambda handler: handler.answer(401), ranges) as server:
        assert fetched(server.url, metadata=Renewable(TOKEN)) == CONTENTS
    assert server.tokens[:2] == ["Bearer token-1", "Bearer token-1+"]
    with serving(lambda handler: handler.answer(401)) as server, pytest.raises(UnauthenticatedError):
        fetched(server.url, metadata=Renewable(TOKEN))


def test_without_a_token_none_is_sent() -> None:
    with serving(ranges) as server:
        assert fetched(server.url, metadata={}) == CONTENTS
    assert server.tokens[0] is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_does_not_follow_to_another_host(status: int) -> None:
    with serving(ranges) as there, serving(redirect(there.url, status)) as server:
        assert fetched(server.url) == CONTENTS
        assert set(server.tokens) == {"Bearer token-1"}
        assert set(there.tokens) == {None}


def test_the_token_follows_on_the_same_host() -> None:
    with serving(redirect("/elsewhere"), ranges) as server:
        assert fetched(server.url, size=None, metadata=TOKEN)[:5] == CONTENTS[:5]
        assert server.requests[1].path == "/elsewhere"
        assert server.tokens[:2] == ["Bearer token-1", "Bearer token-1"]


def test_a_request_that_is_redirected_away_and_back_has_no_token() -> None:
    with serving(ranges) as there, serving(lambda handler: redirect(there.url)(handler), ranges) as server:
        there.answers = (redirect(server.url),)
        assert fetched(server.url, size=None)[:5] == CONTENTS[:5]
        assert server.tokens[:2] == ["Bearer token-1", None]


def test_redirects_that_never_end_are_given_up() -> None:
    with serving(redirect("/again")) as server, pytest.raises(InternalError, match="redirects again and again"):
        fetched(server.url)
    assert len(server.requests) == 6


@pytest.mark.parametrize("uri", ["http://example.com/x", "http://192.0.2.1/x", "http://127.0.0.1.example.com/x"])
def test_nothing_goes_over_a_network_in_plaintext(uri: str) -> None:
    with pytest.raises(InsecureConnectionError, match="has no TLS"):
        fetched(uri)
    with serving(redirect(uri)) as server, pytest.raises(InsecureConnectionError, match="has no TLS"):
        fetched(server.url)


@pytest.mark.parametrize(
    "uri", ["", "ftp://127.0.0.1/x", "x", "https:///x", "file:///etc/passwd", "http://[::1", "https://é/"]
)
def test_a_uri_that_makes_no_sense_is_an_error_without_a_request(uri: str) -> None:
    with pytest.raises(InternalError, match="a URI for the contents that is none"):
        fetched(uri)


def test_odd_letters_in_a_uri_become_no_headers() -> None:
    with serving(ranges) as server:
        fetched(server.url.replace("/f?", "/\u00e9 \r\nX-Evil: 1?"))
    assert server.requests[0].headers["X-Evil"] is None


@pytest.mark.parametrize("path", ["//a/b", "/a//b/", "/a%2Fb/c;d=e", "/"])
def test_a_path_is_asked_for_as_it_is_given(path: str) -> None:
    with serving(ranges) as server:
        fetched(server.url.replace("/data/o/l/f", path))
    assert server.requests[0].requestline == f"GET {path}?signature=secret HTTP/1.1"


def test_a_silent_server_counts_as_a_lost_connection() -> None:
    over = threading.Event()
    with serving(lambda handler: over.wait(30) and None) as server:
        with pytest.raises(UnavailableError):
            fetched(server.url, timeout=0.05)
        over.set()


def test_a_download_that_waits_can_be_ended() -> None:
    cancellation, over = Cancellation(), threading.Event()

    def stall(handler: Handler) -> None:
        handler.answer(200, CONTENTS, 1000)
        cancellation.cancel()
        over.wait(30)

    with serving(stall) as server:
        with pytest.raises(CancelledError, match="ended from within the program"):
            downloader().fetch(server.url, io.BytesIO(), len(CONTENTS), cancellation)
        over.set()


def test_a_disk_that_is_full_is_no_lost_connection() -> None:
    class Full(io.BytesIO):
        def write(self, contents: Any) -> int:
            raise OSError(28, "No space left on device")

    with serving(ranges) as server, pytest.raises(OSError, match="No space left"):
        downloader().fetch(server.url, Full(), None, Cancellation())
    assert len(server.requests) == 1


@pytest.mark.usefixtures("trusted")
def test_by_https_the_token_goes_along(tls: ssl.SSLContext) -> None:
    with serving(ranges, tls=tls) as server:
        assert fetched(server.url) == CONTENTS
    assert set(server.tokens) == {"Bearer token-1"}


def test_a_certificate_that_cannot_be_trusted_ends_it(tls: ssl.SSLContext) -> None:
    with serving(ranges, tls=tls) as server:
        with pytest.raises(
            InsecureConnectionError, match=r"https://127\.0\.0\.1 has no certificate that can be trusted"
        ) as caught:
            fetched(server.url)
        assert server.requests == []
    # The token would have gone along.
    assert not [place for place, text in variables_of_error(caught.value) if TOKEN["authorization"] in text]


@pytest.mark.usefixtures("trusted")
def test_https_does_not_become_http(tls: ssl.SSLContext) -> None:
    with serving(ranges) as plain, serving(redirect(plain.url), tls=tls) as server:
        with pytest.raises(InsecureConnectionError, match=r"redirects to http://127\.0\.0\.1, which has no TLS"):
            fetched(server.url)
        assert plain.requests == []


@pytest.mark.usefixtures("trusted")
def test_https_goes_through_the_proxy_of_the_environment(
    authority: Any, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.issue_cert("files.invalid").configure_cert(tls)
    with serving(ranges, tls=tls) as server, ConnectProxy(server.server_port) as proxy:
        monkeypatch.setenv("https_proxy", f"http://us%65r:p%40ss@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        assert fetched("https://files.invalid/data/o/l/f") == CONTENTS
    assert proxy.heads[0].startswith(b"CONNECT files.invalid:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in proxy.heads[0]
    assert b"token-1" not in b"".join(proxy.heads) + proxy.passed


@pytest.mark.usefixtures("trusted")
def test_https_to_this_computer_goes_past_the_proxy(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ranges, tls=tls) as server, ConnectProxy(server.server_port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert fetched(server.url) == CONTENTS
    assert proxy.heads == []
