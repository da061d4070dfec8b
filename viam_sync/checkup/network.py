"""The checks of the network: the proxy, the name, the authorities, the connection, and the clock."""

import re
import socket
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Callable, Mapping, Optional, Union

from viam_sync.checkup.check_result import OK, SKIPPED, WARNING, WRONG, CheckResult
from viam_sync.rpc import diagnose
from viam_sync.rpc.address import Address
from viam_sync.rpc.proxies import proxy_for_calls, unused_variable
from viam_sync.rpc.server_time import server_time
from viam_sync.rpc.threads import result_within
from viam_sync.rpc.trust import names_of_authorities, read_authorities

#: Seconds that a clock may be off: the answer may have been slow, and a header has no fractions.
_SLACK = 60
#: What to do about a certificate, by what OpenSSL says of it.
_CERTIFICATE_ADVICE: Mapping[str, str] = {
    r"expired|not yet valid": "Check this computer's clock; if it is right, the server needs a new certificate.",
    r"mismatch|doesn't match|not valid for": "Check the address: the server's certificate is of another host.",
    r"": "If a firewall or the server has an authority of its own, name its file in SSL_CERT_FILE (docs/network.md).",
}
_ADVICE: Mapping[str, str] = {
    diagnose.PLAINTEXT: "For a server of your own, use an address that begins with http://; else a proxy or the login"
    " page of a network may be in between.",
    diagnose.TLS: "Use an address that begins with https://.",
}


def check_proxy(address: Address) -> CheckResult:
    """Check which proxy calls take, and whether a variable names one that they do not take."""
    proxy, unused = proxy_for_calls(address.host), unused_variable(address.host)
    if proxy is not None:
        return CheckResult("proxy", OK, f"calls go through {proxy}")
    if unused is not None:
        text = f"{unused} names a proxy that calls do not take."
        advice = "Calls take https_proxy, in small letters, and only a proxy whose address begins with http://."
        return CheckResult("proxy", WARNING, text, advice)
    return CheckResult("proxy", OK, "calls take none")


def check_name(address: Address, timeout: float) -> CheckResult:
    """Check that the name of the server has an address."""
    if proxy_for_calls(address.host) is not None:
        return CheckResult("dns", SKIPPED, "the proxy looks the name up")
    found = result_within(timeout, lambda: _look_up(address))
    if found is None:
        text = f"Looking up {address.host} takes more than {timeout:g} s."
        return CheckResult("dns", WRONG, text, "Check the network, and its name servers.")
    if isinstance(found, Exception):
        reason = getattr(found, "strerror", None) or str(found)
        text = f"{address.host} has no address: {reason}."
        return CheckResult("dns", WRONG, text, "Check its spelling, the network, and its name servers.")
    return CheckResult("dns", OK, f"{address.host} is {found}")


def _look_up(address: Address) -> Union[str, Exception]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    return ", ".join(dict.fromkeys(str(each[4][0]) for each in found))


def check_authorities(address: Address) -> CheckResult:
    """Check whose certificates are trusted."""
    if not address.tls:
        return CheckResult("authorities", SKIPPED, "there is no TLS")
    named = names_of_authorities()
    advice = f"Correct {' and '.join(named)}; see docs/network.md." if named else "See docs/network.md."
    try:
        found = read_authorities()
    except (OSError, ValueError) as error:
        return CheckResult("authorities", WRONG, f"The authorities cannot be read: {error}.", advice)
    count = found.count(b"-----BEGIN")
    if not count:
        return CheckResult("authorities", WRONG, "No certificate of an authority is there.", advice)
    lost = [name for name, path in named.items() if not Path(path).exists() and ":" not in path]
    if lost:
        text = f"{lost[0]} names what is not there, and does not count."
        return CheckResult("authorities", WARNING, text, "Correct or unset it.")
    return CheckResult("authorities", OK, f"{count} are trusted, of {' and '.join(named) or 'the system and grpc'}")


def check_connection(address: Address, timeout: float) -> CheckResult:
    """Check that the server answers as one does that speaks gRPC, and that its certificate can be trusted."""
    trusted = address._replace(authorities=read_authorities()) if address.tls else address
    problem = diagnose.find_problem(trusted, timeout)
    if problem.kind == diagnose.UNKNOWN:
        proxy = proxy_for_calls(address.host)
        way = f" by way of {proxy}" if proxy else ""
        return CheckResult("connection", OK, f"{address.host}, port {address.port} answers{way}")
    advice = _ADVICE.get(problem.kind, "")
    if problem.kind == diagnose.CERTIFICATE:
        advice = next(text for words, text in _CERTIFICATE_ADVICE.items() if re.search(words, problem.cause))
    return CheckResult("connection", WRONG, problem.cause, f"{advice} {problem.advice}".strip())


def check_clock(address: Address, timeout: float, now: Optional[Callable[[], datetime]] = None) -> CheckResult:
    """Check the clock of this computer against that of the server."""
    theirs = server_time(address, timeout)
    if theirs is None:
        return CheckResult("clock", SKIPPED, f"{address.host} does not tell the time")
    ours = datetime.now(timezone.utc) if now is None else now()
    off = ours - (theirs if theirs.tzinfo else theirs.replace(tzinfo=timezone.utc))
    if abs(off) <= timedelta(seconds=_SLACK):
        return CheckResult("clock", OK, f"as that of {address.host}")
    side = "ahead of" if off > timedelta(0) else "behind"
    text = f"This computer's clock is {_length(abs(off))} {side} that of {address.host}."
    advice = "Set it, best by a time server: certificates and times of data depend on it."
    return CheckResult("clock", WRONG, text, advice)


def _length(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{seconds} seconds"
