import csv
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List

import bson
import grpc
import pytest
from bson.datetime_ms import DatetimeMS
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Struct
from servers import FakeService, refuse

from viam_sync.app.data_client import DataClient
from viam_sync.errors import NotFoundError
from viam_sync.proto.app import data as pb
from viam_sync.utils import dict_to_struct

NOON = datetime(2024, 5, 1, 12)
ONE = datetime(2024, 5, 1, 13)
NOON_IN_ROME = datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))


def answer(server: FakeService, rpc: str, message: Any) -> None:
    server.unary[rpc] = lambda request, context: message.SerializeToString()


def sent(server: FakeService) -> bytes:
    (call,) = server.calls
    (request,) = call.requests
    return request


def row(place: int = 0, **values: Any) -> pb.TabularData:
    return pb.TabularData(data=values, metadata_index=place, time_requested=NOON, time_received=ONE)


def page(*rows: pb.TabularData, metadata: Any = (), last: str = "next") -> pb.TabularDataByFilterResponse:
    return pb.TabularDataByFilterResponse(data=rows, metadata=metadata, count=len(rows), last=last)


METADATA = [pb.CaptureMetadata(part_id="p-0"), pb.CaptureMetadata(part_id="p-1", tags=["red"])]


def test_a_page_has_rows_a_count_and_where_it_ends(server: FakeService, data: DataClient) -> None:
    answer(server, "TabularDataByFilter", page(row(1, speed=1), row(0, speed=None), metadata=METADATA))
    rows, count, last = data.tabular_data_by_filter()
    assert (count, last) == (2, "next")
    assert rows == [
        DataClient.TabularData({"speed": 1.0}, METADATA[1], NOON, ONE),
        DataClient.TabularData({"speed": None}, METADATA[0], NOON, ONE),
    ]
    expected = pb.TabularDataByFilterRequest(data_request=pb.DataRequest(filter=pb.Filter()))
    assert pb.TabularDataByFilterRequest.FromString(sent(server)) == expected


def test_every_argument_of_a_page_is_sent(server: FakeService, data: DataClient) -> None:
    answer(server, "TabularDataByFilter", page())
    order = pb.Order.ORDER_ASCENDING
    data.tabular_data_by_filter(pb.Filter(part_id="p"), 5, order, "cursor", True, True, timeout=9)
    assert pb.TabularDataByFilterRequest.FromString(sent(server)) == pb.TabularDataByFilterRequest(
        data_request=pb.DataRequest(filter=pb.Filter(part_id="p"), limit=5, sort_order=order, last="cursor"),
        count_only=True,
        include_internal_data=True,
    )
    seconds = server.calls[0].seconds
    assert seconds is not None
    assert seconds < 10


@pytest.mark.parametrize("place", [1, 2**32 - 1])
def test_a_row_whose_metadata_is_missing_has_empty_metadata(server: FakeService, data: DataClient, place: int) -> None:
    answer(server, "TabularDataByFilter", page(row(place, speed=1), metadata=METADATA[:1]))
    rows, _, _ = data.tabular_data_by_filter()
    assert rows[0].metadata == pb.CaptureMetadata()
    answer(server, "TabularDataByFilter", page(row(speed=1)))
    assert data.tabular_data_by_filter()[0][0].metadata == pb.CaptureMetadata()


def test_a_row_is_printed_with_its_times() -> None:
    printed = str(DataClient.TabularData({"a": 1}, METADATA[0], NOON, ONE))
    times = "Time requested: 2024-05-01 12:00:00\nTime received: 2024-05-01 13:00:00\n"
    assert printed == "{'a': 1}\npart_id: \"p-0\"\n" + times


def test_rows_are_equal_if_all_of_them_is() -> None:
    first = DataClient.TabularData({"a": 1}, METADATA[0], NOON, ONE)
    assert first == DataClient.TabularData({"a": 1}, pb.CaptureMetadata(part_id="p-0"), NOON, ONE)
    assert first != DataClient.TabularData({"a": 2}, METADATA[0], NOON, ONE)
    assert first != DataClient.TabularData({"a": 1}, METADATA[1], NOON, ONE)
    assert first != DataClient.TabularData({"a": 1}, METADATA[0], ONE, ONE)
    assert first.__eq__("first") is NotImplemented


def test_a_page_is_written_as_json_json_lines_and_csv(server: FakeService, data: DataClient, tmp_path: Path) -> None:
    answer(server, "TabularDataByFilter", page(row(speed=1.5, on=True), row(1), metadata=METADATA))
    for name in ("page.json", "page.jsonl", "page.csv"):
        data.tabular_data_by_filter(dest=str(tmp_path / name))
    times = {"timeRequested": "2024-05-01T12:00:00Z", "timeReceived": "2024-05-01T13:00:00Z"}
    first = {"data": {"speed": 1.5, "on": True}, "metadata": {"partId": "p-0"}, **times}
    second = {"data": {}, "metadata": {"partId": "p-1", "tags": ["red"]}, **times}
    assert json.loads((tmp_path / "page.json").read_text(encoding="utf-8")) == [first, second]
    lines = (tmp_path / "page.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [first, second]
    with (tmp_path / "page.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [each["data.speed"] for each in table] == ["1.5", ""]
    assert [each["metadata.partId"] for each in table] == ["p-0", "p-1"]
    assert len(list(tmp_path.iterdir())) == 3


def test_what_json_does_not_know_is_written_all_the_same(server: FakeService, data: DataClient, tmp_path: Path) -> None:
    odd = {"far": AnyMessage(type_url="type.googleapis.com/nobody.Knows", value=b"\xff")}
    metadata = [pb.CaptureMetadata(method_parameters=odd)]
    answer(server, "TabularDataByFilter", page(row(speeds=[float("nan"), float("-inf")]), metadata=metadata))
    data.tabular_data_by_filter(dest=str(tmp_path / "page.json"))
    (written,) = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert written["data"] == {"speeds": ["NaN", "-Infinity"]}
    parameters = {"far": {"@type": "type.googleapis.com/nobody.Knows", "value": "/w=="}}
    assert written["metadata"] == {"methodParameters": parameters}


def test_a_destination_that_cannot_be_is_found_before_anything_is_asked(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        data.tabular_data_by_filter(dest=str(tmp_path / "absent" / "page.json"))
    with pytest.raises(IsADirectoryError, match="dest is a folder"):
        data.tabular_data_by_filter(dest=str(tmp_path))
    assert server.calls == []


def test_a_page_is_not_lost_when_it_cannot_be_written(
    server: FakeService, data: DataClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    answer(server, "TabularDataByFilter", page(row(speed=1)))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        data.tabular_data_by_filter(dest=str(tmp_path / "page.json"))
    rows, count, last = caught.value.result  # type: ignore[attr-defined]
    assert (rows[0].data, count, last) == ({"speed": 1.0}, 1, "next")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"limit": -1}, "limit"), ({"filter": "camera"}, "filter"), ({"last": 3}, "last")],
)
def test_a_wrong_argument_of_a_page_is_named(server: FakeService, data: DataClient, arguments: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        data.tabular_data_by_filter(**arguments)
    assert server.calls == []


def test_sql_answers_documents(server: FakeService, data: DataClient) -> None:
    rows: Any = [{"speed": 1, "at": NOON, "tags": ["a"]}, {"speed": None}]
    answer(server, "TabularDataBySQL", pb.TabularDataBySQLResponse(raw_data=[bson.encode(each) for each in rows]))
    assert data.tabular_data_by_sql("o", "SELECT * FROM readings") == rows
    request = pb.TabularDataBySQLRequest.FromString(sent(server))
    assert request == pb.TabularDataBySQLRequest(organization_id="o", sql_query="SELECT * FROM readings")


def test_a_date_that_no_datetime_holds_costs_no_other_row(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    far, early = DatetimeMS(253_402_300_800_000), DatetimeMS(-62_135_596_800_001)
    rows: Any = [{"at": NOON}, {"at": far}, {"deep": [{"at": early}]}, {"at": datetime.max.replace(microsecond=999000)}]
    documents = [bson.encode(each) for each in rows]
    answer(server, "TabularDataBySQL", pb.TabularDataBySQLResponse(raw_data=documents))
    answer(server, "TabularDataByMQL", pb.TabularDataByMQLResponse(raw_data=documents))
    assert data.tabular_data_by_sql("o", "SELECT 1") == rows
    assert data.tabular_data_by_mql("o", []) == rows
    assert data.export_tabular_data_to("SELECT 1", tmp_path / "rows.jsonl", organization_id="o") == 4
    written = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert written == [
        {"at": "2024-05-01T12:00:00Z"},
        {"at": "+010000-01-01T00:00:00.000Z"},
        {"deep": [{"at": "+000000-12-31T23:59:59.999Z"}]},
        {"at": "9999-12-31T23:59:59.999000Z"},
    ]


def test_a_text_that_is_no_utf_8_costs_no_other_row(server: FakeService, data: DataClient) -> None:
    documents = [bson.encode({"name": "arm"}), bson.encode({"name": "arm"}).replace(b"arm", b"a\xffm")]
    answer(server, "TabularDataBySQL", pb.TabularDataBySQLResponse(raw_data=documents))
    assert data.tabular_data_by_sql("o", "SELECT 1") == [{"name": "arm"}, {"name": "a\\xffm"}]


def structs(*rows: Any) -> bytes:
    """Return what an older service answers: field 1 of the message holds Structs."""
    answered: List[bytes] = [dict_to_struct(each).SerializeToString() for each in rows]
    return b"".join(b"\x0a" + bytes([len(each)]) + each for each in answered)


def test_the_structs_of_an_older_service_are_understood(server: FakeService, data: DataClient) -> None:
    answered = structs({"speed": 1, "gone": None}, {"name": "é"})
    server.unary["TabularDataBySQL"] = lambda request, context: answered
    server.unary["TabularDataByMQL"] = lambda request, context: answered
    rows = [{"speed": 1.0, "gone": None}, {"name": "é"}]
    assert data.tabular_data_by_sql("o", "SELECT 1") == rows
    assert data.tabular_data_by_mql("o", [{"$limit": 2}]) == rows


def test_documents_go_before_structs_where_a_service_sends_both(server: FakeService, data: DataClient) -> None:
    documents = pb.TabularDataBySQLResponse(raw_data=[bson.encode({"speed": 1})]).SerializeToString()
    server.unary["TabularDataBySQL"] = lambda request, context: structs({"speed": 2}) + documents
    assert data.tabular_data_by_sql("o", "SELECT 1") == [{"speed": 1}]


@pytest.mark.parametrize("answered", [b"\x12\x03abc", b"\x0a\x02\xff\xff"])
def test_a_row_that_cannot_be_read_is_an_error(server: FakeService, data: DataClient, answered: bytes) -> None:
    server.unary["TabularDataBySQL"] = lambda request, context: answered
    with pytest.raises(ValueError, match="TabularDataBySQLResponse holds a row that cannot be read"):
        data.tabular_data_by_sql("o", "SELECT 1")


def test_a_query_without_rows_is_an_empty_list(server: FakeService, data: DataClient) -> None:
    server.unary["TabularDataBySQL"] = lambda request, context: b""
    assert data.tabular_data_by_sql("o", "SELECT 1") == []


def test_stages_are_bson_or_dicts(server: FakeService, data: DataClient) -> None:
    answer(server, "TabularDataByMQL", pb.TabularDataByMQLResponse(raw_data=[bson.encode({"n": 1})]))
    limit = bson.encode({"$limit": 5})
    assert data.tabular_data_by_mql("o", [{"$match": {"at": {"$gt": NOON}}}, limit]) == [{"n": 1}]
    standard = pb.TabularDataSource(type=pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_STANDARD)
    assert pb.TabularDataByMQLRequest.FromString(sent(server)) == pb.TabularDataByMQLRequest(
        organization_id="o", mql_binary=[bson.encode({"$match": {"at": {"$gt": NOON}}}), limit], data_source=standard
    )


def test_the_newer_options_of_mql_are_sent(server: FakeService, data: DataClient) -> None:
    answer(server, "TabularDataByMQL", pb.TabularDataByMQLResponse())
    kinds = pb.TabularDataSourceType
    sink = kinds.TABULAR_DATA_SOURCE_TYPE_PIPELINE_SINK
    data.tabular_data_by_mql("o", [], tabular_data_source_type=sink, pipeline_id="pipe", query_prefix_name="first")
    data.tabular_data_by_mql("o", [], use_recent_data=True)
    requests = [pb.TabularDataByMQLRequest.FromString(call.requests[0]) for call in server.calls]
    assert requests[0] == pb.TabularDataByMQLRequest(
        organization_id="o",
        data_source=pb.TabularDataSource(type=sink, pipeline_id="pipe"),
        query_prefix_name="first",
    )
    assert requests[1].data_source.type == kinds.TABULAR_DATA_SOURCE_TYPE_HOT_STORAGE


@pytest.mark.parametrize(
    ("stages", "text"),
    [
        ("[{}]", "mql_binary takes a list of stages.*got a str"),
        ({"$limit": 5}, "mql_binary takes a list of stages.*got a dict"),
        (["$limit"], r"mql_binary\[0\] takes BSON or a dict, got a str"),
        ([{}, {"$limit": object()}], r"mql_binary\[1\] has no form in BSON"),
        ([{1: 2}], r"mql_binary\[0\] has no form in BSON"),
        ([{"$limit": 2**70}], r"mql_binary\[0\] has no form in BSON"),
    ],
)
def test_what_is_no_stage_is_refused(server: FakeService, data: DataClient, stages: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        data.tabular_data_by_mql("o", stages)
    assert server.calls == []


def test_the_latest_reading_comes_with_its_times(server: FakeService, data: DataClient) -> None:
    latest = pb.GetLatestTabularDataResponse(time_captured=NOON, time_synced=ONE, payload={"speed": 1})
    answer(server, "GetLatestTabularData", latest)
    assert data.get_latest_tabular_data("p", "arm", "rdk:component:arm", "EndPosition") == (NOON, ONE, {"speed": 1.0})
    data.get_latest_tabular_data("p", "arm", "rdk:component:arm", "DoCommand", {"fast": True})
    requests = [pb.GetLatestTabularDataRequest.FromString(call.requests[0]) for call in server.calls]
    plain = pb.GetLatestTabularDataRequest(
        part_id="p", resource_name="arm", resource_subtype="rdk:component:arm", method_name="EndPosition"
    )
    assert requests[0] == plain
    assert not requests[0].HasField("additional_parameters")
    assert requests[1].method_name == "DoCommand"
    assert dict(requests[1].additional_parameters) == {"fast": True}


def test_there_may_be_no_latest_reading(server: FakeService, data: DataClient) -> None:
    answer(server, "GetLatestTabularData", pb.GetLatestTabularDataResponse())
    assert data.get_latest_tabular_data("p", "arm", "rdk:component:arm", "EndPosition") is None
    answer(server, "GetLatestTabularData", pb.GetLatestTabularDataResponse(time_captured=NOON, payload=Struct()))
    latest = data.get_latest_tabular_data("p", "arm", "rdk:component:arm", "EndPosition")
    assert latest is not None
    assert latest[2] == {}


def test_an_export_is_a_list_of_readings(server: FakeService, data: DataClient) -> None:
    texts = {name: name for name in ("part_id", "resource_name", "resource_subtype", "method_name", "organization_id")}
    texts.update({name: name for name in ("location_id", "robot_name", "robot_id", "part_name")})
    point = pb.ExportTabularDataResponse(
        time_captured=NOON, method_parameters={"fast": True}, tags=["red"], payload={"speed": 1}, **texts
    )
    server.stream["ExportTabularData"] = lambda request, context: iter([point.SerializeToString()] * 2)
    first, second = data.export_tabular_data("p", "arm", "api", "Readings")
    assert first == second
    subtype = texts.pop("resource_subtype")
    assert first == DataClient.TabularDataPoint(
        resource_api=subtype,
        time_captured=NOON,
        method_parameters={"fast": True},
        tags=["red"],
        payload={"speed": 1.0},
        **texts,
    )
    assert first.resource_subtype == "resource_subtype"
    assert pb.ExportTabularDataRequest.FromString(sent(server)) == pb.ExportTabularDataRequest(
        part_id="p", resource_name="arm", resource_subtype="api", method_name="Readings", interval=pb.CaptureInterval()
    )


def test_a_time_with_a_zone_is_converted(server: FakeService, data: DataClient) -> None:
    server.stream["ExportTabularData"] = lambda request, context: iter(())
    assert data.export_tabular_data("p", "arm", "api", "DoCommand", NOON_IN_ROME, ONE, {"fast": True}) == []
    request = pb.ExportTabularDataRequest.FromString(sent(server))
    assert (request.interval.start.ToDatetime(), request.interval.end.ToDatetime()) == (NOON, ONE)
    assert dict(request.additional_parameters) == {"fast": True}


def test_an_export_that_fails_is_an_error(server: FakeService, data: DataClient) -> None:
    def fail(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield pb.ExportTabularDataResponse(part_id="p").SerializeToString()
        context.abort(grpc.StatusCode.NOT_FOUND, "gone")

    server.stream["ExportTabularData"] = fail
    with pytest.raises(NotFoundError, match="gone"):
        data.export_tabular_data("p", "arm", "api", "Readings")


def test_deleting_counts(server: FakeService, data: DataClient) -> None:
    answer(server, "DeleteTabularData", pb.DeleteTabularDataResponse(deleted_count=3))
    assert data.delete_tabular_data("o", 10) == 3
    assert data.delete_tabular_data("o", 0, filter=pb.DeleteTabularFilter(part_id="p")) == 3
    requests = [pb.DeleteTabularDataRequest.FromString(call.requests[0]) for call in server.calls]
    assert requests[0] == pb.DeleteTabularDataRequest(organization_id="o", delete_older_than_days=10)
    assert requests[1].filter.part_id == "p"


def test_deleting_is_not_tried_twice(server: FakeService, data: DataClient) -> None:
    server.unary["DeleteTabularData"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with pytest.raises(grpc.RpcError, match="busy"):
        data.delete_tabular_data("o", 10)
    assert len(server.calls) == 1


def test_negative_days_are_refused(server: FakeService, data: DataClient) -> None:
    with pytest.raises(ValueError, match="delete_older_than_days"):
        data.delete_tabular_data("o", -1)
    assert server.calls == []


def test_deleting_by_a_filter_names_its_replacement(server: FakeService, data: DataClient) -> None:
    with pytest.raises(NotImplementedError, match=r"use delete_tabular_data\("):
        data.delete_tabular_data_by_filter(pb.Filter())
    assert server.calls == []


def test_the_database_of_an_organization(server: FakeService, data: DataClient) -> None:
    answer(server, "GetDatabaseConnection", pb.GetDatabaseConnectionResponse(hostname="db.example", mongodb_uri="m"))
    answer(server, "ConfigureDatabaseUser", pb.ConfigureDatabaseUserResponse())
    assert data.get_database_connection("o") == "db.example"
    data.configure_database_user("o", "correct horse")
    first, second = (call.requests[0] for call in server.calls)
    assert pb.GetDatabaseConnectionRequest.FromString(first) == pb.GetDatabaseConnectionRequest(organization_id="o")
    assert pb.ConfigureDatabaseUserRequest.FromString(second) == pb.ConfigureDatabaseUserRequest(
        organization_id="o", password="correct horse"
    )
