"""Every argument that is a number or a bool: those of NumPy and other libraries are taken, and sent as Python's own."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from parity.calls import CALLS
from parity.recording import arguments_of

from viam_sync import DialOptions, Retry
from viam_sync.app import viam_client

METHODS = sorted({(client, text.partition("(")[0]) for client, texts in CALLS.items() for text in texts})

#: The numbers of NumPy in place of those of Python.
KINDS = {bool: np.bool_, int: np.int64, float: np.float32}

#: Arguments that no known call has.
LIMITS = {
    "limit": 1,
    "page_size": 10,
    "workers": 2,
    "indent": 2,
    "prefetch": True,
    "timeout": 60.5,
    "num_log_entries": 1,
    "confidence_score": 0.5,
    "metadata": {"count": 3, "deep": [{"share": 0.5, "on": True}]},
    "robot_config": {"components": [{"attributes": {"pin": 3, "ratio": 0.25}}]},
}


def converted(value, convert):
    """Return an argument whose numbers are converted, however deep they are."""
    if isinstance(value, Mapping):
        return {name: converted(item, convert) for name, item in value.items()}
    if isinstance(value, list):
        return [converted(item, convert) for item in value]
    return convert(value) if type(value) in KINDS else value


def numpy_number(value):
    return KINDS[type(value)](value)


def rounded(value):
    """Return a number of Python that the same type of NumPy holds."""
    return numpy_number(value).item()


def sent(server, call, arguments):
    """Return the requests of a call, up to the first answer of an iterator."""
    before = len(server.calls)
    result = call(**arguments)
    if isinstance(result, Iterator):
        next(result, None)
        with suppress(AttributeError):
            result.close()
    return server.calls[before].method, server.calls[before].requests


@pytest.mark.parametrize(("client", "method"), METHODS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numbers_of_numpy_are_sent_as_those_of_python(recorder, tmp_path, monkeypatch, client, method):
    server, channel = recorder
    monkeypatch.chdir(tmp_path)
    (tmp_path / "upload.txt").write_text("text")
    call = getattr(getattr(viam_client, client)(channel, {"authorization": "Bearer token"}), method)
    signature = inspect.signature(call)
    good = arguments_of(signature, client, method, str(tmp_path))
    good.update({name: value for name, value in LIMITS.items() if name in signature.parameters and name not in good})
    expected = sent(server, call, converted(good, rounded))
    assert sent(server, call, converted(good, numpy_number)) == expected


@pytest.mark.parametrize("number", [np.float16(0.5), np.float64(0.5), Decimal("0.5"), Fraction(1, 2)])
def test_a_real_number_of_any_library_is_a_share_and_a_time(recorder, number):
    server, channel = recorder
    data = viam_client.DataClient(channel, {})
    edges = {"x_min_normalized": 0, "y_min_normalized": 0, "x_max_normalized": number, "y_max_normalized": number}
    added = sent(server, data.add_bounding_box_to_image_by_id, {"binary_id": "a/b/c", "label": "cat", **edges})
    halves = {**edges, "x_max_normalized": 0.5, "y_max_normalized": 0.5}
    assert added == sent(server, data.add_bounding_box_to_image_by_id, {"binary_id": "a/b/c", "label": "cat", **halves})
    assert data.options(timeout=number * 100).list_dataset_by_ids(["d"])
    assert data.list_dataset_by_ids(["d"], timeout=number * 100)


def test_options_keep_plain_numbers():
    options = DialOptions(
        insecure=np.bool_(True),
        timeout=np.float32(7.5),
        initial_connection_attempts=np.int64(2),
        initial_connection_attempt_timeout=Decimal("1.5"),
        max_reconnect_attempts=np.uint8(1),
    )
    kept = (options.insecure, options.timeout, options.initial_connection_attempts, options.max_reconnect_attempts)
    assert [*map(repr, kept), repr(options.initial_connection_attempt_timeout)] == ["True", "7.5", "2", "1", "1.5"]
    assert repr(Retry(attempts=np.int64(3), total_timeout=np.float32(7.5))) == ("Retry(attempts=3, total_timeout=7.5)")


TIMES = [np.datetime64(0, "s"), np.timedelta64(1, "s"), np.timedelta64(1, "ns"), np.timedelta64("NaT", "s")]


@pytest.mark.parametrize("array", [np.array([0.5]), np.array(0.5), np.array([True]), *TIMES])
def test_an_array_or_a_time_is_no_number(recorder, array):
    server, channel = recorder
    data, before = viam_client.DataClient(channel, {}), len(server.calls)
    with pytest.raises(TypeError, match="x_max_normalized takes a number from 0 to 1, got a"):
        data.add_bounding_box_to_image_by_id("a/b/c", "cat", 0, 0, array, 1)
    with pytest.raises(TypeError, match="timeout takes a number of seconds, got a"):
        data.list_dataset_by_ids(["d"], timeout=array)
    with pytest.raises(TypeError, match="workers takes an int from 1 to 64, got a"):
        data.iter_binary_data(workers=array)
    with pytest.raises(TypeError, match="prefetch takes a bool, got a"):
        data.iter_binary_data(prefetch=array)
    assert len(server.calls) == before


@pytest.mark.parametrize("number", [np.float32("nan"), Decimal("NaN"), np.float32("inf"), Decimal("1e400")])
def test_a_number_that_is_not_finite_is_refused_as_one_of_python_is(recorder, number):
    server, channel = recorder
    billing, before = viam_client.BillingClient(channel, {}), len(server.calls)
    with pytest.raises(ValueError, match="subtotal takes a number, got"):
        billing.charge_organization("o", number, 0)
    with pytest.raises((TypeError, ValueError), match="timeout takes "):
        billing.get_org_billing_information("o", timeout=number)
    assert len(server.calls) == before


@pytest.mark.parametrize("number", [np.float32(5), Decimal(5), np.bool_(True)])
def test_what_is_no_integral_is_no_whole_number(recorder, number):
    server, channel = recorder
    app, before = viam_client.AppClient(channel, {}), len(server.calls)
    with pytest.raises(TypeError, match="num_log_entries takes an int from 0 on, where 0 stands for all entries, got"):
        app.get_robot_part_logs("p", num_log_entries=number)
    assert len(server.calls) == before
