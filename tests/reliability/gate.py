"""A gate on the way to a server: it can be shut, and it refuses or resets streams as a proxy does."""

import contextlib
import socket
import struct
import threading
from typing import Callable, List, Optional

#: The types and the codes of HTTP/2 that it knows.
_HEADERS, _RST_STREAM = 1, 3
_INTERNAL_ERROR, _REFUSED_STREAM = 2, 7
_PREFACE, _HEAD = 24, 9

#: What it does to a stream.
REFUSE, RESET = "refused stream", "reset"


class Gate:
    """Passes on what clients and a server say to each other, frame by frame.

    What becomes of one stream it takes from the compression of the headers of the next ones, so the connection of a
    stream that was refused or reset must be ended (`end`) before there is another.

    Args:
        port: The port of the server, on loopback.

    Attributes:
        port: Where clients come in.
        next: What is to become of the next stream; None for nothing.
        happened: How many streams it refused or reset.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self.next: Optional[str] = None
        self.happened = 0
        self._passages: List["_Passage"] = []
        self.port = 0
        self.open()

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *error: object) -> None:
        self.shut()

    def open(self) -> None:
        """Take connections."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._take, args=(self._listener,), daemon=True)
        self._thread.start()

    def shut(self) -> None:
        """Take no more connections, and end those that there are."""
        # A thread that waits at a socket would keep it open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.end()

    def end(self) -> None:
        """End the connections."""
        for passage in self._passages:
            passage.close()
        self._passages = []

    def _take(self, listener: socket.socket) -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            self._passages.append(_Passage(client, socket.create_connection(("127.0.0.1", self._server_port)), self))


class _Passage:
    """One connection, as two: to the client, and to the server."""

    def __init__(self, client: socket.socket, server: socket.socket, gate: Gate) -> None:
        self._client = client
        self._server = server
        self._gate = gate
        self._sending = threading.Lock()
        self._last = 0
        #: The stream that something became of, or is to become of when the server answers.
        self._lost: Optional[int] = None
        self._to_reset: Optional[int] = None
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target, passes, preface in (
            (client, server, self._request_passes, _PREFACE),
            (server, client, self._answer_passes, 0),
        ):
            threading.Thread(target=self._pass_on, args=(source, target, passes, preface), daemon=True).start()

    def close(self) -> None:
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):  # it may be over already
                each.shutdown(socket.SHUT_RDWR)

    def _pass_on(
        self, source: socket.socket, target: socket.socket, passes: Callable[[int, int], bool], preface: int
    ) -> None:
        with source, source.makefile("rb") as frames:
            # Where one of the two has gone, the other one goes, too.
            with contextlib.suppress(OSError):
                self._send(target, frames.read(preface))
                while True:
                    head = frames.read(_HEAD)
                    if len(head) < _HEAD:
                        break
                    size, kind, stream = int.from_bytes(head[:3], "big"), head[3], int.from_bytes(head[5:], "big")
                    frame = head + frames.read(size)
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
            todo, self._gate.next = self._gate.next, None
            if todo == REFUSE:
                self._end_stream(stream, _REFUSED_STREAM)
            elif todo == RESET:
                self._to_reset = stream
        return stream == 0 or stream != self._lost

    def _answer_passes(self, kind: int, stream: int) -> bool:
        if kind == _HEADERS and stream == self._to_reset:
            self._to_reset = None
            self._end_stream(stream, _INTERNAL_ERROR)
        return stream == 0 or stream != self._lost

    def _end_stream(self, stream: int, code: int) -> None:
        self._lost = stream
        self._gate.happened += 1
        self._send(self._client, struct.pack(">I", 4)[1:] + struct.pack(">BBII", _RST_STREAM, 0, stream, code))
