"""Arguments by position in either order, and parameters with two names."""

import pytest
from parity.recording import NAMES

from viam_sync.app import viam_client

TIMES = (NAMES["noon"], NAMES["one"])
PNG = '".png", {}, ["t"]'
CAPTURED = '"p-1", "camera", "cam", "GetImages"'
READING = '[{"speed": 1.5}], "p-1", "sensor", "gps", "Readings"'
STAGES = '[{"$limit": 1}]'
LATEST = 'get_latest_tabular_data("p-1", "gps"'
EXPORT = 'export_tabular_data("p-1", "gps"'

#: Calls that mean the same, the last of them in keywords alone after what both orders begin with.
ALIKE = {
    "a bool before the path": [
        'binary_data_by_ids(["o/l/f"], False, dest)',
        'binary_data_by_ids(["o/l/f"], False, dest=dest)',
        'binary_data_by_ids(["o/l/f"], dest, include_binary_data=False)',
        'binary_data_by_ids(["o/l/f"], dest=dest, include_binary_data=False)',
    ],
    "a bool and no path": ['binary_data_by_ids(["o/l/f"], False)', 'binary_data_by_ids(["o/l/f"], False, None)'],
    "datasets before times": [
        f'binary_data_capture_upload(b"1", {CAPTURED}, {PNG}, ["d"], times, "image/png")',
        f'binary_data_capture_upload(b"1", {CAPTURED}, {PNG}, ["d"], times, mime_type="image/png")',
        f'binary_data_capture_upload(b"1", {CAPTURED}, {PNG}, times, dataset_ids=["d"], mime_type="image/png")',
    ],
    "no datasets before times": [
        f'binary_data_capture_upload(b"1", {CAPTURED}, ".png", None, None, None, times)',
        f'binary_data_capture_upload(b"1", {CAPTURED}, ".png", None, None, times)',
    ],
    "times before parameters": [
        f'tabular_data_capture_upload({READING}, [times], {{}}, ["t"])',
        f'tabular_data_capture_upload({READING}, [times], tags=["t"], method_parameters={{}})',
        f'tabular_data_capture_upload({READING}, {{}}, ["t"], [times])',
    ],
    "stages by each name": [
        f'tabular_data_by_mql("o-1", {STAGES}, True)',
        f'tabular_data_by_mql("o-1", mql_binary={STAGES}, use_recent_data=True)',
        f'tabular_data_by_mql("o-1", query={STAGES}, use_recent_data=True)',
    ],
    "the API of the latest reading by each name": [
        f'{LATEST}, "a:b:c", "Readings", {{"fast": True}})',
        f'{LATEST}, resource_api="a:b:c", method_name="Readings", additional_params={{"fast": True}})',
        f'{LATEST}, resource_subtype="a:b:c", method_name="Readings", additional_params={{"fast": True}})',
    ],
    "the API of an export by each name": [
        f'{EXPORT}, "a:b:c", "Readings", times[0])',
        f'{EXPORT}, resource_api="a:b:c", method_name="Readings", start_time=times[0])',
        f'{EXPORT}, resource_subtype="a:b:c", method_name="Readings", start_time=times[0])',
    ],
}

OTHER = "as the reference has it; the newest official SDK has another order, so give"
REFUSED = {
    f'binary_data_capture_upload(b"1", {CAPTURED}, ".png", None, None, times, ["d"])': (
        rf"^binary_data_capture_upload\(\) takes by position data_request_times after tags, {OTHER} "
        "dataset_ids=, data_request_times=, mime_type= by keyword$"
    ),
    f"tabular_data_capture_upload({READING}, {{}}, [], [times], 5)": (
        rf"^tabular_data_capture_upload\(\) takes by position .*, {OTHER} data_request_times=, .* by keyword$"
    ),
    'binary_data_by_ids(["o/l/f"], dest, False)': f"dest after binary_ids, {OTHER} include_binary_data=, dest= by",
    'binary_data_by_ids(["o/l/f"], False, include_binary_data=True)': "include_binary_data",
    'binary_data_by_ids(["o/l/f"], dest=True)': "dest takes a path, got True",
    f'tabular_data_by_mql("o-1", {STAGES}, query={STAGES})': "query is another name of mql_binary; give one of them",
    'tabular_data_by_mql("o-1")': "mql_binary or query must be given",
    'tabular_data_by_mql("o-1", query="[]")': "query takes a list of stages",
    f'{LATEST}, "a:b:c", "Readings", resource_subtype="a:b:c")': "resource_subtype is another name of resource_api",
    f'{LATEST}, method_name="Readings")': "resource_api or resource_subtype must be given",
    f'{LATEST}, "a:b:c")': "method_name takes a value, got None",
    f'{LATEST}, resource_subtype=5, method_name="Readings")': "resource_subtype takes a str, got 5",
    f'{EXPORT}, "a:b:c", "Readings", resource_subtype="a:b:c")': "resource_subtype is another name of resource_api",
    f'{EXPORT}, "a:b:c")': "method_name takes a value, got None",
    f'{EXPORT}, resource_subtype=5, method_name="Readings")': "resource_subtype takes a str, got 5",
}


@pytest.fixture
def made(recorder, tmp_path):
    """Return a function that makes a call, and returns what it sent."""
    server, channel = recorder
    data = viam_client.DataClient(channel, {"authorization": "Bearer token"})
    names = {"data": data, "times": TIMES, "dest": str(tmp_path / "files.json")}

    def make(text):
        before = len(server.calls)
        eval(f"data.{text}", names)
        return [(call.method, call.requests) for call in server.calls[before:]]

    return make


@pytest.mark.parametrize("texts", ALIKE.values(), ids=list(ALIKE))
def test_each_of_these_calls_sends_the_same(made, texts):
    first, *others = [made(text) for text in texts]
    assert first
    assert [other == first for other in others] == [True] * len(others)


@pytest.mark.parametrize(("text", "error"), REFUSED.items())
def test_what_fits_no_order_or_is_given_twice_is_refused_before_it_is_sent(made, recorder, text, error):
    server, _ = recorder
    before = len(server.calls)
    with pytest.raises(TypeError, match=error):
        made(text)
    assert len(server.calls) == before


def test_times_as_texts_are_no_datasets(made):
    with pytest.raises(TypeError, match="data_request_times takes two datetimes"):
        made(f'binary_data_capture_upload(b"1", {CAPTURED}, ".png", None, None, ("2024-05-01", "2024-05-02"))')
