"""A real server of HTTP on loopback that does what a test tells it to, and downloads from it."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Iterator, List, Mapping, Optional

import grpc
import grpc_testing

from viam_sync.rpc.channel import Time, service_channel
from viam_sync.rpc.service import Service
from viam_sync.transfer.concurrency.concurrency_limit import ConcurrencyLimit
from viam_sync.transfer.export.http_download import Downloader

CONTENTS = bytes(range(256)) * 4000
TOKEN = {"authorization": "Bearer token-1"}

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request by the next function of the server, and all later ones by its last."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.requests.append(self)
        self.server.answers[min(len(self.server.requests), len(self.server.answers)) - 1](self)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, status: int, contents: bytes = b"", sent: Optional[int] = None, **headers: str) -> None:
        """Answer with contents, of which only the first ``sent`` bytes come."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(contents)), **headers}.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(contents[:sent])
        if sent is not None or self.protocol_version == "HTTP/1.0":
            self.close_connection = True

    @property
    def span(self) -> "slice[Any, Any, Any]":
        first, last = self.headers["Range"][len("bytes=") :].split("-")
        return slice(int(first), int(last) + 1)


class KeepAlive(Handler):
    """The same, with connections that are kept alive."""

    protocol_version = "HTTP/1.1"


class Server(ThreadingHTTPServer):
    """A server of HTTP.

    Args:
        answers: What it does for each request; the last one also for all that follow.
        keep_alive: Whether a connection serves more than one request.

    Attributes:
        requests: The requests that came.
        connections: How many connections were made.
        open: How many are open.
    """

    daemon_threads = True

    def __init__(self, *answers: Answer, keep_alive: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), KeepAlive if keep_alive else Handler)
        self.answers = answers
        self.requests: List[Handler] = []
        self.connections = self.open = 0
        self.scheme = "http"
        self._counting = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._counting:
            self.connections += 1
            self.open += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._counting:
            self.open -= 1

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}/data/o/l/f?signature=secret"

    @property
    def tokens(self) -> List[Optional[str]]:
        return [request.headers["Authorization"] for request in self.requests]

    @property
    def spans(self) -> List[Optional[str]]:
        return [request.headers["Range"] for request in self.requests]


@contextmanager
def serving(*answers: Answer, tls: Any = None, keep_alive: bool = False) -> Iterator[Server]:
    with Server(*answers, keep_alive=keep_alive) as server:
        if tls is not None:
            server.scheme = "https"
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def everything(handler: Handler) -> None:
    handler.answer(200, CONTENTS)


def ranges(handler: Handler) -> None:
    """Answer as a good server does."""
    if "Range" not in handler.headers:
        everything(handler)
        return
    contents = CONTENTS[handler.span]
    first = handler.span.start
    span = f"bytes {first}-{first + len(contents) - 1}/{len(CONTENTS)}"
    handler.answer(206, contents, Content_Range=span, ETag='"1"')


def redirect(to: str, status: int = 302) -> Answer:
    return lambda handler: handler.answer(status, b"elsewhere", Location=to)


def downloader(
    metadata: Mapping[str, str] = TOKEN, timeout: float = 30, range_size: int = 300_000, clock: Optional[Time] = None
) -> Downloader:
    """Return the downloader of a client, on a fake clock, whose waits are over at once."""
    channel = service_channel(grpc.insecure_channel("127.0.0.1:1"), clock or grpc_testing.strict_fake_time(0))
    return Downloader(
        metadata, ConcurrencyLimit(4), channel, Service(channel, metadata)._run, timeout, range_size, block=1000
    )
