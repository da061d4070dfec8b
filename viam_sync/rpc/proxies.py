"""Proxies: the one that the environment names for the way to a host, or none."""

import os
import socket
from typing import Dict, NamedTuple, Optional

from viam_sync.rpc.address import is_loopback

#: The variables that grpc reads, in its order; one that is there ends the search, even if it is empty.
_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")
_EXCEPTIONS = ("no_grpc_proxy", "no_proxy")


class Proxy(NamedTuple):
    """An HTTP proxy, which connects to a host by ``CONNECT``.

    Attributes:
        host: Its name or address.
        port: Its port.
        variable: The variable that names it.
        login: The value of the header ``Proxy-Authorization``, which holds a password; empty for none.
    """

    host: str
    port: int
    variable: str
    login: str = ""

    @property
    def headers(self) -> Dict[str, str]:
        """The headers of a request to it."""
        return {"Proxy-Authorization": self.login} if self.login else {}

    @property
    def url(self) -> str:
        """Its address, without a password."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    def connect(self, host: str, port: int, timeout: float) -> socket.socket:
        """Return a connection to a host by way of the proxy.

        Raises:
            OSError: If there is none.
            http.client.HTTPException: If the proxy speaks no HTTP.
        """
        import http.client  # slow to load, and only of use behind a proxy

        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        connection.set_tunnel(host, port, headers=self.headers)
        try:
            connection.connect()
        except http.client.HTTPException:  # it closes itself at an OSError alone
            connection.close()
            raise
        return connection.sock

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return f"the proxy {self.host}:{self.port}, which {self.variable} names"


def proxy_for_calls(host: str) -> Optional[Proxy]:
    """Return the proxy for calls to a host; None if they go to it directly.

    The rule is that of grpc, with the exceptions for ranges of addresses that newer versions of it know, with ``*`` for
    all hosts, and never a proxy to this computer.
    """
    variable = next((name for name in _VARIABLES if name in os.environ), None)
    if variable is None or is_loopback(host) or _is_exception(host):
        return None
    url = os.environ[variable]
    # grpc ignores a proxy of another scheme, or of none.
    return _parse(url, variable, 443) if url.lower().startswith("http://") else None


def unused_variable(host: str) -> Optional[str]:
    """Return a variable that names a proxy which calls to a host do not take: of another scheme, or in capitals."""
    if proxy_for_calls(host) is not None or is_loopback(host) or _is_exception(host):
        return None
    return next((name for name in (*_VARIABLES, *map(str.upper, _VARIABLES)) if os.environ.get(name)), None)


def proxy_for_downloads(host: str) -> Optional[Proxy]:
    """Return the proxy for HTTPS to a host, by the rule of Python's urllib; None to go to it directly."""
    import urllib.request  # slow to load

    url = urllib.request.getproxies().get("https")
    if not url or is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    return _parse(url if "://" in url else f"http://{url}", "https_proxy", 80)


def _is_exception(host: str) -> bool:
    listed = next((os.environ[name] for name in _EXCEPTIONS if name in os.environ), "")
    return any(_matches(host.lower(), entry.strip().lower()) for entry in listed.split(","))


def _matches(host: str, entry: str) -> bool:
    if entry in ("", "*"):
        return entry == "*"
    return f".{host}".endswith(f".{entry.lstrip('.')}") or _is_in_range(host, entry)


def _is_in_range(host: str, entry: str) -> bool:
    import ipaddress  # only of use where there is a proxy

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _parse(url: str, variable: str, default_port: int) -> Optional[Proxy]:
    import base64  # these two are only of use where there is a proxy
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or default_port
    except ValueError:
        return None
    login = ""
    if parts.username:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        login = f"Basic {base64.b64encode(user).decode()}"
    return Proxy(host, port, variable, login) if host else None
