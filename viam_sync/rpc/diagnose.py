"""Why a server could not be reached, found by knocking on its port without grpc in between."""

import os
import socket
import ssl
import threading
from typing import List, NamedTuple, Optional

from viam_sync.rpc.address import FilePath
from viam_sync.rpc.threads import can_start_threads

PLAINTEXT = "plaintext"
TLS = "tls"
CERTIFICATE = "certificate"
UNREACHABLE = "unreachable"
UNKNOWN = "unknown"

#: The first bytes of an HTTP/2 client: its preface and an empty SETTINGS frame.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
_TLS_ALERT = 0x15


class Problem(NamedTuple):
    """The obstacle to a connection, and a sentence that explains it."""

    kind: str
    text: str


def find_problem(host: str, port: int, tls: bool, timeout: float, authorities: Optional[FilePath] = None) -> Problem:
    """Return why a server does not answer as expected.

    Args:
        host: Its name or address.
        port: Its port.
        tls: Whether it is expected to speak TLS.
        timeout: Seconds that finding out may take.
        authorities: The file of the authorities that a certificate must be from; None for those that grpc trusts.

    Returns:
        The problem; its kind is UNKNOWN where the server looks well.
    """
    import urllib.request  # slow to load, and only of use after a failure

    proxies = urllib.request.getproxies()
    if any(name in proxies for name in ("grpc", "https", "http")) and not urllib.request.proxy_bypass(host):
        return Problem(UNKNOWN, "The proxy that the environment names may be in the way (grpc_proxy, https_proxy).")
    found: List[Problem] = []
    # Looking up a name cannot be given a limit, so it is left behind when the time is up.
    knock = threading.Thread(target=lambda: found.append(_knock(host, port, tls, timeout, authorities)), daemon=True)
    if can_start_threads():
        knock.start()
        knock.join(timeout)
    else:
        knock.run()
    return found[0] if found else _silent(host, port)


def _knock(host: str, port: int, tls: bool, timeout: float, authorities: Optional[FilePath]) -> Problem:
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.settimeout(timeout)
            if tls:
                return _try_tls(connection, host, port, authorities)
            return _try_plaintext(connection, host, port)
    except (socket.gaierror, UnicodeError):
        return Problem(UNREACHABLE, f"{host} has no address. Check its spelling, and the network.")
    except ConnectionRefusedError:
        return Problem(
            UNREACHABLE, f"Nothing listens at {host}, port {port}. Check the address, and that the server runs."
        )
    except socket.timeout:
        return _silent(host, port)
    except OSError as error:
        return Problem(UNREACHABLE, f"{host}, port {port} cannot be reached: {error.strerror or error}.")


def _silent(host: str, port: int) -> Problem:
    return Problem(UNREACHABLE, f"{host}, port {port} does not answer. Check the address, the network and firewalls.")


def _try_tls(connection: socket.socket, host: str, port: int, authorities: Optional[FilePath]) -> Problem:
    # grpc trusts the authorities in this file, where it is named, and so must we to find the same problem.
    trusted = authorities or os.environ.get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") or None
    try:
        context = ssl.create_default_context(cafile=trusted)
    except OSError:
        return Problem(UNKNOWN, f"{trusted} holds no certificates that can be read, so no server can be trusted.")
    context.set_alpn_protocols(["h2"])
    try:
        with context.wrap_socket(connection, server_hostname=host):
            return Problem(UNKNOWN, f"{host}, port {port} answers, though not as a gRPC service does.")
    except ssl.SSLCertVerificationError as error:
        return Problem(CERTIFICATE, f"The certificate of {host} cannot be trusted: {error.verify_message.rstrip('.')}.")
    except (ssl.SSLError, ConnectionError):
        return Problem(PLAINTEXT, f"{host}, port {port} speaks no TLS.")


def _try_plaintext(connection: socket.socket, host: str, port: int) -> Problem:
    connection.sendall(_PREFACE)
    try:
        answer = connection.recv(1)
    except ConnectionError:
        answer = b""
    if not answer or answer[0] == _TLS_ALERT:
        return Problem(TLS, f"{host}, port {port} does not speak HTTP/2 without TLS; it may want https://.")
    return Problem(UNKNOWN, f"{host}, port {port} answers, though not as a gRPC service does.")
