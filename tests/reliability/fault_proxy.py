"""A proxy in front of a server, which refuses connections, and refuses or resets streams of HTTP/2."""

import contextlib
import socket
import struct
import threading
from typing import Callable, List, Optional

#: Frame types and error codes of HTTP/2.
_HEADERS, _RST_STREAM = 1, 3
_INTERNAL_ERROR, _REFUSED_STREAM = 2, 7
#: Bytes of the connection preface, and of the header of a frame.
_PREFACE, _HEADER = 24, 9

#: The faults of a stream.
REFUSE, RESET = "refused stream", "reset"


class FaultProxy:
    """Relays the frames between clients and a server.

    The frames of a refused or reset stream are left out, and with them parts of the compression of headers, so its
    connection must be ended (`end`) before there is another stream.

    Args:
        port: The port of the server, on loopback.

    Attributes:
        port: The port that clients connect to.
        next: The fault of the next stream; None for no fault.
        happened: How many streams were refused or reset.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self.next: Optional[str] = None
        self.happened = 0
        self._connections: List["_ProxiedConnection"] = []
        self.port = 0
        self.open()

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *error: object) -> None:
        self.shut()

    def open(self) -> None:
        """Accept connections."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def shut(self) -> None:
        """Refuse connections, and end the open ones."""
        # The shutdown ends accept(), which would keep the socket open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.end()

    def end(self) -> None:
        """End the open connections."""
        for connection in self._connections:
            connection.close()
        self._connections = []

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._connections.append(_ProxiedConnection(client, server, self))


class _ProxiedConnection:
    """One connection, as two: to the client, and to the server."""

    def __init__(self, client: socket.socket, server: socket.socket, proxy: FaultProxy) -> None:
        self._client = client
        self._server = server
        self._proxy = proxy
        self._sending = threading.Lock()
        self._last = 0
        #: The stream that was refused or reset, and the one to be reset when the server answers.
        self._lost: Optional[int] = None
        self._to_reset: Optional[int] = None
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target, passes, preface in (
            (client, server, self._request_passes, _PREFACE),
            (server, client, self._response_passes, 0),
        ):
            threading.Thread(target=self._relay, args=(source, target, passes, preface), daemon=True).start()

    def close(self) -> None:
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):  # the peer may have closed it
                each.shutdown(socket.SHUT_RDWR)

    def _relay(
        self, source: socket.socket, target: socket.socket, passes: Callable[[int, int], bool], preface: int
    ) -> None:
        with source, source.makefile("rb") as frames:
            # A side that is gone ends the other one, too.
            with contextlib.suppress(OSError):
                self._send(target, frames.read(preface))
                while True:
                    header = frames.read(_HEADER)
                    if len(header) < _HEADER:
                        break
                    size, kind, stream = int.from_bytes(header[:3], "big"), header[3], int.from_bytes(header[5:], "big")
                    frame = header + frames.read(size)
                    if passes(kind, stream):
                        self._send(target, frame)
            self.close()

    def _send(self, target: socket.socket, data: bytes) -> None:
        if target is self._server:
            target.sendall(data)
            return
        with self._sending:
            target.sendall(data)

    def _request_passes(self, kind: int, stream: int) -> bool:
        if kind == _HEADERS and stream > self._last:
            self._last = stream
            fault, self._proxy.next = self._proxy.next, None
            if fault == REFUSE:
                self._end_stream(stream, _REFUSED_STREAM)
            elif fault == RESET:
                self._to_reset = stream
        return stream == 0 or stream != self._lost

    def _response_passes(self, kind: int, stream: int) -> bool:
        if kind == _HEADERS and stream == self._to_reset:
            self._to_reset = None
            self._end_stream(stream, _INTERNAL_ERROR)
        return stream == 0 or stream != self._lost

    def _end_stream(self, stream: int, code: int) -> None:
        self._lost = stream
        self._proxy.happened += 1
        self._send(self._client, struct.pack(">I", 4)[1:] + struct.pack(">BBII", _RST_STREAM, 0, stream, code))
