"""All readings of a time range as one Parquet dataset, fetched by many processes at once, with Dask.

Without an account it exports a week from a sandbox on this computer. With VIAM_API_KEY and VIAM_API_KEY_ID set
(and VIAM_APP_URL, if it is not app.viam.com), it exports from the real cloud:

    python export_readings.py readings --start 2024-05-01 --end 2024-05-08
    python export_readings.py s3://bucket/readings --scheduler tcp://10.0.0.1:8786

Whatever dies on the way, each reading is in the dataset once, and the same command again does what is missing.
"""

# What is imported from Dask, fsspec and pyarrow has no complete types.
# pyright: basic, reportMissingImports=false, reportMissingTypeStubs=false

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import os
import tempfile
import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Set

# Before Python 3.11, Dask starts a worker anew by a fork of this process, in which what gRPC does for forks may hang.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client, get_worker
from fsspec.core import url_to_fs
from google.protobuf.json_format import MessageToDict

from viam_sync import ViamClient
from viam_sync.proto.app.data import Filter, Order
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter, partition_filter

OLDEST_FIRST = Order.ORDER_ASCENDING


@dataclass(frozen=True)
class Dataset:
    """The folder of a dataset, anywhere that fsspec reaches; it is sent to the workers.

    A name that begins with "_" is none of the dataset's data, for whatever reads it.
    """

    fs: Any
    root: str

    def part(self, number: int) -> str:
        """Return the path of a part, once its columns are those of all parts."""
        return f"{self.root}/{part_name(number)}"

    def fetched(self, number: int) -> str:
        """Return the path of a part as it came from the cloud."""
        return f"{self.root}/_temporary/{part_name(number)}"

    def publish(self, local: Path, path: str) -> None:
        """Let a local file appear at a path: whole or not at all, and in place of one that is there."""
        # A worker that dies while it copies leaves this behind, which goes when the export is complete.
        unfinished = f"{self.root}/_temporary/{uuid.uuid4().hex}"
        self.fs.put_file(str(local), unfinished)
        self.fs.mv(unfinished, path)

    def read(self, name: str) -> Any:
        """Return what `write` has written, or None."""
        path = f"{self.root}/{name}"
        return json.loads(self.fs.cat_file(path)) if self.fs.exists(path) else None

    def write(self, name: str, value: Any) -> None:
        """Write a small file of JSON."""
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / name
            local.write_text(json.dumps(value, indent=2), encoding="utf-8")
            self.publish(local, f"{self.root}/{name}")

    def begin(self, plan: Dict[str, Any]) -> None:
        """Write down what is exported here; go on only if the folder is empty, or holds just that."""
        # What other processes write does not reach the listings that some file systems keep.
        self.fs.invalidate_cache()
        known = self.read("_export.json")
        if known is None:
            if self.names() - {"_temporary"}:
                raise ValueError(f"{self.root} holds something else; name a folder that is empty or not there")
            self.fs.makedirs(f"{self.root}/_temporary", exist_ok=True)
            self.write("_export.json", plan)
        elif known != plan:
            raise ValueError(f"{self.root} is for the export of {known}, not of {plan}; name another folder")

    def names(self) -> Set[str]:
        """Return the names of what is in the folder."""
        try:
            return {path.rstrip("/").rpartition("/")[2] for path in self.fs.ls(self.root, detail=False)}
        except FileNotFoundError:
            return set()

    def finish(self, counts: Sequence[int]) -> Dict[str, Any]:
        """Write down how many rows the parts have, and return that; from now on, the dataset is complete."""
        parts = {part_name(number): count for number, count in enumerate(counts)}
        done = {"rows": sum(counts), "parts": parts}
        self.write("_SUCCESS", done)
        return done

    def tidy(self) -> None:
        """Remove what a complete dataset does without."""
        # A run before may have done it; and object stores have no empty folders.
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm(f"{self.root}/_temporary", recursive=True)


def part_name(number: int) -> str:
    return f"part-{number:05}.parquet"


def export(
    engine: Client, viam: ViamClient, filter: Filter, url: str, partitions: int = 16, **storage_options: Any
) -> int:
    """Export all readings that match a filter, which needs a start and an end, and return how many there are.

    Args:
        engine: The Dask cluster.
        viam: Where the readings are. It is sent to the workers, and with it the API key.
        filter: What the readings must match.
        url: The folder of the dataset, in the form that fsspec takes.
        partitions: How many parts of equal time to split the range into: a few for each worker, as one part may have
            many more readings than another.
        storage_options: What else fsspec needs to open the folder.
    """
    filters, numbers = partition_filter(filter, partitions), range(partitions)
    fs, root = url_to_fs(url, **storage_options)
    dataset = Dataset(fs, root.rstrip("/"))
    dataset.begin({"filter": MessageToDict(filter), "partitions": partitions})
    done = dataset.read("_SUCCESS")
    if done is None:
        # If a worker dies, another one does its task. "pure" tasks would not run again in the next export.
        options = {"dataset": dataset, "pure": False, "retries": 2}
        schemas = engine.gather(engine.map(fetch, numbers, filters, viam=viam, **options))
        counts = engine.gather(engine.map(align, numbers, schema=common_schema(schemas), **options))
        done = dataset.finish(counts)
    dataset.tidy()
    rows: int = done["rows"]
    return rows


def fetch(number: int, filter: Filter, viam: ViamClient, dataset: Dataset) -> pa.Schema:
    """Bring the readings of a partition into a file, unless they are there, and return its columns."""
    dataset.fs.invalidate_cache()
    path = dataset.fetched(number)
    if not dataset.fs.exists(path):
        with scratch() as folder:
            # The copy connects in this process, and closes only its own connection.
            with copy.copy(viam) as own:
                own.data_client.export_tabular_data_to(filter, folder / "rows.parquet", sort_order=OLDEST_FIRST)
            dataset.publish(folder / "rows.parquet", path)
    with dataset.fs.open(path, "rb") as file, pq.ParquetFile(file) as rows:
        return found_columns(rows)


def align(number: int, schema: pa.Schema, dataset: Dataset) -> int:
    """Write a part of the dataset, with the columns of all parts, and return how many rows it has."""
    with scratch() as folder:
        source, target = folder / "rows.parquet", folder / "part.parquet"
        dataset.fs.get_file(dataset.fetched(number), str(source))
        with pq.ParquetFile(source) as rows, pq.ParquetWriter(target, schema) as writer:
            if common_schema([schema, found_columns(rows)]) != schema:
                raise RuntimeError(
                    f"part {number} has been fetched once more, with new columns; start the export again"
                )
            # One group at a time: parts may be larger than memory.
            for group in range(rows.num_row_groups):
                writer.write_table(fitted(rows.read_row_group(group), schema))
            count: int = rows.metadata.num_rows
        dataset.publish(target, dataset.part(number))
    return count


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a task a local folder, where Dask tidies up after a worker that died."""
    with tempfile.TemporaryDirectory(dir=get_worker().local_directory) as folder:
        yield Path(folder)


def found_columns(file: pq.ParquetFile) -> pa.Schema:
    """Return the columns of a part, with the type null for those of numbers without any, as they may hold others."""
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    return pa.schema(
        [
            (field.name, field.type if any(has_values(group.column(place)) for group in groups) else bare(field.type))
            for place, field in enumerate(file.schema_arrow)
        ]
    )


def has_values(chunk: Any) -> bool:
    """Tell whether a chunk of a column, or its lists, have a value."""
    return chunk.statistics is None or chunk.statistics.num_values > 0


def bare(kind: pa.DataType) -> pa.DataType:
    """Return the type of a column without values: ``export_tabular_data_to`` makes it one of numbers."""
    if pa.types.is_list(kind):
        return pa.list_(bare(kind.value_type))
    return pa.null() if kind == pa.float64() else kind


def filled(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column has in the dataset if no part has a value in it."""
    if pa.types.is_list(kind):
        return pa.list_(filled(kind.value_type))
    return pa.float64() if pa.types.is_null(kind) else kind


def common_schema(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """Return the columns of all schemas, each with a type that holds the values of all."""
    types: Dict[str, pa.DataType] = {}
    for schema in schemas:
        for field in schema:
            types[field.name] = common_type(types.get(field.name, field.type), field.type)
    return pa.schema([(name, filled(kind)) for name, kind in types.items()])


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return the type for the values of both, by the rules of ``export_tabular_data_to``: if in doubt, text."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(common_type(one.value_type, other.value_type))
    return pa.string()


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with the columns of a schema."""
    columns: List[Any] = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(len(table), field.type))
        elif table.schema.field(field.name).type == field.type:
            columns.append(table.column(field.name))
        else:
            values = table.column(field.name).to_pylist()
            columns.append(pa.array([fitted_value(value, field.type) for value in values], field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def fitted_value(value: Any, kind: pa.DataType) -> Any:
    """Return a value as a column holds it; what is no text becomes JSON where it has to be text."""
    if pa.types.is_list(kind) and value is not None:
        return [fitted_value(item, kind.value_type) for item in value]
    if pa.types.is_string(kind) and not isinstance(value, (str, type(None))):
        return json.dumps(value, default=str)
    return value


def arguments() -> argparse.Namespace:
    """Read the command line."""
    today = datetime.combine(datetime.now(timezone.utc).date(), time())
    parser = argparse.ArgumentParser(description="Export readings into one Parquet dataset, with Dask.")
    parser.add_argument("url", help="folder of the dataset: a path, or a URL such as s3://bucket/readings")
    parser.add_argument("--start", type=datetime.fromisoformat, default=today - timedelta(7), help="first time, in UTC")
    parser.add_argument("--end", type=datetime.fromisoformat, default=today, help="the time after the last, in UTC")
    parser.add_argument("--partitions", type=int, default=16, help="into how many parts the range is split (16)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes to start on this computer")
    parser.add_argument("--scheduler", help="address of a Dask cluster to use instead, such as tcp://10.0.0.1:8786")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with contextlib.ExitStack() as stack:
        if "VIAM_API_KEY" in os.environ:
            viam = stack.enter_context(ViamClient.create_from_env_vars())
        else:
            print("VIAM_API_KEY is not set, so this is the sandbox:")
            sandbox = stack.enter_context(Sandbox())
            viam = stack.enter_context(ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url))
        organizations = [organization.id for organization in viam.app_client.list_organizations()]
        filter = create_filter(organization_ids=organizations, start_time=options.start, end_time=options.end)
        local = {"n_workers": options.workers, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
        engine = stack.enter_context(Client(options.scheduler) if options.scheduler else Client(**local))
        rows = export(engine, viam, filter, options.url, options.partitions)
        print(f"{options.url} has {rows} readings from {options.start} to {options.end}")


if __name__ == "__main__":
    main()
