"""What ``viam_sync.show`` prints, and what notebooks get: tables, thumbnails, times, sizes, and no secret."""

import base64
import random
import struct
import sys
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List

import pytest
from messages.schema_walk import full_name, messages

import viam_sync
from viam_sync.app.app_client import AppClient, LogEntry
from viam_sync.app.viam_client import ViamClient
from viam_sync.display.cells import Look, cell_text, size_text, time_text
from viam_sync.display.html_blocks import html_blocks
from viam_sync.display.tables import blocks_of
from viam_sync.display.text_blocks import text_blocks
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto import google as google_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datapipelines as pipelines_pb
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.export.results import ExportedFile, ExportResult
from viam_sync.transfer.upload.batch import UploadResult

from .random_messages import random_message

BERLIN_IN_WINTER = timezone(timedelta(hours=1))


def html_of(value: Any) -> str:
    html: str = value._repr_html_()
    return html


def printed(capsys: pytest.CaptureFixture[str], value: Any, **options: Any) -> List[str]:
    viam_sync.show(value, **options)
    return capsys.readouterr().out.splitlines()


def png(width: int, height: int) -> bytes:
    """Return a black picture in the PNG format."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_machines_are_a_table(app: AppClient, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    title, head, *rows = printed(capsys, app.list_robots(sandbox.location_id), tz=timezone.utc)
    assert title == "Robot (2)"
    assert head.split() == ["name", "id", "location", "last_access", "created_on"]
    assert [row.split()[0] for row in rows] == ["rover", "arm"]
    assert rows[0].endswith(" UTC")


@pytest.mark.parametrize("secrets", [False, True])
def test_secrets_are_shown_only_where_they_are_asked_for(
    app: AppClient, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], secrets: bool
) -> None:
    (part,) = app.get_robot_parts(sandbox.robot_id)
    location = app.get_location(sandbox.location_id)
    keys = app.list_keys(sandbox.organization_id)
    text = "\n".join(printed(capsys, (part, location, keys), secrets=secrets))
    assert (part.secret in text) == (location.auth.secret in text) == secrets
    assert ("(hidden)" in text) == (not secrets)
    # A view of its own shows no secret in any case.
    assert part.secret not in html_of(part)
    assert location.auth.secret not in html_of(location)


@pytest.mark.parametrize("seed", range(2))
def test_every_message_is_shown_and_its_markup_escaped(seed: int) -> None:
    source = random.Random(seed)
    for cls in messages():
        message = random_message(cls, source)
        html = html_blocks(blocks_of(message, Look()))
        assert "<script" not in html, full_name(cls)
        assert html_blocks(blocks_of([message, message], Look()))
        assert all(map(str.isprintable, text_blocks(blocks_of(message, Look(secrets=True))).splitlines()))


def test_names_cannot_bring_markup_or_commands_of_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    robot = pb.Robot(name='<script>alert("x")</script>', id="\x1b[31m\u202e\n")
    assert "&lt;script&gt;alert(&quot;x&quot;)" in html_of(robot)
    assert printed(capsys, [robot])[2].split("  ") == ['<script>alert("x")</script>', r"\x1b[31m\u202e"]


def test_long_tables_show_their_first_rows_and_count_all(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, [{"number": number} for number in range(10_000)])
    assert lines[0] == "rows (10,000)"
    assert lines[-1] == "… and 9,950 more"
    assert len(lines) == 53


def test_rows_of_a_query_are_a_table(client: ViamClient, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    rows = client.data_client.tabular_data_by_sql(
        sandbox.organization_id, "SELECT component_name, data FROM readings LIMIT 2"
    )
    lines = printed(capsys, rows)
    assert lines[0] == "rows (2)"
    assert {"component_name", "data.readings.temperature"} <= {*lines[1].split()}


def test_readings_have_a_column_for_each_value(client: ViamClient, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, client.data_client.tabular_data_by_filter(limit=2))
    assert lines[0] == "TabularData (2)"
    assert "readings.temperature" in lines[1]
    assert lines[4:6] == ["", "2"]


def test_log_entries_are_a_table(app: AppClient, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, app.get_robot_part_logs(sandbox.robot_part_id))
    assert lines[1].split() == ["time", "level", "logger_name", "message", "host"]


def test_results_are_a_line_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = ExportResult(
        tmp_path, [ExportedFile("o/l/f", error=OSError("sftp://me:hush@host")), ExportedFile("o/l/g")]
    )
    lines = printed(capsys, result)
    assert lines[0] == repr(result)
    assert "sftp://me:***@host" in lines[4]
    assert "<table" in html_of(result)
    assert printed(capsys, [UploadResult(Path("a.jpg"), error=OSError("full"))])[2].split() == [
        "a.jpg",
        "False",
        "OSError:",
        "full",
    ]


def test_a_message_has_a_row_for_each_field(capsys: pytest.CaptureFixture[str]) -> None:
    robot = pb.Robot(name="rover", location="shed", online_state=1)
    assert printed(capsys, robot) == [
        "Robot",
        "name          rover",
        "location      shed",
        "online_state  ONLINE_STATE_ONLINE",
    ]


def test_columns_stay_in_line_where_letters_are_wide(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, [{"a": "機械", "b": 1}, {"a": "abcd", "b": 2}])
    assert lines[2:] == ["機械  1", "abcd  2"]


def test_columns_have_one_order_whatever_the_first_row_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    places = [pb.Location(name="a", robot_count=1), pb.Location(name="b", parent_location_id="p", robot_count=2)]
    assert printed(capsys, places)[1:] == [
        "name  parent_location_id  robot_count",
        "a                         1",
        "b     p                   2",
    ]
    assert printed(capsys, [{1: {2: 3}}]) == ["rows (1)", "1", '{"2": 3}']


def test_plain_values_are_shown_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, []) == ["an empty list"]
    assert printed(capsys, [1, "a"]) == ["1, a"]
    assert printed(capsys, b"abc") == ["3 bytes"]
    assert printed(capsys, google_pb.Struct(fields={})) == ["{}"]


def test_bad_arguments_are_named() -> None:
    with pytest.raises(TypeError, match=r"tz takes a datetime\.tzinfo"):
        viam_sync.show([], tz="Europe/Berlin")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="secrets takes a bool"):
        viam_sync.show([], secrets="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2024, 1, 2, 23, 4, 5, 678900), "2024-01-03 00:04:05 UTC+01:00"),
        (datetime(2024, 1, 2, 23, 4, 5, tzinfo=timezone.utc), "2024-01-03 00:04:05 UTC+01:00"),
        (datetime(9999, 12, 31, 23, 59, 59), "9999-12-31 23:59:59 UTC"),
        (datetime(1970, 1, 1), ""),
    ],
)
def test_times_are_dates_in_the_zone_of_the_viewer(moment: datetime, shown: str) -> None:
    assert time_text(moment, BERLIN_IN_WINTER) == shown


def test_a_time_without_a_zone_is_shown_in_that_of_this_computer() -> None:
    moment = datetime(2024, 7, 1, 12)
    local = moment.replace(tzinfo=timezone.utc).astimezone()
    assert time_text(moment, None) == f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    assert time_text(moment.replace(tzinfo=BERLIN_IN_WINTER), None) == "2024-07-01 12:00:00 UTC+01:00"
    assert cell_text(google_pb.Timestamp(seconds=2**60), Look()) == f"{2**60} seconds after 1970"


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (5 * 2**30, "5.0 GiB"),
        (2**60, "1048576.0 TiB"),
    ],
)
def test_bytes_are_shown_by_their_size(size: int, shown: str) -> None:
    assert size_text(size) == shown


def test_a_picture_of_ten_megabytes_takes_little_of_a_notebook() -> None:
    picture = data_pb.BinaryData(binary=b"\x89PNG\r\n\x1a\n" + bytes(10_000_000), metadata={"file_name": "a.png"})
    html = html_of(picture)
    assert "PNG, 9.5 MiB" in html
    assert len(html) < 2000
    assert len(html_blocks(blocks_of([picture] * 1000, Look()))) < 20_000


def test_without_pillow_a_small_picture_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    small, large = png(64, 48), png(64, 48) + bytes(200_000)
    assert f'src="data:image/png;base64,{base64.b64encode(small).decode()}"' in html_of(
        data_pb.BinaryData(binary=small)
    )
    html = html_of(data_pb.BinaryData(binary=large))
    assert "<img" not in html
    assert "PNG, 195.4 KiB" in html


def test_boxes_stand_where_they_mark_something() -> None:
    box = data_pb.BoundingBox(
        label="<b>",
        x_min_normalized=0.75,
        x_max_normalized=0.25,
        y_min_normalized=-1,
        y_max_normalized=0.5,
        confidence=0.9,
    )
    odd = data_pb.BoundingBox(label="odd", x_min_normalized=float("nan"), x_max_normalized=7)
    metadata = data_pb.BinaryMetadata(annotations={"bboxes": [box, odd]})
    html = html_of(data_pb.BinaryData(binary=png(8, 8), metadata=metadata))
    assert "left:25.00%;top:0.00%;width:50.00%;height:50.00%" in html
    assert "left:0.00%;top:0.00%;width:100.00%;height:0.00%" in html
    assert "&lt;b&gt; 90%" in html


def test_reprs_of_records_are_short_lines_without_secrets(app: AppClient, client: ViamClient, sandbox: Sandbox) -> None:
    (part,) = app.get_robot_parts(sandbox.robot_id)
    rows, _, _ = client.data_client.tabular_data_by_filter(limit=1)
    entry = LogEntry.from_proto(common_pb.LogEntry(message="long\n" * 1000, host="http://me:hush@host/"))
    for shown in (part, *rows, entry, UploadResult(Path("x" * 500)), *app.list_fragments(sandbox.organization_id)):
        assert len(repr(shown)) < 200
        assert "\n" not in repr(shown)
        assert repr(shown).startswith(f"{type(shown).__name__}(")
        assert part.secret not in repr(shown)
        assert "hush" not in repr(shown)


def test_reprs_of_clients_and_iterators_say_what_they_are(client: ViamClient, sandbox: Sandbox) -> None:
    app, data = client.app_client, client.data_client
    rows = data.iter_tabular_data()
    things = [client, app, data, client.billing_client, client.ml_training_client, client.provisioning_client]
    for thing in things:
        assert sandbox.address in repr(thing)
        assert len(repr(thing)) < 200
    assert "app_client, " in repr(client)
    assert "machines" in repr(app)
    assert repr(rows) == "<Pages of TabularData: go through it by a for loop, or give it to list()>"
    rows.close()
    assert repr(rows) == "<Pages of TabularData: closed>"
    with app.tail_robot_part_logs(sandbox.robot_part_id) as tail:
        assert repr(tail) == "<LogsStream of LogEntry: go through it by a for loop, or give it to list()>"


def test_a_sandbox_shows_its_address_and_hides_its_key_behind_a_click(sandbox: Sandbox) -> None:
    assert repr(sandbox) == f"<Sandbox at {sandbox.url}>"
    html = html_of(sandbox)
    assert sandbox.url in html
    assert html.index("<summary>show</summary>") < html.index(sandbox.api_key) < html.index("</details>")
    assert sandbox.api_key not in repr(sandbox)
    stopped = Sandbox()
    assert stopped._repr_html_() is None
    assert "not running" in repr(stopped)


def test_the_page_of_a_sandbox_is_a_link() -> None:
    with Sandbox(ui=True) as sandbox:
        html = html_of(sandbox)
        assert f'<a href="{sandbox.ui_url}"' in html
        assert f">{sandbox.ui_url.partition('?')[0]}</a>" in html


def test_repr_and_print_of_a_message_are_those_of_protobuf() -> None:
    robot = pb.Robot(name="rover")
    assert repr(robot) == str(robot) == 'name: "rover"\n'
    assert google_pb.Timestamp(seconds=1)._repr_html_() is None


def test_pages_of_runs_are_a_table(client: ViamClient, capsys: pytest.CaptureFixture[str]) -> None:
    data = client.data_client
    response = pipelines_pb.ListDataPipelineRunsResponse(pipeline_id="p-1", runs=[{"id": "r-1", "status": 3}])
    lines = printed(capsys, data.DataPipelineRunsPage.from_proto(response, data, 10))
    assert lines[0].startswith("DataPipelineRunsPage(pipeline_id='p-1'")
    assert lines[2:] == ["DataPipelineRun (1)", "id   status", "r-1  DATA_PIPELINE_RUN_STATUS_COMPLETED"]
