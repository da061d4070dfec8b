"""What an account holds, by name or ID: organizations, locations, machines, parts, and the rest of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import click

import viam_sync
from viam_sync.app.app_client import Fragment

#: What holds the things of a kind; an organization holds all else.
HOLDERS: Mapping[str, Sequence[str]] = {
    "organizations": (),
    "locations": ("organizations",),
    "machines": ("organizations", "locations"),
    "parts": ("organizations", "locations", "machines"),
}
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

    def things(self, kind: str) -> List[Thing]:
        """Return all things of a kind."""
        if kind not in self._known:
            listed = _LISTS[kind]
            self._known[kind] = [
                thing for organization in self._organizations() for thing in listed(self, self._client, organization)
            ]
        return self._known[kind]

    def _organizations(self) -> List[Thing]:
        if "organizations" not in self._known:
            listed = self._client.app_client.list_organizations()
            self._known["organizations"] = [Thing("organizations", each.name, each.id, each) for each in listed]
        return self._known["organizations"]

    def organization(self, name: Optional[str]) -> Thing:
        """Return the organization of a name or ID, which need not be given where there is one.

        Raises:
            click.ClickException: If there is none, or several have the name.
            click.UsageError: If it has to be given.
        """
        if name is not None:
            return self.find(name, ["organizations"])
        there = self._organizations()
        if len(there) != 1:
            names = ", ".join(each.name for each in there) or "none"
            raise click.UsageError(f"--organization is missing; there are: {names}")
        return there[0]

    def find(self, name: str, kinds: Sequence[str]) -> Thing:
        """Return the one thing of some kinds that has a name or an ID.

        Raises:
            click.ClickException: If there is none, or several have the name.
        """
        found = [thing for kind in kinds for thing in self.things(kind) if thing.is_called(name)]
        if len(found) == 1:
            return found[0]
        # An ID is one thing's own, and a path that is given whole goes before the ends of others.
        exact = [thing for thing in found if name in (thing.id, thing.path)]
        if len(exact) == 1:
            return exact[0]
        if found:
            raise ambiguous(name, found)
        wanted = " or ".join(map(singular, kinds)) if len(kinds) < len(KINDS) else "thing"
        lister = f"ls {kinds[0]}" if len(kinds) == 1 and kinds[0] not in HOLDERS else "tree"
        raise click.ClickException(f"there is no {wanted} {name!r}; viam-sync {lister} shows what there is")

    def find_part(self, name: str) -> Thing:
        """Return a part by its name or ID, or the main part of a machine by that of the machine.

        Raises:
            click.ClickException: If there is none, or several have the name.
        """
        found = [part for part in self.things("parts") if part.is_called(name)]
        if not found:
            machine = self.find(name, ["machines", "parts"])
            found = [part for part in self.things("parts") if part.is_in(machine) and part.value.main_part]
        if len(found) != 1:
            raise ambiguous(name, found)
        return found[0]


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


def _organizations(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    yield organization


def _locations(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    for each in client.app_client.list_locations(organization.id):
        yield Thing("locations", each.name, each.id, each, (organization,))


def _machines(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    locations = {each.id: each for each in fleet.things("locations") if each.is_in(organization)}
    for each in client.app_client.list_robots_for_org(organization.id):
        around = locations.get(each.location)
        yield Thing("machines", each.name, each.id, each, (organization, *([around] if around else [])))


def _parts(fleet: Fleet, client: viam_sync.ViamClient, organization: Thing) -> Iterator[Thing]:
    machines = [each for each in fleet.things("machines") if each.is_in(organization)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        listed = pool.map(client.app_client.get_robot_parts, [machine.id for machine in machines])
        for machine, parts in zip(machines, listed):
            for each in parts:
                yield Thing("parts", each.name, each.id, each, (*machine.holders, machine))


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
    "organizations": _organizations,
    "locations": _locations,
    "machines": _machines,
    "parts": _parts,
    "fragments": _fragments,
    "datasets": _datasets,
    "modules": _modules,
    "jobs": _jobs,
    "keys": _keys,
}

#: The kinds of things.
KINDS: Sequence[str] = tuple(_LISTS)
