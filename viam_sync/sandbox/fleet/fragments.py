"""The model of fragments: creating and saving them, access to them, and how they are nested."""

from __future__ import annotations

import json
import sqlite3
from typing import List, Optional, Set

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import failed_precondition, permission_denied
from viam_sync.sandbox.core.world import World, microseconds_of, timestamp
from viam_sync.sandbox.fleet.configs import Config
from viam_sync.sandbox.fleet.usage import Usage, Use, fragment_ids_in

PRIVATE_FRAGMENT = pb.FragmentVisibility.FRAGMENT_VISIBILITY_PRIVATE


PUBLIC_FRAGMENT = pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC


_MOST_LEVELS = 5


def create_fragment(
    world: World,
    organization_id: str,
    name: str,
    config: Config,
    visibility: pb.FragmentVisibility.ValueType = PRIVATE_FRAGMENT,
) -> pb.Fragment:
    """Create a fragment."""
    fragment = pb.Fragment(id=world.ids.uuid(), name=name, organization_owner=organization_id, created_on=world.now())
    require_nesting(world, fragment, config)
    put_config(fragment, config)
    world.store.insert(
        "fragments", id=fragment.id, organization_id=organization_id, name=name, visibility=visibility, body=b""
    )
    save_fragment(world, fragment, visibility)
    return fragment


def get_visible_fragment(world: World, id: str, caller: Caller) -> sqlite3.Row:
    """Return the row of a fragment that the caller may read.

    Raises:
        CallError: INVALID_ARGUMENT if the ID is malformed, NOT_FOUND if no fragment has it, PERMISSION_DENIED if it is
            private and the caller owns nothing in its organization.
    """
    row = world.get("fragment", id)
    if row["visibility"] == PRIVATE_FRAGMENT:
        require_fragment_reader(caller, row["organization_id"])
    return row


def require_fragment_reader(caller: Caller, organization_id: str) -> None:
    """Require that the caller owns an organization or a resource in it, and so may read its private fragments.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    if not any(grant.role == "owner" and grant.organization_id == organization_id for grant in caller.grants):
        raise permission_denied(
            f"Fragments of the organization {organization_id!r} can be read by those who own it, or a location or a "
            "machine in it. Ask an owner for such a role (add_role)."
        )


def fragment_usage(
    fragment_id: str, uses: Set[Use], current: Set[str], version: Optional[str] = None
) -> pb.FragmentUsage:
    """Return the usage of a fragment as a message; ``current`` has the IDs of the organizations to count separately."""
    return pb.FragmentUsage(
        fragment_id=fragment_id,
        organizations=len({use.organization_id for use in uses}),
        machines=len({use.robot_id for use in uses}),
        machines_in_current_org=len({use.robot_id for use in uses if use.organization_id in current}),
        version=version,
    )


def fragment_tags(world: World, fragment_id: str) -> List[pb.FragmentTag]:
    """Return the tags of a fragment."""
    rows = world.store.rows("SELECT tag, revision FROM fragment_tags WHERE fragment_id = ? ORDER BY tag", fragment_id)
    return [pb.FragmentTag(tag=row["tag"], revision=row["revision"]) for row in rows]


def with_organization(world: World, fragment: pb.Fragment) -> pb.Fragment:
    """Return a fragment with the name and the namespace of its organization."""
    organization = world.organization(fragment.organization_owner)
    fragment.organization_name = organization.name
    if organization.public_namespace:
        fragment.public_namespace = organization.public_namespace
    return fragment


def save_fragment(world: World, fragment: pb.Fragment, visibility: int, caller: Optional[Caller] = None) -> None:
    """Save a fragment as a new revision."""
    # Clients compare these times, so two edits must not have the same one.
    now = max(world.microseconds(), microseconds_of(fragment.last_updated) + 1)
    fragment.last_updated.CopyFrom(timestamp(now))
    fragment.revision = world.ids.uuid()
    fragment.visibility = visibility  # type: ignore[assignment]
    fragment.public = visibility != PRIVATE_FRAGMENT
    body = fragment.SerializeToString()
    editor = pb.AuthenticatorInfo(type=caller.type, value=caller.id) if caller else pb.AuthenticatorInfo()
    world.store.update("fragments", fragment.id, name=fragment.name, visibility=visibility, body=body)
    world.store.insert(
        "fragment_revisions",
        fragment_id=fragment.id,
        revision=fragment.revision,
        created=now,
        editor=editor.SerializeToString(),
        body=body,
    )


def put_config(fragment: pb.Fragment, config: Config) -> None:
    """Make this the configuration of a fragment."""
    fragment.fragment.CopyFrom(config.struct)
    fragment.fragment_config_json = config.text


def require_nesting(world: World, fragment: pb.Fragment, config: Config) -> None:
    """Require that a fragment with a configuration does not include itself, nor exceed the levels of nesting.

    Raises:
        CallError: FAILED_PRECONDITION.
    """
    usage = Usage(world)
    depth, level = 0, fragment_ids_in(json.loads(config.text)) & usage.fragments
    while level:
        if fragment.id in level:
            raise failed_precondition(
                f"The fragment {fragment.name!r} would include itself; take what leads back to it out of its fragments."
            )
        depth, level = _next_level(depth), usage.included(level)
    level = usage.including({fragment.id})
    while level:
        depth, level = _next_level(depth), usage.including(level)


def _next_level(depth: int) -> int:
    if depth == _MOST_LEVELS:
        raise failed_precondition(
            f"Fragments may include each other {_MOST_LEVELS} levels deep, and these go deeper; "
            "put some of them into one."
        )
    return depth + 1
