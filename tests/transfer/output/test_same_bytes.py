"""The same rows make the same bytes in every process, in whose maps protobuf keeps keys in an order of its own."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Dict

import pytest
from google.protobuf.struct_pb2 import Struct

from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox

_READING = {
    **{f"key {number}": number for number in range(20)},
    "object": {f"key {number}": {"x": 1, "y": 2} for number in range(20)},
    "list": [{f"key {number}": number for number in range(20)}],
    "empty": {},
    "odd.key": float("inf"),
}

#: Writes a response, whose bytes are in the file that is named first, to the folder that is named next,
#: in the formats that are named last.
_SCRIPT = """
import sys
from pathlib import Path
from viam_sync.app._data.tabular_records import READING_COLUMNS, plain_rows, tabular_items
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.atomic import AtomicOutput
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.schema import Schema
from viam_sync.transfer.output.table_file import TableFile
from viam_sync.transfer.output.writers import write_rows

response, folder = pb.TabularDataByFilterResponse.FromString(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2])
rows = list(tabular_items(response))
for suffix in sys.argv[3:]:
    TableFile(folder / f"rows.{suffix}", columns=Columns(READING_COLUMNS)).write(plain_rows(rows), Progress(None))
    schema = Schema({"data.key 1": int}, fixed=READING_COLUMNS, misfits="rescue")
    TableFile(folder / f"rescued.{suffix}", columns=schema).write(plain_rows(rows), Progress(None))
for suffix in ("json", "jsonl", "csv"):
    write_rows(AtomicOutput(folder / f"page.{suffix}"), plain_rows(rows), dict, None, fixed=READING_COLUMNS)
"""


def _response() -> pb.TabularDataByFilterResponse:
    metadata = pb.CaptureMetadata(component_name="air", tags=["b", "a"])
    for number in range(10):
        parameter = Struct()
        parameter.update({f"key {inner}": inner for inner in range(10)})
        metadata.method_parameters[f"parameter {number}"].Pack(parameter)
    metadata.method_parameters["unknown"].type_url = "type.googleapis.com/of.no.Message"
    rows = [pb.TabularData(data=_READING), pb.TabularData(data={"key 1": "text", "object": 1})]
    return pb.TabularDataByFilterResponse(metadata=[metadata], data=rows)


def _written_by_a_process(response: Path, folder: Path, seed: int, *formats: str) -> Dict[str, bytes]:
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(response), str(folder), *formats],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        timeout=120,
        check=True,
    )
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_rows_make_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    formats = ["jsonl", "csv", *(["parquet"] if find_spec("pyarrow") else [])]
    (tmp_path / "response").write_bytes(_response().SerializeToString())
    first, *others = (
        _written_by_a_process(tmp_path / "response", tmp_path / str(seed), seed, *formats) for seed in range(4)
    )
    assert len(first) == 2 * len(formats) + 3
    assert all(first.values())
    for other in others:
        assert other == first


def test_the_rows_of_a_query_have_their_keys_in_order(sandbox: Sandbox, client: ViamClient, tmp_path: Path) -> None:
    pytest.importorskip("mongomock")
    data = client.data_client
    data.tabular_data_capture_upload([_READING], sandbox.robot_part_id, "sensor", "spy", "Readings")
    stages = [{"$match": {"component_name": "spy"}}]
    (row,) = data.tabular_data_by_mql(sandbox.organization_id, stages)
    assert list(row["data"]) == sorted(_READING)
    assert list(row["data"]["object"]) == sorted(_READING["object"])  # type: ignore[call-overload]
