"""An export into a folder with a file for each part of an interval, and one that says that all are there."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

from viam_sync.app._data.tabular_records import READING_COLUMNS
from viam_sync.dask.cluster import dask_module, run_tasks, scratch_folder
from viam_sync.dask.fetched_parts import FetchedPart, settled_rows
from viam_sync.dask.staging import Staging, exclusive_folder, read_json, unique_name, write_json
from viam_sync.dask.tabular_job import TabularJob
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.batches import grouped
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.remote import Location, Remote
from viam_sync.transfer.output.schema import columns_for

#: The names of what says what a folder is for, and that it is complete; readers pass over names that begin so.
_PLAN, _DONE = "_export.json", "_SUCCESS"
#: The most rows in a row group of a file, and their size in memory, in bytes.
_GROUP_ROWS, _GROUP_BYTES = 100_000, 32 << 20


def export_parts(job: TabularJob, filters: Sequence[pb.Filter]) -> int:
    """Export the readings of filters that adjoin, each into a file, and return how many there are.

    Raises:
        ValueError: If the folder is for another export, or a value does not fit the schema.
        OSError: If it holds something else, or cannot be written.
    """
    columns = columns_for(READING_COLUMNS, job.readings.schema, job.readings.misfits)
    plan = job.plan(len(filters))
    with exclusive_folder(job.target):
        folder, staging = job.target.connect(), Staging(job.target)
        _begin(folder, job.target, plan)
        done = read_json(folder, _DONE)
        if done is None:
            run = staging.begin(plan)
            parts = job.fetch(filters, columns, run)
            names = run_tasks(job.cluster, write_part, parts, columns=columns, staging=run)
            done = _finish(folder, run.connect(), names, parts)
        staging.end()
    rows: int = done["rows"]
    return rows


def _begin(folder: Remote, location: Location, plan: Mapping[str, Any]) -> None:
    """Write down what is exported here; go on only if the folder is empty, or holds just that."""
    known = read_json(folder, _PLAN)
    if known is None:
        others = sorted(folder.sizes())
        if others:
            raise FileExistsError(f"{location.given}, which holds {others[0]!r}, of no export; name another folder")
        write_json(folder, _PLAN, plan)
    elif known != plan:
        raise ValueError(f"{location.given}, which is for the export of {known}, not of {plan}; name another folder")


def _finish(folder: Remote, run: Remote, names: Sequence[str], parts: Sequence[FetchedPart]) -> Dict[str, Any]:
    """Move the files into place, write down how many rows they have, and return that."""
    counts = {}
    for number, (name, part) in enumerate(zip(names, parts)):
        final = f"part-{number:05}.parquet"
        folder.take(run, name, final)
        counts[final] = part.rows
    done = {"rows": sum(counts.values()), "parts": counts}
    write_json(folder, _DONE, done)
    return done


def write_part(part: FetchedPart, *, columns: Columns, staging: Location) -> str:
    """Write a part with the columns of all parts into the folder of the run, and return the name of its file.

    Args:
        part: The part.
        columns: The columns, with the findings of all parts.
        staging: The folder of the run.
    """
    arrow, parquet = dask_module("pyarrow", "an export"), dask_module("pyarrow.parquet", "an export")
    name, schema = unique_name("part", ".parquet"), columns.arrow_schema(arrow)
    with scratch_folder() as scratch:
        path = scratch / name
        with parquet.ParquetWriter(path, schema) as writer:
            batches = settled_rows([part], columns, staging, scratch)
            for table in grouped(batches, schema, arrow, _GROUP_ROWS, _GROUP_BYTES):
                writer.write_table(table)
        staging.connect().write(path, name)
    return name
