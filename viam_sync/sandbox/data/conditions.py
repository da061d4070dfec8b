"""Conditions in SQL: on the origin of data, on access to it, and for filters."""

from __future__ import annotations

import json
from typing import Any, Iterable, List, NamedTuple, Sequence

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import OPERATOR, Caller
from viam_sync.sandbox.core.request_checks import checked_id
from viam_sync.sandbox.core.world import World, microseconds_of

# Some locations, those shared with some organizations, and all below them.
_DOWN = """
WITH RECURSIVE down (id) AS (
    SELECT value FROM json_each(?)
    UNION SELECT location_id FROM shares WHERE organization_id IN (SELECT value FROM json_each(?))
    UNION SELECT l.id FROM locations l JOIN down ON l.parent_id = down.id)
SELECT id FROM down
"""


# The fields of a Filter that a column of the table of captures must be equal to.
_EQUAL = {
    "component_name": "component_name",
    "method": "method",
    "robot_name": "robot_name",
    "robot_id": "robot_id",
    "part_name": "part_name",
    "part_id": "part_id",
}


_ONE_OF = {"location_ids": "location_id", "organization_ids": "organization_id", "mime_type": "mime_type"}


_IDS = {
    "robot_id": "robot",
    "part_id": "part",
    "location_ids": "location",
    "organization_ids": "organization",
}


class Condition(NamedTuple):
    """A condition of a WHERE clause, and the values of its placeholders."""

    sql: str
    values: Sequence[Any] = ()


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the conjunction of conditions."""
    found = list(conditions)
    sql = " AND ".join(f"({each.sql})" for each in found) or "1"
    return Condition(sql, [value for each in found for value in each.values])


def column_in(column: str, values: Iterable[str]) -> Condition:
    """Return the condition that a column has one of any number of values."""
    # SQLite reads a text in JSON only up to its first NUL, so it would match a shorter text.
    complete = [value for value in values if "\0" not in value]
    return Condition(f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(complete)])


def access_condition(world: World, caller: Caller, action: str) -> Condition:
    """Return the condition on ``captures c`` that the caller may "read" or "write" the data."""
    needed = f"{action}_robot_data_management"
    held = [grant for grant in caller.grants if grant.role == "owner" or needed in OPERATOR]
    ids = {
        level: [grant.resource_id for grant in held if grant.resource_type == level]
        for level in ("organization", "location", "robot")
    }
    locations = world.store.rows(_DOWN, json.dumps(ids["location"]), json.dumps(ids["organization"]))
    conditions = (
        column_in("c.organization_id", ids["organization"]),
        column_in("c.location_id", [row["id"] for row in locations]),
        column_in("c.robot_id", ids["robot"]),
    )
    return Condition(
        " OR ".join(each.sql for each in conditions), [value for each in conditions for value in each.values]
    )


def capture_condition(filter: pb.Filter) -> Condition:
    """Return the condition on ``captures c`` that a filter sets, without its interval, tags, labels and dataset.

    Raises:
        CallError: INVALID_ARGUMENT if an ID in the filter is malformed.
    """
    found: List[Condition] = []
    for field, column in _EQUAL.items():
        value = getattr(filter, field)
        if value:
            found.append(Condition(f"c.{column} = ?", [_checked_value(field, value)]))
    for field, column in _ONE_OF.items():
        values = getattr(filter, field)
        if values:
            found.append(column_in(f"c.{column}", [_checked_value(field, value) for value in values]))
    if filter.component_type:
        # Machines send both "camera" and "rdk:component:camera", and people ask for either.
        name = filter.component_type
        sql = "c.component_type IN (?, ?) OR substr(c.component_type, -length(?)) = ?"
        found.append(Condition(sql, [name, name.rpartition(":")[2], f":{name}", f":{name}"]))
    return all_of(found)


def interval_condition(interval: pb.CaptureInterval, column: str) -> Condition:
    """Return the condition that a time is in an interval, which includes its start and excludes its end."""
    found: List[Condition] = []
    if interval.HasField("start"):
        found.append(Condition(f"{column} >= ?", [microseconds_of(interval.start)]))
    if interval.HasField("end"):
        found.append(Condition(f"{column} < ?", [microseconds_of(interval.end)]))
    return all_of(found)


def tags_condition(filter: pb.TagsFilter, tags: str) -> Condition:
    """Return the condition of a filter of tags; ``tags`` is a query for the tags of a row, with a column ``tag``."""
    types = pb.TagsFilterType
    if filter.type == types.TAGS_FILTER_TYPE_TAGGED:
        return Condition(f"EXISTS ({tags})")
    if filter.type == types.TAGS_FILTER_TYPE_UNTAGGED:
        return Condition(f"NOT EXISTS ({tags})")
    if not filter.tags:  # clients send an empty filter for no filter
        return Condition("1")
    wanted = column_in("tag", filter.tags)
    return Condition(f"EXISTS (SELECT 1 FROM ({tags}) WHERE {wanted.sql})", wanted.values)


def _checked_value(field: str, value: str) -> str:
    return checked_id(_IDS[field], value) if field in _IDS else value
