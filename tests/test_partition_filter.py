"""Splitting the time range of a filter: nothing is lost, and nothing is there twice."""

import random
from datetime import datetime, timedelta, timezone
from typing import Any, List, Optional

import pytest

from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter, partition_filter

NOON = datetime(2024, 1, 1, 12)
MICROSECOND = timedelta(microseconds=1)


def between(start: Optional[datetime], end: Optional[datetime], **more: Any) -> pb.Filter:
    return create_filter(start_time=start, end_time=end, **more)


def nanoseconds(timestamp: Any) -> int:
    return int(timestamp.seconds) * 10**9 + int(timestamp.nanos)


def edges(filters: List[pb.Filter]) -> List[int]:
    """Return where the filters begin and the last of them ends, when each begins where the one before ends."""
    starts = [nanoseconds(part.interval.start) for part in filters]
    ends = [nanoseconds(part.interval.end) for part in filters]
    assert starts[1:] == ends[:-1]
    return [*starts, ends[-1]]


def test_a_range_is_split_into_equal_parts() -> None:
    parts = partition_filter(between(NOON, NOON + timedelta(hours=4)), 4)
    assert parts == [between(NOON + timedelta(hours=hour), NOON + timedelta(hours=hour + 1)) for hour in range(4)]


def test_any_range_is_split_without_gap_or_overlap_into_parts_that_differ_by_a_microsecond() -> None:
    chance = random.Random(7)
    for _ in range(300):
        start = datetime(1, 1, 1) + chance.random() * timedelta(days=3_000_000)
        span = timedelta(microseconds=chance.randint(1, 10 ** chance.randint(0, 15)))
        n = chance.randint(1, min(200, span // MICROSECOND))
        whole = between(start, start + span)
        parts = partition_filter(whole, n)
        found = edges(parts)
        assert len(parts) == n
        assert (found[0], found[-1]) == (nanoseconds(whole.interval.start), nanoseconds(whole.interval.end))
        lengths = {after - before for before, after in zip(found, found[1:])}
        assert min(lengths) > 0
        assert max(lengths) - min(lengths) <= 1000
        assert not [edge for edge in found if edge % 1000]


def test_the_ends_stay_as_they_are_below_a_microsecond() -> None:
    whole = between(NOON, NOON + 3 * MICROSECOND)
    whole.interval.start.nanos += 999
    whole.interval.end.nanos += 1
    first, second = partition_filter(whole, 2)
    assert (first.interval.start.nanos, second.interval.end.nanos) == (999, 3001)
    assert first.interval.end == second.interval.start
    assert first.interval.end.nanos in (1000, 2000)


def test_all_else_stays_and_the_filter_itself_does_too() -> None:
    whole = between(NOON, NOON + timedelta(1), component_name="camera", tags=["night"], organization_ids=["o"])
    before = pb.Filter.FromString(whole.SerializeToString())
    parts = partition_filter(whole, 3)
    assert whole == before
    for part in parts:
        part.interval.CopyFrom(whole.interval)
    assert parts == [whole] * 3


def test_one_part_is_a_copy() -> None:
    whole = between(NOON, NOON + MICROSECOND)
    (part,) = partition_filter(whole, 1)
    assert part == whole
    assert part is not whole


@pytest.mark.parametrize(
    ("filter", "n", "error", "message"),
    [
        ("camera", 2, TypeError, r"filter takes a Filter, got a str; make one with create_filter"),
        (None, 2, TypeError, r"filter takes a Filter, got None; make one with create_filter"),
        (
            pb.CaptureInterval(),
            2,
            TypeError,
            r"filter takes a Filter, as viam_sync.utils.create_filter\(…\) returns, got a CaptureInterval",
        ),
        (between(NOON, NOON + MICROSECOND), 1.0, TypeError, r"n takes an int from 1 to 1, .* got 1.0"),
        (between(NOON, NOON + MICROSECOND), True, TypeError, r"n takes an int from 1 to 1, .* got True"),
        (between(None, NOON), 2, ValueError, r"filter has no start; give create_filter both"),
        (between(NOON, None), 2, ValueError, r"filter has no end; give create_filter both"),
        (pb.Filter(), 2, ValueError, r"filter has no start"),
        (between(NOON, NOON), 1, ValueError, r"ends before it starts, or at the same time"),
        (between(NOON, NOON + 3 * MICROSECOND), 0, ValueError, r"n takes an int from 1 to 3, .* got 0"),
        (between(NOON, NOON + 3 * MICROSECOND), 4, ValueError, r"n takes an int from 1 to 3, .* got 4"),
        (between(NOON, NOON + timedelta(days=1)), 2**31, ValueError, r"from 1 to 100000, got 2147483648"),
        (between(NOON, NOON + 3 * MICROSECOND), 10**30, ValueError, r"n takes an int from 1 to 3"),
    ],
)
def test_an_argument_that_cannot_be_split_is_rejected_by_name(filter: Any, n: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        partition_filter(filter, n)


def test_each_reading_is_in_exactly_one_part(sandbox: Sandbox, client: ViamClient) -> None:
    data = client.data_client
    times = [datetime(2024, 1, 1, tzinfo=timezone.utc) + number * MICROSECOND for number in range(20)]
    data.tabular_data_capture_upload(
        tabular_data=[{"number": number} for number in range(20)],
        part_id=sandbox.robot_part_id,
        component_type="sensor",
        component_name="edge",
        method_name="Readings",
        tags=[],
        data_request_times=[(time, time) for time in times],
    )
    whole = between(times[0], times[-1] + MICROSECOND, component_name="edge")
    for n in (1, 3, 7, 20):
        rows = [row for part in partition_filter(whole, n) for row in data.tabular_data_by_filter(part)[0]]
        assert sorted(row.data["number"] for row in rows) == list(range(20))
