"""The HTTP server of the standard library, with the handler of its requests."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Optional, Tuple, Union, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from viam_sync.sandbox.http.messages import Request, Response

_LOGGER = logging.getLogger("viam_sync.sandbox")


class HttpServer(ThreadingHTTPServer):
    """A server on a socket that listens already.

    Args:
        listening: The socket.
        answer: Returns the response to a request.
        tls: The SSL context for TLS; None for plain text.
    """

    def __init__(
        self, listening: socket.socket, answer: Callable[[Request], Response], tls: Optional[ssl.SSLContext] = None
    ) -> None:
        super().__init__(listening.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.answer = answer
        self._tls = tls
        self._lock = threading.Lock()
        self._open: Dict[threading.Thread, Any] = {}

    def end(self) -> None:
        """Close all connections, and wait for their threads."""
        with self._lock:
            threads = dict(self._open)
        for connection in threads.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()

    def get_request(self) -> Tuple[Any, Any]:
        """Accept a connection; its thread performs the TLS handshake, so that no other connection waits for it."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="viam-sandbox-web", daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[threading.current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log an error, unless the client disconnected."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            _LOGGER.error("An HTTP request failed", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    # Seconds after which a connection without progress is closed.
    timeout = 60
    server_version = "viam-sandbox"
    sys_version = ""
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(message)s\n"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers)
        try:
            response = cast(HttpServer, self.server).answer(request)
        except Exception:
            self.send_error(500, "The sandbox failed; its log (logger 'viam_sync.sandbox') says how.")
            raise
        try:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                for chunk in response.body:
                    self.wfile.write(chunk)
        finally:
            close = getattr(response.body, "close", None)
            if close is not None:
                close()

    do_HEAD = do_GET

    def log_request(self, code: Union[int, str] = "-", size: Union[int, str] = "-") -> None:
        # The query may hold a token or a signature.
        self.log_message("%s %s: %s", self.command, urlsplit(self.path).path, code)

    def log_message(self, format: str, *args: Any) -> None:
        _LOGGER.debug(format, *args)
