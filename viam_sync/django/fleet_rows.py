"""Machines as plain dicts, with where they are: what commands print, and what fields of models are mapped to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List, Mapping, Optional, Set

from viam_sync import ViamClient
from viam_sync.display.shown_fields import enum_name, shown_field
from viam_sync.utils import timestamp_to_datetime

#: How many machines are asked for their parts at a time.
_AT_ONCE = 8

Row = Dict[str, Any]


def machine_rows(client: ViamClient, *, parts: bool = False) -> Iterator[Row]:
    """Yield all machines that a client may see, each once.

    Args:
        client: The client.
        parts: Whether to add ``parts``, all of them, and ``part``, the main one; this takes a call for each machine.

    Example:
        >>> from viam_sync.django.fleet_rows import machine_rows
        >>> [row["location"]["name"] for row in machine_rows(client)]
        ['Workshop', 'Workshop', 'Greenhouse']
    """
    app = client.app_client
    seen: Set[str] = set()
    for organization in app.list_organizations():
        names = {location.id: location.name for location in app.list_locations(organization.id)}
        robots = [robot for robot in app.list_robots_for_org(organization.id) if robot.id not in seen]
        seen.update(robot.id for robot in robots)  # a location may be shared with another organization
        rows = [
            {
                **robot_row(robot),
                "location": {"id": robot.location, "name": names.get(robot.location)},
                "organization": {"id": organization.id, "name": organization.name},
            }
            for robot in robots
        ]
        yield from _with_parts(client, rows) if parts else rows


def robot_row(robot: Any) -> Row:
    """Return what the message of a machine tells.

    Example:
        >>> from viam_sync.django.fleet_rows import robot_row
        >>> robot_row(pb.Robot(name="rover", online_state="ONLINE_STATE_AWAITING_SETUP"))["online_state"]
        'awaiting setup'
    """
    state = shown_field(robot, "online_state")
    words = "" if state is None or state.enum is None else str(enum_name(state.enum, state.value))
    words = words.replace("ONLINE_STATE_", "").replace("_", " ").lower()
    return {
        "id": robot.id,
        "name": robot.name,
        "online": words == "online",
        "online_state": words,
        "last_access": _time(robot, "last_access"),
        "created_on": _time(robot, "created_on"),
    }


def _time(robot: Any, name: str) -> Optional[datetime]:
    return timestamp_to_datetime(getattr(robot, name), timezone.utc) if robot.HasField(name) else None


def _with_parts(client: ViamClient, rows: List[Row]) -> Iterator[Row]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        listed = pool.map(client.app_client.get_robot_parts, [row["id"] for row in rows])
        for row, parts in zip(rows, listed):
            found = [{"id": part.id, "name": part.name, "fqdn": part.fqdn, "main": part.main_part} for part in parts]
            main: Mapping[str, Any] = next(
                (part for part in found if part["main"]), dict.fromkeys(("id", "name", "fqdn"))
            )
            yield {**row, "part": {name: main[name] for name in ("id", "name", "fqdn")}, "parts": found}
