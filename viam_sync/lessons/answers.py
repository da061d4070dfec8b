"""The checks of the exercises: each looks at what was printed, and at what is in the cloud."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Sequence

if TYPE_CHECKING:
    from viam_sync import ViamClient
    from viam_sync.app.app_client import RobotPart


class Missing(Exception):
    """An exercise is not right yet; the text says what is missing, in a sentence."""


def _first_call(client: ViamClient, printed: str) -> None:
    said = _said(printed, "machines")
    if said not in (str(len(_machines(client))), str(len(_all_machines(client)))):
        raise Missing(f"{said} is not how many machines there are; count those of all locations.")


def _names_and_ids(client: ViamClient, printed: str) -> None:
    app = client.app_client
    machine = min(_machines(client), key=lambda machine: machine.name, default=None)
    if machine is None:
        raise Missing("there is no machine here; unset VIAM_API_KEY to do this lesson in the sandbox.")
    said = _said(printed, machine.name)
    main = [part.id for part in app.get_robot_parts(machine.id) if part.main_part]
    if said == machine.id:
        raise Missing(f"{said} is the ID of the machine; print that of its main part.")
    if said not in main:
        raise Missing(f"{said} is not the ID of the main part of {machine.name}.")


def _configuration(client: ViamClient, printed: str, part: RobotPart) -> None:
    config = client.app_client.get_robot_part(part.id).robot_config or {}
    components = {each.get("name"): each for each in config.get("components", [])}
    if "air" not in components:
        raise Missing("the sensor air is gone; add the camera to the configuration that the machine has.")
    if "door" not in components:
        raise Missing("the configuration has no component with the name door.")
    if components["door"].get("api") != "rdk:component:camera":
        raise Missing(f"the api of door is {components['door'].get('api')!r} instead of 'rdk:component:camera'.")


def _logs(client: ViamClient, printed: str) -> None:
    app = client.app_client
    for machine in _machines(client):
        errors = 0
        for part in app.get_robot_parts(machine.id):
            errors += sum(1 for _ in app.iter_robot_part_logs(part.id, log_levels=["error"]))
        said = _said(printed, machine.name)
        if said != str(errors):
            raise Missing(f"{said} is not how many errors {machine.name} has logged; count those of all of its parts.")


def _readings(client: ViamClient, printed: str, day: Sequence[Any]) -> None:
    said = _number(printed, "highest")
    if not _close(said, max(row.data["readings"]["humidity"] for row in day)):
        raise Missing(f"{said:g} is not the highest humidity among the readings in the list day.")


def _queries(client: ViamClient, printed: str) -> None:
    organization = client.app_client.list_organizations()[0]
    query = "SELECT COUNT(*) AS warm FROM readings WHERE data.readings.temperature > 25"
    expected = client.data_client.tabular_data_by_sql(organization.id, query)[0]["warm"]
    said = _number(printed, "warm")
    if not _close(said, expected):
        raise Missing(f"{said:g} is not how many readings have a temperature above 25.")


def _pictures(client: ViamClient, printed: str, picture_id: str) -> None:
    (picture,) = client.data_client.binary_data_by_ids([picture_id], include_binary_data=False)
    boxes = [box for box in picture.metadata.annotations.bboxes if box.label == "white"]
    if not boxes:
        raise Missing('the picture has no box with the label "white".')
    box = boxes[-1]
    edges = (box.x_min_normalized, box.y_min_normalized, box.x_max_normalized, box.y_max_normalized)
    if not all(map(_close, edges, (0.5, 0, 1, 1))):
        raise Missing(f"the box goes from {edges[:2]} to {edges[2:]}; the white half begins at half of the width.")


def _uploading(client: ViamClient, printed: str, part: RobotPart) -> None:
    found = [
        file for file in _files(client, part_id=part.id) if file.metadata.file_name.rpartition("/")[2] == "notes.txt"
    ]
    if not found:
        raise Missing("the part has no file with the name notes.txt.")
    if found[-1].binary != b"It works.\n":
        raise Missing(f"notes.txt holds {found[-1].binary[:40]!r} instead of a line that says: It works.")
    if "lesson" not in found[-1].metadata.capture_metadata.tags:
        raise Missing('notes.txt does not have the tag "lesson".')


def _dataset(client: ViamClient, printed: str, dataset_id: str) -> None:
    files = _files(client, dataset_id=dataset_id)
    tags: List[str] = [tag for file in files for tag in file.metadata.capture_metadata.tags]
    if tags.count("white") < 1:
        raise Missing('the dataset has no picture with the tag "white".')
    if tags.count("red") < 2:
        raise Missing('the two pictures with the tag "red" are not in the dataset any more.')


def _roles(client: ViamClient, printed: str, key_id: str) -> None:
    organization = client.app_client.list_organizations()[0]
    keys = [key for key in client.app_client.list_keys(organization.id) if key.api_key.id == key_id]
    roles = [role.authorization_id.rpartition("_")[2] for key in keys for role in key.authorizations]
    if "owner" in roles:
        raise Missing("the key is still an owner.")
    if "operator" not in roles:
        raise Missing("the key is not an operator of the machine.")


def _errors(client: ViamClient, printed: str, ids: Sequence[str]) -> None:
    names = {machine.id: machine.name for machine in _machines(client)}
    for id in ids:
        said, expected = _said(printed, id), names.get(id, "not there")
        if said != expected:
            raise Missing(f"the line of {id} says {said!r} instead of {expected!r}.")


def _nightly_job(client: ViamClient, printed: str, tables: Sequence[Path]) -> None:
    for table in tables:
        lines = table.with_suffix(".jsonl")
        if not lines.is_file():
            raise Missing(f"there is no file {lines.name}.")
        with table.open(newline="", encoding="utf-8") as file:
            expected = sum(1 for _ in csv.DictReader(file))
        rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
        if len(rows) != expected:
            raise Missing(f"{lines.name} has {len(rows)} readings, and {table.name} has {expected}.")


#: For the number of each lesson, its check: it takes the client, what was printed, and what the lesson has made.
ANSWERS: Dict[int, Callable[..., None]] = {
    1: _first_call,
    2: _names_and_ids,
    3: _configuration,
    4: _logs,
    5: _readings,
    6: _queries,
    7: _pictures,
    8: _uploading,
    9: _dataset,
    10: _roles,
    11: _errors,
    12: _nightly_job,
}


def _machines(client: ViamClient) -> List[Any]:
    """Return the machines that stay; those that others of a class practise on come and go."""
    return [each for each in _all_machines(client) if not re.fullmatch("lesson-[0-9a-f]{8}", each.name)]


def _all_machines(client: ViamClient) -> List[Any]:
    app = client.app_client
    organizations = app.list_organizations()
    return [machine for organization in organizations for machine in app.list_robots_for_org(organization.id)]


def _files(client: ViamClient, **filter: Any) -> List[Any]:
    # Imported late, as it loads grpc.
    from viam_sync.utils import create_filter

    return list(client.data_client.iter_binary_data(create_filter(**filter)))


def _said(printed: str, name: str) -> str:
    """Return the rest of the last printed line that begins with a name and a colon."""
    found = re.findall(rf"^ *{re.escape(name)}: *(.*?) *$", printed, re.MULTILINE)
    if not found:
        raise Missing(f'the exercise has printed no line that begins with "{name}: "; its lines go where "pass" was.')
    return str(found[-1])


def _number(printed: str, name: str) -> float:
    said = _said(printed, name)
    try:
        return float(said)
    except ValueError:
        raise Missing(f'after "{name}: " there is {said!r} instead of a number.') from None


def _close(one: float, other: float) -> bool:
    return abs(one - other) < 0.01
