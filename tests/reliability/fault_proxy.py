"""A proxy in front of a server, which refuses connections, and refuses or resets streams of HTTP/2."""

import socket
import struct
import threading
from typing import Optional

from .forwarder import Connection, Forwarder

#: Frame types and error codes of HTTP/2.
_HEADERS, _RST_STREAM = 1, 3
_INTERNAL_ERROR, _REFUSED_STREAM = 2, 7
#: Bytes of the connection preface, and of the header of a frame.
_PREFACE, _HEADER = 24, 9

#: The faults of a stream.
REFUSE, RESET = "refused stream", "reset"


class FaultProxy(Forwarder):
    """Relays the frames between clients and a server.

    The frames of a refused or reset stream are left out, and with them parts of the compression of headers, so its
    connection must be ended (`end`) before there is another stream.

    Args:
        port: The port of the server, on loopback.

    Attributes:
        next: The fault of the next stream; None for no fault.
        happened: How many streams were refused or reset.
    """

    def __init__(self, port: int) -> None:
        self.next: Optional[str] = None
        self.happened = 0
        super().__init__(port)

    def connect(self, client: socket.socket, server: socket.socket) -> Connection:
        return _ProxiedConnection(client, server, self)


class _ProxiedConnection(Connection):
    """A connection whose frames are looked at."""

    def __init__(self, client: socket.socket, server: socket.socket, proxy: FaultProxy) -> None:
        super().__init__(client, server)
        self._proxy = proxy
        self._sending = threading.Lock()
        self._last = 0
        #: The stream that was refused or reset, and the one to be reset when the server answers.
        self._lost: Optional[int] = None
        self._to_reset: Optional[int] = None

    def relay(self, source: socket.socket, target: socket.socket) -> None:
        from_client = source is self.client
        passes = self._request_passes if from_client else self._response_passes
        with source.makefile("rb") as frames:
            self._send(target, frames.read(_PREFACE if from_client else 0))
            while True:
                header = frames.read(_HEADER)
                if len(header) < _HEADER:
                    return
                size, kind, stream = int.from_bytes(header[:3], "big"), header[3], int.from_bytes(header[5:], "big")
                frame = header + frames.read(size)
                if passes(kind, stream):
                    self._send(target, frame)

    def _send(self, target: socket.socket, data: bytes) -> None:
        if target is self.server:
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
        self._send(self.client, struct.pack(">I", 4)[1:] + struct.pack(">BBII", _RST_STREAM, 0, stream, code))
