"""Runs the cases in which grpcio may abort the process in child processes: python -m reliability.abortable FIRST."""

import json
import re
import signal
import subprocess
import sys
from typing import List, NamedTuple

from .cases import Case, connected, everything
from .processes import environment

#: Seconds after which a child is taken to hang; all cases together take a few.
PATIENCE = 300

#: grpc's last words; the test in test_fault_matrix.py that runs the cases tells of the fault, with a reproduction.
_CHECK = re.compile(r"^\w+ [\d:.]+ +\d+ call_combiner\.cc:\d+\] +(Check failed|ASSERTION FAILED): prev_size >= 1", re.M)


class Outcome(NamedTuple):
    """The outcome of the cases.

    Attributes:
        ended: How many of them ended.
        differences: The differences from the policy, a text each.
        aborted: The cases amid which grpcio aborted the process; each of them was then run once more.
    """

    ended: int
    differences: List[str]
    aborted: List[str]


def cases() -> List[Case]:
    """Return the cases in which grpcio may abort the process, always in the same order."""
    return [case for case in everything() if case.may_abort]


def run_in_children() -> Outcome:
    """Run the cases in a child process; where grpcio aborts it, go on in the next one.

    Raises:
        AssertionError: A child failed in another way, or aborted twice amid the same case.
    """
    all_cases = cases()
    outcome = Outcome(0, [], [])
    while True:
        child = subprocess.run(
            [sys.executable, "-m", "reliability.abortable", str(outcome.ended)],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        results = [json.loads(line) for line in child.stdout.splitlines()]
        outcome = outcome._replace(ended=outcome.ended + len(results))
        outcome.differences.extend(line for result in results for line in result)
        if child.returncode == 0:
            return outcome
        assert is_known_abort(child.returncode, child.stderr), f"exit status {child.returncode}: {child.stderr}"
        aborted = str(all_cases[outcome.ended])
        assert aborted not in outcome.aborted, f"aborted twice amid {aborted}: {child.stderr}"
        outcome.aborted.append(aborted)


def is_known_abort(status: int, errors: str) -> bool:
    """Tell whether a child ended by the one abort of grpcio that is known.

    Args:
        status: The exit status of the child.
        errors: Its output on stderr.
    """
    return status == -signal.SIGABRT and _CHECK.search(errors) is not None


def main() -> None:
    """Run the cases from the first one on; print the differences of each as a line of JSON as soon as it ends."""
    with connected() as channel:
        for case in cases()[int(sys.argv[1]) :]:
            print(json.dumps(case.check(channel)), flush=True)


if __name__ == "__main__":
    main()
