"""The address of a service: its host, its port, and whether it speaks TLS there."""

import os
import re
from typing import NamedTuple, Optional, Union

from viam_sync.checks import wrong_word

#: The path of a file.
FilePath = Union[str, "os.PathLike[str]"]


class Address(NamedTuple):
    """A host, a port, and whether the service speaks TLS there.

    Attributes:
        authorities: The certificates of those that the server's may be from, as PEM; None for those that are trusted by
            default.
    """

    host: str
    port: int
    tls: bool
    authorities: Optional[bytes] = None

    def __repr__(self) -> str:
        # The certificates are hundreds of kilobytes.
        return f"Address(host={self.host!r}, port={self.port!r}, tls={self.tls!r})"

    @property
    def target(self) -> str:
        """The address as grpc takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_ADDRESS = r"(?i)(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^\s/:?#@\[\]\x00-\x1f\x7f\ud800-\udfff]{1,253}))(?::(?P<port>[0-9]{1,9}))?(?=[/?#]|\Z)"
#: The parts of an address that may be secret: the name and password of a user, and a query. Functions of re would have
#: them in a variable, which tools show in tracebacks; methods of C have not.
_USER = r"(?is)^(\s*[a-z][a-z0-9+.-]*://)?.*@"
_QUERY = r"(?s)([?#]).*"


def parse_address(address: str, insecure: bool = False) -> Address:
    """Return where an address leads.

    Args:
        address: ``host``, ``host:port``, or either behind ``https://``, or behind ``http://`` for no TLS. A path is
            left out.
        insecure: No TLS, whatever the scheme.

    Returns:
        The address; the port is 443, or 80 without TLS, unless one is given.

    Raises:
        ValueError: If that is no address, or its scheme is another.

    Example:
        >>> from viam_sync.rpc.dial import parse_address
        >>> parse_address("https://app.viam.com").target
        'app.viam.com:443'
    """
    parts = re.compile(_ADDRESS).match(address.strip()) if isinstance(address, str) else None
    if isinstance(address, str) and any(mark in address for mark in "@?#"):
        # Errors repeat the address, and tools show the variables of this frame.
        address = re.compile(_QUERY).sub(r"\1***", re.compile(_USER).sub(r"\1***@", address))
    if parts is None:
        raise wrong_word("address", "an address such as app.viam.com or https://app.viam.com:443", address)
    scheme = (parts["scheme"] or "https").lower()
    if scheme not in ("https", "http"):
        raise wrong_word("address", "https://, http:// or no scheme", address)
    tls = scheme == "https" and not insecure
    port = int(parts["port"] or (443 if tls else 80))
    if not 0 < port < 65536:
        raise wrong_word("address", "a port from 1 to 65535", address)
    return Address(parts["v6"] or parts["host"], port, tls)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this computer: a name that is kept for it, or an address that leads nowhere else.

    Example:
        >>> from viam_sync.rpc.address import is_loopback
        >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("app.viam.com")
        (True, True, False)
    """
    name = host.lower().rstrip(".")
    if f".{name}".endswith(".localhost"):
        return True
    import ipaddress  # only of use where there is a proxy

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    # A connection to the unspecified address is one to this computer.
    return address.is_loopback or address.is_unspecified
