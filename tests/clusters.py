"""Clusters of Dask whose workers are processes, of which tests kill some, and the readings that they export."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

#: Seconds after which a test fails rather than waits on.
PATIENCE = 240
RPC = "TabularDataByFilter"
START = datetime(2024, 5, 1)
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
RANGE = create_filter(component_name="probe", start_time=START, end_time=START + 8 * HOUR)

Readings = List[Tuple[datetime, Dict[str, Any]]]

#: A cluster, in a process that has no gRPC: to start a worker is to fork, where Python is older than 3.11.
CLUSTER = """
import threading
from distributed import LocalCluster
cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0")
print(cluster.scheduler_address, flush=True)
threading.Event().wait()
"""


@contextmanager
def cluster(folder: Path) -> Iterator[Any]:
    """Start a cluster of two processes, which writes what it needs for itself into a folder."""
    import distributed

    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "DASK_TEMPORARY_DIRECTORY": str(folder)}
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(command, env={**os.environ, **paths}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            with distributed.Client(process.stdout.readline().strip()) as client:
                client.wait_for_workers(2)
                yield client
        finally:
            # Its workers end with it. Asked to close, Dask at times waits for one that was killed.
            process.kill()


def pids(engine: Any) -> Dict[str, int]:
    """Return the processes of the workers that answer, by their addresses."""
    found: Dict[str, int] = engine.run(os.getpid, on_error="ignore")
    return found


def busy(engine: Any) -> List[str]:
    """Return the addresses of the workers that have something to do."""
    return [address for address, keys in engine.processing().items() if keys]


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def upload(client: ViamClient, sandbox: Sandbox, readings: Readings) -> None:
    client.data_client.tabular_data_capture_upload(
        [values for _, values in readings],
        sandbox.robot_part_id,
        "rdk:component:sensor",
        "probe",
        "Readings",
        data_request_times=[(moment, moment) for moment, _ in readings],
    )


def fill(client: ViamClient, sandbox: Sandbox) -> None:
    """Upload 900 readings, of which most are in the first two hours, and none in the last three."""
    moments = [START + number * timedelta(seconds=9) for number in range(800)]
    moments += [START + 2 * HOUR + number * timedelta(seconds=99) for number in range(100)]
    upload(client, sandbox, [(moment, {"number": number, "name": "ä"}) for number, moment in enumerate(moments)])
