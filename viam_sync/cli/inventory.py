"""``ls``, ``show`` and ``tree``: what is there, by name or ID."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

import click

from viam_sync.cli.fleet_things import HOLDERS, KINDS, Fleet, Thing, singular
from viam_sync.cli.frame import FramedCommand, Session, pass_session
from viam_sync.cli.printing import Column, print_items, print_json, print_record, print_tree
from viam_sync.display.cells import Look, field_text
from viam_sync.display.shown_fields import shown_field

_STYLES = {"online": "green", "offline": "red", "awaiting setup": "yellow"}

#: The fields of each kind that stand beside its name and ID; a dot leads into a message.
_FIELDS: Mapping[str, str] = {
    "organizations": "public_namespace default_region created_on",
    "locations": "parent_location_id robot_count created_on",
    "machines": "online_state last_access",
    "parts": "main_part last_access fqdn",
    "fragments": "visibility robot_part_count last_updated",
    "datasets": "type time_created",
    "modules": "visibility description",
    "jobs": "status dataset_id created_on training_ended",
    "keys": "api_key.created_on authorizations",
}
_NAMES = {"online_state": "online", "last_access": "last_seen", "robot_part_count": "parts", "robot_count": "machines"}


@click.command("ls", cls=FramedCommand)
@click.argument("kind", type=click.Choice(KINDS), default="machines", metavar="[KIND]")
@click.argument("name", required=False)
@pass_session
def ls_command(session: Session, kind: str, name: Optional[str]) -> None:
    """List things of a KIND, or those that are in NAME.

    KIND is organizations, locations, machines (the default), parts, fragments, datasets, modules, jobs or keys. NAME is
    the name or ID of an organization, of a location, or of a machine.
    """
    fleet = Fleet(session.client)
    holder = None if name is None else _holder(fleet, kind, name)
    things = fleet.things(kind, holder)
    if session.json:
        for thing in things:
            print_json(thing.value)
        return
    print_items(things, _columns(kind), as_json=False)


def _holder(fleet: Fleet, kind: str, name: str) -> Thing:
    holders = HOLDERS.get(kind, ("organizations",))
    if not holders:
        raise click.UsageError(f"NAME is where to look, and nothing holds {kind}; show {name} shows one")
    return fleet.find(name, holders)


def _columns(kind: str) -> List[Column]:
    columns = [Column("name", lambda thing: thing.name), Column("id", lambda thing: thing.id)]
    if kind in ("machines", "parts"):
        columns.append(Column("in", lambda thing: "/".join(each.name for each in thing.holders[1:])))
    for path in _FIELDS[kind].split():
        name = path.rpartition(".")[2]
        columns.append(Column(_NAMES.get(name, name), _text_at(path), _STYLES if name == "online_state" else {}))
    return columns


def _text_at(path: str) -> Any:
    def text(thing: Thing) -> str:
        value = thing.value
        shown = ""
        for name in path.split("."):
            field = shown_field(value, name)
            if field is None:
                return ""
            value, shown = field.value, field_text(field, Look())
        if path == "authorizations":
            return ", ".join(f"{each.authorization_id} of {each.resource_id}" for each in value)
        return _online_text(shown) if path == "online_state" else shown

    return text


def _online_text(state: str) -> str:
    """Return the name of an online state in words."""
    return "" if state.endswith("UNSPECIFIED") else state.replace("ONLINE_STATE_", "").replace("_", " ").lower()


@click.command("show", cls=FramedCommand)
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), help="What it is, where a name fits several kinds.")
@pass_session
def show_command(session: Session, name: str, kind: Optional[str]) -> None:
    """Show all about one thing, by its NAME or ID.

    Secrets are hidden.
    """
    thing = Fleet(session.client).find(name, KINDS if kind is None else [kind])
    value = session.client.app_client.get_robot_part(thing.id) if thing.kind == "parts" else thing.value
    print_record(value, session.json)


@click.command("tree", cls=FramedCommand)
@click.argument("name", required=False)
@pass_session
def tree_command(session: Session, name: Optional[str]) -> None:
    """Show organizations, locations, machines and parts as a tree.

    NAME is the name or ID of one of these, for it and what is in it.
    """
    fleet = Fleet(session.client)
    tops = fleet.things("organizations") if name is None else [fleet.find(name, tuple(HOLDERS))]
    for top in tops:
        inside: Dict[str, List[Thing]] = {}
        for kind in HOLDERS:
            for thing in fleet.things(kind, top):
                if thing.holders:
                    inside.setdefault(thing.holders[-1].id, []).append(thing)
        branch = _branch(top, inside)
        if session.json:
            print_json(branch)
        else:
            print_tree(branch)


def _branch(top: Thing, inside: Mapping[str, Sequence[Thing]]) -> Dict[str, Any]:
    """Return a thing and what is in it, as a tree of dicts."""
    branch: Dict[str, Any] = {"kind": singular(top.kind), "name": top.name, "id": top.id}
    if top.kind == "machines":
        branch["online"] = _text_at("online_state")(top)
    if top.kind in ("machines", "parts"):
        seen = shown_field(top.value, "last_access")
        branch["last_seen"] = None if seen is None else seen.value
    holds = [_branch(each, inside) for each in inside.get(top.id, ())]
    return {**branch, "holds": holds} if holds else branch
