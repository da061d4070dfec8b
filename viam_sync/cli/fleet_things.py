"""What an account holds, by name or ID: organizations, locations, machines, parts, and the rest of it."""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import click

import viam_sync
from viam_sync.app.app_client import Fragment, Location
from viam_sync.checks.near_names import any_of, near_names

#: What holds the things of a kind; an organization holds all else.
HOLDERS: Mapping[str, Sequence[str]] = {
    "organizations": (),
    "locations": ("organizations",),
    "machines": ("organizations", "locations"),
    "parts": ("organizations", "locations", "machines"),
}
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
#: How many machines are asked for their parts at a time.
_AT_ONCE = 8
#: How many things an error names at most.
_MOST_NAMED = 10


@dataclass(frozen=True)
class Thing:
    """Something in an account.

    Attributes:
        kind: Its kind, such as ``machines``.
        name: Its name.
        id: Its ID.
        value: The message or record of it.
        holders: What it is in, from the organization on.
    """

    kind: str
    name: str
    id: str
    value: Any
    holders: Tuple[Thing, ...] = ()

    @property
    def path(self) -> str:
        """Its name behind those of what it is in."""
        return "/".join(each.name for each in (*self.holders, self))

    def is_called(self, name: str) -> bool:
        """Tell whether a name or an ID is its own; a path, or the end of one, is its own, too."""
        return name in (self.name, self.id) or f"/{self.path}".endswith(f"/{name}")

    def is_in(self, holder: Thing) -> bool:
        """Tell whether it is in something, or is that itself."""
        return any((each.kind, each.id) == (holder.kind, holder.id) for each in (*self.holders, self))


class Fleet:
    """The things of an account, each kind listed once.

    Args:
        client: The client that lists them.
    """

    def __init__(self, client: viam_sync.ViamClient) -> None:
        self._client = client
        self._known: Dict[str, List[Thing]] = {}
        self._parts: Dict[str, List[Thing]] = {}

    def things(self, kind: str, holder: Optional[Thing] = None) -> List[Thing]:
        """Return all things of a kind, or those that are in something."""
        if kind == "parts":
            return self._parts_of(self.things("machines", holder))
        if kind not in self._known:
            self._known[kind] = list(self._listed(kind))
        return [thing for thing in self._known[kind] if holder is None or thing.is_in(holder)]

    def _listed(self, kind: str) -> Iterator[Thing]:
        if kind == "organizations":
            for each in self._client.app_client.list_organizations():
                yield Thing(kind, each.name, each.id, each)
            return
        for organization in self.things("organizations"):
            yield from _LISTS[kind](self, self._client, organization)

    def _parts_of(self, machines: Sequence[Thing]) -> List[Thing]:
        """Return the parts of machines, each of which takes a call."""
        new = [machine for machine in machines if machine.id not in self._parts]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            listed = pool.map(self._client.app_client.get_robot_parts, [machine.id for machine in new])
            for machine, parts in zip(new, listed):
                holders = (*machine.holders, machine)
                self._parts[machine.id] = [Thing("parts", each.name, each.id, each, holders) for each in parts]
        return [part for machine in machines for part in self._parts[machine.id]]

    def organization(self, name: Optional[str]) -> Thing:
        """Return the organization of a name or ID, which need not be given where there is one.

        Raises:
            click.ClickException: If there is none, or several have the name.
            click.UsageError: If it has to be given.
        """
        if name is not None:
            return self.find(name, ["organizations"])
        there = self.things("organizations")
        if len(there) != 1:
            names = ", ".join(f"{each.name} ({each.id})" for each in there) or "none"
            raise click.UsageError(f"--organization is missing; there are: {names}")
        return there[0]

    def find(self, name: str, kinds: Sequence[str]) -> Thing:
        """Return the one thing of some kinds that has a name or an ID; kinds that the key may not list have none.

        Raises:
            click.ClickException: If there is none, or several have the name.
            PermissionDeniedError: If there is none among what the key may list.
        """
        found: List[Thing] = []
        refused: Optional[viam_sync.PermissionDeniedError] = None
        # A part's ID takes one call, and is looked up first. Its name comes last, as each machine takes a call.
        for kind in sorted(kinds, key=lambda kind: (kind == "parts") != is_id(name)):
            if any(thing.id == name for thing in found) or (kind == "parts" and _is_settled(name, found)):
                break
            try:
                found += self._called(name, kind)
            except viam_sync.PermissionDeniedError as error:
                refused = error
        if refused is not None and not found:
            raise refused
        return self._require_one(name, found, kinds)

    def _called(self, name: str, kind: str) -> List[Thing]:
        if kind == "parts":
            return self._of_id(kind, name) if is_id(name) else self._parts_called(name)
        listed = [thing for thing in self.things(kind) if thing.is_called(name)]
        # Machines that the cloud itself runs are not listed.
        return listed or (self._of_id(kind, name) if kind == "machines" and is_id(name) else [])

    def _parts_called(self, name: str) -> List[Thing]:
        around = name.rpartition("/")[0]
        machines = [machine for machine in self.things("machines") if around and machine.is_called(around)]
        return [part for part in self._parts_of(machines or self.things("machines")) if part.is_called(name)]

    def _of_id(self, kind: str, id: str) -> List[Thing]:
        """Return the machine or part of an ID, without what it is in, if there is one."""
        app = self._client.app_client
        # The cloud refuses IDs of others as it refuses those that it does not know.
        with contextlib.suppress(viam_sync.NotFoundError, viam_sync.PermissionDeniedError):
            value: Any = app.get_robot(id) if kind == "machines" else app.get_robot_part(id)
            return [Thing(kind, value.name, value.id, value)]
        return []

    def find_part(self, name: str) -> Thing:
        """Return a part by its name or ID, or the main part of a machine by that of the machine.

        Raises:
            click.ClickException: If there is none, or several have the name.
        """
        found = self._of_id("parts", name) if is_id(name) else []
        if not found:
            machines = self._of_id("machines", name) if is_id(name) else self._called(name, "machines")
            found = [part for part in self._parts_of(machines) if part.value.main_part]
            if not _is_settled(name, found):
                found += [part for part in self._called(name, "parts") if part not in found]
        return self._require_one(name, found, ["machines", "parts"])

    def _require_one(self, name: str, found: Sequence[Thing], kinds: Sequence[str]) -> Thing:
        if len(found) == 1:
            return found[0]
        # An ID is one thing's own, and a path that is given whole goes before the ends of others.
        exact = [thing for thing in found if name in (thing.id, thing.path)]
        if len(exact) == 1:
            return exact[0]
        if found:
            raise ambiguous(name, found)
        wanted = any_of([*map(singular, kinds)]) if len(kinds) < len(KINDS) else "thing"
        raise click.ClickException(f"there is no {wanted} {name!r}; {self._advice(name, kinds)}")

    def _advice(self, name: str, kinds: Sequence[str]) -> str:
        """Return what to do about a name that there is not, by the things that were listed to find it."""
        listed = [*self._known.items(), *(("parts", parts) for parts in self._parts.values())]
        near = near_names(name, {thing.name for kind, things in listed if kind in kinds for thing in things})
        if near:
            return f"did you mean {any_of(near)}?"
        lister = f"ls {kinds[0]}" if len(kinds) == 1 and kinds[0] not in HOLDERS else "tree"
        return f"viam-sync {lister} shows what there is"


def _is_settled(name: str, found: Sequence[Thing]) -> bool:
    """Tell whether nothing else than what was found may have a name, as it is an ID or a path."""
    return bool(found) and ("/" in name or is_id(name))


def is_id(name: str) -> bool:
    """Tell whether a name is a UUID, as the IDs of organizations, machines and parts are."""
    return bool(_UUID.fullmatch(name))


def singular(kind: str) -> str:
    """Return what one thing of a kind is called."""
    return kind[:-1]


def ambiguous(name: str, things: Sequence[Thing]) -> click.ClickException:
    """Return the error of a name that fits several things."""
    return click.ClickException(f"{name!r} fits {_listed(things)}; give the ID")


def _listed(things: Sequence[Thing]) -> str:
    texts = [f"the {singular(thing.kind)} {thing.path} ({thing.id})" for thing in things[:_MOST_NAMED]]
    left = len(things) - len(texts)
    return ", ".join(texts) + (f" and {left} more" if left else "")


def _locations(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    there = {each.id: each for each in client.app_client.list_locations(organization.id)}

    def thing(location: Location) -> Thing:
        around = there.get(location.parent_location_id)
        parent = organization if around is None else thing(around)
        return Thing("locations", location.name, location.id, location, (*parent.holders, parent))

    yield from map(thing, there.values())


def _machines(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    locations = {each.id: each for each in fleet.things("locations", organization)}
    for each in client.app_client.list_robots_for_org(organization.id):
        around = locations.get(each.location, organization)
        yield Thing("machines", each.name, each.id, each, (*around.holders, around))


def _fragments(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    for each in client.app_client.list_fragments(organization.id, visibilities=list(Fragment.Visibility)):
        if each.organization_owner == organization.id:
            yield Thing("fragments", each.name, each.id, each, (organization,))


def _datasets(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    for each in client.data_client.list_datasets_by_organization_id(organization.id):
        yield Thing("datasets", each.name, each.id, each, (organization,))


def _modules(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    for each in client.app_client.list_modules(organization.id):
        yield Thing("modules", each.name, each.module_id, each, (organization,))


def _jobs(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    for each in client.ml_training_client.list_training_jobs(organization.id):
        yield Thing("jobs", each.model_name, each.id, each, (organization,))


def _keys(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    for each in client.app_client.list_keys(organization.id):
        yield Thing("keys", each.api_key.name, each.api_key.id, each, (organization,))


_Lister = Callable[[Fleet, viam_sync.ViamClient, Thing], Iterator[Thing]]
_LISTS: Mapping[str, _Lister] = {
    "locations": _locations,
    "machines": _machines,
    "fragments": _fragments,
    "datasets": _datasets,
    "modules": _modules,
    "jobs": _jobs,
    "keys": _keys,
}

#: The kinds of things.
KINDS: Sequence[str] = tuple(dict.fromkeys([*HOLDERS, *_LISTS]))
