"""The HTTP endpoint on loopback, which loads its server when the first client connects."""

from __future__ import annotations

import selectors
import socket
import threading
from typing import TYPE_CHECKING, Mapping, Optional

from viam_sync.sandbox.http.messages import Request, Response, Route, text_response

if TYPE_CHECKING:
    import ssl


class HttpEndpoint:
    """An HTTP server on 127.0.0.1.

    Args:
        routes: For each prefix of paths, the route that answers; the longest matching prefix counts. If a route has a
            method ``close``, `close` calls it first.
        tls: The SSL context for TLS; None for plain text.
        port: The port to listen on; 0 takes a free one.

    Raises:
        OSError: If the port is in use.

    Attributes:
        url: The URL, such as "http://127.0.0.1:5556".
    """

    url: str

    def __init__(self, routes: Mapping[str, Route], tls: Optional[ssl.SSLContext] = None, port: int = 0) -> None:
        self._routes = routes
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.setblocking(False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._stop_sender, self._stop_receiver = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="viam-sandbox-web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all responses, and release the port."""
        for route in self._routes.values():
            getattr(route, "close", lambda: None)()
        self._stop_sender.send(b"!")
        self._thread.join()
        for each in (self._stop_sender, self._stop_receiver, self._socket):
            each.close()

    def answer(self, request: Request) -> Response:
        """Return the response to a request."""
        matching = [prefix for prefix in self._routes if request.path.startswith(prefix)]
        if not matching:
            return text_response(404, f"Nothing is at {request.path[:100]!r} here.")
        return self._routes[max(matching, key=len)](request)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stop_receiver, selectors.EVENT_READ)
            selector.register(self._socket, selectors.EVENT_READ)
            if self._is_stopped(selector):
                return
            # Imported on the first connection, as most sandboxes get none.
            from viam_sync.sandbox.http.handler import HttpServer

            server = HttpServer(self._socket, self.answer, self._tls)
            try:
                server.handle_request()
                while not self._is_stopped(selector):
                    server.handle_request()
            finally:
                server.end()

    def _is_stopped(self, selector: selectors.BaseSelector) -> bool:
        """Wait for a connection or for `close`, and return whether it was `close`."""
        return any(key.fileobj is self._stop_receiver for key, _ in selector.select())
