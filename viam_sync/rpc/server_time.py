"""The time of a server, as its answers over HTTP/1.1 have it."""

import http.client
import socket
import ssl
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Optional

from viam_sync.rpc.address import Address
from viam_sync.rpc.proxies import proxy_for_calls
from viam_sync.rpc.threads import result_within


def server_time(address: Address, timeout: float) -> Optional[datetime]:
    """Return the time that a server has, to the second; None if it does not tell it, or not in time.

    A clock that is off makes certificates look wrong, so its certificate is not looked at: nothing is sent that is
    secret, and the time that comes back is only compared.

    Args:
        address: Its address.
        timeout: Seconds that this may take.
    """
    return result_within(timeout, lambda: _ask(address, timeout))


def _ask(address: Address, timeout: float) -> Optional[datetime]:
    proxy = proxy_for_calls(address.host)
    request = http.client.HTTPConnection(address.host, address.port, timeout=timeout)
    try:
        where = (address.host, address.port)
        line = socket.create_connection(where, timeout) if proxy is None else proxy.connect(*where, timeout)
        with line, _encrypted(line, address) as request.sock:
            request.request("HEAD", "/")
            date = request.getresponse().getheader("Date")
            return None if date is None else parsedate_to_datetime(date)
    except (OSError, http.client.HTTPException, UnicodeError, ValueError, TypeError):
        return None


def _encrypted(line: socket.socket, address: Address) -> socket.socket:
    if not address.tls:
        return line
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context.wrap_socket(line, server_hostname=address.host)
