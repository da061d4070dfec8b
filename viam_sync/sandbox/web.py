"""A small HTTP server on loopback beside the gRPC one; it costs nothing until somebody connects."""

from __future__ import annotations

import selectors
import socket
import threading
from typing import TYPE_CHECKING, Callable, Iterable, Mapping, NamedTuple, Optional

if TYPE_CHECKING:
    import ssl


class Request(NamedTuple):
    """What a client asks for.

    Attributes:
        method: GET or HEAD.
        path: The path, decoded.
        query: The parameters after the question mark; of those that are there twice, the last.
        headers: The headers; their names are in lowercase.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class Response(NamedTuple):
    """What it gets.

    Attributes:
        status: The status code.
        headers: The headers.
        body: The contents, in pieces that are sent as they come; ignored for HEAD. If it has a method ``close``, that
            is called in the end, also when the client goes away.
    """

    status: int
    headers: Mapping[str, str]
    body: Iterable[bytes] = ()


#: What answers the requests whose path begins with something.
Route = Callable[[Request], Response]


def plain(status: int, text: str, **headers: str) -> Response:
    """Return a response of one line of text."""
    body = f"{text}\n".encode()
    kind = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}
    return Response(status, {**kind, **headers}, [body])


class Web:
    """The server.

    Args:
        routes: For the beginning of a path, what answers; of several that fit, the longest counts. What has a method
            ``close`` gets it called at the end, before its last responses are waited for.
        tls: What makes it speak TLS; None for plain text.

    Attributes:
        url: Where it listens, such as "http://127.0.0.1:5556".
    """

    url: str

    def __init__(self, routes: Mapping[str, Route], tls: Optional[ssl.SSLContext] = None) -> None:
        self._routes = routes
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._bell, self._rung = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="viam-sandbox-web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all responses and let go of the port."""
        for route in self._routes.values():
            getattr(route, "close", lambda: None)()
        self._bell.send(b"!")
        self._thread.join()
        for each in (self._bell, self._rung, self._socket):
            each.close()

    def answer(self, request: Request) -> Response:
        """Return what a request gets."""
        fitting = [prefix for prefix in self._routes if request.path.startswith(prefix)]
        if not fitting:
            return plain(404, f"Nothing is at {request.path[:100]!r} here.")
        return self._routes[max(fitting, key=len)](request)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._rung, selectors.EVENT_READ)
            selector.register(self._socket, selectors.EVENT_READ)
            if self._is_over(selector):
                return
            # Loaded only now, since few worlds are looked at this way.
            from viam_sync.sandbox.web_server import Server

            server = Server(self._socket, self.answer, self._tls)
            try:
                server.handle_request()
                while not self._is_over(selector):
                    server.handle_request()
            finally:
                server.end()

    def _is_over(self, selector: selectors.BaseSelector) -> bool:
        """Wait, and return whether the server is to stop; if not, somebody connects."""
        return any(key.fileobj is self._rung for key, _ in selector.select())
