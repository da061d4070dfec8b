"""The connections of downloads: kept alive, shared by all files of an export, and closed with it."""

import io
import logging
import os
import ssl
import threading
from pathlib import Path
from typing import Any, List, Optional

import grpc
import grpc_testing
import pytest
from file_service import FileService
from http_server import CONTENTS, TOKEN, Handler, downloader, everything, ranges, redirect, serving
from reliability.processes import environment, run
from servers import ConnectProxy, SilentServer
from variables import variables_of_error
from waiting import ended, start, until

from viam_sync.app.data_client import DataClient
from viam_sync.errors import CancelledError, ClosedError, PermissionDeniedError, UnavailableError
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.channel import service_channel
from viam_sync.rpc.service import Service
from viam_sync.sandbox import Sandbox
from viam_sync.services import methods
from viam_sync.transfer.concurrency.concurrency_limit import ConcurrencyLimit
from viam_sync.transfer.export.contents import ContentsFetcher, concurrency_for
from viam_sync.transfer.export.exporter import Export
from viam_sync.transfer.export.http_download import Downloader
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.results import ExportResult
from viam_sync.transfer.output.progress import Progress

WORKERS = 3
PASSWORD = "s3cret-word"


def exported(data: DataClient, folder: Path) -> ExportResult:
    """Export files as ``export_binary_data`` does, where all are large, and come in ranges that are small."""
    limits = ExportLimits(large_file=1)
    concurrency = concurrency_for(WORKERS, limits, None, data._channel.time.time)
    contents = ContentsFetcher(data._unary_unary, methods.BINARY_DATA_BY_IDS, concurrency, limits, None)
    listed = data.iter_binary_data(None, include_binary_data=False)
    downloads = Downloader(TOKEN, concurrency, data._channel, data._run, range_size=200_000)
    with listed, downloads, Export(folder, contents, downloads, Progress(None), limits) as export:
        export.run(listed, WORKERS)
    return export.result


def add_files(service: FileService, host: str) -> None:
    for number in range(10):
        uri = f"https://{host}/{number}"
        service.add(CONTENTS, binary_data_id=str(number), file_size_bytes=len(CONTENTS), uri=uri)


@pytest.mark.usefixtures("trusted")
def test_an_export_of_large_files_makes_no_more_connections_than_it_has_workers(
    service: FileService, other: DataClient, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    with serving(ranges, tls=tls, keep_alive=True) as server:
        add_files(service, f"127.0.0.1:{server.server_port}")
        result = exported(other, tmp_path)
        assert len(server.requests) == 60
        assert server.connections <= WORKERS
        until(lambda: server.open == 0)
    assert [file.path and file.path.read_bytes() for file in result.files] == [CONTENTS] * 10


@pytest.mark.usefixtures("trusted")
def test_nor_through_more_tunnels_of_a_proxy(
    service: FileService,
    other: DataClient,
    authority: Any,
    tls: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority.issue_cert("files.invalid").configure_cert(tls)
    add_files(service, "files.invalid")
    with serving(ranges, tls=tls, keep_alive=True) as server, ConnectProxy(server.server_port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("no_proxy", "other.invalid")
        result = exported(other, tmp_path)
        assert len(server.requests) == 60
    assert result.complete
    assert 0 < len(proxy.heads) <= WORKERS


def test_an_idle_connection_that_the_server_closes_meanwhile_costs_neither_a_wait_nor_an_attempt() -> None:
    def lose_every_second(handler: Handler) -> None:
        if len(server.requests) % 2:
            ranges(handler)
        else:
            handler.close_connection = True

    clock = grpc_testing.strict_fake_time(0)
    with serving(lose_every_second, keep_alive=True) as server, downloader(range_size=50_000, clock=clock) as downloads:
        file = io.BytesIO()
        downloads.fetch(server.url, file, len(CONTENTS), Cancellation())
    assert file.getvalue() == CONTENTS
    # Of 41 requests, 20 met a connection that was closed, more often than a request is retried.
    assert server.connections == 21
    assert clock.time() == 0


def test_a_silent_connection_that_was_idle_counts_as_an_attempt() -> None:
    over = threading.Event()

    def silent(handler: Handler) -> None:
        over.wait(30)
        handler.close_connection = True

    clock = grpc_testing.strict_fake_time(0)
    with serving(ranges, silent, ranges, keep_alive=True) as server:
        with downloader(timeout=0.2, clock=clock) as downloads:
            downloads.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
        over.set()
    assert clock.time() > 0


def test_a_response_that_nobody_needs_does_not_cost_its_connection() -> None:
    refused = lambda handler: handler.answer(503, b"try again later")  # noqa: E731
    with serving(redirect("/there"), refused, ranges, keep_alive=True) as server, downloader() as downloads:
        downloads.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
        assert len(server.requests) > 4
        assert server.connections == 1


def test_a_response_without_an_end_is_not_read_to_its_end() -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/there")
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(1 << 16))

    def broken(handler: Handler) -> None:
        try:
            endless(handler)
        except OSError:
            handler.close_connection = True

    with serving(broken, everything, keep_alive=True) as server, downloader() as downloads:
        assert downloads.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation()) == len(CONTENTS)


class Downloads:
    """A download in a thread of its own, and how it ended."""

    def __init__(self, downloads: Downloader, uri: str) -> None:
        self.cancellation = Cancellation()
        self.error: Optional[BaseException] = None
        self._downloads = downloads
        self._uri = uri
        self.threads = start(self._run)

    def _run(self) -> None:
        try:
            self._downloads.fetch(self._uri, io.BytesIO(), len(CONTENTS), self.cancellation)
        except BaseException as error:
            self.error = error


def test_a_request_whose_response_does_not_begin_can_be_ended() -> None:
    over = threading.Event()
    with serving(lambda handler: over.wait(30) and None) as server, downloader() as downloads:
        waiting = Downloads(downloads, server.url)
        until(lambda: server.requests)
        waiting.cancellation.cancel()
        assert ended(waiting.threads)
        over.set()
    assert isinstance(waiting.error, CancelledError)


class CancelsAfterABlock(io.BytesIO):
    """A file whose download is ended when it has got its first block, and the rest has come to this computer, too."""

    def __init__(self, cancellation: Cancellation, sent: threading.Event) -> None:
        super().__init__()
        self._cancellation = cancellation
        self._sent = sent

    def write(self, block: Any) -> int:
        assert self._sent.wait(30)
        self._cancellation.cancel()
        return super().write(block)


@pytest.mark.usefixtures("trusted")
def test_nothing_encrypted_is_taken_for_contents_when_a_download_is_ended(tls: ssl.SSLContext) -> None:
    contents, sent, cancellation = CONTENTS[: 6 << 14], threading.Event(), Cancellation()

    def answer(handler: Handler) -> None:
        handler.answer(200, contents)
        sent.set()

    with serving(answer, tls=tls, keep_alive=True) as server, downloader() as downloads:
        file = CancelsAfterABlock(cancellation, sent)
        with pytest.raises(CancelledError):
            downloads.fetch(server.url, file, len(contents), cancellation)
    assert contents.startswith(file.getvalue())


def test_closing_the_channel_ends_downloads_and_closes_idle_connections() -> None:
    over = threading.Event()

    def stall_later(handler: Handler) -> None:
        if handler.headers["Range"] in (None, "bytes=0-299999"):
            ranges(handler)
        else:
            over.wait(30)

    with serving(ranges, ranges, ranges, ranges, stall_later, keep_alive=True) as server:
        channel = service_channel(grpc.insecure_channel("127.0.0.1:1"))
        with Downloader(TOKEN, ConcurrencyLimit(4), channel, Service(channel, TOKEN)._run, range_size=300_000) as both:
            both.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
            assert server.open == 1
            waiting = Downloads(both, server.url)
            until(lambda: len(server.requests) == 6)
            channel.close()
            assert ended(waiting.threads)
            over.set()
            until(lambda: server.open == 0)
    assert isinstance(waiting.error, ClosedError)


def test_with_the_downloader_its_idle_connections_are_closed() -> None:
    with serving(ranges, keep_alive=True) as server:
        with downloader() as downloads:
            downloads.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
            assert server.open == 1
        until(lambda: server.open == 0)
        with pytest.raises(ClosedError):
            downloads.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_leaves_the_connections_to_its_parent() -> None:
    script = """
import io, sys
from http_server import CONTENTS, downloader
from reliability.processes import in_child
from viam_sync.rpc.cancellation import Cancellation

downloads = downloader()

def fetched():
    return downloads.fetch(sys.argv[1], io.BytesIO(), len(CONTENTS), Cancellation())

print(fetched(), *[in_child(fetched, leave) for leave in (sys.exit, __import__("os")._exit)], fetched())
downloads.close()
"""
    with serving(ranges, keep_alive=True) as server:
        assert run(script, server.url, env=environment()) == [" ".join([str(len(CONTENTS))] * 4)]
        assert server.connections == 3


def test_calls_do_without_the_http_client(sandbox: Sandbox) -> None:
    script = """
import sys
from viam_sync import ViamClient

with ViamClient.create_from_env_vars() as client:
    data = client.data_client
    print(len(client.app_client.list_organizations()), len(list(data.iter_binary_data(include_binary_data=False))))
print("urllib3" in sys.modules)
"""
    assert run(script, env=environment(sandbox)) == ["1 24", "False"]


@pytest.fixture
def proxied(trusted: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a proxy into the environment, by its port."""

    def use(port: int) -> str:
        monkeypatch.setenv("https_proxy", f"http://keeper:{PASSWORD}@127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        return "https://files.invalid/data/o/l/f?signature=secret"

    return use


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses_is_named_and_not_asked_again(status: str, proxied: Any) -> None:
    with ConnectProxy(1, status) as proxy, downloader() as downloads:
        uri = proxied(proxy.port)
        with pytest.raises(PermissionDeniedError) as caught:
            downloads.fetch(uri, io.BytesIO(), None, Cancellation())
    assert f"the proxy 127.0.0.1:{proxy.port}, which https_proxy names, refuses to connect to it ({status})" in str(
        caught.value
    )
    assert len(proxy.heads) == 1
    assert secrets_of(caught.value) == []


def test_a_proxy_that_does_not_reach_the_host_is_asked_again(proxied: Any) -> None:
    with ConnectProxy(1, "502 Bad Gateway") as proxy, downloader() as downloads:
        uri = proxied(proxy.port)
        with pytest.raises(UnavailableError, match=r"no connection could be made by way of the proxy 127\.0\.0\.1"):
            downloads.fetch(uri, io.BytesIO(), None, Cancellation())
    assert len(proxy.heads) > 8


def secrets_of(error: BaseException) -> List[str]:
    """Return the places of the tracebacks of an error that hold a token, a password or a signature."""
    secrets = (TOKEN["authorization"], PASSWORD, "a2VlcGVyOnMzY3JldC13b3Jk")
    return [place for place, text in variables_of_error(error) if any(secret in text for secret in secrets)]


def test_no_traceback_of_a_lost_connection_holds_the_token() -> None:
    lost = serving(lambda handler: handler.connection.close())
    with lost as server, downloader() as downloads, pytest.raises(UnavailableError) as caught:
        downloads.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
    assert secrets_of(caught.value) == []


def test_the_log_of_urllib3_has_neither_the_token_nor_the_query(caplog: pytest.LogCaptureFixture) -> None:
    def odd(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nno header at all\r\n\r\n" + CONTENTS)

    with caplog.at_level(logging.DEBUG), serving(odd) as server, downloader() as downloads:
        downloads.fetch(server.url, io.BytesIO(), len(CONTENTS), Cancellation())
    assert [record for record in caplog.records if record.name.startswith("urllib3")]
    assert "secret" not in caplog.text
    assert "token-1" not in caplog.text


def test_a_host_that_does_not_finish_the_handshake_is_no_connection() -> None:
    refused = pytest.raises(UnavailableError, match="no connection could be made")
    with SilentServer() as silent, downloader(timeout=0.05) as downloads, refused:
        downloads.fetch(f"https://{silent.address}/x", io.BytesIO(), 1, Cancellation())
