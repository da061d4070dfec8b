"""Whole numbers that a double rounds: a warning that names the field once, an error where one is asked for."""

import datetime as dt
import tracemalloc
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from viam_sync import PrecisionLossWarning
from viam_sync.app.app_client import AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.messages.bson_documents import to_documents
from viam_sync.proto import app
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync
from viam_sync.utils import dict_to_struct, primitive_to_value, struct_to_dict

ODD = 2**53 + 1
NOON = dt.datetime(2024, 5, 1, 12)


def fields(caught):
    """Return the fields that warnings name."""
    return [str(warning.message).partition(" holds a whole number beyond 2**53")[0] for warning in caught]


@pytest.fixture
def uploads(server, channel):
    server.unary["DataCaptureUpload"] = lambda request, context: datasync.DataCaptureUploadResponse(
        file_id="f"
    ).SerializeToString()
    return DataClient(channel, {})


def upload(client, rows):
    times = [(NOON, NOON)] * len(rows)
    return client.tabular_data_capture_upload(rows, "p", "sensor", "air", "Readings", data_request_times=times)


@pytest.mark.parametrize("number", [ODD, -ODD, 10**30 + 1, np.int64(ODD), np.uint64(2**64 - 1), Decimal(ODD)])
@pytest.mark.parametrize("convert", [lambda given: dict_to_struct({"ns": given}), primitive_to_value])
def test_a_number_that_is_rounded_is_warned_of(convert, number):
    with pytest.warns(PrecisionLossWarning, match="; send it as text to keep them"):
        convert(number)


@pytest.mark.parametrize(
    "value",
    [
        *(2**53, -(2**53), 2**60, 10**22, 1e300, float("inf"), str(ODD), True),
        *(np.int64(2**53), np.float32(1e30), Decimal("0.1"), Decimal("1e22"), Decimal("NaN"), Fraction(1, 3)),
    ],
)
def test_a_number_that_keeps_its_value_is_not_warned_of(value):
    assert str(dict_to_struct({"value": value}).fields["value"]) == str(primitive_to_value(value))


@pytest.mark.parametrize("convert", [lambda given: dict_to_struct({"ns": given}), primitive_to_value])
def test_a_number_that_is_refused_is_not_warned_of(convert):
    with pytest.raises(ValueError, match="takes a number of up to 308 digits"):
        convert(Decimal("1e400"))


def test_a_number_that_a_stage_of_mql_rounds_is_warned_of():
    with pytest.warns(PrecisionLossWarning) as caught:
        to_documents("mql_binary", [{"$match": {"ns": Decimal(ODD)}}])
    assert fields(caught) == ["mql_binary[...]"]
    to_documents("mql_binary", [{"$match": {"ns": ODD, "id": np.int64(ODD), "share": Decimal("0.1")}}])


@pytest.mark.parametrize(
    ("convert", "field"),
    [
        (lambda given: dict_to_struct({"deep": [{"ns": [0, given]}]}), "obj['deep'][...]['ns'][...]"),
        (lambda given: primitive_to_value({"deep": (given,)}), "v['deep'][...]"),
        (lambda given: app.RobotPart(robot_config={"pin": given}), "robot_config['pin']"),
        (lambda given: app.GetRobotPartResponse(part={"robot_config": {"pin": given}}), "part['robot_config']['pin']"),
        (lambda given: dict_to_struct({"a[5]": given}), "obj['a[5]']"),
    ],
)
def test_the_warning_names_the_field_and_the_line_of_the_caller(convert, field):
    with pytest.warns(PrecisionLossWarning) as caught:
        convert(ODD)
    assert fields(caught) == [field]
    assert caught[0].filename == __file__


def test_the_parameter_is_named_and_not_the_field_of_the_request(server, channel):
    server.unary["UpdateRobotMetadata"] = lambda request, context: b""
    server.unary["ExportTabularData"] = server.unary["GetLatestTabularData"] = lambda request, context: b""
    fleet, data = AppClient(channel, {}), DataClient(channel, {})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fleet.update_robot_metadata("r", {"since": ODD})
        data.get_latest_tabular_data("p", "air", "a:b:c", "Readings", additional_params={"id": ODD})
    assert fields(caught) == ["metadata['since']", "additional_params['id']"]


def test_a_field_of_many_readings_is_warned_of_once(server, uploads):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            upload(uploads, [{"ns": ODD + 2 * count, "pose": {"ids": [ODD, ODD]}, "n": count} for count in range(500)])
    assert fields(caught) == ["tabular_data[...]['ns']", "tabular_data[...]['pose']['ids'][...]"]
    assert len(server.calls) == 3


def test_an_error_is_raised_where_it_is_asked_for_and_nothing_is_sent(server, uploads):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=PrecisionLossWarning)
        for _ in range(2):
            with pytest.raises(PrecisionLossWarning, match=r"tabular_data\[\.\.\.\]\['ns'\] holds a whole number"):
                upload(uploads, [{"ns": 1}, {"ns": ODD}])
        upload(uploads, [{"ns": str(ODD)}])
    (call,) = server.calls
    (request,) = map(datasync.DataCaptureUploadRequest.FromString, call.requests)
    assert struct_to_dict(request.sensor_contents[0].struct) == {"ns": str(ODD)}


def test_names_without_end_take_no_memory_without_end():
    def warn_of(numbers):
        for number in numbers:
            dict_to_struct({f"field {number}": ODD})

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        warnings.showwarning = lambda *args, **kwargs: caught.append(args) if not caught else None
        warn_of(range(1000))
        tracemalloc.start()
        warn_of(range(1000, 2500))
        before, _ = tracemalloc.get_traced_memory()
        warn_of(range(2500, 6500))
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(caught) == 1
    assert after - before < 400_000


def test_what_travels_as_an_integer_is_not_warned_of():
    assert data_pb.DataRequest(limit=ODD).limit == ODD
    assert app.RobotPartHistoryEntry(old={"last_access": dt.datetime.max}).HasField("old")
