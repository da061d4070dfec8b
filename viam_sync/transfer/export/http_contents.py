"""The contents of a file in the responses of HTTP: in ranges, whole, or encoded."""

from __future__ import annotations

import re
import zlib
from datetime import timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import BinaryIO, Dict, Iterator, Optional, Type
from urllib.parse import SplitResult

import grpc

from viam_sync.clock import real_time
from viam_sync.rpc.classification import AttemptError
from viam_sync.rpc.http_pool import ConnectionBroken, HttpResponse, origin_of

#: Bytes that one request asks for.
RANGE_SIZE = 16 << 20
#: Bytes that are read and written at a time.
BLOCK = 256 << 10

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)\Z")
_STATUSES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    410: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    **dict.fromkeys((408, 500, 502, 503, 504), grpc.StatusCode.UNAVAILABLE),
}


class Download:
    """The download of a file: how many bytes have come, and which range to ask for next.

    Args:
        uri: The URI.
        file: The file that the contents are written to; it is empty.
        size: The size of the contents in bytes; None if that is not known.
        range_size: The number of bytes that one request asks for.
        block: The number of bytes that are read at a time.

    Attributes:
        offset: The number of bytes that have come.
        furthest: The highest number of bytes that had come before the contents had to begin anew.
        complete: Whether all bytes have come.
    """

    def __init__(
        self, uri: SplitResult, file: BinaryIO, size: Optional[int], range_size: int = RANGE_SIZE, block: int = BLOCK
    ) -> None:
        self.uri = uri
        self.offset = 0
        self.furthest = 0
        self.complete = False
        self.block = block
        self._range_size = range_size
        self._file = file
        self._size = size
        self._by_range = True
        self._etag: Optional[str] = None

    def headers(self) -> Dict[str, str]:
        """Return the headers that ask for the next range."""
        # A range of encoded contents could not be decoded.
        headers = {"Accept-Encoding": "identity", "User-Agent": "viam-sync"}
        small = self._size is not None and self._size <= self._range_size
        if self._by_range and (self.offset or not small):
            headers["Range"] = f"bytes={self.offset}-{self.offset + self._range_size - 1}"
            if self.offset and self._etag:
                headers["If-Range"] = self._etag
        return headers

    def take(self, response: HttpResponse) -> None:
        """Write the contents of a response, as far as they come."""
        encoded = response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
        if response.status == HTTPStatus.PARTIAL_CONTENT and self._by_range:
            span = _RANGE.match(response.headers.get("Content-Range", ""))
            if encoded or span is None or int(span[1]) != self.offset or int(span[2]) < self.offset:
                # The server does not give ranges; the next request is for all of it.
                self._by_range = False
                return
            self._take_range(response, int(span[2]) + 1, int(span[3]))
        elif response.status == HTTPStatus.OK:
            self._begin_anew()
            self._take_all(response, encoded)
        elif response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self.offset == 0:
            self._finish()  # the contents are empty
        else:
            response.discard()
            said = f"it answered {response.status} {response.reason}"
            status = _STATUSES.get(response.status, grpc.StatusCode.UNKNOWN)
            raise failure_at(self.uri, status, said, _retry_after(response.headers.get("Retry-After", "")))

    def _take_range(self, response: HttpResponse, end: int, total: int) -> None:
        tag = response.headers.get("ETag", "")
        self._etag = tag if tag.startswith('"') else None
        for block in response.blocks(self.block):
            self._write(block[: end - self.offset])
        if self.offset < end:
            raise ConnectionBroken("the connection was lost")
        if self.offset >= total:
            self._finish()

    def _take_all(self, response: HttpResponse, encoded: bool) -> None:
        blocks = response.blocks(self.block)
        if encoded:
            kind = response.headers.get("Content-Encoding", "").lower()
            if kind not in ("gzip", "x-gzip"):
                raise failure_at(self.uri, grpc.StatusCode.UNIMPLEMENTED, f"its contents come encoded as {kind}")
            # The rest of encoded contents cannot be asked for.
            self._by_range = False
            blocks = _decoded(blocks, self.block)
        length = response.length
        for block in blocks:
            self._write(block)
        wanted = self._size if length is None or encoded else length
        if wanted is not None and self.offset < wanted:
            raise ConnectionBroken("the connection was lost")
        self._finish()

    def _begin_anew(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.offset = 0

    def _write(self, block: bytes) -> None:
        self._file.write(block)
        self.offset += len(block)
        self.furthest = max(self.furthest, self.offset)
        if self._size is not None and self.offset > self._size:
            self._finish()

    def _finish(self) -> None:
        if self._size is not None and self.offset != self._size:
            more = "more than that" if self.offset > self._size else str(self.offset)
            text = f"the file should have {self._size} bytes, and has {more}"
            raise failure_at(self.uri, grpc.StatusCode.DATA_LOSS, text)
        self.complete = True


def _decoded(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the contents that gzip has encoded as these blocks, in blocks of at most ``size`` bytes."""
    decoder = zlib.decompressobj(31)
    for block in blocks:
        left = block
        while left:
            if decoder.eof:
                decoder = zlib.decompressobj(31)
            try:
                yield decoder.decompress(left, size)
            except zlib.error as error:
                raise ConnectionBroken(f"the contents are no gzip: {error}") from error
            left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    yield decoder.flush()
    if not decoder.eof:
        raise ConnectionBroken("the connection was lost")


def failure_at(
    uri: SplitResult,
    status: grpc.StatusCode,
    text: str,
    retry_after: Optional[float] = None,
    kind: Type[AttemptError] = AttemptError,
) -> AttemptError:
    """Return the failure of a request for contents."""
    return kind(status, f"The download from {origin_of(uri)} failed: {text}.", retry_after=retry_after)


def _retry_after(header: str) -> Optional[float]:
    """Return the seconds to wait that a header ``Retry-After`` gives, as a number or as a date."""
    if header.isascii() and header.isdigit():
        return float(header[:10])
    try:
        moment = parsedate_to_datetime(header)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(moment.timestamp() - real_time(), 0)
