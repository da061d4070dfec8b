"""Downloads over HTTP, at the URIs of binary data and at signed URLs."""

from __future__ import annotations

import re
import sqlite3
from typing import BinaryIO, Mapping, Optional, Tuple

import grpc

from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import CallError, unauthenticated
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.data.file_ids import parse_binary_data_id
from viam_sync.sandbox.data.files import get_file, get_files
from viam_sync.sandbox.data.signing import DOWNLOADS, check_signature
from viam_sync.sandbox.http.file_body import FileBody
from viam_sync.sandbox.http.messages import Request, Response, text_response
from viam_sync.sandbox.wire.authentication import Authentication

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+\Z", re.ASCII)

_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
}


class DownloadRoute:
    """The route of downloads, which checks the credentials of the caller or the signature of the URL.

    Args:
        world: The state of the sandbox.
        authentication: The check of tokens and keys.
    """

    #: The prefix of its paths.
    PREFIX = DOWNLOADS

    def __init__(self, world: World, authentication: Authentication) -> None:
        self._world = world
        self._authentication = authentication

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        store = self._world.store
        try:
            with store.transaction():
                row = self._row(request)
                # The file is opened within the transaction; a later deletion does not affect an open file.
                file = store.blobs.path(row["file_id"]).open("rb")
        except CallError as error:
            more = {"WWW-Authenticate": "Bearer"} if error.status == grpc.StatusCode.UNAUTHENTICATED else {}
            return text_response(_CODES[error.status], error.text, **more)
        except FileNotFoundError:
            return text_response(404, "The contents of this file are gone from the folder of the sandbox.")
        return _response(request, row, file)

    def _row(self, request: Request) -> sqlite3.Row:
        id = request.path[len(self.PREFIX) :]
        if "signature" in request.query:
            check_signature(self._world, id, request.query)
            return get_file(self._world, parse_binary_data_id(id))
        caller = self._caller(request.headers)
        return get_files(self._world, caller, [parse_binary_data_id(id)], "read")[0]

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


def _response(request: Request, row: sqlite3.Row, file: BinaryIO) -> Response:
    size, tag = int(row["size"]), f'"{row["file_id"]}"'
    headers = {
        # The type is given by the uploader, and must not inject another header.
        "Content-Type": row["mime_type"] if _MIME_TYPE.match(row["mime_type"]) else "application/octet-stream",
        "Accept-Ranges": "bytes",
        "ETag": tag,
        # Browsers must not run uploaded contents as a page of this origin.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    span = _byte_range(request.headers, size, tag)
    if span is None:
        return Response(200, {**headers, "Content-Length": str(size)}, FileBody(file, 0, size))
    first, length = span
    if length <= 0:
        file.close()
        return text_response(416, f"The file has {size} bytes.", **{"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    return Response(206, {**headers, "Content-Length": str(length)}, FileBody(file, first, length))


def _byte_range(headers: Mapping[str, str], size: int, tag: str) -> Optional[Tuple[int, int]]:
    """Return the offset and the length of the requested range of bytes; None for the whole file."""
    found = _RANGE.match(headers.get("range", ""))
    if not found or not any(found.groups()) or headers.get("if-range", tag) != tag:
        return None
    start, end = found.groups()
    if not start:  # a suffix range
        length = min(int(end), size)
        return size - length, length
    if end and int(end) < int(start):  # an invalid range is ignored
        return None
    last = min(int(end), size - 1) if end else size - 1
    return int(start), last - int(start) + 1
