"""Why a server could not be reached, found by knocking on its port without grpc in between."""

import socket
import ssl
from typing import NamedTuple

from viam_sync.rpc.address import Address
from viam_sync.rpc.proxies import Proxy, proxy_for_calls
from viam_sync.rpc.threads import result_within
from viam_sync.rpc.trust import tls_context

PLAINTEXT = "plaintext"
TLS = "tls"
CERTIFICATE = "certificate"
UNREACHABLE = "unreachable"
WEB_PAGE = "web page"
NO_HTTP_2 = "no HTTP/2"
UNKNOWN = "unknown"

#: The first bytes of an HTTP/2 client: its preface and an empty SETTINGS frame.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
#: The first byte of what a server that speaks TLS may answer: an alert, or a part of the handshake.
_TLS_ALERT, _TLS_HANDSHAKE = 0x15, 0x16
#: The first bytes of an answer in HTTP/1, as a web server gives one, or a proxy that asks for a login; some servers
#: answer what they do not understand with a page alone.
_HTTP_1 = b"HTTP/1"
_WEB_ADVICE = "Check the address and its port; a proxy or the login page of a network may be in between."
#: Bytes that are received at a time.
_BLOCK = 16 << 10


class Problem(NamedTuple):
    """The obstacle to a connection.

    Attributes:
        kind: Its kind.
        cause: A sentence that explains it.
        advice: What to do about it; an empty text where that depends on who asks.
    """

    kind: str
    cause: str
    advice: str = ""

    @property
    def text(self) -> str:
        """The cause, and what to do."""
        return f"{self.cause} {self.advice}".rstrip()


def find_problem(address: Address, timeout: float) -> Problem:
    """Return why a server does not answer as expected, on the way that grpc takes to it.

    Args:
        address: The address, whether TLS is expected there, and the authorities to trust.
        timeout: Seconds that finding out may take.

    Returns:
        The problem; its kind is UNKNOWN where the server looks well.
    """
    # Looking up a name cannot be given a limit.
    return result_within(timeout, lambda: _knock(address, timeout)) or _silent(address)


def _knock(address: Address, timeout: float) -> Problem:
    proxy = proxy_for_calls(address.host)
    if proxy is not None:
        problem = _knock_through(proxy, address, timeout)
        return problem._replace(advice=f"{problem.advice} grpc goes through {proxy}.".lstrip())
    try:
        with socket.create_connection((address.host, address.port), timeout) as connection:
            return _talk(connection, address, timeout)
    except (socket.gaierror, UnicodeError):
        return Problem(UNREACHABLE, f"{address.host} has no address.", "Check its spelling, and the network.")
    except ConnectionRefusedError:
        advice = "Check the address, and that the server runs."
        return Problem(UNREACHABLE, f"Nothing listens at {_place(address)}.", advice)
    except socket.timeout:
        return _silent(address)
    except OSError as error:
        return Problem(UNREACHABLE, f"{_place(address)} cannot be reached: {error.strerror or error}.")


def _knock_through(proxy: Proxy, address: Address, timeout: float) -> Problem:
    from http.client import HTTPException  # slow to load, and only of use behind a proxy

    try:
        connection = proxy.connect(address.host, address.port, timeout)
    except (OSError, HTTPException, UnicodeError) as error:
        said = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        advice = f"Check {proxy.variable}, or name the host in no_proxy to go past the proxy."
        return Problem(UNREACHABLE, f"The proxy does not connect to {_place(address)}: {said}.", advice)
    try:
        with connection:
            return _talk(connection, address, timeout)
    except OSError:
        return _silent(address)


def _talk(connection: socket.socket, address: Address, timeout: float) -> Problem:
    connection.settimeout(timeout)
    if not address.tls:
        return _try_plaintext(connection, address)
    try:
        return _try_tls(connection, address)
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message.rstrip(".")
        return Problem(CERTIFICATE, f"The certificate of {address.host} cannot be trusted: {reason}.")
    except ConnectionError:
        reason = "A firewall or a proxy may be in the way, or the server speaks no TLS."
        return Problem(UNREACHABLE, f"{_place(address)} ends the connection before TLS is set up. {reason}")
    except ssl.SSLError as error:
        return Problem(UNREACHABLE, f"{_place(address)} refuses to set up TLS: {error.reason or error}.")


def _try_tls(connection: socket.socket, address: Address) -> Problem:
    context = tls_context(address.authorities)
    if not context.cert_store_stats()["x509"]:
        return Problem(UNKNOWN, "No certificate of an authority can be read, so no server can be trusted.")
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=address.host)
    if not _shake_hands(connection, tls, incoming, outgoing):
        return Problem(PLAINTEXT, f"{_place(address)} speaks no TLS.")
    if tls.selected_alpn_protocol() != "h2":
        reason = "speaks TLS, but does not agree to HTTP/2, which gRPC needs"
        return Problem(NO_HTTP_2, f"{_place(address)} {reason}.", _WEB_ADVICE)
    return _strange(address)


def _shake_hands(
    connection: socket.socket, tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
) -> bool:
    """Set up TLS; False if the server answers with something else."""
    first = True
    while True:
        try:
            tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
        received = connection.recv(_BLOCK)
        if not received:
            raise ConnectionAbortedError
        if first and received[0] not in (_TLS_ALERT, _TLS_HANDSHAKE):
            return False
        first = False
        incoming.write(received)


def _try_plaintext(connection: socket.socket, address: Address) -> Problem:
    connection.sendall(_PREFACE)
    try:
        answer = connection.recv(len(_HTTP_1))
    except ConnectionError:
        answer = b""
    if not answer or answer[0] == _TLS_ALERT:
        return Problem(TLS, f"{_place(address)} does not speak HTTP/2 without TLS; it may want https://.")
    if answer == _HTTP_1 or answer.startswith(b"<"):
        return Problem(WEB_PAGE, f"{_place(address)} answers with a web page, and is no gRPC service.", _WEB_ADVICE)
    return _strange(address)


def _silent(address: Address) -> Problem:
    advice = "Check the address, the network and firewalls."
    return Problem(UNREACHABLE, f"{_place(address)} does not answer.", advice)


def _strange(address: Address) -> Problem:
    return Problem(UNKNOWN, f"{_place(address)} answers, though not as a gRPC service does.")


def _place(address: Address) -> str:
    return f"{address.host}, port {address.port}"
