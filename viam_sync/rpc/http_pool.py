"""The HTTP client: connections that are kept alive, with the certificates and proxies that calls have."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import traceback
from contextvars import ContextVar
from typing import Any, Dict, Iterator, Mapping, Optional, Set, Tuple, Union
from urllib.parse import SplitResult, quote

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from viam_sync.errors import ClosedError, InsecureConnectionError
from viam_sync.rpc import forks
from viam_sync.rpc.address import Address
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.closing import Closing
from viam_sync.rpc.connection import CLOSED
from viam_sync.rpc.metadata import Header
from viam_sync.rpc.proxies import Proxy, proxy_for_downloads
from viam_sync.rpc.trust import tls_context

#: Seconds that an attempt to connect may take.
_CONNECTING = 10.0
#: Bytes that are read sooner than a connection is made.
_SHORT = 64 << 10
#: The text of ``http.client`` for a proxy that does not connect to a host, whose status tells that it never will.
_REFUSED = re.compile(r"Tunnel connection failed: (4\d\d .*)")


class ConnectionBroken(Exception):
    """A connection that ended before the response did."""


class NoConnection(Exception):
    """No connection could be made."""


class RefusedByProxy(Exception):
    """The proxy refuses to connect to the host."""


class HttpResponse:
    """A response, whose contents are read block by block, as they come.

    Args:
        request: The request.
        response: The response of urllib3.

    Attributes:
        status: Its status, such as 200.
        reason: The words for the status.
        headers: Its headers, whatever the case of their names.
        length: The number of bytes that are to come; None if it does not tell.
    """

    def __init__(self, request: _Request, response: urllib3.BaseHTTPResponse) -> None:
        self.status = response.status
        self.reason = response.reason or ""
        self.headers: Mapping[str, str] = response.headers
        self.length = response.length_remaining
        self._request = request
        self._response = response

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield the contents, still encoded, in blocks of that many bytes.

        Raises:
            ConnectionBroken: If the connection is lost, nothing came in time, or the request was ended.
        """
        while True:
            try:
                block = self._response.read(size)
            except HTTPError as error:
                raise ConnectionBroken(_lost(_cause(error))) from error
            if self._request.cancelled:
                # Python decrypts no more once a socket is shut down, so the block may be of what TLS had encrypted.
                raise ConnectionBroken(_lost(ConnectionAbortedError()))
            if not block:
                return
            yield block

    def discard(self) -> None:
        """Read contents that nobody needs, so that the connection serves the next request, unless they are long."""
        if self.length is not None and self.length <= _SHORT:
            with contextlib.suppress(ConnectionBroken):
                for _ in self.blocks(_SHORT):
                    pass


class HttpPool(Closing):
    """Connections to hosts, which are kept alive until it is closed; threads may share it.

    Every process has connections of its own: a forked child never uses its parent's.

    Args:
        address: The address of the service, whose authorities are trusted; None for those that are trusted by default.
        size: The number of idle connections to a host that are kept.
    """

    def __init__(self, address: Optional[Address], size: int) -> None:
        self._authorities = None if address is None else address.authorities
        self._size = size
        self._closed = False
        self._begin()
        forks.watch(self)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a signal handler may close it at any moment
        self._managers: Dict[Tuple[str, Optional[Proxy]], urllib3.PoolManager] = {}
        self._running: Set[_Request] = set()

    @contextlib.contextmanager
    def get(
        self,
        uri: SplitResult,
        headers: Mapping[str, str],
        token: Optional[Header],
        timeout: float,
        cancellation: Cancellation,
    ) -> Iterator[HttpResponse]:
        """Send a request, and give its response to a ``with`` block; a redirect is not followed.

        Args:
            uri: The URI.
            headers: The headers, but for the token.
            token: The header ``Authorization``; None for none.
            timeout: Seconds without a byte after which the connection counts as broken.
            cancellation: Ends the request, and the reading of its response.

        Raises:
            ConnectionBroken: If the connection was lost, or the request cancelled.
            NoConnection: If none could be made.
            RefusedByProxy: If the proxy refuses to make one.
            InsecureConnectionError: If the certificate cannot be trusted.
            ClosedError: If the pool was closed.
        """
        request = _Request(uri, token)
        self._running.add(request)
        try:
            with cancellation.running(request):
                response = self._send(request, headers, timeout)
                try:
                    yield HttpResponse(request, response)
                finally:
                    # A connection whose response was read to its end is back in the pool already.
                    response.close()
                    response.release_conn()
        except ValueError:
            if not request.cancelled:
                raise
            # Python has found that the socket was shut down a moment before the system would.
            raise ConnectionBroken(_lost(ConnectionAbortedError())) from None
        finally:
            self._running.discard(request)

    def close(self) -> None:
        """Close all connections; requests under way end as broken."""
        with self._lock:
            self._closed = True
            managers = list(self._managers.values())
            self._managers.clear()
        for request in self._running.copy():
            request.cancel()
        for manager in managers:
            manager.clear()

    def about_to_fork(self) -> int:
        """Return 0: a fork amid requests harms neither process."""
        return 0

    def forked(self) -> None:
        """Leave the connections to the parent process, and be ready to make those of this process."""
        if self._managers:
            # A thread of the parent may have held a lock that freeing them would take.
            forks.keep_for_good(self._managers)
        self._begin()

    def _send(self, request: _Request, headers: Mapping[str, str], timeout: float) -> urllib3.BaseHTTPResponse:
        """Send a request, again if the server had closed an idle connection before it could know of the request."""
        uri = request.uri
        proxy = proxy_for_downloads(uri.hostname or "") if uri.scheme == "https" else None
        times = urllib3.Timeout(connect=min(timeout, _CONNECTING), read=timeout)
        while True:
            pool = self._manager(uri.scheme, proxy).connection_from_host(uri.hostname, uri.port, uri.scheme)
            answer = _answer(pool, request, headers, times)
            if not isinstance(answer, BaseException):
                return answer
            if request.cancelled or not request.was_closed_meanwhile(answer):
                raise request.failure(answer, proxy)

    def _manager(self, scheme: str, proxy: Optional[Proxy]) -> urllib3.PoolManager:
        with self._lock:
            if self._closed:
                raise ClosedError(CLOSED)
            manager = self._managers.get((scheme, proxy))
            if manager is None:
                context = tls_context(self._authorities) if scheme == "https" else None
                manager = self._managers[scheme, proxy] = _new_manager(proxy, self._size, context)
            return manager


class _Request:
    """A request, on whichever connection it is made; another thread may end it.

    Attributes:
        uri: Its URI.
        token: Its token; None for none.
        cancelled: Whether it was ended.
    """

    def __init__(self, uri: SplitResult, token: Optional[Header]) -> None:
        self.uri = uri
        self.token = token
        self.cancelled = False
        self._socket: Optional[socket.socket] = None
        #: Whether the connection is one that has served another request, and whether one is being made.
        self._is_reused, self._is_connecting = True, False

    @property
    def target(self) -> str:
        """Its path and query, as they are sent."""
        # Newer Pythons put two slashes before a path that begins with two, so urlunsplit() is of no use here.
        query = f"?{self.uri.query}" if self.uri.query else ""
        return quote(f"{self.uri.path or '/'}{query}", safe="/%?&=:+,;@~!$'()*")

    def begin(self) -> None:
        """Take note that a connection is chosen next."""
        self._is_reused, self._is_connecting = True, False

    @contextlib.contextmanager
    def connecting(self) -> Iterator[None]:
        """Take note that a connection is made in a ``with`` block."""
        self._is_reused, self._is_connecting = False, True
        yield
        self._is_connecting = False

    def sent_on(self, connected: socket.socket) -> None:
        """Take note of the connection that the response will come from."""
        self._socket = connected
        # cancel() sets the flag, then reads the socket; this stores the socket, then reads the flag: one sees the
        # other.
        if self.cancelled:
            self.cancel()

    def cancel(self) -> None:
        """End it: whoever waits for the response finds the connection broken."""
        self.cancelled = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def was_closed_meanwhile(self, error: BaseException) -> bool:
        """Tell whether an error is that of an idle connection which the server had closed."""
        return self._is_reused and isinstance(error, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError))

    def failure(self, error: BaseException, proxy: Optional[Proxy]) -> Exception:
        """Return the failure that an error of the connection is."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return InsecureConnectionError(
                f"{origin_of(self.uri)} has no certificate that can be trusted: {error.verify_message}"
            )
        if not self._is_connecting:
            return ConnectionBroken(_lost(error))
        refused = _REFUSED.match(str(error))
        if refused is not None:
            return RefusedByProxy(f"{proxy}, refuses to connect to it ({refused[1]})")
        by_way = "" if proxy is None else f" by way of {proxy},"
        return NoConnection(f"no connection could be made{by_way} ({type(error).__name__}: {error})")


#: The request that urllib3 is making in this thread.
_REQUEST: ContextVar[_Request] = ContextVar("_REQUEST")


class _Connection(HTTPConnection):
    """A connection that tells its request how far it is, and adds the parts of it that urllib3 would log or keep."""

    def connect(self) -> None:
        with _REQUEST.get().connecting():
            super().connect()

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        request = _REQUEST.get()
        super().putrequest(method, request.target, skip_host, skip_accept_encoding)
        if request.token is not None:
            self.putheader("Authorization", request.token.value)

    def getresponse(self) -> Any:
        _REQUEST.get().sent_on(self.sock)
        return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection):
    """The same, with TLS."""

    def connect(self) -> None:
        request = _REQUEST.get()
        assert self.ssl_context is not None
        with request.connecting():
            HTTPConnection.connect(self)
            # urllib3 1.26, which boto3 asks for up to Python 3.9, cannot check certificates of addresses as grpc does.
            self.sock = self.ssl_context.wrap_socket(self.sock, server_hostname=request.uri.hostname)
            self.is_verified = True


class _ConnectionPool(urllib3.HTTPConnectionPool):
    ConnectionCls: Any = _Connection


class _SecureConnectionPool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = _SecureConnection


def _new_manager(proxy: Optional[Proxy], size: int, context: Optional[ssl.SSLContext]) -> urllib3.PoolManager:
    manager: urllib3.PoolManager
    if proxy is None:
        manager = urllib3.PoolManager(maxsize=size, ssl_context=context)
    else:
        manager = urllib3.ProxyManager(proxy.url, proxy_headers=proxy.headers, maxsize=size, ssl_context=context)
    manager.pool_classes_by_scheme = {"http": _ConnectionPool, "https": _SecureConnectionPool}
    return manager


def _answer(
    pool: urllib3.HTTPConnectionPool, request: _Request, headers: Mapping[str, str], times: urllib3.Timeout
) -> Union[urllib3.BaseHTTPResponse, BaseException]:
    """Make a request, and return its response, or the error of the connection."""
    request.begin()
    before = _REQUEST.set(request)
    try:
        # The query of a signed URI is a secret, which urllib3 would log, so the connection adds it.
        return pool.urlopen(
            "GET", "/", headers=headers, retries=False, timeout=times, preload_content=False, decode_content=False
        )
    except HTTPError as error:
        cause = _cause(error)
        # The frames of http.client hold the token, the password of a proxy, and by some Pythons a socket.
        traceback.clear_frames(cause.__traceback__)
        return cause.with_traceback(None)
    finally:
        _REQUEST.reset(before)


def _cause(error: BaseException) -> BaseException:
    """Return the error of the system, of TLS or of ``http.client`` that one of urllib3 stands for."""
    while isinstance(error, HTTPError):
        cause = error.__cause__ or error.__context__
        if cause is None:
            break
        error = cause
    return error


def _lost(error: BaseException) -> str:
    return f"the connection was lost ({type(error).__name__}: {error})" if str(error) else "the connection was lost"


def origin_of(uri: SplitResult) -> str:
    """Return the scheme and the host of a URI, for errors and the log."""
    # The rest of the URI may be a secret: a signed URL opens the file to anybody.
    return f"{uri.scheme}://{uri.hostname}"
