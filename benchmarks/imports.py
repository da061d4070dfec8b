"""What importing the client costs, as a ratio to the official SDK in one run; an empty interpreter is taken off."""

import statistics
import subprocess
import sys
import time
from typing import List

ROUNDS = 15


def timed(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def main() -> None:
    ratios: List[float] = []
    for _ in range(ROUNDS):
        empty = timed("pass")
        ours, official = timed("import viam_sync.app.viam_client"), timed("import viam.app.viam_client")
        ratios.append((ours - empty) / (official - empty))
    print(f"import of app.viam_client, ours / official: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
