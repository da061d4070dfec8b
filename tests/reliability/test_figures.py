"""The figures of docs/reliability.md are those of the code."""

import re
from pathlib import Path
from typing import List

import pytest

from viam_sync.rpc import policies
from viam_sync.rpc.dial import MOST_CALLS, ConnectionTimes, DialOptions
from viam_sync.rpc.policies import Policy
from viam_sync.rpc.retry_limits import RetryThrottle

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8").split())
#: DELETE_SOME stands under DELETE.
CLASSES: List[Policy] = [
    each for name, each in vars(policies).items() if isinstance(each, Policy) and name != "DELETE_SOME"
]


@pytest.mark.parametrize("policy", CLASSES, ids=lambda policy: policy.name)
def test_the_page_has_the_attempts_and_seconds_of_each_class(policy: Policy) -> None:
    [row] = re.findall(rf"\| `{policy.name}` \| `[^|]*\|[^|]*\|([^|]*)\|([^|]*)\|", PAGE)
    attempts, seconds = (cell.strip() for cell in row)
    assert attempts == ("" if policy.resumes else str(policy.attempts))
    if policy.total_timeout is not None:
        assert seconds == f"{policy.attempt_timeout} / {policy.total_timeout}"
    elif not policy.resumes:
        assert seconds == f"no limit; ends after {policy.idle_timeout} seconds in which nothing moves"
    [away] = re.findall(rf"\| [^|]*`{policy.name}`[^|]*\| (\d+) seconds \|", PAGE)
    assert float(away) == (policy.outage_timeout or policy.total_timeout)


def test_the_page_has_the_times_of_a_connection() -> None:
    times = ConnectionTimes()
    for text in (
        f"made within {times.backoff} seconds",
        f"says nothing for {times.keepalive} seconds amid a call",
        f"does not answer a ping for {times.ping_timeout} seconds ({times.upload_ping_timeout} where uploads are sent",
        f"carries no call for {times.idle} seconds",
        f"not made within {times.connecting} seconds",
        f"carries {MOST_CALLS} calls",
        f"after {DialOptions().initial_connection_attempts} attempts",
        f"lose its connection, {DialOptions().max_reconnect_attempts} by default",
        f"a throttle of {RetryThrottle.FULL:.0f} tokens",
        f"below {RetryThrottle.FULL / 2:.0f} nothing is sent again",
        f"and {policies.READ.longest_wait} seconds at most",
        f"at most {policies.TAIL.longest_wait} seconds apart",
    ):
        assert text in PAGE, text
