"""The options that choose data, by names or IDs, and the filter that they make."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, TypeVar

import click

from viam_sync.app.data_client import Filter, create_filter
from viam_sync.cli.fleet_things import Fleet, Thing
from viam_sync.cli.frame import Session
from viam_sync.cli.time_options import time_option
from viam_sync.display.cells import time_text

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

#: The options, by the names of their values. Those of the official command line are taken, too.
_OPTIONS: Mapping[str, click.Option] = {
    option.name or "": option
    for option in (
        click.Option(["--organization", "--org", "organization"], multiple=True, help="Of an organization."),
        click.Option(["--location"], multiple=True, help="Of a location."),
        click.Option(["--machine", "--machine-name", "--machine-id", "machine"], help="Of a machine."),
        click.Option(["--part", "--part-name", "--part-id", "part"], help="Of a part."),
        click.Option(["--component", "--component-name", "component"], help="Of a component or service."),
        click.Option(["--component-type"], help="Of a type of component, as it was uploaded."),
        click.Option(["--method"], help="Of a captured method, such as Readings."),
        click.Option(["--mime-type"], multiple=True, help="Of a type of file, such as image/png."),
        click.Option(["--tag"], multiple=True, help="With a tag."),
        click.Option(["--bbox-label"], multiple=True, help="With a box that has a label."),
        click.Option(["--dataset", "--dataset-id", "dataset"], help="In a dataset."),
        click.Option(
            ["--start"], type=time_option, metavar="TIME", help="From a time on: 1h ago, yesterday, 2024-01-31."
        ),
        click.Option(["--end"], type=time_option, metavar="TIME", help="Before a time."),
    )
}
#: The options of the official command line that take several things, separated by commas.
_LISTS: Mapping[str, Sequence[str]] = {
    "organization": ("--org-ids", "--org-id"),
    "location": ("--location-ids", "--location-id"),
    "mime_type": ("--mime-types",),
    "tag": ("--tags",),
    "bbox_label": ("--bbox-labels",),
}
#: All names of options.
FILTERS: Sequence[str] = tuple(_OPTIONS)
#: Those for files, and those for readings.
READING_FILTERS = tuple(name for name in FILTERS if name not in ("mime_type", "bbox_label", "dataset"))


class DataChoice(NamedTuple):
    """The data that options choose.

    Attributes:
        filter: The filter.
        words: What was chosen, such as ``machine rover, tag ripe``; empty for all data.
        organization_ids: The organizations that it may be of; those of the options, and of the things they name.
    """

    filter: Filter
    words: str
    organization_ids: Sequence[str]


def filter_options(names: Sequence[str] = FILTERS) -> Callable[[_Decorated], _Decorated]:
    """Give a command the options that choose data; it gets their values as keywords, for `choose_data`.

    Args:
        names: The names of the options.
    """

    def decorate(function: _Decorated) -> _Decorated:
        options = [_OPTIONS[name] for name in names]
        options += [
            click.Option([*official, f"{name}_list"], hidden=True, callback=_split)
            for name, official in _LISTS.items()
            if name in names
        ]
        # As decorators of click do, the last one first.
        function.__dict__.setdefault("__click_params__", []).extend(reversed(options))
        return function

    return decorate


def _split(context: click.Context, option: click.Parameter, value: Optional[str]) -> List[str]:
    return [] if value is None else [each.strip() for each in value.split(",") if each.strip()]


def choose_data(session: Session, options: Mapping[str, Any]) -> DataChoice:
    """Return the data that the values of the options choose.

    Raises:
        click.ClickException: If there is nothing of a name.
        click.UsageError: If a name is empty, or the times are in the wrong order.
    """
    chosen = _chosen(options)
    fleet = Fleet(session.client)
    things: Dict[str, List[Thing]] = {}
    for name in ("organization", "location", "machine", "part", "dataset"):
        things[name] = [_thing(fleet, f"{name}s", each, things.get("machine", [])) for each in chosen.get(name, [])]
    ids = {name: [thing.id for thing in found] for name, found in things.items()}
    start, end = _only(chosen, "start"), _only(chosen, "end")
    if start is not None and end is not None and end < start:
        raise click.UsageError("--end is before --start, so nothing is between them")
    filter = create_filter(
        component_name=_only(chosen, "component"),
        component_type=_only(chosen, "component_type"),
        method=_only(chosen, "method"),
        robot_id=_only(ids, "machine"),
        part_id=_only(ids, "part"),
        location_ids=ids["location"],
        organization_ids=ids["organization"],
        mime_type=chosen.get("mime_type"),
        start_time=start,
        end_time=end,
        tags=chosen.get("tag"),
        bbox_labels=chosen.get("bbox_label"),
        dataset_id=_only(ids, "dataset"),
    )
    named = [thing for found in things.values() for thing in found]
    tops = dict.fromkeys(each.id for thing in named for each in (*thing.holders, thing) if each.kind == "organizations")
    return DataChoice(filter, _words(chosen), tuple(tops))


def _chosen(options: Mapping[str, Any]) -> Dict[str, List[Any]]:
    """Return the values that were given, by the names of the options; a list for each."""
    chosen: Dict[str, List[Any]] = {}
    for name, value in options.items():
        values = [value] if isinstance(value, str) or not isinstance(value, (list, tuple)) else list(value)
        values = [each for each in values if each is not None]
        if "" in values:
            raise click.UsageError(f"--{name.replace('_', '-')} is empty; leave it out, or say what it is")
        name = name[: -len("_list")] if name.endswith("_list") else name
        if values:
            chosen.setdefault(name, []).extend(values)
    return {name: chosen[name] for name in FILTERS if name in chosen}


def is_chosen(options: Mapping[str, Any]) -> bool:
    """Tell whether any of the options was given."""
    return bool(_chosen(options))


def _only(values: Mapping[str, List[Any]], name: str) -> Any:
    return next(iter(values.get(name, [])), None)


def _thing(fleet: Fleet, kind: str, name: str, machines: Sequence[Thing]) -> Thing:
    """Return the thing that a name or an ID means; data of a machine that is gone is found by its ID."""
    if _UUID.fullmatch(name):
        return Thing(kind, name, name, None)
    if kind == "parts" and machines:
        inside = [part for part in fleet.things("parts") if part.is_called(name) and part.is_in(machines[0])]
        if len(inside) == 1:
            return inside[0]
    return fleet.find(name, [kind])


def _words(chosen: Mapping[str, List[Any]]) -> str:
    words = []
    for name, values in chosen.items():
        text = " or ".join(each if isinstance(each, str) else time_text(each, None) for each in values)
        words.append(f"{_PREPOSITIONS.get(name, name.replace('_', ' '))} {text}")
    return ", ".join(words)


_PREPOSITIONS = {"start": "from", "end": "before", "bbox_label": "boxes of"}


def one_organization(session: Session, choice: DataChoice) -> str:
    """Return the ID of the organization that data is in, which is not said where there is but one.

    Raises:
        click.UsageError: If it has to be said.
    """
    ids = list(choice.organization_ids)
    if not ids:
        there = session.client.app_client.list_organizations()
        ids = [each.id for each in there]
        if len(ids) != 1:
            names = ", ".join(each.name for each in there) or "none"
            raise click.UsageError(f"--organization is missing; there are: {names}")
    if len(ids) > 1:
        raise click.UsageError("give one --organization: this command is for the data of one")
    return ids[0]
