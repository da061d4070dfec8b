"""Figures: what they say, the rounds in which they are measured, and the table in which they are printed."""

from __future__ import annotations

import contextlib
import json
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple

#: For each of some acts, what it took in each round.
Taken = Dict[str, List[float]]


class Figure(NamedTuple):
    """A line of the table.

    Attributes:
        work: What is done.
        ours: What it takes here, with its unit.
        peers: What it takes elsewhere, by the name of the peer, with its unit.
        ratio: The figure that has a goal.
        of: What the ratio is one of, such as ``"time, of a bare stub's"``.
        goal: What the ratio is to be, such as ``"≤ 1.04"``; empty if there is no goal.
        bounded_by: What keeps it from being better, as a profile shows it.
    """

    work: str
    ours: str
    peers: Mapping[str, str]
    ratio: float
    of: str
    goal: str
    bounded_by: str

    @property
    def more_is_better(self) -> bool:
        """Whether a higher ratio is the better one, as where throughput is compared."""
        return self.goal.startswith("≥") or self.of.endswith(("throughput", "speed"))


def in_turns(
    acts: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> Taken:
    """Return the seconds of some acts, which take turns, so that what else the machine does meets all of them."""
    taken: Taken = defaultdict(list)
    for number in range(rounds):
        # Another order in each second round: an act may leave work behind for the one after it.
        for name in list(acts)[:: 1 if number % 2 else -1]:
            began = clock()
            acts[name]()
            taken[name].append(clock() - began)
    return taken


def ratio(taken: Mapping[str, List[float]], one: str, other: str) -> float:
    """Return the median of the ratios of two acts, round by round."""
    return statistics.median(a / b for a, b in zip(taken[one], taken[other]))


def milliseconds(seconds: List[float]) -> str:
    """Return a median as a text."""
    median = statistics.median(seconds) * 1000
    return f"{median:,.0f} ms" if median >= 100 else f"{median:.3g} ms"


def memory(field: str = "VmRSS") -> int:
    """Return the bytes that this process holds, or as ``"VmHWM"`` has held at most, which is not its parent's peak."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


@contextlib.contextmanager
def server(script: str, *arguments: object) -> Iterator[str]:
    """Run a script beside this one in a process of its own until the block ends; give the first line that it prints."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def dump(figures: Iterator[Figure]) -> None:
    """Print figures as lines of JSON, for a program."""
    for each in figures:
        print(json.dumps(each._asdict()), flush=True)


def show(figures: Iterator[Figure]) -> None:
    """Print figures as the rows of a table in Markdown."""
    print("| work | here | elsewhere | ratio | goal | bounded by |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    for each in figures:
        peers = ", ".join(f"{name} {figure}" for name, figure in each.peers.items())
        cells = (each.work, each.ours, peers, f"{each.ratio:.2f} {each.of}", each.goal, each.bounded_by)
        print(f"| {' | '.join(cells)} |", flush=True)
