"""Readings as a data frame of Dask."""

from datetime import datetime, timedelta
from typing import Any, Dict, List

import pytest
from clusters import HOUR, RANGE, RPC, START, fill, upload

from viam_sync.app.viam_client import ViamClient
from viam_sync.dask import read_tabular_data
from viam_sync.proto.app.data import Order
from viam_sync.sandbox import Sandbox
from viam_sync.tabular import to_pandas
from viam_sync.utils import create_filter

WHY = "tox -e dask has it"
pandas = pytest.importorskip("pandas", reason=WHY)
pytest.importorskip("dask.dataframe", reason=WHY)

# Older versions of Dask warn where a client of a cluster is there, too, and another scheduler is asked for.
pytestmark = pytest.mark.filterwarnings("ignore:Running on a single-machine scheduler when a distributed client is")

VALUES: List[Dict[str, Any]] = [
    {"level": 1.5, "on": True, "name": "ä", "list": [1, "a"], "mixed": 1, "none": None, "at": {"x": 1}, "object": {}},
    {"level": 2, "on": None, "name": None, "list": [], "mixed": "text", "at": {"y": "2"}},
    {"level": None, "rare": "late", "mixed": None},
]


def in_pandas(client: ViamClient, **options: Any) -> Any:
    rows = client.data_client.iter_tabular_data(RANGE, sort_order=Order.ORDER_ASCENDING)
    return to_pandas(rows, **options)


def computed(frame: Any, scheduler: str) -> Any:
    return frame.compute(scheduler=scheduler).reset_index(drop=True)


@pytest.mark.parametrize("scheduler", ["threads", "processes", "distributed"])
def test_its_rows_are_those_of_pandas_wherever_they_are_computed(
    client: ViamClient, sandbox: Sandbox, request: pytest.FixtureRequest, scheduler: str
) -> None:
    if scheduler == "distributed":
        request.getfixturevalue("engine")
    upload(client, sandbox, [(START + number * 2 * HOUR, values) for number, values in enumerate(VALUES)])
    frame = read_tabular_data(client, RANGE, partitions=8)
    assert (frame.npartitions, frame.divisions) == (8, (None,) * 9)
    whole = in_pandas(client)
    pandas.testing.assert_frame_equal(frame._meta, whole.iloc[:0])
    pandas.testing.assert_frame_equal(computed(frame, scheduler), whole)
    # Lists are lists, and no text.
    assert frame["data.list"].compute(scheduler=scheduler).iloc[0] == [1.0, "a"]


def test_each_part_has_the_columns_that_were_promised(client: ViamClient, sandbox: Sandbox) -> None:
    upload(client, sandbox, [(START + number * 2 * HOUR, values) for number, values in enumerate(VALUES)])
    frame = read_tabular_data(client, RANGE, partitions=8)
    for number in range(8):
        part = frame.get_partition(number).compute(scheduler="synchronous")
        pandas.testing.assert_frame_equal(part.iloc[:0].reset_index(drop=True), frame._meta)


def test_it_is_lazy_and_sums_up(client: ViamClient, sandbox: Sandbox) -> None:
    fill(client, sandbox)
    schema = {"data.number": float, "data.name": str}
    refusal = sandbox.faults.fail(RPC, "PERMISSION_DENIED", times=None)
    frame = read_tabular_data(client, RANGE, partitions=4, schema=schema)
    assert refusal.met == 0
    sandbox.faults.clear()
    assert (len(frame), frame["data.number"].sum().compute()) == (900, sum(range(900)))
    # A part is fetched anew each time.
    upload(client, sandbox, [(START, {"number": 1000, "name": "b"})])
    assert frame["data.number"].max().compute() == 1000


def test_with_a_schema_its_types_are_those_of_the_schema(client: ViamClient, sandbox: Sandbox) -> None:
    upload(client, sandbox, [(START, {"number": 1}), (START + 7 * HOUR, {"number": 2, "more": "x"})])
    options: Dict[str, Any] = {"schema": {"data.number": int, "data.when": datetime}, "misfits": "rescue"}
    frame = read_tabular_data(client, RANGE, partitions=3, **options)
    whole = in_pandas(client, **options)
    assert str(whole["data.number"].dtype) == "Int64"
    pandas.testing.assert_frame_equal(frame._meta, whole.iloc[:0])
    pandas.testing.assert_frame_equal(computed(frame, "threads"), whole)


@pytest.mark.parametrize(
    ("late", "text"),
    [
        ({"rare": 1}, r"the first rows lack the column 'data.rare'; give .* as schema \(among the readings from 2024-"),
        ({"level": "n/a"}, r"the column 'data.level' has \w+ here, and Float64 in the first rows; give the names and"),
    ],
)
def test_what_the_first_rows_do_not_have_is_an_error_that_names_it(
    client: ViamClient, sandbox: Sandbox, late: Dict[str, Any], text: str
) -> None:
    rows = [(START + number * timedelta(seconds=1), {"level": number}) for number in range(100)]
    upload(client, sandbox, [*rows, (START + HOUR, late)])
    frame = read_tabular_data(client, RANGE, partitions=2)
    with pytest.raises(ValueError, match=text):
        len(frame.compute(scheduler="synchronous"))


def test_what_does_not_fit_the_schema_is_named_with_its_part(client: ViamClient, sandbox: Sandbox) -> None:
    upload(client, sandbox, [(START + 5 * HOUR, {"level": "n/a"})])
    frame = read_tabular_data(client, RANGE, partitions=2, schema={"data.level": float})
    text = (
        r"schema has the column 'data.level' as float, but row 1 has a str .*from 2024-05-01T04:00:00Z to 2024-05-01T08"
    )
    with pytest.raises(ValueError, match=text):
        frame.compute(scheduler="synchronous")


def test_without_rows_it_has_the_columns_of_readings(client: ViamClient) -> None:
    frame = read_tabular_data(client, RANGE, partitions=3)
    pandas.testing.assert_frame_equal(computed(frame, "threads"), in_pandas(client))


def test_wrong_arguments_are_named(client: ViamClient) -> None:
    with pytest.raises(ValueError, match="filter has no start; give create_filter both start_time and end_time"):
        read_tabular_data(client, create_filter(component_name="probe"))
    with pytest.raises(ValueError, match="partitions takes an int from 1 to 100000, got 0"):
        read_tabular_data(client, RANGE, partitions=0)
    with pytest.raises(TypeError, match="client takes a ViamClient, got a DataClient"):
        read_tabular_data(client.data_client, RANGE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="misfits is 'null', but there is no schema"):
        read_tabular_data(client, RANGE, misfits="null")
