"""The readings of a sensor as lines of a chart: few enough points for a page, however many readings there are."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.structs import plain_struct
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.http.ui_lists import SENSOR
from viam_sync.sandbox.http.ui_pages import page_of_items
from viam_sync.sandbox.http.ui_texts import body_column, cut

# The latest readings that are drawn, the fields on a page, and the names of those that are left out.
_READINGS, _FIELDS, _NAMES = 50_000, 6, 20
# The columns of a chart, in each of which a line has four points at most.
_COLUMNS = 240
# A line ends where the next value is so many times later than usual.
_GAP = 5
_HOUR = 3600 * 1_000_000
#: The choices of how far back a chart goes, in microseconds; all else means all.
_SPANS = {"hour": _HOUR, "day": 24 * _HOUR, "week": 7 * 24 * _HOUR}

_CAPTURES = (
    "SELECT c.id FROM captures c JOIN captures s ON s.id = ?"
    f" AND {' AND '.join(f's.{name} = c.{name}' for name in SENSOR)}"
)
_STATE = (
    f"SELECT count(*) AS n, max(id) AS newest, max(requested) AS latest FROM readings WHERE capture_id IN ({_CAPTURES})"
)
_IN_SPAN = f"FROM readings r WHERE r.capture_id IN ({_CAPTURES}) AND r.requested >= ?"
_LATEST = f"SELECT r.requested, {body_column('r')} {_IN_SPAN} ORDER BY r.requested DESC, r.id DESC LIMIT {_READINGS}"

Point = Tuple[int, float]


def sensor_view(world: World, id: str) -> Optional[Dict[str, Any]]:
    """Return the names of a sensor, and what changes when its readings do; None if it has no readings."""
    capture = world.store.row("SELECT * FROM captures WHERE id = ?", id)
    state = world.store.row(_STATE, id)
    if capture is None or state is None or not state["n"]:
        return None
    names = {name: cut(capture[name]) for name in ("robot_name", "part_name", "component_name", "method")}
    return {"id": capture["id"], **names, "readings": state["n"], "newest": state["newest"], "latest": state["latest"]}


def chart_view(world: World, query: Mapping[str, str]) -> Optional[Dict[str, Any]]:
    """Return the lines of a page of a sensor's fields, in the order of their names; None if it has no readings.

    Args:
        world: The state of the sandbox, in no transaction: other calls go on while the readings are parsed.
        query: The ID of one of the sensor's captures as ``sensor``, the ``span``, and the page of its ``fields``.
    """
    id = query.get("sensor", "")
    with world.store.transaction():
        sensor = sensor_view(world, id)
        if sensor is None:
            return None
        start = sensor["latest"] - _SPANS[query["span"]] if query.get("span") in _SPANS else -(2**63)
        total = world.store.row(f"SELECT count(*) AS n {_IN_SPAN}", id, start)
        rows = world.store.rows(_LATEST, id, start)[::-1]
    values, others = _by_field((row["requested"], row["body"]) for row in rows)
    place, names = page_of_items(sorted(values), query.get("fields", ""), _FIELDS)
    first, last = rows[0]["requested"], rows[-1]["requested"]
    return {
        "sensor": sensor,
        "from": first,
        "to": last,
        "readings": len(rows),
        "total": len(rows) if total is None else total["n"],
        "fields": {**place, "items": [_field_view(name, values[name], first, last) for name in names]},
        "left_out": [f"{cut(name)} ({', '.join(sorted(kinds))})" for name, kinds in sorted(others.items())[:_NAMES]],
        "more_left_out": max(0, len(others) - _NAMES),
    }


def _by_field(readings: Iterable[Tuple[int, Optional[bytes]]]) -> Tuple[Dict[str, List[Point]], Dict[str, Set[str]]]:
    """Return the numbers of each field with their times, and the kinds of what is no number, by field."""
    numbers: Dict[str, List[Point]] = {}
    others: Dict[str, Set[str]] = {}
    for time, body in readings:
        if body is None:
            others.setdefault("whole readings", set()).add("too large")
            continue
        for name, value in _fields(plain_struct(Struct.FromString(body))):
            kind = _kind(value)
            if kind:
                others.setdefault(name, set()).add(kind)
            else:
                numbers.setdefault(name, []).append((time, value))
    return numbers, others


def _fields(values: Mapping[str, Any], prefix: str = "") -> Iterator[Tuple[str, Any]]:
    """Yield the fields of a reading with their names as queries have them, such as "readings.temperature"."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _fields(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


def _kind(value: Any) -> str:
    """Return what a value is that cannot be drawn; empty for a number."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "no finite number"
    return {bool: "true or false", str: "text"}.get(type(value), "list")


def _field_view(name: str, points: List[Point], first: int, last: int) -> Dict[str, Any]:
    values = [value for _, value in points]
    width = max(1, -(-(last - first + 1) // _COLUMNS))
    return {
        "name": cut(name),
        "values": len(values),
        "min": min(values),
        "max": max(values),
        "last": values[-1],
        "lines": [_thinned(line, first, width) for line in _lines(points, width)],
    }


def _lines(points: List[Point], width: int) -> Iterator[List[Point]]:
    """Yield the points between gaps; what is closer than a column is wide is none."""
    times = [time for time, _ in points]
    steps = [later - earlier for earlier, later in zip(times, times[1:])]
    widest = max(width, _GAP * statistics.median(steps)) if steps else 0
    ends = [place for place, step in enumerate(steps, 1) if step > widest]
    for start, end in zip([0, *ends], [*ends, len(points)]):
        yield points[start:end]


def _thinned(points: List[Point], first: int, width: int) -> List[Point]:
    """Return the first, lowest, highest and last point of each column, in their order: they draw the same line."""
    kept: List[Point] = []
    for _, column in itertools.groupby(points, lambda point: (point[0] - first) // width):
        here = list(column)
        lowest, highest = (choose(range(len(here)), key=lambda at: here[at][1]) for choose in (min, max))
        kept += [here[at] for at in sorted({0, lowest, highest, len(here) - 1})]
    return kept
