"""An export of readings on a cluster: what all of its forms have in common."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Sequence

from viam_sync.app._data.tabular_datasets import ReadingsDataset
from viam_sync.dask.cluster import run_tasks
from viam_sync.dask.fetched_parts import FetchedPart, RowRequest, fetch_part, parts_there
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.remote import Location
from viam_sync.transfer.output.rows import time_row

if TYPE_CHECKING:
    from distributed import Client  # type: ignore[import-not-found, import-untyped, unused-ignore]


class TabularJob(NamedTuple):
    """The readings of an export, the cluster that fetches them, and the folder that they go to.

    Attributes:
        cluster: The client of the cluster.
        request: The service that has the readings.
        readings: The readings.
        target: The folder.
    """

    cluster: Client
    request: RowRequest
    readings: ReadingsDataset
    target: Location

    def plan(self, partitions: int) -> Dict[str, Any]:
        """Return all that the files of a run in so many parts depend on, in a form that JSON can hold."""
        readings = self.readings
        edges = (None if edge is None else time_row(edge) for edge in readings.interval)
        columns = {} if readings.schema is None else {"schema": digest_of(str(readings.schema))}
        return {
            **readings.source,
            **dict(zip(("start", "end"), edges)),
            **columns,
            "misfits": readings.misfits,
            "partitions": partitions,
        }

    def fetch(self, filters: Sequence[pb.Filter], columns: Columns, staging: Location) -> List[FetchedPart]:
        """Have the cluster fetch parts, as far as they are not there, and add what is found of their columns.

        Args:
            filters: The filters of the parts.
            columns: The columns, without any row.
            staging: The folder of the run.
        """
        told = parts_there(staging, len(filters))
        fixed = {"request": self.request, "columns": columns, "staging": staging}
        parts = run_tasks(self.cluster, fetch_part, range(len(filters)), filters, told, **fixed)
        for part in parts:
            columns.add_findings(part.findings)
        return parts


def digest_of(text: str) -> str:
    """Return a short text that stands for a longer one."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
