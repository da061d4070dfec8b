"""The options that choose data, by names or IDs, and the filter that they make."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence, TypeVar

import click

from viam_sync.app.data_client import Filter, create_filter
from viam_sync.cli.fleet_things import Fleet, Thing, is_id
from viam_sync.cli.frame import Session
from viam_sync.cli.time_options import time_option
from viam_sync.display.cells import time_text

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def _split(context: click.Context, option: click.Parameter, value: Sequence[str]) -> List[str]:
    return [each.strip() for text in value for each in text.split(",")]


def _option(*names: str, **settings: Any) -> Any:
    """Return an option that may stand several times; one that takes a single value is refused then, in `_only`."""
    return click.option(*names, multiple=True, **settings)


def _list_option(*names: str) -> Any:
    """Return an option of the official command line, which takes several things, separated by commas."""
    return _option(*names, hidden=True, callback=_split)


#: The options, by the names of their values. The words of the official command line are taken, too.
_OPTIONS: Mapping[str, Any] = {
    "organization": _option("--organization", "--org", "organization", metavar="NAME", help="Of an organization."),
    "location": _option("--location", metavar="NAME", help="Of a location."),
    "machine": _option("--machine", "--machine-name", "--machine-id", "machine", metavar="NAME", help="Of a machine."),
    "part": _option("--part", "--part-name", "--part-id", "part", metavar="NAME", help="Of a part."),
    "component": _option(
        "--component", "--component-name", "component", metavar="NAME", help="Of a component or service."
    ),
    "component_type": _option("--component-type", metavar="TYPE", help="Of a type of component, as it was uploaded."),
    "method": _option("--method", metavar="METHOD", help="Of a captured method, such as Readings."),
    "mime_type": _option("--mime-type", metavar="TYPE", help="Of a type of file, such as image/png."),
    "tag": _option("--tag", metavar="TAG", help="With a tag."),
    "bbox_label": _option("--bbox-label", metavar="LABEL", help="With a box that has a label."),
    "dataset": _option("--dataset", "--dataset-id", "dataset", metavar="NAME", help="In a dataset."),
    "start": _option(
        "--start", type=time_option, metavar="TIME", help="From a time on: 1h ago, yesterday, 2024-01-31."
    ),
    "end": _option("--end", type=time_option, metavar="TIME", help="Before a time."),
}
_LISTS: Mapping[str, Any] = {
    "organization": _list_option("--org-ids", "--org-id", "organization_list"),
    "location": _list_option("--location-ids", "--location-id", "location_list"),
    "mime_type": _list_option("--mime-types", "mime_type_list"),
    "tag": _list_option("--tags", "tag_list"),
    "bbox_label": _list_option("--bbox-labels", "bbox_label_list"),
}
#: How some options are called in a question.
_WORDS = {"start": "from", "end": "before", "bbox_label": "boxes of"}
#: All names of options.
FILTERS: Sequence[str] = tuple(_OPTIONS)
#: Those that readings have something to match with.
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
        for name in reversed(names):
            for options in (_LISTS, _OPTIONS):
                if name in options:
                    function = options[name](function)
        return function

    return decorate


def choose_data(session: Session, options: Mapping[str, Any]) -> DataChoice:
    """Return the data that the values of the options choose.

    Raises:
        click.ClickException: If there is nothing of a name.
        click.UsageError: If a name is empty, or the times are in the wrong order.
    """
    chosen = _chosen(options)
    things = _find_things(Fleet(session.client), chosen)
    named = [thing for found in things.values() for thing in found]
    tops = dict.fromkeys(each.id for thing in named for each in (*thing.holders, thing) if each.kind == "organizations")
    return DataChoice(_filter(chosen, things), _words(chosen), tuple(tops))


def _filter(chosen: Mapping[str, List[Any]], things: Mapping[str, List[Thing]]) -> Filter:
    ids = {name: [thing.id for thing in found] for name, found in things.items()}
    start, end = _only(chosen, "start"), _only(chosen, "end")
    if start is not None and end is not None and end < start:
        raise click.UsageError("--end is before --start, so nothing is between them")
    return create_filter(
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


def _chosen(options: Mapping[str, Any]) -> Dict[str, List[Any]]:
    """Return the values that were given, by the names of the options; a list for each."""
    chosen: Dict[str, List[Any]] = {}
    for name, value in options.items():
        name = name[: -len("_list")] if name.endswith("_list") else name
        # Nothing is left out in silence: a variable of a script that is not set would choose more than was meant.
        if "" in value:
            raise click.UsageError(f"--{name.replace('_', '-')} is empty; leave it out, or say what it is")
        chosen.setdefault(name, []).extend(value)
    return {name: chosen[name] for name in FILTERS if chosen.get(name)}


def is_chosen(options: Mapping[str, Any]) -> bool:
    """Tell whether any of the options was given."""
    return bool(_chosen(options))


def _only(values: Mapping[str, List[Any]], name: str) -> Any:
    """Return the one value that an option takes; None if there is none."""
    given = values.get(name, [])
    if len(given) > 1:
        raise click.UsageError(f"--{name.replace('_', '-')} takes one value, and is given {len(given)}")
    return given[0] if given else None


def _find_things(fleet: Fleet, chosen: Mapping[str, List[str]]) -> Dict[str, List[Thing]]:
    """Return what the names and IDs of the options mean, by the names of the options."""
    things: Dict[str, List[Thing]] = {}
    for name in ("organization", "location", "machine", "part", "dataset"):
        things[name] = [_find_thing(fleet, f"{name}s", each, things) for each in chosen.get(name, [])]
    return things


def _find_thing(fleet: Fleet, kind: str, name: str, found: Mapping[str, List[Thing]]) -> Thing:
    """Return what a name or an ID means; an ID is not looked up, as machines that are gone have left data, too."""
    if is_id(name):
        return Thing(kind, name, name, None)
    machine = _only(found, "machine")
    if kind == "parts" and machine is not None:
        inside = [part for part in fleet.things("parts", machine) if part.is_called(name)]
        if len(inside) == 1:
            return inside[0]
    return fleet.find(name, [kind])


def _words(chosen: Mapping[str, List[Any]]) -> str:
    words = []
    for name, values in chosen.items():
        text = " or ".join(each if isinstance(each, str) else time_text(each, None) for each in values)
        words.append(f"{_WORDS.get(name, name.replace('_', ' '))} {text}")
    return ", ".join(words)


def one_organization(session: Session, choice: DataChoice) -> str:
    """Return the ID of the organization that data is in, which is not said where there is but one.

    Raises:
        click.UsageError: If it has to be said.
    """
    if len(choice.organization_ids) > 1:
        raise click.UsageError("give one --organization: this command is for the data of one")
    return choice.organization_ids[0] if choice.organization_ids else Fleet(session.client).organization(None).id
