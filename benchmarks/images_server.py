"""A service that lists images, and serves links to large ones; it prints both addresses, and ends with its input."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from typing import Any, Optional

import grpc
from serving import serve

from viam_sync.proto.app import data as pb

BLOCK = bytes(1 << 20)


class _Handler(grpc.GenericRpcHandler):
    """Lists images, in pages of up to 100."""

    def __init__(self, count: int, size: int, link: str) -> None:
        self._count = count
        common = pb.BinaryMetadata(file_ext=".jpeg", file_size_bytes=size)
        common.capture_metadata.component_name = "cam"
        common.capture_metadata.tags.extend(["one", "two"])
        self._common, self._link = common.SerializeToString(), link

    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        return grpc.unary_unary_rpc_method_handler(self._list)

    def _list(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = pb.BinaryDataByFilterRequest.FromString(request).data_request
        first = int(asked.last or 0)
        numbers = range(first, min(first + min(asked.limit or 50, 100), self._count))
        response = pb.BinaryDataByFilterResponse(count=len(numbers), last=str(numbers.stop) if numbers else "")
        for number in numbers:
            metadata = response.data.add().metadata
            metadata.ParseFromString(self._common)
            metadata.id, metadata.binary_data_id = f"{number:032d}", f"org/location/{number:032d}"
            metadata.time_requested.seconds = 1_700_000_000 - number
            if self._link:
                metadata.uri = f"{self._link}/{number}"
        return response.SerializeToString()


def serve_links(listener: socket.socket, context: ssl.SSLContext, size: int) -> None:
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=_serve, args=(plain, context, size), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, size: int) -> None:
    """Answer requests for zeros, whole or in ranges, as long as a connection lasts."""
    with context.wrap_socket(plain, server_side=True) as connection, connection.makefile("rb") as lines:
        while lines.readline():
            first, last, status = 0, size - 1, "200 OK"
            for line in iter(lines.readline, b"\r\n"):
                if line.lower().startswith(b"range: bytes="):
                    begin, _, end = line.strip()[13:].partition(b"-")
                    first, last, status = int(begin), min(int(end or last), size - 1), "206 Partial Content"
            head = f"HTTP/1.1 {status}\r\nContent-Length: {last - first + 1}\r\nAccept-Ranges: bytes\r\n"
            connection.sendall(f"{head}Content-Range: bytes {first}-{last}/{size}\r\n\r\n".encode())
            for at in range(first, last + 1, len(BLOCK)):
                connection.sendall(memoryview(BLOCK)[: last + 1 - at])


def main() -> None:
    count, size, certificate = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    link = ""
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener = socket.create_server(("127.0.0.1", 0))
        link = f"https://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=serve_links, args=(listener, context, size), daemon=True).start()
    serve(_Handler(count, size, link), 16, link)


if __name__ == "__main__":
    main()
