"""Properties of converters, filters, file names and options, with inputs that hypothesis makes."""

import contextlib
import datetime as dt
import io
import json
import math
import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis makes the inputs")

from google.protobuf.duration_pb2 import Duration  # noqa: E402
from google.protobuf.message import DecodeError  # noqa: E402
from google.protobuf.struct_pb2 import Struct  # noqa: E402
from google.protobuf.timestamp_pb2 import Timestamp  # noqa: E402
from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from viam_sync import utils  # noqa: E402
from viam_sync.app._data.arguments import id_field  # noqa: E402
from viam_sync.app._data.reading_messages import message_batches, reading_messages  # noqa: E402
from viam_sync.app._data.upload_metadata import with_dot  # noqa: E402
from viam_sync.app.app_client import Fragment, LogEntry, RobotPart  # noqa: E402
from viam_sync.app.viam_client import ViamClient  # noqa: E402
from viam_sync.messages.bson_documents import from_documents, to_documents  # noqa: E402
from viam_sync.messages.struct_layouts import StructReader  # noqa: E402
from viam_sync.messages.values import value_to_message  # noqa: E402
from viam_sync.proto import app as pb  # noqa: E402
from viam_sync.proto import common as common_pb  # noqa: E402
from viam_sync.proto.app import data as data_pb  # noqa: E402
from viam_sync.rpc.dial import DialOptions, parse_address  # noqa: E402
from viam_sync.sandbox import __main__ as command_line  # noqa: E402
from viam_sync.sandbox.faults.faults import Faults  # noqa: E402
from viam_sync.sandbox.faults.parsing import plan_from_text  # noqa: E402
from viam_sync.transfer.output.atomic import AtomicOutput  # noqa: E402
from viam_sync.transfer.output.batches import BatchStore, record_batches  # noqa: E402
from viam_sync.transfer.output.columns import Columns, columns_of  # noqa: E402
from viam_sync.transfer.output.export_paths import ExportPaths  # noqa: E402
from viam_sync.transfer.output.flatten import flatten, nest  # noqa: E402
from viam_sync.transfer.output.frames import data_frame  # noqa: E402
from viam_sync.transfer.output.kinds import arrow_type, fitted  # noqa: E402
from viam_sync.transfer.output.names import clean_name, shortened  # noqa: E402
from viam_sync.transfer.output.rows import json_value  # noqa: E402
from viam_sync.transfer.upload.batch import files_of  # noqa: E402

#: The same inputs in every run, unless more are asked for.
MOST = int(os.environ.get("VIAM_SYNC_EXAMPLES", "0"))
settings.register_profile(
    "viam_sync", derandomize=not MOST, deadline=None, database=None, max_examples=MOST or 40, print_blob=True
)
settings.load_profile("viam_sync")

#: As a message holds it; and as Python does, with half characters.
TEXTS, ANY_TEXT = st.text(max_size=20), st.text(st.characters(), max_size=40)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=5)
NAIVE = st.datetimes()
ZONES = st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
BSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | TEXTS
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(lambda key: "\0" not in key), inner, max_size=3)
    ),
)


def tried(call: Callable[[], Any]) -> Tuple[Any, Optional[str]]:
    """Return what a call returns, and what it is refused with; one of them is None."""
    try:
        return call(), None
    except (TypeError, ValueError) as error:
        if type(error) not in (TypeError, ValueError):  # such as an error of encoding
            raise
        return None, str(error)


# Converters


@given(OBJECTS)
def test_a_dict_survives_the_way_into_a_struct_and_back(mapping: Dict[str, Any]) -> None:
    assert utils.struct_to_dict(utils.dict_to_struct(mapping)) == mapping


def outcome(read: Callable[[Struct], Any], struct: Struct) -> str:
    """Return the values that a function reads, in their order, or the error."""
    try:
        return repr(read(struct))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def reader_that_knows(struct: Struct) -> StructReader:
    """Return a reader that has seen a Struct so often that it knows its layout."""
    reader = StructReader()
    for _ in range(8):
        reader.read(struct)
    return reader


@given(OBJECTS, st.data())
def test_a_reader_that_knows_a_layout_reads_others_of_it_as_they_are_read_value_by_value(
    mapping: Dict[str, Any], data: st.DataObject
) -> None:
    def other(value: Any) -> Any:
        """Return a value of the same layout."""
        if isinstance(value, dict):
            return {key: other(item) for key, item in value.items()}
        if isinstance(value, list):
            return [other(item) for item in value]
        if isinstance(value, str):
            return value.swapcase()
        if isinstance(value, bool) or value is None:
            return value if value is None else not value
        return data.draw(st.floats())

    struct = utils.dict_to_struct(mapping)
    reader = reader_that_knows(struct)
    for each in (struct, utils.dict_to_struct(other(mapping))):
        assert outcome(reader.read, each) == outcome(utils.struct_to_dict, each)


@given(OBJECTS, st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_reader_that_knows_a_layout_reads_damaged_structs_as_they_are_read_value_by_value(
    mapping: Dict[str, Any], place: int, damage: bytes
) -> None:
    whole = utils.dict_to_struct(mapping)
    data = whole.SerializeToString()
    at = place % (len(data) + 1)
    for changed in (data[:at] + damage + data[at:], data[:at] + damage + data[at + len(damage) :], data + data):
        try:
            struct = Struct.FromString(changed)
        except (DecodeError, UnicodeDecodeError):
            continue
        expected = outcome(utils.struct_to_dict, struct)
        assert outcome(reader_that_knows(whole).read, struct) == expected
        if not expected.startswith("ValueError"):
            assert outcome(reader_that_knows(struct).read, struct) == expected


@given(VALUES)
def test_a_value_survives_the_way_into_a_message_and_back(value: Any) -> None:
    assert utils.value_to_primitive(utils.primitive_to_value(value)) == value


@given(NAIVE)
@example(dt.datetime.min)
@example(dt.datetime.max)
def test_a_time_survives_the_way_into_a_timestamp_and_back(moment: dt.datetime) -> None:
    timestamp = utils.datetime_to_timestamp(moment)
    assert timestamp is not None
    assert utils.timestamp_to_datetime(timestamp) == moment


@given(NAIVE, ZONES)
@example(dt.datetime.min, dt.timezone(dt.timedelta(hours=14)))
@example(dt.datetime.max, dt.timezone(dt.timedelta(hours=-12)))
def test_a_time_with_a_zone_becomes_utc_or_is_refused_by_name(moment: dt.datetime, zone: dt.timezone) -> None:
    try:
        utc = moment - zone.utcoffset(None)
    except OverflowError:
        with pytest.raises(ValueError, match=r"^dt takes"):
            utils.datetime_to_timestamp(moment.replace(tzinfo=zone))
        return
    timestamp = utils.datetime_to_timestamp(moment.replace(tzinfo=zone))
    assert timestamp is not None
    assert utils.timestamp_to_datetime(timestamp) == utc


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_any_timestamp_is_a_time_or_refused(seconds: int, nanos: int) -> None:
    moment, refused = tried(lambda: utils.timestamp_to_datetime(Timestamp(seconds=seconds, nanos=nanos)))
    if refused:
        assert "calendar" in refused
    else:
        assert abs((moment - dt.datetime(1970, 1, 1)).total_seconds() - seconds) < 3


@given(st.timedeltas())
def test_a_span_is_kept_or_refused_by_name(span: dt.timedelta) -> None:
    message, refused = tried(lambda: value_to_message(Duration, span, "span"))
    if refused:
        assert refused.startswith("span takes")
        assert abs(span) > dt.timedelta(days=3_650_000)
    else:
        assert message.ToTimedelta() == span


@given(st.lists(st.dictionaries(TEXTS.filter(lambda key: "\0" not in key), BSON, max_size=4), max_size=4))
def test_stages_survive_the_way_into_bson_and_back(stages: List[Dict[str, Any]]) -> None:
    response = data_pb.TabularDataByMQLResponse(raw_data=to_documents("stages", stages))
    assert from_documents(response, response.raw_data) == stages


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read_as_bson(document: bytes) -> None:
    response = data_pb.TabularDataByMQLResponse(raw_data=[document])
    with contextlib.suppress(ValueError):
        assert all(isinstance(row, dict) for row in from_documents(response, response.raw_data))


@given(TEXTS, TEXTS, st.none() | NAIVE, st.none() | OBJECTS, st.lists(OBJECTS, max_size=3))
def test_a_log_entry_survives_the_way_into_a_message_and_back(host, message, time, caller, fields) -> None:
    entry = LogEntry(host, "info", time, "logger", message, caller, "", fields)
    assert LogEntry.from_proto(entry.proto) == entry


@given(TEXTS, st.none() | OBJECTS, st.none() | NAIVE, st.booleans(), st.none() | TEXTS)
def test_a_part_survives_the_way_into_a_message_and_back(name, config, time, main, as_json) -> None:
    part = RobotPart("p", name, "", "", "r", "l", config, time, config, main, "", "", time, [], time, as_json)
    assert RobotPart.from_proto(part.proto) == part


@given(st.binary(max_size=80))
@pytest.mark.parametrize(
    ("record", "message"), [(RobotPart, pb.RobotPart), (LogEntry, common_pb.LogEntry), (Fragment, pb.Fragment)]
)
def test_any_message_of_a_service_is_a_record_or_refused(record: Any, message: Any, sent: bytes) -> None:
    try:
        decoded = message.FromString(sent)
    except DecodeError:
        return
    with contextlib.suppress(ValueError):
        assert isinstance(record.from_proto(decoded), record)


@given(TEXTS, TEXTS, st.none() | OBJECTS.filter(lambda config: "Infinity" not in json.dumps(config)), st.booleans())
def test_a_message_survives_the_way_into_a_struct_and_back(name, secret, config, main) -> None:
    part = pb.RobotPart(name=name, secret=secret, robot_config=config, main_part=main)
    assert utils.struct_to_message(utils.message_to_struct(part), pb.RobotPart) == part


@given(st.lists(OBJECTS, max_size=6))
def test_readings_arrive_as_they_were_in_their_order(rows: List[Dict[str, Any]]) -> None:
    sent = [message for batch in message_batches(reading_messages(rows)) for message in batch]
    assert [utils.struct_to_dict(message.struct) for message in sent] == rows


@given(st.lists(OBJECTS, min_size=1, max_size=5))
def test_a_column_holds_the_same_whether_rows_went_through_a_file_or_not(rows: List[Dict[str, Any]]) -> None:
    flat, columns = columns_of(rows)
    assert set(columns.kinds) == {name for row in flat for name in row}
    for row in flat:
        spooled = json.loads(json.dumps(row, default=json_value))
        for name, kind in columns.kinds.items():
            assert fitted(row.get(name), kind) == fitted(spooled.get(name), kind)


DOTTED = st.text("x.\\", max_size=3)
NESTED = st.recursive(SCALARS, lambda inner: st.dictionaries(DOTTED, inner, max_size=3))


@given(st.dictionaries(DOTTED, NESTED, max_size=4))
def test_a_flat_row_has_all_values_of_the_row(row: Dict[str, Any]) -> None:
    assert nest(flatten(row)) == row


#: Values of all kinds in few columns, so that each has several.
MIXED = st.recursive(
    SCALARS | st.floats() | st.integers() | st.binary(max_size=5) | NAIVE | st.just({}),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.dictionaries(TEXTS, inner, max_size=2), max_size=2),
)
MIXED_ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", ""]), MIXED), min_size=1, max_size=8)


@given(MIXED_ROWS, st.integers(1, 9), st.booleans())
def test_rows_become_the_same_table_in_batches_of_any_size(rows: List[Dict[str, Any]], size: int, spool: bool) -> None:
    arrow = pytest.importorskip("pyarrow")
    flat, columns = columns_of(rows)
    with BatchStore(arrow, io.BytesIO if spool else None, memory=100) as store:
        schema, batches = record_batches(rows, Columns(), store, arrow, most_rows=size)
        table = arrow.Table.from_batches(list(batches), schema)
    assert table.schema == columns.arrow_schema(arrow)
    for name, kind in columns.kinds.items():
        whole = arrow.array([fitted(row.get(name), kind) for row in flat], arrow_type(kind, arrow))
        assert str(table[name].to_pylist()) == str(whole.to_pylist())  # as text, in which NaN is like NaN


@given(MIXED_ROWS, st.integers(1, 9))
def test_a_data_frame_has_all_values_as_they_were(rows: List[Dict[str, Any]], size: int) -> None:
    pandas = pytest.importorskip("pandas")
    frame = data_frame(rows, Columns(), pandas, most_rows=size)
    flat, columns = columns_of(rows)
    assert list(frame.columns) == list(columns.kinds)
    for name, kind in columns.kinds.items():
        held = [None if value is pandas.NA or value is pandas.NaT else value for value in frame[name]]
        made = [in_frame(row.get(name), kind) for row in flat]
        assert [str(value) for value in held] == [str(value) for value in made]


def in_frame(value: Any, kind: Any) -> Any:
    if value == {}:
        return "{}"
    return float(value) if kind == "float" and value is not None else in_utc(value)


def in_utc(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.timezone.utc)
    if isinstance(value, list):
        return list(map(in_utc, value))
    return {name: in_utc(item) for name, item in value.items()} if isinstance(value, dict) else value


@given(st.recursive(SCALARS | st.floats() | st.binary(max_size=5) | NAIVE, lambda inner: st.lists(inner, max_size=3)))
def test_any_value_of_a_row_has_a_form_in_strict_json(value: Any) -> None:
    json.dumps(json_value(value), allow_nan=False)


@given(ANY_TEXT)
def test_a_text_is_an_id_or_refused_by_name(text: str) -> None:
    fields, refused = tried(lambda: id_field("binary_id", text))
    if refused:
        assert refused.startswith("binary_id ")
    else:
        assert data_pb.BinaryDataByIDsRequest(binary_data_ids=[fields["binary_data_id"]]).binary_data_ids == [text]


# Filters


@given(st.dictionaries(st.sampled_from(["robot_id", "part_name", "method", "dataset_id"]), TEXTS), st.lists(TEXTS))
def test_a_filter_has_what_is_given(texts: Dict[str, str], tags: List[str]) -> None:
    made = utils.create_filter(**texts, tags=tags, location_ids=tags)
    assert {name: getattr(made, name) for name in texts} == texts
    assert list(made.tags_filter.tags) == list(made.location_ids) == tags


@given(NAIVE, st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=4000)), st.integers(1, 50))
def test_the_parts_of_a_filter_cover_its_time_once(start: dt.datetime, span: dt.timedelta, n: int) -> None:
    end = min(start, dt.datetime.max - span) + span
    start, most = end - span, span // dt.timedelta(microseconds=1)
    whole = utils.create_filter(robot_id="r", start_time=start, end_time=end)
    if n > most:
        with pytest.raises(ValueError, match=r"^n takes"):
            utils.partition_filter(whole, n)
        return
    edges = [part.interval for part in utils.partition_filter(whole, n)]
    assert len(edges) == n
    assert (edges[0].start, edges[-1].end) == (whole.interval.start, whole.interval.end)
    assert all(one.end == other.start for one, other in zip(edges, edges[1:]))
    assert all(utils.timestamp_to_datetime(each.start) < utils.timestamp_to_datetime(each.end) for each in edges)


# File names

ODD = st.text(st.sampled_from('abAB.-_ /\\:*?"<>|\0\n~éİß\u0301\u202e\ufeff😀') | st.characters(), max_size=300).map(
    lambda text: text.encode("utf-8", "ignore").decode()
)
DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}


def _is_harmless(part: str) -> bool:
    plain = not any(letter in ':*?"<>|\\/\x7f' or ord(letter) < 32 for letter in part)
    on_windows = part == part.rstrip(". ") and part.partition(".")[0].rstrip(" ").lower() not in DEVICES
    return plain and on_windows and part not in ("", ".", "..") and len(part.encode()) <= 255


@given(names=st.lists(st.tuples(ODD, ODD.map(lambda text: text[:30])), min_size=1, max_size=8))
def test_files_land_inside_at_paths_of_their_own_that_every_system_takes(names, tmp_path_factory) -> None:
    allocator = ExportPaths(tmp_path_factory.getbasetemp() / "nothing here", [])
    allocated = [
        allocator.allocate(data_pb.BinaryMetadata(id=str(number), file_name=name, file_ext=ending))
        for number, (name, ending) in enumerate(names)
    ]
    paths = [path for export_path in allocated for path in export_path]
    assert len({path.casefold() for path in paths}) == len(paths)
    for path in paths:
        room, *parts = path.split("/")
        assert room in ("data", "metadata")
        assert [part for part in parts if not _is_harmless(part)] == []
        assert parts


@given(ODD)
def test_a_cleaned_name_stays_as_it_is_when_cleaned_again(name: str) -> None:
    assert clean_name(clean_name(name)) == clean_name(name)


@given(ODD, st.integers(40, 200))
def test_a_name_is_shortened_to_what_it_may_be_long(name: str, longest: int) -> None:
    assert len(shortened(name, longest).encode()) <= longest


@given(ODD.filter(lambda name: "/" not in name and "\0" not in name and name not in ("", ".", "..")))
def test_the_stem_of_an_upload_and_its_extension_are_its_name(name: str) -> None:
    (found,) = files_of([Path("folder") / name])
    assert found.stem + found.path.suffix == found.path.name == name


@given(TEXTS)
def test_an_extension_has_one_dot_more_at_most(extension: str) -> None:
    assert with_dot(extension) in (extension, f".{extension}")
    assert with_dot(with_dot(extension)) == with_dot(extension)


@given(ANY_TEXT)
@example("\ud800")
@example("a\0b")
def test_a_destination_is_a_file_or_refused(name: str) -> None:
    with contextlib.suppress(OSError):
        _, refused = tried(lambda: AtomicOutput(Path("no such folder") / name))
        assert refused is None or refused.startswith("dest ")


# Options


@given(ANY_TEXT, st.booleans())
def test_any_text_is_an_address_or_refused(text: str, insecure: bool) -> None:
    address, refused = tried(lambda: parse_address(text, insecure))
    if refused:
        assert "a number from 1 to 65535" in refused or "address" in refused
    else:
        assert address.host
        assert 0 < address.port < 65536
        assert not (insecure and address.tls)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{1,9}){0,3}", fullmatch=True), st.integers(1, 65535), st.booleans())
def test_an_address_leads_where_it_says(host: str, port: int, tls: bool) -> None:
    address = parse_address(f"{'https' if tls else 'http'}://{host}:{port}/path")
    assert (address.host, address.port, address.tls) == (host, port, tls)


@given(st.sampled_from(["timeout", "initial_connection_attempts", "max_reconnect_attempts"]), VALUES | st.floats())
def test_a_number_of_the_options_is_kept_or_refused_by_name(name: str, value: Any) -> None:
    options, refused = tried(lambda: DialOptions(**{name: value}))
    if refused:
        assert refused.startswith(f"{name} takes")
    else:
        assert getattr(options, name) == value
        assert 0 <= value < math.inf


@given(ANY_TEXT.filter(lambda text: "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)))
def test_an_id_of_a_key_in_the_environment_that_is_none_is_refused_before_anything_is_dialled(text: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("VIAM_API_KEY", "hush-hush")
        environment.setenv("VIAM_API_KEY_ID", text)
        with pytest.raises(ValueError, match=r"VIAM_API_KEY_ID|api_key_id") as caught:
            ViamClient.create_from_env_vars(app_url="127.0.0.1:1")
    assert "hush" not in str(caught.value)


@given(
    st.lists(
        st.sampled_from(["--port", "--seed", "--token-lifetime", "--tls", "--fault", "--ui", "--ui-port"]) | ANY_TEXT,
        max_size=4,
    )
)
def test_a_command_line_is_read_or_refused_with_how_to_use_it(arguments: List[str]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            port = command_line._options(arguments).port
        except SystemExit:
            port = None
    assert "usage" in said.getvalue() if port is None else 0 <= port <= 65535


@given(
    ANY_TEXT
    | st.lists(st.sampled_from(["GetRobot", "delay", "drop", "all", "times=1", "rate=2", "seconds=1", "x=y"])).map(
        ":".join
    )
)
def test_a_text_plans_a_fault_or_is_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        plan_from_text(Faults(), text)
