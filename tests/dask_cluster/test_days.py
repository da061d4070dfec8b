"""How days are shared out; no cluster is needed for this."""

from datetime import date, datetime, timedelta
from typing import List

import pytest

from viam_sync.dask.days import day_groups

MIDNIGHT = datetime(2024, 5, 1)


@pytest.mark.parametrize("partitions", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize("hours", [[0, 1], [0, 24], [0, 24 * 7], [5, 20], [23, 25], [10, 24 * 7 + 3]])
def test_groups_adjoin_and_share_no_day(hours: List[int], partitions: int) -> None:
    start, end = (MIDNIGHT + timedelta(hours=each) for each in hours)
    groups = day_groups(start, end, partitions)
    edges = [group.interval for group in groups]
    assert (edges[0].start, edges[-1].end) == (start, end)
    for before, after in zip(edges, edges[1:]):
        assert before.end == after.start
        assert after.start is not None
        assert after.start.time() == MIDNIGHT.time()
    assert sum(group.part_count for group in groups) == partitions


def test_a_range_of_some_microseconds_has_no_more_parts_than_these() -> None:
    end = MIDNIGHT + timedelta(1)
    groups = day_groups(end - timedelta(microseconds=2), end + timedelta(1), 10)
    assert [group.part_count for group in groups] == [2, 5]


def test_each_day_that_is_known_belongs_to_one_group() -> None:
    groups = day_groups(MIDNIGHT + timedelta(hours=12), MIDNIGHT + timedelta(days=4), 3)
    known = {date(2024, 4, 30) + timedelta(number): number for number in range(8)}
    found = [group.counts(known) for group in groups]
    days = [day for counts in found for day in counts]
    assert days == [date(2024, 5, number) for number in range(1, 5)]
