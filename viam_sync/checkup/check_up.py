"""All checks, one after the other, each within a time."""

from typing import Iterator, Optional

from viam_sync.checkup.check_result import OK, SKIPPED, WRONG, CheckResult
from viam_sync.checkup.installed import check_versions

#: The checks, in their order.
CHECKS = ("versions", "variables", "key", "address", "proxy", "dns", "authorities", "connection", "clock", "login")


def check_up(from_environment: bool, profile: Optional[str] = None, timeout: float = 10) -> Iterator[CheckResult]:
    """Yield what each check finds between here and the cloud, none of which raises an error.

    Args:
        from_environment: Whether the key is that of the environment, and not that of a profile.
        profile: The name of the profile; None for the default one.
        timeout: Seconds that each check may take.

    Example:
        >>> from viam_sync.checkup.check_up import check_up
        >>> os.environ.update(VIAM_APP_URL=sandbox.url)
        >>> os.environ.update(VIAM_API_KEY=sandbox.api_key, VIAM_API_KEY_ID=sandbox.api_key_id)
        >>> sorted({result.status for result in check_up(from_environment=True)})
        ['ok', 'skipped']
    """
    versions = check_versions()
    yield versions
    if versions.status == WRONG:
        yield from _skipped("variables", "grpcio and protobuf are needed for it")
        return
    from viam_sync.checkup import credentials, network  # they load grpcio and protobuf

    yield credentials.check_variables(from_environment)
    key = credentials.check_key(from_environment, profile)
    yield key.result
    where = credentials.check_address(key.url)
    yield where.result
    address = where.address
    if address is None:
        yield from _skipped("proxy", "there is no address")
        return
    yield network.check_proxy(address)
    name = network.check_name(address, timeout)
    yield name
    if name.status == WRONG:
        yield from _skipped("authorities", "the server has no address")
        return
    authorities = network.check_authorities(address)
    yield authorities
    if authorities.status == WRONG:
        yield from _skipped("connection", "no server can be trusted")
        return
    connection = network.check_connection(address, timeout)
    yield connection
    yield network.check_clock(address, timeout)
    if connection.status != OK:
        yield from _skipped("login", "there is no connection")
    elif key.options is None:
        yield from _skipped("login", "there is no key")
    else:
        from viam_sync.checkup.login_check import check_login

        yield check_login(key.options, key.url, timeout)


def _skipped(first: str, reason: str) -> Iterator[CheckResult]:
    """Yield a result for each check from one on."""
    yield from (CheckResult(check, SKIPPED, reason) for check in CHECKS[CHECKS.index(first) :])
