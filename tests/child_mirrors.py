"""A run of a mirror over readings of a minute each, in a process that prints the memory that it took at most.

This module is run as a script, with the path of the mirror and the number of readings.
"""

import resource
import sys
from datetime import datetime, timedelta
from typing import Iterator

from viam_sync.app._data.tabular_records import READING_COLUMNS, TabularData, plain_rows
from viam_sync.proto.app import data as pb
from viam_sync.transfer.mirror.mirror_result import MirrorResult
from viam_sync.transfer.mirror.mirror_run import MirrorPlan, run_mirror
from viam_sync.transfer.mirror.open_mirror import open_mirror
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.remote import Location


def readings(count: int) -> Iterator[TabularData]:
    metadata = pb.CaptureMetadata(organization_id="o" * 36, component_name="air", tags=["a"])
    for minute in range(count):
        moment = datetime(2024, 1, 1) + timedelta(minutes=minute)
        values = {"temperature": minute * 7919 % 1000 / 7, "co2": float(minute)}
        yield TabularData({"readings": values}, metadata, moment, moment)


def main(dest: str, count: int) -> None:
    result = MirrorResult(dest)
    plan = MirrorPlan({}, READING_COLUMNS, Interval(None, None), None)
    with open_mirror(Location("dest", dest), "readings", {}, "timeRequested") as target:
        run_mirror(target, plain_rows(readings(count)), plan, Progress(None), result)
    print(result.added, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
