"""A forwarder in front of a server, as a line on which connections are refused, delayed, slowed down or forgotten."""

import contextlib
import socket
import threading
import time
from typing import List, Optional

#: Bytes that are forwarded at once.
_CHUNK = 64 << 10


class Forwarder:
    """Relays bytes between clients and a server.

    Args:
        port: The port of the server, on loopback.
        rate: Bytes a second that all connections together carry in one direction; None for no limit.
        delay: Seconds that bytes are on their way.
        memory: Seconds without a byte after which a connection is forgotten, as a NAT does; None for never.

    Attributes:
        port: The port that clients connect to.
        accepted: How many connections there were.
        carried: How many bytes were passed on to clients.
        is_open: Whether connections are accepted.
        silent: Whether new connections are accepted and then carry nothing, in place of being forwarded.
    """

    def __init__(
        self, port: int, rate: Optional[float] = None, delay: float = 0, memory: Optional[float] = None
    ) -> None:
        self._server_port = port
        self.memory = memory
        self.delay = delay
        self.to_server, self.to_client = Pace(rate), Pace(rate)
        self.accepted = 0
        self.carried = 0
        self.silent = False
        self._connections: List[Connection] = []
        self.port = 0
        self.open()

    def __enter__(self) -> "Forwarder":
        return self

    def __exit__(self, *error: object) -> None:
        self.shut()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def open(self) -> None:
        """Accept connections."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()
        self.is_open = True

    def shut(self) -> None:
        """Refuse connections, and end the open ones."""
        if not self.is_open:
            return
        self.is_open = False
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

    def forget(self) -> None:
        """Drop from now on all that the open connections carry, without ending them."""
        for connection in self._connections:
            connection.forgotten = True

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            self.accepted += 1
            server = socket.socket()
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self.to_client.rate is not None:
                    # Large buffers would hide how slow the line is.
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _CHUNK)
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _CHUNK)
            server.connect(("127.0.0.1", self._server_port))
            connection = self.connect(client, server)
            self._connections.append(connection)
            connection.start()

    def connect(self, client: socket.socket, server: socket.socket) -> "Connection":
        """Return the connection between a client and the server."""
        return _Line(self, client, server)


class Pace:
    """Lets bytes pass at a rate, which all who ask share."""

    def __init__(self, rate: Optional[float]) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, size: int) -> None:
        if self.rate is None:
            return
        with self._lock:
            begin = max(self._next, time.monotonic())
            self._next = begin + size / self.rate
        time.sleep(max(self._next - time.monotonic(), 0))


class Connection:
    """One connection, as two: to the client, and to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.forgotten = False

    def start(self) -> None:
        """Begin to relay, in both directions."""
        for source, target in ((self.client, self.server), (self.server, self.client)):
            threading.Thread(target=self._relay, args=(source, target), daemon=True).start()

    def close(self) -> None:
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):  # the peer may have closed it
                each.shutdown(socket.SHUT_RDWR)

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        # A side that is gone ends the other one, too.
        with source, contextlib.suppress(OSError):
            self.relay(source, target)
        self.close()

    def relay(self, source: socket.socket, target: socket.socket) -> None:
        """Pass on what comes from one side, until it ends."""
        raise NotImplementedError


class _Line(Connection):
    """A connection whose bytes are passed on as the forwarder says, until it is forgotten."""

    def __init__(self, forwarder: Forwarder, client: socket.socket, server: socket.socket) -> None:
        super().__init__(client, server)
        self._forwarder = forwarder
        self._last = time.monotonic()
        self.forgotten = forwarder.silent

    def relay(self, source: socket.socket, target: socket.socket) -> None:
        pace = self._forwarder.to_server if source is self.client else self._forwarder.to_client
        while True:
            data = source.recv(_CHUNK)
            if not data:
                return
            if not self._is_forgotten():
                pace.wait(len(data))
                time.sleep(self._forwarder.delay)
                target.sendall(data)
                self._forwarder.carried += len(data) if target is self.client else 0

    def _is_forgotten(self) -> bool:
        now, memory = time.monotonic(), self._forwarder.memory
        self.forgotten = self.forgotten or (memory is not None and now - self._last > memory)
        self._last = now
        return self.forgotten
