"""Times in results: naive UTC, or in the time zone that a client was given, wherever a method returns one."""

import dataclasses
import inspect
import os
import pickle
import subprocess
import sys
import time
import typing
from contextlib import suppress
from datetime import datetime, timedelta, timezone, tzinfo
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Set, Tuple

import pytest
import pytz
from label_folders import PETS, write_labels
from parity.recording import NAMES
from reliability.test_hostile_server import METHODS
from servers import FakeService

from viam_sync import tabular
from viam_sync.app import viam_client
from viam_sync.app.app_client import AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import FailedPreconditionError, InternalError
from viam_sync.rpc.dial import Channel
from viam_sync.rpc.policies import Retry
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter, partition_filter

UTC = timezone.utc
BERLIN = pytz.timezone("Europe/Berlin")
#: An hour before the clocks in Berlin go back, and the same wall clock after it.
FOLD = datetime(2024, 10, 27, 0, 30, 0, 123456, UTC)
TIMES = [FOLD, FOLD + timedelta(hours=1)]
#: Methods whose annotation says Any, for a Struct, which holds no times.
STRUCTS = {
    "AppClient.get_location_metadata",
    "AppClient.get_organization_metadata",
    "AppClient.get_robot_metadata",
    "AppClient.get_robot_part_metadata",
}
#: Methods with tests of their own for that, as they take more packages.
WITH_PACKAGES = {"DataClient.mirror_tabular_data"}


def holds_times(annotation: Any, seen: FrozenSet[Any] = frozenset()) -> bool:
    """Tell whether a value of a type may hold a datetime, as rows of a query may, which are dicts of Any."""
    if annotation in (datetime, Any):
        return True
    if annotation in seen:
        return False
    seen |= {annotation}
    of_class = typing.get_origin(annotation) or annotation
    inner: List[Any] = [each for each in typing.get_args(annotation) if each is not ...]
    if inspect.isclass(of_class):
        inner += getattr(of_class, "__orig_bases__", ())
        inner += typing.get_type_hints(of_class).values() if dataclasses.is_dataclass(of_class) else ()
    return any(holds_times(each, seen) for each in inner)


def returned(method: Any) -> Any:
    def function() -> None: ...

    function.__annotations__ = {"return": method.__annotations__["return"]}
    return typing.get_type_hints(function, {**vars(typing), **inspect.unwrap(method).__globals__, "os": os})["return"]


_CALLS = [each for each in METHODS if f"{each[0]}.{each[1]}" not in WITH_PACKAGES]
WITH_TIMES = [
    (client, text)
    for client, name, texts in _CALLS
    if f"{client}.{name}" not in STRUCTS and holds_times(returned(getattr(getattr(viam_client, client), name)))
    for text in texts
]
ALL = [(client, text) for client, name, texts in _CALLS if name != "create_filter" for text in texts]


def times_in(value: Any) -> Iterator[datetime]:
    """Yield the datetimes of a result: those of two pages, or of two items of an iterator."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, Mapping):
        yield from times_in([*value.values()])
    elif dataclasses.is_dataclass(value):
        yield from times_in([getattr(value, each.name) for each in dataclasses.fields(value) if each.name != "_client"])
        if hasattr(value, "next_page"):
            yield from times_in(value.next_page().runs)
    elif hasattr(value, "close") and isinstance(value, Iterator):
        with typing.cast(Any, value):
            yield from times_in([*islice(value, 2)])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from times_in(item)


def times_of_call(recorder: Tuple[FakeService, Channel], folder: Path, call: Tuple[str, str], **tz: Any) -> List[Any]:
    (folder / "upload.txt").write_bytes(b"contents")
    client, text = call
    made = getattr(viam_client, client)(recorder[1], {}, **tz)
    return [*times_in(eval(f"client.{text}", {**NAMES, "folder": str(folder), "client": made}))]


@pytest.mark.parametrize("call", WITH_TIMES, ids=lambda call: " ".join(call[1].split()))
def test_every_method_that_returns_times_returns_them_in_the_time_zone(
    recorder: Tuple[FakeService, Channel], tmp_path: Path, call: Tuple[str, str]
) -> None:
    naive, aware = (times_of_call(recorder, tmp_path, call, tz=tz) for tz in (None, BERLIN))
    assert naive
    assert [moment.replace(tzinfo=UTC).astimezone(BERLIN) for moment in naive] == aware
    assert {moment.tzinfo for moment in naive} == {None}
    assert {str(moment.tzinfo) for moment in aware} == {"Europe/Berlin"}


def test_no_method_returns_a_naive_time_that_its_annotation_does_not_tell(
    recorder: Tuple[FakeService, Channel], tmp_path: Path
) -> None:
    (tmp_path / "upload").mkdir()
    write_labels(tmp_path / "pets", "viam", PETS)
    found: Set[Tuple[str, str]] = set()
    for call in ALL:
        times: List[datetime] = []
        # Some calls are refused, an export ends where the server sends the same page again, and its datasets are of
        # sequences.
        with suppress(NotImplementedError, InternalError, FailedPreconditionError, ValueError):
            times = times_of_call(recorder, tmp_path, call, tz=UTC)
        assert [moment for moment in times if moment.tzinfo is not UTC] == [], call
        found |= {call} if times else set()
    assert found == {*WITH_TIMES}


def created(app: AppClient, sandbox: Sandbox) -> Any:
    created_on = app.get_robot_part(sandbox.robot_part_id).created_on
    assert created_on is not None
    return created_on.tzinfo


def test_each_way_to_make_a_client_takes_a_time_zone(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
    options = sandbox.dial_options()
    for make in (
        lambda tz: ViamClient.create_from_dial_options(options, sandbox.url, tz=tz),
        lambda tz: ViamClient.create_from_env_vars(app_url=sandbox.url, tz=tz),
        lambda tz: pickle.loads(pickle.dumps(ViamClient.create_from_dial_options(options, sandbox.url, tz=tz))),
        lambda tz: ViamClient.create_from_dial_options(options, sandbox.url).options(tz=tz),
    ):
        for tz in (UTC, None):
            with make(tz) as client:
                assert created(client.app_client, sandbox) is tz


def test_a_client_on_a_channel_takes_a_time_zone(sandbox: Sandbox, client: ViamClient) -> None:
    app = client.app_client
    channel, metadata = app._channel, app._metadata
    assert created(AppClient(channel, metadata, tz=UTC), sandbox) is UTC
    assert created(AppClient(channel, metadata).options(tz=UTC), sandbox) is UTC
    assert created(ViamClient(channel, metadata, tz=UTC).app_client, sandbox) is UTC  # type: ignore[arg-type]
    (row,), _, _ = DataClient(channel, metadata, tz=UTC).tabular_data_by_filter(limit=1)
    assert row.time_requested.tzinfo is UTC


def test_options_are_added_to_those_that_a_client_has(sandbox: Sandbox, client: ViamClient) -> None:
    zoned = client.options(tz=UTC)
    for each in (zoned, zoned.options(retry=Retry(attempts=2)), zoned.options(timeout=5).options(retry=False)):
        assert created(each.app_client, sandbox) is UTC
        assert created(each.app_client.options(timeout=5), sandbox) is UTC
    assert created(zoned.options(tz=BERLIN).app_client, sandbox).zone == "Europe/Berlin"
    assert created(zoned.app_client.options(tz=BERLIN), sandbox).zone == "Europe/Berlin"
    assert created(client.app_client, sandbox) is None


@pytest.mark.parametrize(
    ("wrong", "got"), [("UTC", "'UTC'"), (0, "0"), (timedelta(0), "a timedelta"), (datetime(2024, 1, 1), "a datetime")]
)
def test_a_time_zone_that_is_none_is_refused_with_advice(
    sandbox: Sandbox, client: ViamClient, wrong: Any, got: str
) -> None:
    text = "tz takes a datetime.tzinfo, such as datetime.timezone.utc or zoneinfo.ZoneInfo('Europe/Berlin'), got "
    for take in (
        client.options,
        client.app_client.options,
        lambda tz: AppClient(client.app_client._channel, {}, tz=tz),
        lambda tz: ViamClient.create_from_dial_options(sandbox.dial_options(), "http://127.0.0.1:1", tz=tz),
    ):
        with pytest.raises(TypeError) as raised:
            take(tz=wrong)
        assert str(raised.value) == text + got


def zones() -> Dict[str, tzinfo]:
    """Return Berlin as the libraries have it that are installed."""
    found: Dict[str, tzinfo] = {"pytz": BERLIN}
    for module, name in (("zoneinfo", "ZoneInfo"), ("backports.zoneinfo", "ZoneInfo"), ("dateutil.tz", "gettz")):
        with suppress(ImportError):  # Python 3.8 has no zoneinfo
            found[module] = getattr(import_module(module), name)("Europe/Berlin")
    return found


ZONES = {"UTC": UTC, "-06:00": timezone(timedelta(hours=-6)), **zones()}


@pytest.fixture(params=ZONES)
def tz(request: pytest.FixtureRequest) -> tzinfo:
    return ZONES[request.param]


@pytest.fixture
def data(client: ViamClient, tz: tzinfo) -> DataClient:
    return client.data_client.options(tz=tz)


def upload(data: DataClient, sandbox: Sandbox, times: List[datetime], name: str = "clock") -> None:
    data.tabular_data_capture_upload(
        [{"n": number} for number in range(len(times))],
        sandbox.robot_part_id,
        "sensor",
        name,
        "Readings",
        data_request_times=[(moment, moment) for moment in times],
    )


def read(data: DataClient, name: str = "clock", **more: Any) -> List[Any]:
    rows = data.iter_tabular_data(create_filter(name, **more), page_size=1, workers=2)
    return sorted((row.time_requested for row in rows), key=in_utc)


def in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def test_a_time_that_came_out_goes_in_again_also_where_the_clock_goes_back(
    sandbox: Sandbox, data: DataClient, tz: tzinfo
) -> None:
    upload(data, sandbox, TIMES)
    first, second = read(data)
    assert [first.utcoffset(), second.utcoffset()] == [moment.astimezone(tz).utcoffset() for moment in TIMES]
    assert [in_utc(first), in_utc(second)] == TIMES
    tick = timedelta(milliseconds=1)
    for start, end, found in ((first, second, [TIMES[0]]), (second, in_utc(second) + tick, [TIMES[1]])):
        assert [*map(in_utc, read(data, start_time=start, end_time=end))] == found
        stages = [{"$match": {"component_name": "clock", "time_requested": {"$gte": in_utc(start) - tick, "$lt": end}}}]
        assert len(data.tabular_data_by_mql(sandbox.organization_id, stages)) == 1
    halves = partition_filter(create_filter("clock", start_time=first, end_time=second), 2)
    assert [half.interval.start.ToDatetime(UTC) for half in halves] == [FOLD, FOLD + timedelta(minutes=30)]
    upload(data, sandbox, [first, second], "copy")
    assert read(data, "copy") == [first, second]


def test_the_rows_of_a_query_have_times_in_the_time_zone(sandbox: Sandbox, data: DataClient, tz: tzinfo) -> None:
    upload(data, sandbox, TIMES)
    every = {"$group": {"_id": "$component_name", "times": {"$push": {"at": "$time_requested"}}}}
    stages = [{"$match": {"component_name": "clock"}}, {"$sort": {"time_requested": 1}}, every]
    (row,) = data.tabular_data_by_mql(sandbox.organization_id, stages)
    found = [each["at"] for each in row["times"]]
    stored = [moment.replace(microsecond=123000) for moment in TIMES]
    assert [*map(in_utc, found)] == stored
    assert [moment.utcoffset() for moment in found] == [moment.astimezone(tz).utcoffset() for moment in stored]
    query = "SELECT time_requested FROM readings WHERE component_name = 'clock' ORDER BY time_requested"
    assert [row["time_requested"] for row in data.tabular_data_by_sql(sandbox.organization_id, query)] == found


def test_logs_parts_and_signed_urls_go_in_again_as_they_came(sandbox: Sandbox, client: ViamClient, tz: tzinfo) -> None:
    zoned = client.options(tz=tz)
    app, part = zoned.app_client, sandbox.robot_part_id
    with app.tail_robot_part_logs(part, errors_only=False) as tail:
        sandbox.wait_for_tail(part)
        sandbox.log(part, "Tick", time=FOLD)
        ((entry,),) = [next(tail)]
    assert entry.time is not None
    assert entry.time.utcoffset() == FOLD.astimezone(tz).utcoffset()
    assert entry.proto.time.ToDatetime(UTC) == FOLD
    assert [each.message for each in app.get_robot_part_logs(part, start=entry.time, end=entry.time)] == ["Tick"]
    known = app.get_robot_part(part)
    assert known.proto == client.app_client.get_robot_part(part).proto
    app.update_robot_part(part, known.name, {}, last_known_update=known.last_updated)
    (file,), _, _ = zoned.data_client.binary_data_by_filter(limit=1, include_binary_data=False)
    _, expires = zoned.data_client.create_binary_data_signed_url(file.metadata.binary_data_id)
    assert expires.utcoffset() == in_utc(expires).astimezone(tz).utcoffset()


EXPORTS: Dict[str, Callable[[DataClient, Sandbox, Path], Any]] = {
    "rows.csv": lambda data, _, path: data.export_tabular_data_to(create_filter("clock"), path),
    "rows.jsonl": lambda data, _, path: data.export_tabular_data_to(create_filter("clock"), path),
    "query.csv": lambda data, sandbox, path: data.export_tabular_data_to(
        "SELECT * FROM readings WHERE component_name = 'clock' ORDER BY time_requested",
        path,
        organization_id=sandbox.organization_id,
    ),
    "query.jsonl": lambda data, sandbox, path: data.export_tabular_data_to(
        [
            {"$match": {"component_name": "clock"}},
            {"$sort": {"time_requested": 1}},
            {"$group": {"_id": 1, "times": {"$push": "$time_requested"}}},
        ],
        path,
        organization_id=sandbox.organization_id,
    ),
    "rows.parquet": lambda data, _, path: data.export_tabular_data_to(create_filter("clock"), path),
    "page.json": lambda data, _, path: data.tabular_data_by_filter(create_filter("clock"), dest=str(path)),
    "page.csv": lambda data, _, path: data.tabular_data_by_filter(create_filter("clock"), dest=str(path)),
}


def exported(data: DataClient, sandbox: Sandbox, path: Path) -> bytes:
    path.parent.mkdir()
    EXPORTS[path.name](data, sandbox, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", EXPORTS)
def test_files_are_in_utc_whatever_the_time_zone_of_the_client(
    sandbox: Sandbox, client: ViamClient, tmp_path: Path, name: str
) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    data = client.data_client
    upload(data, sandbox, TIMES)
    written = exported(data, sandbox, tmp_path / "naive" / name)
    assert exported(data.options(tz=BERLIN), sandbox, tmp_path / "aware" / name) == written
    assert b"2024-10-27T00:30:00.123" in written or name.endswith(".parquet")


#: Gets, with the same times for every client: readings, points, and rows of a query with times in lists.
ROWS: Dict[str, Callable[[DataClient, Sandbox], Any]] = {
    "readings": lambda data, _: [*data.iter_tabular_data(create_filter("clock"))],
    "points": lambda data, sandbox: data.export_tabular_data(
        sandbox.robot_part_id, "clock", "rdk:component:sensor", "Readings"
    ),
    "query": lambda data, sandbox: data.tabular_data_by_mql(
        sandbox.organization_id,
        [
            {"$match": {"component_name": "clock"}},
            {"$sort": {"time_requested": 1}},
            {
                "$group": {
                    "_id": 1,
                    "first": {"$min": "$time_requested"},
                    "all": {"$push": "$time_requested"},
                    "objects": {"$push": {"at": "$time_requested"}},
                }
            },
        ],
    ),
}


@pytest.mark.parametrize("rows", ROWS)
def test_tables_say_utc_whatever_the_time_zone_of_the_client(sandbox: Sandbox, client: ViamClient, rows: str) -> None:
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    data = client.data_client
    upload(data, sandbox, TIMES)
    naive, aware = (ROWS[rows](each, sandbox) for each in (data, data.options(tz=BERLIN)))
    assert tabular.to_arrow(aware).equals(tabular.to_arrow(naive))
    assert "UTC" in str(tabular.to_arrow(aware).schema)
    pandas.testing.assert_frame_equal(tabular.to_pandas(aware), tabular.to_pandas(naive))


ACROSS_SIX_HOURS = """
import os, sys, time
from datetime import timezone
from viam_sync import ViamClient
os.environ["TZ"] = "America/Chicago"
time.tzset()
with ViamClient.create_from_env_vars() as client:
    for each in (client, client.options(tz=timezone.utc)):
        entry, = each.app_client.get_robot_part_logs(sys.argv[1], filter="Noon")
        print(int(entry.time.timestamp()))
"""


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the system has no TZ")
def test_what_takes_a_naive_time_for_a_local_one_is_six_hours_off_and_with_a_time_zone_right(sandbox: Sandbox) -> None:
    noon = datetime(2024, 1, 31, 12, tzinfo=UTC)
    sandbox.log(sandbox.robot_part_id, "Noon", time=noon)
    command = [sys.executable, "-c", ACROSS_SIX_HOURS, sandbox.robot_part_id]
    done = subprocess.run(
        command, env={**os.environ, **sandbox.env_vars()}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    naive, aware = map(int, done.stdout.split())
    assert (naive, aware) == (noon.timestamp() + 6 * 3600, noon.timestamp())
