"""Downloads over HTTP: what the URIs of binary data and signed URLs lead to."""

from __future__ import annotations

import hashlib
import hmac
import re
import sqlite3
from typing import BinaryIO, Iterator, Mapping, Optional, Tuple

import grpc

from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.auth import Authentication
from viam_sync.sandbox.errors import CallError, permission_denied, unauthenticated
from viam_sync.sandbox.files import named, parsed, require
from viam_sync.sandbox.web import Request, Response, plain
from viam_sync.sandbox.world import World

_PIECE = 64 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")
_KIND = re.compile(r"[\w.+-]+/[\w.+-]+\Z", re.ASCII)

_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
}


class Downloads:
    """What answers requests for contents, to whoever may read them.

    Args:
        world: Where they are.
        authentication: What checks tokens and keys.
    """

    #: What the paths begin with; the ID of binary data follows.
    PREFIX = "/data/"

    def __init__(self, world: World, authentication: Authentication) -> None:
        self._world = world
        self._authentication = authentication

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        store = self._world.store
        try:
            with store.transaction():
                row = self._row(request)
                # Once it is open, a deletion does not disturb it.
                file = store.blobs.path(row["file_id"]).open("rb")
        except CallError as error:
            more = {"WWW-Authenticate": "Bearer"} if error.status == grpc.StatusCode.UNAUTHENTICATED else {}
            return plain(_CODES[error.status], error.text, **more)
        except FileNotFoundError:
            return plain(404, "The contents of this file are gone from the folder of the sandbox.")
        return _response(request, row, file)

    def _row(self, request: Request) -> sqlite3.Row:
        id = request.path[len(self.PREFIX) :]
        if "signature" in request.query:
            _check_signature(self._world, id, request.query)
            return named(self._world, parsed(id))
        caller = self._caller(request.headers)
        return require(self._world, caller, [parsed(id)], "read")[0]

    def _caller(self, headers: Mapping[str, str]) -> Caller:
        if "authorization" in headers:
            return self._authentication.caller([("authorization", headers["authorization"])])
        if "key" not in headers or "key_id" not in headers:
            raise unauthenticated(
                "A download takes a token, 'Authorization: Bearer …', or an API key in the headers key_id and key."
            )
        credentials = auth_pb.Credentials(type="api-key", payload=headers["key"])
        given = auth_pb.AuthenticateRequest(entity=headers["key_id"], credentials=credentials)
        token = self._authentication.Authenticate(given, None).access_token
        return self._authentication.caller([("authorization", f"Bearer {token}")])


class Pieces:
    """Some of the bytes of a file, read while they are sent."""

    def __init__(self, file: BinaryIO, first: int, length: int) -> None:
        self._file = file
        self._file.seek(first)
        self._length = length

    def __iter__(self) -> Iterator[bytes]:
        left = self._length
        while left > 0:
            piece = self._file.read(min(left, _PIECE))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def signed_url(world: World, binary_data_id: str, expires: int) -> str:
    """Return a URL that downloads a file without credentials until a time, in microseconds since 1970."""
    return f"{world.web_url}{Downloads.PREFIX}{binary_data_id}?expires={expires}&signature=" + _signature(
        world, binary_data_id, str(expires)
    )


def _signature(world: World, id: str, expires: str) -> str:
    secret = world.store.setting("signing_secret") or ""
    return hmac.new(secret.encode(), f"GET {id} {expires}".encode(), hashlib.sha256).hexdigest()


def _check_signature(world: World, id: str, query: Mapping[str, str]) -> None:
    expires = query.get("expires", "")
    if not hmac.compare_digest(_signature(world, id, expires).encode(), query["signature"].encode()):
        raise permission_denied("The signature does not go with this URL; ask for a new one.")
    if world.microseconds() >= int(expires):
        raise permission_denied("This URL is no longer good; ask for a new one (create_binary_data_signed_url).")


def _response(request: Request, row: sqlite3.Row, file: BinaryIO) -> Response:
    size, tag = int(row["size"]), f'"{row["file_id"]}"'
    headers = {
        # The type is what an uploader said, and must not become a header of its own.
        "Content-Type": row["mime_type"] if _KIND.match(row["mime_type"]) else "application/octet-stream",
        "Accept-Ranges": "bytes",
        "ETag": tag,
        # What was uploaded must not act as a page of this server.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    span = _span(request.headers, size, tag)
    if span is None:
        return Response(200, {**headers, "Content-Length": str(size)}, Pieces(file, 0, size))
    first, length = span
    if length <= 0:
        file.close()
        return plain(416, f"The file has {size} bytes.", **{"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    return Response(206, {**headers, "Content-Length": str(length)}, Pieces(file, first, length))


def _span(headers: Mapping[str, str], size: int, tag: str) -> Optional[Tuple[int, int]]:
    """Return the first byte that is asked for and how many; None for all of the file."""
    found = _RANGE.match(headers.get("range", ""))
    if not found or not any(found.groups()) or headers.get("if-range", tag) != tag:
        return None
    start, end = found.groups()
    if not start:  # the last so many
        length = min(int(end), size)
        return size - length, length
    if end and int(end) < int(start):  # means nothing
        return None
    last = min(int(end), size - 1) if end else size - 1
    return int(start), last - int(start) + 1
