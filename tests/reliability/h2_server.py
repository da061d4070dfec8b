"""A raw HTTP/2 server on loopback that fails each request in the way that a test plans."""

import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Callable, Deque, Dict, List, Mapping, NamedTuple, Optional, Set

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, PingAckReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from hpack import NeverIndexedHeaderTuple
from hyperframe.frame import GoAwayFrame

#: Stops what should take moments from lasting for ever.
PATIENCE = 20.0


def framed(message: bytes) -> bytes:
    """Return a message as it stands in a body."""
    return b"\0" + struct.pack(">I", len(message)) + message


class Request(NamedTuple):
    """A request as it arrived."""

    path: str
    headers: Mapping[str, str]
    met: str


class Exchange:
    """One request, and what can be done about it; the connection's thread alone uses it."""

    def __init__(self, peer: "_Peer", stream: int) -> None:
        self._peer = peer
        self.stream = stream

    def headers(
        self, headers: Mapping[str, str], end: bool = False, unindexed: Optional[Mapping[str, str]] = None
    ) -> None:
        """Send headers, or trailers.

        One that is malformed must be unindexed: else grpc 1.85 takes all of that name for malformed from then on.
        """
        fields = [*headers.items(), *(NeverIndexedHeaderTuple(*field) for field in (unindexed or {}).items())]
        self._peer.h2.send_headers(self.stream, fields, end_stream=end)
        self._peer.flush()

    def data(self, data: bytes) -> None:
        """Send a part of the answer."""
        self._peer.h2.send_data(self.stream, data)
        self._peer.flush()

    def end(self) -> None:
        """End the answer without trailers."""
        self._peer.h2.end_stream(self.stream)
        self._peer.flush()

    def reset(self, code: int) -> None:
        """End the stream with an error code of HTTP/2."""
        self._peer.h2.reset_stream(self.stream, code)
        self._peer.flush()

    def go_away(self, last: int, code: int = 0) -> None:
        """Say that no stream above ``last`` was or will be processed."""
        frame = GoAwayFrame(0, last_stream_id=last, error_code=code)
        self._peer.leave()
        self._peer.socket.sendall(frame.serialize())

    def finish(self) -> None:
        """Close the connection as usual."""
        self._peer.leave()
        self._peer.over = True

    def cut(self) -> None:
        """Reset the connection, as soon as the client has taken in what was sent.

        In grpcio up to 1.70 at least, one that is still busy with that may miss the reset, and wait for its deadline;
        when it has answered three pings it is not.
        """
        self._peer.leave()
        self._peer.pings = 3
        self._peer.ping()


@dataclass(frozen=True)
class Answer:
    """The server's answer to a request.

    Attributes:
        name: Its name in tests.
        act: Gives the answer.
        early: Whether it is given when the request's headers have arrived, not after its end.
    """

    name: str
    act: Callable[[Exchange], None]
    early: bool = False


def reply(message: bytes) -> Answer:
    """The service answers with one message."""

    def act(exchange: Exchange) -> None:
        exchange.headers({":status": "200", "content-type": "application/grpc"})
        exchange.data(framed(message))
        exchange.headers({"grpc-status": "0"}, end=True)

    return Answer("ok", act)


#: One message without a byte in it, which every message can be read from.
OK = reply(b"")


class H2Server:
    """Answers each request to a path with the next planned answer, and with success where none is left.

    Example::

        with H2Server() as server:
            server.plan("/zoo.Zoo/Feed", Answer("closed", Exchange.finish), OK)
            ...
            assert server.met("/zoo.Zoo/Feed") == ["closed", "ok"]

    Args:
        listen: Whether to accept connections from the beginning; until :meth:`listen` they are refused.
        otherwise: The answer to requests for which none is planned, by path; ``OK`` for other paths.
    """

    def __init__(self, listen: bool = True, otherwise: Optional[Mapping[str, Answer]] = None) -> None:
        self._otherwise = otherwise or {}
        self._plans: Dict[str, Deque[Answer]] = {}
        self._changed = threading.Condition()
        self._requests: List[Request] = []
        self._peers: Set["_Peer"] = set()
        self._threads: List[threading.Thread] = []
        # A port that is bound and that nothing listens at refuses connections, and stays ours.
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        if listen:
            self.listen()

    def listen(self) -> None:
        """Accept connections from now on."""
        self._socket.listen(64)
        self._start(self._accept)

    def plan(self, path: str, *answers: Answer) -> None:
        """Answer the next requests to a path like this; forget those that came until now."""
        with self._changed:
            self._plans[path] = deque(answers)
            self._requests = [request for request in self._requests if request.path != path]

    def left(self, path: str) -> int:
        """Return how many of the planned answers no request has met."""
        with self._changed:
            return len(self._plans.get(path, ()))

    def requests(self, path: str, at_least: int = 0) -> List[Request]:
        """Return the requests to a path since its plan was made, once there are that many.

        One that its sender gives up may arrive a moment after that.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._of(path)) >= at_least, PATIENCE)
            return self._of(path)

    def met(self, path: str, at_least: int = 0) -> List[str]:
        """Return the names of the answers that these requests have met."""
        return [request.met for request in self.requests(path, at_least)]

    def next_answer(self, headers: Mapping[str, str]) -> Answer:
        """Record a request, and return the answer to it."""
        path = headers[":path"]
        with self._changed:
            plan = self._plans.get(path)
            answer = plan.popleft() if plan else self._otherwise.get(path, OK)
            self._requests.append(Request(path, headers, answer.name))
            self._changed.notify_all()
            return answer

    def connected(self) -> bool:
        """Tell whether a connection is there that the server has not begun to end."""
        with self._changed:
            return bool(self._peers)

    def leave(self, peer: "_Peer") -> None:
        """Forget a connection that is about to end."""
        with self._changed:
            self._peers.discard(peer)

    def _of(self, path: str) -> List[Request]:
        return [request for request in self._requests if request.path == path]

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                peer = _Peer(self, accepted)
                self._peers.add(peer)
            self._start(peer.serve)

    def __enter__(self) -> "H2Server":
        return self

    def __exit__(self, *error: object) -> None:
        if self._threads:  # it has listened
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._changed:
            peers = list(self._peers)
        for peer in peers:
            peer.stop()
        for thread in self._threads:
            thread.join(PATIENCE)


class _Peer:
    """A connection: reads what comes, and has each request answered as planned."""

    def __init__(self, server: H2Server, accepted: socket.socket) -> None:
        self.server = server
        self.socket = accepted
        self.over = False
        #: How many pings are to be answered before the connection is reset.
        self.pings = 0
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._waiting: Dict[int, Answer] = {}

    def serve(self) -> None:
        with suppress(OSError, ProtocolError):  # where the client is gone, or speaks something else, such as TLS
            self.h2.initiate_connection()
            self.flush()
            while not self.over:
                received = self.socket.recv(1 << 16)
                if not received:
                    break
                self._take(received)
        self.leave()
        self.socket.close()

    def leave(self) -> None:
        self.server.leave(self)

    def stop(self) -> None:
        with suppress(OSError):  # where it is closed already
            self.socket.shutdown(socket.SHUT_RDWR)

    def ping(self) -> None:
        """Send the next ping, or reset the connection if all are answered."""
        if self.pings:
            self.h2.ping(b"all here")
            self.flush()
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.over = True

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def _take(self, received: bytes) -> None:
        for event in self.h2.receive_data(received):
            if isinstance(event, RequestReceived):
                answer = self.server.next_answer(dict(event.headers))
                if answer.early:
                    self._act(answer, event.stream_id)
                else:
                    self._waiting[event.stream_id] = answer
            elif isinstance(event, DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded) and event.stream_id in self._waiting:
                self._act(self._waiting.pop(event.stream_id), event.stream_id)
            elif isinstance(event, StreamReset):
                self._waiting.pop(event.stream_id, None)
            elif isinstance(event, PingAckReceived):
                self.pings -= 1
                self.ping()
            elif isinstance(event, ConnectionTerminated):
                self.over = True
            if self.over:
                return
        self.flush()

    def _act(self, answer: Answer, stream: int) -> None:
        with suppress(ProtocolError):  # where the client has given the stream up meanwhile
            answer.act(Exchange(self, stream))
