import math
from types import SimpleNamespace

import pytest

from sandbox.calls import Caller, refused
from sandbox.data_calls import NO_UUID
from sandbox.tabular_calls import HERE, Tabular
from viam_sync.messages.pool import pool
from viam_sync.proto.app import data as pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.data.readings_rpcs import ReadingsServicer
from viam_sync.sandbox.wire.authentication import Authentication
from viam_sync.utils import struct_to_dict

ASCENDING, DESCENDING = 2, 1
OR, TAGGED, UNTAGGED = 1, 2, 3
DAY = 24 * 60 * 60
FIRST, LAST = -62_135_596_800, 253_402_300_799  # of the year 1, and of the year 9999
NOW = 1_700_000_000  # 22:13:20 UTC


@pytest.fixture
def at_now(start, owner_of):
    """Provide the data services of a sandbox whose clock shows NOW, with all readings deleted."""
    tabular = Tabular(owner_of(start(clock=lambda: NOW)))
    tabular.DeleteTabularData(organization_id=tabular.organization_id)
    return tabular


def pages(tabular, limit=0, sort_order=0, **filter):
    """Return a value of the readings on each page."""
    found, last = [], ""
    while True:
        page = tabular.page(limit, last, sort_order, **filter)
        assert page.count == len(page.data)
        assert {row.metadata_index for row in page.data} == set(range(len(page.metadata)))
        if not page.data:
            assert (page.last, page.total_size_bytes) == ("", 0)
            return found
        found.append([row.data["readings"]["n"] for row in page.data])
        last = page.last


def flat(pages):
    return [each for page in pages for each in page]


def test_the_sample_has_a_week_of_the_air_in_the_greenhouse(sandbox, owner):
    sample = Tabular(owner)
    assert sample.count() == 7 * 24 * 6
    page = sample.page(limit=2, component_name="air", robot_name="plant-watcher", method="Readings")
    (metadata,) = page.metadata
    assert (metadata.component_type, list(metadata.tags)) == ("rdk:component:sensor", ["greenhouse"])
    newest, before = page.data
    assert newest.time_requested.seconds - before.time_requested.seconds == 600
    assert set(newest.data["readings"]) == {"temperature", "humidity", "co2"}
    robots = owner.ListRobots(location_id=metadata.location_id).robots
    assert newest.time_requested == robots[0].last_access


def test_captured_readings_come_back_unchanged(tabular):
    values = {
        "f": 1.5,
        "t": "ein Käfer\0",
        "b": False,
        "nothing": None,
        "list": [1, [2, {}]],
        "": {"deep": {"er": -0.0}},
    }
    tabular.put(values, at=5, tags=["a", "b"], method_parameters={})
    (row,) = tabular.page().data
    assert struct_to_dict(row.data) == {"readings": values}
    assert math.copysign(1, row.data["readings"][""]["deep"]["er"]) == -1
    assert (row.time_requested.seconds, row.time_received.seconds) == (5, 5)
    (metadata,) = tabular.page().metadata
    assert metadata.part_id == tabular.part_id
    assert list(metadata.tags) == ["a", "b"]


def test_a_reading_without_times_was_captured_when_it_came(at_now):
    at_now.put({"n": 1})
    (row,) = at_now.page().data
    assert row.time_requested.seconds == row.time_received.seconds == NOW


def test_readings_that_are_no_numbers_and_the_first_and_last_times_are_kept(tabular):
    tabular.put({"n": math.inf}, at=LAST)
    tabular.put({"n": math.nan}, at=FIRST)
    newest, oldest = tabular.page().data
    assert newest.data["readings"]["n"] == math.inf
    assert math.isnan(oldest.data["readings"]["n"])
    assert tabular.count(interval={"start": {"seconds": -(2**63)}, "end": {"seconds": 2**63 - 1, "nanos": -5}}) == 2
    assert len(tabular.export()) == 2


def test_pages_go_through_all_readings_once_in_either_order_also_where_times_are_the_same(tabular):
    for at in (1, 2, 2, 3):
        tabular.put({"n": at}, {"n": at + 0.5}, at=at, tags=[str(at)])
    ascending = [1, 1.5, 2, 2, 2.5, 2.5, 3, 3.5]
    assert flat(pages(tabular, limit=3, sort_order=ASCENDING)) == ascending
    assert [len(page) for page in pages(tabular, limit=3)] == [3, 3, 2]
    for order in (0, DESCENDING, 77):
        assert flat(pages(tabular, limit=1, sort_order=order)) == ascending[::-1]


def test_pages_are_the_same_when_there_are_many_origins(tabular):
    for number in range(40):
        tabular.put({"n": number}, at=number % 7, component_name=f"sensor {number}")
    expected = sorted(range(40), key=lambda number: (number % 7, number))
    assert flat(pages(tabular, limit=9, sort_order=ASCENDING)) == expected
    assert flat(pages(tabular, limit=9)) == expected[::-1]
    assert tabular.count() == 40
    with_tag = tabular.page(interval={"start": {"seconds": 6}})
    assert len(with_tag.metadata) == with_tag.count == 5


def test_a_page_has_50_readings_and_at_most_100(tabular):
    tabular.put(*({"n": number} for number in range(101)), at=0)
    assert [len(page) for page in pages(tabular)] == [50, 50, 1]
    for limit in (100, 101, 2**63, 2**64 - 1):
        assert [len(page) for page in pages(tabular, limit=limit)] == [100, 1]


def test_a_page_of_large_readings_is_shorter_than_its_limit(sandbox, tabular):
    tabular.put(*({"n": number, "text": "x" * 1000} for number in range(5)), {"n": 5, "text": "x" * 3000}, at=0)
    world = sandbox._world
    servicer = ReadingsServicer(world, page_bytes=2500)
    caller = Authentication(world).caller(tabular.caller.metadata)

    def page(limit, last, sort_order):
        asked = {"limit": limit, "last": last, "sort_order": sort_order}
        with world.store.transaction():
            return servicer.TabularDataByFilter(pb.TabularDataByFilterRequest(data_request=asked), caller)

    assert pages(SimpleNamespace(page=page), sort_order=ASCENDING) == [[0, 1], [2, 3], [4], [5]]
    exported = servicer.ExportTabularData(pb.ExportTabularDataRequest(part_id=tabular.part_id, **HERE), caller, None)
    assert [row.payload["readings"]["n"] for row in exported] == list(range(6))


def test_a_page_goes_on_where_the_one_before_ended_although_readings_came_and_went(tabular):
    tabular.put(*({"n": number} for number in range(6)), at=10)
    first = tabular.page(limit=2)
    tabular.put({"n": "new"}, at=100)
    tabular.DeleteTabularData(organization_id=tabular.organization_id, filter={"tags_filter": {"tags": ["none"]}})
    assert [row.data["readings"]["n"] for row in tabular.page(2, first.last).data] == [3, 2]


@pytest.mark.parametrize("last", ["x", "0" * 23, "0" * 25, "G" * 24, "\0" * 24, "é" * 24])
def test_a_place_that_no_page_ended_with_is_refused(tabular, last):
    with refused("INVALID_ARGUMENT", "is none of the places that a page ended with"):
        tabular.page(last=last)


@pytest.mark.parametrize("last", ["0" * 24, "f" * 24])
def test_a_place_beyond_all_readings_has_an_empty_page(tabular, last):
    tabular.put({"n": 1}, at=1)
    order = DESCENDING if last.startswith("0") else ASCENDING
    assert not tabular.page(last=last, sort_order=order).data


def test_filters_look_at_where_a_reading_comes_from(tabular):
    sandbox = tabular.sandbox
    tabular.put({"n": 1}, at=10, tags=["a"])
    tabular.put({"n": 2}, at=20, tags=["b"], component_name="soil", component_type="sensor", method_name="Other")
    assert tabular.seen() == [2, 1]
    assert tabular.seen(component_name="soil") == tabular.seen(method="Other") == [2]
    for type in ("sensor", "rdk:component:sensor"):
        assert tabular.seen(component_type=type) == [2, 1]
    assert tabular.seen(component_type="ensor") == []
    assert tabular.seen(robot_name="rover", part_name="rover-main") == [2, 1]
    assert tabular.seen(robot_id=sandbox.robot_id, part_id=sandbox.robot_part_id) == [2, 1]
    assert tabular.seen(robot_name="arm") == tabular.seen(robot_id=NO_UUID) == []
    assert tabular.seen(location_ids=[sandbox.location_id, "0" * 10]) == [2, 1]
    assert tabular.seen(organization_ids=[NO_UUID]) == tabular.seen(mime_type=["image/png"]) == []
    assert tabular.seen(tags_filter={"tags": ["a", "x"]}) == [1]
    assert tabular.seen(tags_filter={"type": TAGGED}) == [2, 1]
    assert tabular.seen(tags_filter={"type": UNTAGGED}) == []
    assert tabular.seen(tags_filter={}) == [2, 1]
    assert tabular.seen(interval={"start": {"seconds": 10}, "end": {"seconds": 20}}) == [1]
    assert tabular.seen(interval={"start": {"seconds": 11}}) == [2]
    assert tabular.seen(bbox_labels=["x"], dataset_id="0" * 24) == [2, 1]


@pytest.mark.parametrize("field", ["robot_id", "part_id", "location_ids", "organization_ids"])
def test_a_malformed_id_in_a_filter_is_refused(tabular, field):
    with refused("INVALID_ARGUMENT", "'odd' is no"):
        tabular.page(**{field: ["odd"] if field.endswith("s") else "odd"})


def test_counting_looks_at_all_that_matches_and_returns_no_readings(tabular):
    tabular.put(*({"n": number} for number in range(60)), at=0)
    tabular.put({"n": 1}, at=100, component_name="soil")
    counted = tabular.TabularDataByFilter(count_only=True)
    assert (counted.count, len(counted.data), len(counted.metadata), counted.last) == (61, 0, 0, "")
    assert counted.total_size_bytes == tabular.page(100).total_size_bytes
    assert tabular.count(component_name="soil") == 1
    assert tabular.count(component_name="nothing") == 0


def test_people_see_the_readings_that_their_role_reaches(tabular, caller_with, foreign_data):
    sandbox = tabular.sandbox
    tabular.put({"n": 1}, at=1)
    assert foreign_data.TabularDataByFilter().count == 0
    reach = [("organization", sandbox.organization_id), ("location", sandbox.location_id), ("robot", sandbox.robot_id)]
    for resource in reach:
        for role in ("owner", "operator"):
            assert Tabular(caller_with(role, *resource)).seen() == [1]
    assert (
        Tabular(
            caller_with("owner", "robot", tabular.caller.NewRobot(name="new", location=sandbox.location_id).id)
        ).count()
        == 0
    )


def test_the_newest_reading_of_a_resource_comes_with_its_times(at_now):
    at_now.put({"n": 1}, {"n": 2}, at=NOW - 100)
    at_now.put({"n": 3}, at=NOW - 50, component_name="soil")
    at_now.put({"n": 4}, at=NOW - 50, method_name="Other")
    for subtype in ("sensor", "rdk:component:sensor"):
        latest = at_now.latest(resource_subtype=subtype)
        assert latest.payload["readings"]["n"] == 2
        assert (latest.time_captured.seconds, latest.time_synced.seconds) == (NOW - 99, NOW)


def test_the_newest_reading_is_of_the_last_year_or_there_is_none(at_now):
    at_now.put({"n": 1}, at=NOW - 366 * DAY)
    assert not at_now.latest().HasField("payload")
    at_now.put({"n": 2}, at=NOW - 364 * DAY)
    assert at_now.latest().payload["readings"]["n"] == 2


def test_a_reading_that_is_empty_is_still_a_reading(at_now):
    upload = {"metadata": at_now.metadata(2, component_type="sensor", component_name="air", method_name="Readings")}
    at_now.DataCaptureUpload(**upload, sensor_contents=[{"struct": {}}])
    assert at_now.latest().HasField("payload")
    assert [row.HasField("payload") for row in at_now.export()] == [True]


def test_an_export_is_read_in_batches_and_misses_none(tabular):
    tabular.put(*({"n": number} for number in range(1001)), at=0)
    assert [row.payload["readings"]["n"] for row in tabular.export()] == list(range(1001))


def test_an_export_has_every_reading_the_oldest_first(tabular):
    sandbox = tabular.sandbox
    tabular.put({"n": 3}, {"n": 4}, {"n": 5}, at=30, tags=["late"])
    tabular.put({"n": 1}, {"n": 2}, at=10)
    tabular.put({"n": 9}, at=1, component_name="soil")
    rows = tabular.export()
    assert [row.payload["readings"]["n"] for row in rows] == [1, 2, 3, 4, 5]
    row = rows[-1]
    assert (row.part_id, row.robot_id, row.organization_id) == (
        tabular.part_id,
        sandbox.robot_id,
        sandbox.organization_id,
    )
    assert (row.part_name, row.robot_name, row.location_id) == ("rover-main", "rover", sandbox.location_id)
    assert (row.resource_name, row.resource_subtype, row.method_name) == tuple(HERE.values())
    assert (list(row.tags), row.time_captured.seconds, dict(row.method_parameters)) == (["late"], 32, {})
    interval = {"start": {"seconds": 11}, "end": {"seconds": 31}}
    assert [row.payload["readings"]["n"] for row in tabular.export(interval=interval)] == [2, 3]


def test_parameters_choose_among_readings_of_the_same_method(tabular):
    def given(command):
        value = pool().FindMessageTypeByName("google.protobuf.Struct")
        struct = Struct()
        struct.update({"command": command, "times": 2})
        assert struct.DESCRIPTOR.full_name == value.full_name
        return {"docommand_input": {"type_url": "x/google.protobuf.Struct", "value": struct.SerializeToString()}}

    for number, command in enumerate(("open", "close")):
        tabular.put({"n": number}, at=number, method_parameters=given(command))
    wanted = {"docommand_input": {"command": "close", "times": 2}}
    (row,) = tabular.export(additional_parameters=wanted)
    assert row.payload["readings"]["n"] == 1
    assert struct_to_dict(row.method_parameters) == wanted
    assert len(tabular.export()) == len(tabular.export(additional_parameters={})) == 2
    assert tabular.export(additional_parameters={"docommand_input": "open"}) == []


def test_parameters_of_any_type_are_shown_as_far_as_they_are_known(tabular):
    values = {
        "number": ("google.protobuf.Int64Value", b"\x08\x05"),
        "text": ("google.protobuf.StringValue", b"\n\x02hi"),
        "yes": ("google.protobuf.BoolValue", b"\x08\x01"),
        "bytes": ("google.protobuf.BytesValue", b"\n\x01\xff"),
        "list": ("google.protobuf.ListValue", b"\n\x02 \x01"),
        "value": ("google.protobuf.Value", b"\x1a\x01v"),
        "broken": ("google.protobuf.Struct", b"\xff"),
        "unknown": ("some.Message", b"\x01"),
        "odd": ("google.protobuf.Nothing", b""),
    }
    sent = {name: {"type_url": f"type.googleapis.com/{type}", "value": value} for name, (type, value) in values.items()}
    tabular.put({"n": 1}, at=1, method_parameters=sent)
    (row,) = tabular.export()
    shown = struct_to_dict(row.method_parameters)
    assert [shown[name] for name in ("number", "text", "yes", "bytes", "value")] == [5, "hi", True, "/w==", "v"]
    assert shown["list"] == [True]
    assert shown["unknown"] == {"@type": "type.googleapis.com/some.Message", "value": "AQ=="}
    assert shown["broken"]["value"] == "/w=="
    assert shown["odd"]["value"] == ""


@pytest.mark.parametrize("call", ["latest", "export"])
def test_a_resource_is_named_in_full(tabular, foreign_data, caller_with, call):
    for field, name in (("resource_name", "name"), ("resource_subtype", "API"), ("method_name", "name of the method")):
        with refused("INVALID_ARGUMENT", name):
            getattr(tabular, call)(**{field: ""})
    with refused("INVALID_ARGUMENT", "The robot part ID is empty"):
        getattr(tabular, call)(part_id="")
    with refused("NOT_FOUND", f"No robot part has the ID '{NO_UUID}'"):
        getattr(tabular, call)(part_id=NO_UUID)
    with refused("PERMISSION_DENIED", "read_robot_data_management"):
        getattr(Tabular(foreign_data.caller), call)()
    getattr(Tabular(caller_with("operator", "robot", tabular.sandbox.robot_id)), call)()


def test_an_export_can_be_left_before_its_end(tabular):
    tabular.put(*({"n": number} for number in range(2000)), at=0)
    stream = tabular.exporting()
    assert next(stream).payload["readings"]["n"] == 0
    stream.cancel()
    assert tabular.count() == 2000


def test_days_are_deleted_from_their_midnight_on(at_now):
    today = NOW // DAY * DAY
    times = {"now": NOW, "today": today, "yesterday": today - 1, "before": today - DAY, "older": today - DAY - 1}
    for name, at in times.items():
        at_now.put({"n": name}, at=at)
    for days, deleted in ((2**32 - 1, 0), (365, 0), (3, 0), (2, 1), (1, 2), (1, 0), (0, 2)):
        response = at_now.DeleteTabularData(organization_id=at_now.organization_id, delete_older_than_days=days)
        assert (days, response.deleted_count) == (days, deleted)
    assert at_now.count() == 0


def test_a_filter_narrows_what_is_deleted(tabular):
    sandbox = tabular.sandbox

    def delete(**filter):
        return tabular.DeleteTabularData(organization_id=sandbox.organization_id, filter=filter).deleted_count

    tabular.put({"n": 1}, at=1, tags=["a"])
    tabular.put({"n": 2}, at=2, component_name="soil", component_type="rdk:component:sensor")
    tabular.put({"n": 3}, at=3, component_name="camera", component_type="camera", method_name="GetImages")
    assert delete(location_ids=["0" * 10]) == delete(robot_id=NO_UUID) == delete(part_id=NO_UUID) == 0
    assert delete(component_type="sensor", component_name="soil", method="Readings", robot_id=sandbox.robot_id) == 1
    assert delete(tags_filter={"tags": ["a"]}, part_id=sandbox.robot_part_id, location_ids=[sandbox.location_id]) == 1
    assert delete(tags_filter={"type": UNTAGGED}) == 1
    with refused("INVALID_ARGUMENT", "is no robot ID"):
        delete(robot_id="odd")


def test_deleting_takes_an_owner_of_the_organization_that_it_is_about(tabular, caller_with, foreign_data):
    sandbox = tabular.sandbox
    tabular.put({"n": 1}, at=1)
    for resource in (("operator", "organization", sandbox.organization_id), ("owner", "location", sandbox.location_id)):
        with refused("PERMISSION_DENIED", "write_organization_data_management"):
            Tabular(caller_with(*resource)).DeleteTabularData(organization_id=sandbox.organization_id)
    with refused("PERMISSION_DENIED"):
        foreign_data.DeleteTabularData(organization_id=sandbox.organization_id)
    assert foreign_data.DeleteTabularData(organization_id=foreign_data.organization_id).deleted_count == 0
    with refused("NOT_FOUND"):
        tabular.DeleteTabularData(organization_id=NO_UUID)
    with refused("INVALID_ARGUMENT"):
        tabular.DeleteTabularData()
    assert tabular.count() == 1


def test_readings_stay_when_their_machine_goes_and_while_the_sandbox_is_off(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        tabular = Tabular(caller)
        tabular.put({"n": 1}, at=1)
        caller.DeleteRobot(id=sandbox.robot_id)
        caller.channel.close()
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        assert Tabular(caller).seen(robot_name="rover") == [1]
        caller.channel.close()
