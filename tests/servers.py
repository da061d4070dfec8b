"""Real servers on loopback whose methods a test writes, and clients of them."""

import contextlib
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import grpc
from google.protobuf.message import Message

from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.rpc.dial import Credentials, DialOptions

#: The ID of an API key; a FakeService accepts any.
KEY_ID = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"


class Call(NamedTuple):
    """A call as it arrived."""

    method: str
    metadata: Dict[str, str]
    seconds: Optional[float]
    requests: List[bytes]


class FakeService(grpc.GenericRpcHandler):
    """A gRPC server whose methods are functions on bytes; it keeps a list of the calls that came.

    ``unary[name]`` takes (request, context) and returns bytes; ``stream[name]`` yields them;
    ``upload[name]`` takes an iterator of requests and returns bytes. ``options`` are those of grpc for its channel.
    """

    def __init__(self, credentials: Optional[grpc.ServerCredentials] = None, **options: Any) -> None:
        self.calls: List[Call] = []
        self.unary: Dict[str, Callable[[bytes, grpc.ServicerContext], bytes]] = {"Authenticate": self.authenticate}
        self.stream: Dict[str, Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]] = {}
        self.upload: Dict[str, Callable[[Iterator[bytes], grpc.ServicerContext], bytes]] = {}
        self.tokens = 0
        self._pool = ThreadPoolExecutor(16)
        options = {"so_reuseport": 0, **options}
        self._server = grpc.server(self._pool, options=[(f"grpc.{name}", value) for name, value in options.items()])
        self._server.add_generic_rpc_handlers((self,))
        if credentials is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"

    def authenticate(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.tokens += 1
        return auth_pb.AuthenticateResponse(access_token=f"token-{self.tokens}").SerializeToString()

    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler]:
        name = details.method.rpartition("/")[2]
        metadata = {key: value for key, value in details.invocation_metadata if isinstance(value, str)}

        def record(context: grpc.ServicerContext, requests: List[bytes]) -> None:
            left = context.time_remaining()
            self.calls.append(Call(details.method, metadata, left, requests))

        def one(request: bytes, context: grpc.ServicerContext) -> Any:
            record(context, [request])
            return (self.unary.get(name) or self.stream[name])(request, context)

        def many(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            kept: List[bytes] = []
            record(context, kept)
            return self.upload[name](_keeping(requests, kept), context)

        if name in self.unary:
            return grpc.unary_unary_rpc_method_handler(one)
        if name in self.stream:
            return grpc.unary_stream_rpc_method_handler(one)
        return grpc.stream_unary_rpc_method_handler(many) if name in self.upload else None

    def named(self, name: str) -> List[Call]:
        return [call for call in self.calls if call.method.endswith(f"/{name}")]

    def __enter__(self) -> "FakeService":
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop(0).wait()
        self._pool.shutdown()


def options(**settings: Any) -> DialOptions:
    """Return options with an API key, and with these settings."""
    return DialOptions(**{"auth_entity": KEY_ID, "credentials": Credentials("api-key", "secret"), **settings})


def connect(server: FakeService, **settings: Any) -> ViamClient:
    """Return a client of a server; ``settings`` are those of DialOptions."""
    return ViamClient.create_from_dial_options(options(**settings), server.url)


def _keeping(requests: Iterator[bytes], kept: List[bytes]) -> Iterator[bytes]:
    for request in requests:
        kept.append(request)
        yield request


class SilentServer:
    """Accepts connections, and sends nothing.

    Attributes:
        reached: Set when the first connection is accepted.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._accepted: List[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self) -> None:
        while True:
            try:
                self._accepted.append(self._socket.accept()[0])
            except OSError:
                return
            self.reached.set()

    def __enter__(self) -> "SilentServer":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._accepted:
            connection.close()


class Answering:
    """A server that answers all that a client sends first with the same bytes, and ends the connection.

    Args:
        answer: The bytes.
        reset: Whether the connection is reset, and not closed.

    Attributes:
        received: The first bytes of each connection.
    """

    def __init__(self, answer: bytes = b"", reset: bool = False) -> None:
        self.received: List[bytes] = []
        self._answer = answer
        self._linger = struct.pack("ii", 1, 0) if reset else struct.pack("ii", 0, 0)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection:
                self.received.append(connection.recv(1 << 16))
                connection.sendall(self._answer)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, self._linger)

    def __enter__(self) -> "Answering":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


class ConnectProxy:
    """An HTTP proxy that knows CONNECT alone, and connects to one port of this computer, whatever host it is asked for.

    Args:
        port: The port that it connects to.
        status: Its answer to CONNECT; any but 200 ends the connection.

    Attributes:
        heads: The heads of the requests that came.
        passed: All bytes that clients sent through it.
    """

    def __init__(self, port: int, status: str = "200 OK") -> None:
        self.heads: List[bytes] = []
        self.passed = bytearray()
        self._to = port
        self._status = status
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self) -> None:
        while True:
            try:
                near = self._socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, near.makefile("rb") as lines:
            self.heads.append(b"".join(iter(lines.readline, b"\r\n")))
            near.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if not self._status.startswith("200"):
                return
            with socket.create_connection(("127.0.0.1", self._to)) as far:
                back = threading.Thread(target=_relay, args=(far, near, bytearray()), daemon=True)
                back.start()
                _relay(near, far, self.passed)
                back.join()

    def __enter__(self) -> "ConnectProxy":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def _relay(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):  # a side that is gone ends the other one, too
        for block in iter(lambda: source.recv(1 << 16), b""):
            kept += block
            target.sendall(block)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=None)
def _deaf_socket() -> socket.socket:
    """Return a socket that has a port, so that nobody else gets it, and does not listen there."""
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    return deaf


def closed_port() -> int:
    """Return a port of loopback that refuses connections as long as this process runs."""
    port: int = _deaf_socket().getsockname()[1]
    return port


def answering(message: Message) -> Callable[..., bytes]:
    """Return a method that always answers with one message."""
    return lambda request, context: message.SerializeToString()


def refuse(
    status: grpc.StatusCode, message: str, trailing: Tuple[Tuple[str, Any], ...] = (), pushback_ms: int = 0
) -> Callable[..., bytes]:
    """Return a method that always fails, and asks for the next attempt after that many milliseconds."""

    def method(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("grpc-retry-pushback-ms", str(pushback_ms)), *trailing))
        context.abort(status, message)
        raise AssertionError("abort raises")

    return method
