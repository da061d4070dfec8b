"""What captured data has in common: where it came from, who may see it, filters, and the places of pages."""

from __future__ import annotations

import json
import re
from typing import Any, Iterable, List, NamedTuple, Sequence, Tuple

from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as pb
from viam_sync.sandbox.access import OPERATOR, Caller
from viam_sync.sandbox.checks import checked_id
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.world import World, microseconds_of

_DEFAULT_LIMIT = 50
_LARGEST_LIMIT = 100

_PLACE = re.compile(r"[0-9a-f]{24}\Z")
_ZERO = 2**63

# Some locations, those shared with some organizations, and all that are in these.
_DOWN = """
WITH RECURSIVE down (id) AS (
    SELECT value FROM json_each(?)
    UNION SELECT location_id FROM shares WHERE organization_id IN (SELECT value FROM json_each(?))
    UNION SELECT l.id FROM locations l JOIN down ON l.parent_id = down.id)
SELECT id FROM down
"""

# The fields of a Filter that must be equal to a column of the table of captures.
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
    """A part of a WHERE clause, and the values of its placeholders."""

    sql: str
    values: Sequence[Any] = ()


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that some conditions all hold."""
    found = list(conditions)
    sql = " AND ".join(f"({each.sql})" for each in found) or "1"
    return Condition(sql, [value for each in found for value in each.values])


def one_of(column: str, values: Iterable[str]) -> Condition:
    """Return the condition that a column has one of some values, however many."""
    # SQLite would read a text in JSON only up to its first NUL, and find what that stands for.
    whole = [value for value in values if "\0" not in value]
    return Condition(f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(whole)])


def capture_of(world: World, metadata: pb.CaptureMetadata) -> int:
    """Return the row of captures for data with this metadata, and make it if it is not there."""
    body = metadata.SerializeToString(deterministic=True)
    row = world.store.row("SELECT id FROM captures WHERE body = ?", body)
    if row is None:
        world.store.insert(
            "captures",
            body=body,
            organization_id=metadata.organization_id,
            location_id=metadata.location_id,
            robot_id=metadata.robot_id,
            robot_name=metadata.robot_name,
            part_id=metadata.part_id,
            part_name=metadata.part_name,
            component_type=metadata.component_type,
            component_name=metadata.component_name,
            method=metadata.method_name,
            mime_type=metadata.mime_type,
        )
        row = world.store.row("SELECT id FROM captures WHERE body = ?", body)
        assert row is not None
        for tag in dict.fromkeys(metadata.tags):
            world.store.insert("capture_tags", capture_id=row["id"], tag=tag)
    return int(row["id"])


def metadata_for(world: World, part: app_pb.RobotPart) -> pb.CaptureMetadata:
    """Return the metadata for what a part captures: where it is now, and what all that is named now."""
    robot = world.robot(part.robot)
    return pb.CaptureMetadata(
        organization_id=world.organization_of(robot.location),
        location_id=robot.location,
        robot_name=robot.name,
        robot_id=robot.id,
        part_name=part.name,
        part_id=part.id,
    )


def in_reach(world: World, caller: Caller, action: str) -> Condition:
    """Return the condition on ``captures c`` that the caller may "read" or "write" their data."""
    needed = f"{action}_robot_data_management"
    held = [grant for grant in caller.grants if grant.role == "owner" or needed in OPERATOR]
    ids = {
        level: [grant.resource_id for grant in held if grant.resource_type == level]
        for level in ("organization", "location", "robot")
    }
    locations = world.store.rows(_DOWN, json.dumps(ids["location"]), json.dumps(ids["organization"]))
    reach = (
        one_of("c.organization_id", ids["organization"]),
        one_of("c.location_id", [row["id"] for row in locations]),
        one_of("c.robot_id", ids["robot"]),
    )
    return Condition(" OR ".join(each.sql for each in reach), [value for each in reach for value in each.values])


def matching(filter: pb.Filter) -> Condition:
    """Return the condition on ``captures c`` that a filter sets, but for its interval, tags, labels and dataset.

    Raises:
        CallError: INVALID_ARGUMENT if an ID in it is malformed.
    """
    found: List[Condition] = []
    for field, column in _EQUAL.items():
        value = getattr(filter, field)
        if value:
            found.append(Condition(f"c.{column} = ?", [_checked(field, value)]))
    for field, column in _ONE_OF.items():
        values = getattr(filter, field)
        if values:
            found.append(one_of(f"c.{column}", [_checked(field, value) for value in values]))
    if filter.component_type:
        # Machines send both "camera" and "rdk:component:camera", and people ask for either.
        name = filter.component_type
        sql = "c.component_type IN (?, ?) OR substr(c.component_type, -length(?)) = ?"
        found.append(Condition(sql, [name, name.rpartition(":")[2], f":{name}", f":{name}"]))
    return all_of(found)


def within(interval: pb.CaptureInterval, column: str) -> Condition:
    """Return the condition that a time is in an interval, which has its start and not its end."""
    found: List[Condition] = []
    if interval.HasField("start"):
        found.append(Condition(f"{column} >= ?", [microseconds_of(interval.start)]))
    if interval.HasField("end"):
        found.append(Condition(f"{column} < ?", [microseconds_of(interval.end)]))
    return all_of(found)


def tagged(filter: pb.TagsFilter, tags: str) -> Condition:
    """Return the condition that a filter of tags sets; ``tags`` is a query for those of the row, with a column tag."""
    types = pb.TagsFilterType
    if filter.type == types.TAGS_FILTER_TYPE_TAGGED:
        return Condition(f"EXISTS ({tags})")
    if filter.type == types.TAGS_FILTER_TYPE_UNTAGGED:
        return Condition(f"NOT EXISTS ({tags})")
    if not filter.tags:  # clients send an empty filter of tags where they mean none
        return Condition("1")
    wanted = one_of("tag", filter.tags)
    return Condition(f"EXISTS (SELECT 1 FROM ({tags}) WHERE {wanted.sql})", wanted.values)


class Page(NamedTuple):
    """What a request asks for: how many, in which order, and after what.

    Attributes:
        limit: The largest number of items.
        order: An ORDER BY clause for a table with the columns ``requested`` and ``id``.
        condition: The condition that an item comes after the place where the page before ended.
    """

    limit: int
    order: str
    condition: Condition


def page_of(request: pb.DataRequest, table: str) -> Page:
    """Return the page of a table that a request asks for.

    Raises:
        CallError: INVALID_ARGUMENT if ``last`` is none that a page ended with.
    """
    ascending = request.sort_order == pb.Order.ORDER_ASCENDING
    limit = min(request.limit or _DEFAULT_LIMIT, _LARGEST_LIMIT)
    direction, sign = ("ASC", ">") if ascending else ("DESC", "<")
    condition = Condition("1")
    if request.last:
        condition = Condition(f"({table}.requested, {table}.id) {sign} (?, ?)", _place_from(request.last))
    return Page(limit, f"{table}.requested {direction}, {table}.id {direction}", condition)


def place_of(requested: int, id: int) -> str:
    """Return what ``last`` says after an item: its place in the order, as 24 hexadecimal digits."""
    return f"{requested + _ZERO:016x}{id:08x}"


def _place_from(last: str) -> Tuple[int, int]:
    if not _PLACE.match(last):
        raise invalid_argument(
            f"{last[:64]!r} is none of the places that a page ended with; "
            "pass on the `last` of the page before, or leave it out to begin at the start."
        )
    return int(last[:16], 16) - _ZERO, int(last[16:], 16)


def _checked(field: str, value: str) -> str:
    return checked_id(_IDS[field], value) if field in _IDS else value
