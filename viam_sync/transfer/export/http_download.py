"""Downloads over HTTP: the contents of large files, from the URI that the service gives for them."""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import urllib.request
import zlib
from http import HTTPStatus
from typing import BinaryIO, Dict, Iterator, Mapping, NamedTuple, Optional
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import grpc

from viam_sync.errors import GRPCError, InsecureConnectionError, grpc_error
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.service import Refreshable
from viam_sync.transfer.concurrency.throttle import Throttle

#: Bytes that are asked for in one request.
PIECE = 16 << 20
_BLOCK = 256 << 10
_MOST_REDIRECTS = 5
_SECONDS = 60.0

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)\Z")
_REDIRECTS = (301, 302, 303, 307, 308)
_STATUSES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    410: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    **dict.fromkeys((408, 500, 502, 503, 504), grpc.StatusCode.UNAVAILABLE),
}


class Downloads:
    """Gets files from URIs, as the caller that the metadata of the calls speaks for.

    The token goes to the host of the URI by HTTPS, or by plain HTTP within this computer; to no other host that it
    redirects to, and over no network in plaintext. A file comes in pieces; when the connection breaks, the rest is
    asked for.

    Args:
        metadata: The metadata of the calls, with the ``authorization`` of the caller.
        throttle: Makes the requests.
        timeout: Seconds without a byte after which a connection counts as broken.
    """

    def __init__(self, metadata: Mapping[str, str], throttle: Throttle, timeout: float = _SECONDS) -> None:
        self._metadata = metadata
        self._throttle = throttle
        self._timeout = timeout
        self._tls: Optional[ssl.SSLContext] = None

    def fetch(self, uri: str, file: BinaryIO, size: Optional[int], cancellation: Cancellation) -> int:
        """Write to a file what a URI leads to.

        Args:
            uri: The URI.
            file: Where to; it is empty.
            size: How many bytes it must have; None if that is not known.
            cancellation: What ends it.

        Returns:
            How many bytes it has.

        Raises:
            GRPCError: If the service refuses it or cannot be reached, or the contents are not of that size.
            InsecureConnectionError: If it would go without TLS, or the certificate cannot be trusted.
            OSError: If the file cannot be written.
        """
        download = _Download(_parts(uri), file, size)

        def go_on() -> None:
            furthest = download.furthest
            try:
                with contextlib.ExitStack() as stack:
                    download.take(self._open(download.where, download.headers(), cancellation, stack))
            except _Broken as error:
                if cancellation.cancelled:
                    raise _failure(download.where, grpc.StatusCode.CANCELLED, "ended from within the program") from None
                # As long as it comes nearer to its end, it is not given up.
                if download.furthest < furthest + _BLOCK:
                    raise _failure(download.where, grpc.StatusCode.UNAVAILABLE, str(error)) from error

        while not download.complete:
            self._throttle.run(go_on, cancellation)
        return download.offset

    def _open(
        self, where: SplitResult, headers: Dict[str, str], cancellation: Cancellation, stack: contextlib.ExitStack
    ) -> http.client.HTTPResponse:
        """Return the answer to a request; where the token is refused, to one with a new token."""
        token = self._metadata.get("authorization", "")
        response = self._follow(where, headers, token, cancellation, stack)
        if response.status == HTTPStatus.UNAUTHORIZED and isinstance(self._metadata, Refreshable):
            self._metadata.refresh(token, self._timeout)
            token = self._metadata.get("authorization", "")
            response = self._follow(where, headers, token, cancellation, stack)
        return response

    def _follow(
        self,
        first: SplitResult,
        headers: Dict[str, str],
        token: str,
        cancellation: Cancellation,
        stack: contextlib.ExitStack,
    ) -> http.client.HTTPResponse:
        """Send a request, and go where it is redirected to."""
        where = first
        for _ in range(1 + _MOST_REDIRECTS):
            if _origin(where) != _origin(first):
                # Who was sent away once is not sent back with what proves who it is.
                token = ""
            own = {"Authorization": token} if token else {}
            response = self._ask(where, {**headers, **own}, cancellation, stack)
            to = response.getheader("Location")
            if response.status not in _REDIRECTS or to is None:
                return response
            where = _parts(urljoin(where.geturl(), to))
            if first.scheme == "https" and where.scheme != "https":
                raise InsecureConnectionError(f"{_shown(first)} redirects to {_shown(where)}, which has no TLS")
        raise _failure(first, grpc.StatusCode.INTERNAL, "it redirects again and again")

    def _ask(
        self, where: SplitResult, headers: Dict[str, str], cancellation: Cancellation, stack: contextlib.ExitStack
    ) -> http.client.HTTPResponse:
        target = where._replace(scheme="", netloc="", path=where.path or "/", fragment="").geturl()
        connection = self._connection(where)
        stack.callback(connection.close)
        try:
            connection.connect()
            stack.enter_context(cancellation.ending(_Line(connection.sock)))
            connection.request("GET", quote(target, safe="/%?&=:+,;@~!$'()*"), headers=headers)
            response = connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            raise InsecureConnectionError(
                f"{_shown(where)} has no certificate that can be trusted: {error.verify_message}"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(_described(error)) from error
        stack.callback(response.close)
        return response

    def _connection(self, where: SplitResult) -> http.client.HTTPConnection:
        host = where.hostname or ""
        if where.scheme == "http":
            return http.client.HTTPConnection(host, where.port or 80, timeout=self._timeout)
        self._tls = self._tls or ssl.create_default_context()
        proxy = urllib.request.getproxies().get("https")
        if not proxy or urllib.request.proxy_bypass(host):
            return http.client.HTTPSConnection(host, where.port or 443, timeout=self._timeout, context=self._tls)
        by = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        connection = http.client.HTTPSConnection(
            by.hostname or "", by.port or 80, timeout=self._timeout, context=self._tls
        )
        proof = {}
        if by.username:
            login = f"{unquote(by.username)}:{unquote(by.password or '')}".encode()
            proof = {"Proxy-Authorization": f"Basic {base64.b64encode(login).decode()}"}
        connection.set_tunnel(host, where.port or 443, headers=proof)
        return connection


class _Line(NamedTuple):
    """A connection that another thread may cut."""

    line: socket.socket

    def cancel(self) -> None:
        with contextlib.suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)


class _Broken(Exception):
    """A connection that ended before the answer did."""


class _Download:
    """A file on its way: what is there of it, and what to ask for next."""

    def __init__(self, where: SplitResult, file: BinaryIO, size: Optional[int]) -> None:
        self.where = where
        self.offset = 0
        self.furthest = 0
        self.complete = False
        self._file = file
        self._size = size
        self._in_pieces = True
        self._tag: Optional[str] = None

    def headers(self) -> Dict[str, str]:
        """Return the headers that ask for the next piece."""
        # A piece of what is encoded could not be decoded.
        headers = {"Accept-Encoding": "identity", "User-Agent": "viam-sync"}
        small = self._size is not None and self._size <= PIECE
        if self._in_pieces and (self.offset or not small):
            headers["Range"] = f"bytes={self.offset}-{self.offset + PIECE - 1}"
            if self.offset and self._tag:
                headers["If-Range"] = self._tag
        return headers

    def take(self, response: http.client.HTTPResponse) -> None:
        """Write what an answer holds, as far as it comes."""
        encoded = response.getheader("Content-Encoding", "identity").lower() not in ("", "identity")
        if response.status == HTTPStatus.PARTIAL_CONTENT and self._in_pieces:
            span = _RANGE.match(response.getheader("Content-Range", ""))
            if encoded or span is None or int(span[1]) != self.offset or int(span[2]) < self.offset:
                # Not to be had in pieces; the next request is for all of it.
                self._in_pieces = False
                return
            self._take_piece(response, int(span[2]) + 1, int(span[3]))
        elif response.status == HTTPStatus.OK:
            self._begin_anew()
            self._take_all(response, encoded)
        elif response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self.offset == 0:
            self._finish()  # it is empty
        else:
            said = f"it answered {response.status} {response.reason}"
            raise _failure(self.where, _STATUSES.get(response.status, grpc.StatusCode.UNKNOWN), said)

    def _take_piece(self, response: http.client.HTTPResponse, end: int, total: int) -> None:
        tag = response.getheader("ETag", "")
        self._tag = tag if tag.startswith('"') else None
        for block in _blocks(response):
            self._write(block[: end - self.offset])
        if self.offset < end:
            raise _Broken("the connection was lost")
        if self.offset >= total:
            self._finish()

    def _take_all(self, response: http.client.HTTPResponse, encoded: bool) -> None:
        blocks = _blocks(response)
        if encoded:
            kind = response.getheader("Content-Encoding", "").lower()
            if kind not in ("gzip", "x-gzip"):
                raise _failure(self.where, grpc.StatusCode.UNIMPLEMENTED, f"its contents come encoded as {kind}")
            # The rest of what is encoded cannot be asked for.
            self._in_pieces = False
            blocks = _decoded(blocks)
        length = response.length
        for block in blocks:
            self._write(block)
        wanted = self._size if length is None or encoded else length
        if wanted is not None and self.offset < wanted:
            raise _Broken("the connection was lost")
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
            raise _failure(self.where, grpc.StatusCode.DATA_LOSS, text)
        self.complete = True


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            block = response.read(_BLOCK)
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(_described(error)) from error
        if not block:
            return
        yield block


def _decoded(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what gzip has made these blocks of, in blocks no larger than they."""
    decoder = zlib.decompressobj(31)
    for block in blocks:
        left = block
        while left:
            if decoder.eof:
                decoder = zlib.decompressobj(31)
            try:
                yield decoder.decompress(left, _BLOCK)
            except zlib.error as error:
                raise _Broken(f"the contents are no gzip: {error}") from error
            left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    yield decoder.flush()
    if not decoder.eof:
        raise _Broken("the connection was lost")


def _parts(uri: str) -> SplitResult:
    """Return the parts of a URI that a token may go to."""
    try:
        where = urlsplit(uri)
        host, _ = where.hostname or "", where.port
        host.encode("ascii")
    except ValueError:
        raise _no_uri() from None
    if where.scheme not in ("https", "http") or not host:
        raise _no_uri()
    if where.scheme == "http" and not _is_loopback(host):
        raise InsecureConnectionError(f"{_shown(where)} has no TLS, so nothing is downloaded from it")
    return where


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(where: SplitResult) -> object:
    return where.scheme, where.hostname, where.port or (443 if where.scheme == "https" else 80)


def _shown(where: SplitResult) -> str:
    # What follows may be a secret: who knows a signed URL may read the file.
    return f"{where.scheme}://{where.hostname}"


def _described(error: Exception) -> str:
    return f"the connection was lost ({type(error).__name__}: {error})" if str(error) else "the connection was lost"


def _no_uri() -> GRPCError:
    return grpc_error(grpc.StatusCode.INTERNAL, "The service gave a URI for the contents that is none.")


def _failure(where: SplitResult, status: grpc.StatusCode, text: str) -> GRPCError:
    return grpc_error(status, f"The download from {_shown(where)} failed: {text}.")
