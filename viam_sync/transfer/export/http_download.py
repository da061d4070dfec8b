"""Downloads over HTTP: the contents of large files, from the URIs in their metadata."""

from __future__ import annotations

from typing import Any, BinaryIO, Callable, Mapping, Optional
from urllib.parse import SplitResult, urljoin, urlsplit

import grpc

from viam_sync.errors import CancelledError, GRPCError, InsecureConnectionError, grpc_error
from viam_sync.rpc import retry
from viam_sync.rpc.address import is_loopback
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.channel import ServiceChannel
from viam_sync.rpc.classification import AttemptError, NotConnectedError
from viam_sync.rpc.closing import Closing
from viam_sync.rpc.http_pool import ConnectionBroken, HttpPool, NoConnection, RefusedByProxy, origin_of
from viam_sync.rpc.metadata import Header, headers_of, token_of
from viam_sync.rpc.policies import STREAM, Policy
from viam_sync.rpc.renewal import Renewal
from viam_sync.transfer.concurrency.concurrency_limit import ConcurrencyLimit, Slot
from viam_sync.transfer.export.http_contents import BLOCK, RANGE_SIZE, Download, failure_at

_MOST_REDIRECTS = 5
#: Seconds without a byte after which a connection counts as broken.
_IDLE_TIMEOUT = 60.0
#: Seconds that a socket waits at least; 0 would not wait at all.
_SHORTEST = 0.001
#: Seconds that a host may ask to wait for the next attempt, with ``Retry-After``.
_LONGEST_WAIT = 300.0
#: An export goes on for hours: it waits longer than a single call for a service that is overloaded.
_POLICY = STREAM._replace(attempts=8, idle_timeout=_LONGEST_WAIT, counts_unavailable=True)

_REDIRECTS = (301, 302, 303, 307, 308)


class Downloader(Closing):
    """Downloads files from URIs, with the token of the caller.

    The token goes to the host of the URI by HTTPS, or by plain HTTP within this computer; to no other host that it
    redirects to, and over no network in plaintext. A file comes in ranges; when the connection breaks, the rest is
    asked for. Connections are kept alive for the next range, or the next file, until it is closed, as it also is
    together with the channel.

    Args:
        metadata: The metadata of the calls, with the ``authorization`` of the caller.
        limit: Limits how many requests are under way.
        channel: The channel of the client, whose clock and closing its waits heed, and whose authorities it trusts.
        run: Makes a call as a policy and the options of the client say.
        timeout: Seconds without a byte after which a connection counts as broken.
        range_size: The number of bytes that one request asks for.
        block: The number of bytes that are read and written at a time.
    """

    def __init__(
        self,
        metadata: Mapping[str, str],
        limit: ConcurrencyLimit,
        channel: ServiceChannel,
        run: Callable[[retry.Call[None], Policy, Optional[float]], None],
        timeout: float = _IDLE_TIMEOUT,
        range_size: int = RANGE_SIZE,
        block: int = BLOCK,
    ) -> None:
        self._metadata = metadata
        self._limit = limit
        self._channel = channel
        self._run = run
        self._timeout = timeout
        self._range_size = range_size
        self._block = block
        self._pool = HttpPool(channel.address, limit.most)
        channel.attached.add(self._pool)

    def close(self) -> None:
        """Close the connections; downloads under way end."""
        self._pool.close()

    def fetch(self, uri: str, file: BinaryIO, size: Optional[int], cancellation: Cancellation) -> int:
        """Download the contents of a URI into a file.

        Args:
            uri: The URI.
            file: The file; it is empty.
            size: The size of the contents in bytes; None if that is not known.
            cancellation: Ends the download.

        Returns:
            The size of the contents in bytes.

        Raises:
            GRPCError: If the service refuses it or cannot be reached, or the contents are not of that size.
            InsecureConnectionError: If a request would go without TLS, or the certificate cannot be trusted.
            OSError: If the file cannot be written.
        """
        download = Download(_parts(uri), file, size, self._range_size, self._block)
        while not download.complete:
            with self._limit.slot(cancellation) as slot:
                self._run(_RangeCall(self, download, self._metadata, self._channel, cancellation, slot), _POLICY, None)
        return download.offset

    def take(
        self, download: Download, token: Optional[Header], seconds: Optional[float], cancellation: Cancellation
    ) -> None:
        """Ask for the next range of a download, and write it.

        Raises:
            AttemptError: If the service refuses it, or the connection is lost.
            CancelledError: If it was cancelled.
        """
        timeout = self._timeout if seconds is None else max(min(self._timeout, seconds), _SHORTEST)
        try:
            self._follow(download, token, timeout, cancellation)
        except (ConnectionBroken, NoConnection, RefusedByProxy) as error:
            if cancellation.cancelled:
                raise CancelledError(
                    grpc.StatusCode.CANCELLED, "The download was ended from within the program."
                ) from None
            raise _failure(download.uri, error) from error

    def _follow(self, download: Download, token: Optional[Header], timeout: float, cancellation: Cancellation) -> None:
        """Send the request for the next range, follow its redirects, and write what comes."""
        first = uri = download.uri
        headers = download.headers()
        for _ in range(1 + _MOST_REDIRECTS):
            if _origin(uri) != _origin(first):
                # A request that was redirected to another host does not get its token back.
                token = None
            with self._pool.get(uri, headers, token, timeout, cancellation) as response:
                to = response.headers.get("Location")
                if response.status not in _REDIRECTS or to is None:
                    download.take(response)
                    return
                response.discard()
            uri = _parts(urljoin(uri.geturl(), to))
            if first.scheme == "https" and uri.scheme != "https":
                raise InsecureConnectionError(f"{origin_of(first)} redirects to {origin_of(uri)}, which has no TLS")
        raise failure_at(first, grpc.StatusCode.INTERNAL, "it redirects again and again")


def _failure(uri: SplitResult, error: Exception) -> AttemptError:
    if isinstance(error, NoConnection):
        return failure_at(uri, grpc.StatusCode.UNAVAILABLE, str(error), kind=NotConnectedError)
    # A proxy that refuses today does so in a minute, too.
    refused = isinstance(error, RefusedByProxy)
    return failure_at(uri, grpc.StatusCode.PERMISSION_DENIED if refused else grpc.StatusCode.UNAVAILABLE, str(error))


class _RangeCall(retry.Call[None]):
    """The request for the next range of a download; as long as the download comes nearer to its end, it is retried."""

    def __init__(
        self,
        downloader: Downloader,
        download: Download,
        metadata: Mapping[str, str],
        channel: ServiceChannel,
        cancellation: Cancellation,
        slot: Slot,
    ) -> None:
        self.name, self.throttle = f"GET {origin_of(download.uri)}", slot
        self._downloader = downloader
        self._download = download
        self._channel = channel
        self._cancellation = cancellation
        self._metadata = metadata
        self._token: Optional[Header] = None
        self._renewal = Renewal(metadata)
        self._furthest = 0

    def attempt(self, seconds: Optional[float]) -> None:
        self._furthest = self._download.furthest
        self._token = token_of(headers_of(self._metadata))
        self._downloader.take(self._download, self._token, seconds, self._cancellation)

    def renew(self, error: Any, seconds: Optional[float]) -> bool:
        if not self._renewal.is_worth_it(error):
            return False
        self._renewal.renew(self._token, seconds)
        return True

    def has_progressed(self) -> bool:
        return self._download.furthest >= self._furthest + self._download.block

    def now(self) -> float:
        return self._channel.time.time()

    def sleep(self, seconds: float) -> None:
        self._channel.sleep(seconds, self._cancellation)


def _parts(uri: str) -> SplitResult:
    """Return the parts of a URI, which must be one that a token may go to."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname or "", parts.port
        host.encode("ascii")
    except ValueError:
        raise _no_uri() from None
    if parts.scheme not in ("https", "http") or not host:
        raise _no_uri()
    if parts.scheme == "http" and not is_loopback(host):
        raise InsecureConnectionError(f"{origin_of(parts)} has no TLS, so nothing is downloaded from it")
    return parts


def _origin(uri: SplitResult) -> object:
    return uri.scheme, uri.hostname, uri.port or (443 if uri.scheme == "https" else 80)


def _no_uri() -> GRPCError:
    return grpc_error(grpc.StatusCode.INTERNAL, "The service gave a URI for the contents that is none.")
