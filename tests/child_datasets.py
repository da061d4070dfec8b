"""Runs of a dataset in processes of their own, each of which is killed before one of its steps on the disk.

This module is run as a script: it reads runs as lines of JSON, forks a child for each, and prints how it ended.
"""

import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from viam_sync.transfer.output.dataset import PartitionedDataset
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.dataset_folder import DatasetFolder
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.remote import Location

#: The events that the interpreter reports before a step on the disk.
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}

#: Times as ISO 8601 has them, and numbers.
Rows = List[Tuple[str, float]]


def write(folder: str, rows: Rows, start: Optional[str] = None, end: Optional[str] = None, **options: Any) -> int:
    """Run a dataset of rows of one column, ``n``, in this process."""
    interval = Interval(*(None if time is None else datetime.fromisoformat(time) for time in (start, end)))
    place = DatasetFolder(Location("path", folder))
    dataset = PartitionedDataset(place, source={}, fixed={"at": "time"}, interval=interval, **options)
    made = ({"at": datetime.fromisoformat(time), "n": float(number)} for time, number in sorted(rows))
    return dataset.write(made, Progress(None))


def die_at(step: int, folder: Path) -> None:
    """Let this process be killed before its step of that number in a folder or one within it; the first one is 1."""
    count = 0

    def hook(event: str, arguments: Tuple[Any, ...]) -> None:
        nonlocal count
        if event in STEPS and str(arguments[0]).startswith(str(folder)):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    for line in sys.stdin:
        run: Dict[str, Any] = json.loads(line)
        child = os.fork()
        if not child:
            die_at(run.pop("step"), Path(run["folder"]).parent)
            write(**run)
            return
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
