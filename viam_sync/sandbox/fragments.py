"""Fragments: pieces of configuration that machines share, and that can include each other."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, List, Optional, Set

from viam_sync.proto import app as pb
from viam_sync.sandbox import checks
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.configs import Config, config_given, config_of
from viam_sync.sandbox.errors import already_exists, failed_precondition, invalid_argument, not_found, permission_denied
from viam_sync.sandbox.usage import Usage, Use, fragments_named
from viam_sync.sandbox.world import World, microseconds_of, timestamp

PRIVATE = pb.FragmentVisibility.FRAGMENT_VISIBILITY_PRIVATE
PUBLIC = pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC
_VISIBILITIES = (PRIVATE, PUBLIC, pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC_UNLISTED)

_LEVELS = 5


class Fragments:
    """The RPCs of AppService about fragments."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ListFragments(self, request: pb.ListFragmentsRequest, caller: Caller) -> pb.ListFragmentsResponse:
        """List those fragments of an organization, and those public ones of all, whose visibility is asked for."""
        given = [each for each in request.fragment_visibility if _checked_visibility(each)]
        wanted = given or [PUBLIC if request.show_public else PRIVATE]
        organization = self._world.organization(request.organization_id)
        require_reader(caller, organization.id)
        sql = "SELECT * FROM fragments WHERE organization_id = ? OR visibility = ? ORDER BY rowid"
        usage = Usage(self._world, of_many=True)
        response = pb.ListFragmentsResponse()
        for row in self._world.store.rows(sql, organization.id, PUBLIC):
            if row["visibility"] in wanted:
                uses = usage.of_fragment(row["id"])
                response.fragments.append(self._shown(row["body"], uses))
                response.fragment_usages.append(usage_of(row["id"], uses, {organization.id}))
        return response

    def GetFragment(self, request: pb.GetFragmentRequest, caller: Caller) -> pb.GetFragmentResponse:
        """Return a fragment as it is or as it was in a revision, with the names of all its revisions."""
        row = find_visible(self._world, request.id, caller)
        current = {self._current_organization(request, caller)}
        body = self._revision(row, request.version) if request.version else row["body"]
        uses = Usage(self._world).of_fragment(row["id"])
        response = pb.GetFragmentResponse(
            fragment=self._shown(body, uses),
            fragment_usage=usage_of(row["id"], uses, current),
            tags=tags_of(self._world, row["id"]),
        )
        sql = "SELECT revision, created FROM fragment_revisions WHERE fragment_id = ? ORDER BY id DESC"
        for each in self._world.store.rows(sql, row["id"]):
            response.revisions.add(revision=each["revision"], created_at=timestamp(each["created"]))
        return response

    def CreateFragment(self, request: pb.CreateFragmentRequest, caller: Caller) -> pb.CreateFragmentResponse:
        """Make a fragment, which is private unless the request says more."""
        name = checks.required(request.name, "The name of the fragment")
        visibility = _checked_visibility(request.visibility) or PRIVATE
        config = config_given(request, "", "config", "fragment") or config_of({})
        organization = self._world.organization(request.organization_id)
        caller.require("write_fragment", "organization", organization.id)
        self._require_free(organization.id, name)
        _require_namespace(organization, visibility)
        made = create_fragment(self._world, organization.id, name, config, visibility)
        return pb.CreateFragmentResponse(fragment=self._shown(made.SerializeToString(), set()))

    def UpdateFragment(self, request: pb.UpdateFragmentRequest, caller: Caller) -> pb.UpdateFragmentResponse:
        """Save a fragment as a new revision, with those changes that the request has."""
        name = checks.required(request.name, "The name of the fragment")
        given = _checked_visibility(request.visibility)
        config = config_given(request, "fragment_config_json", "config", "fragment")
        row = self._world.find("fragment", request.id)
        caller.require("write_fragment", "organization", row["organization_id"])
        fragment = pb.Fragment.FromString(row["body"])
        _require_fresh(request, fragment)
        if name != fragment.name:
            self._require_free(row["organization_id"], name)
        visibility = given or _by_public(request, fragment)
        if visibility != fragment.visibility:
            _require_namespace(self._world.organization(row["organization_id"]), visibility)
        if config is not None:
            _require_nests(self._world, fragment, config)
            _put_on(fragment, config)
        fragment.name = name
        _save(self._world, fragment, visibility, caller)
        return pb.UpdateFragmentResponse(
            fragment=self._shown(fragment.SerializeToString(), Usage(self._world).of_fragment(fragment.id))
        )

    def DeleteFragment(self, request: pb.DeleteFragmentRequest, caller: Caller) -> pb.DeleteFragmentResponse:
        """Delete a fragment that no machine uses."""
        row = self._world.find("fragment", request.id)
        caller.require("write_fragment", "organization", row["organization_id"])
        machines = {use.robot_id for use in Usage(self._world).of_fragment(row["id"])}
        if machines:
            raise failed_precondition(
                f"{len(machines)} machines use the fragment {row['name']!r}; "
                "take it out of the configuration of their parts first (update_robot_part)."
            )
        self._world.store.run("DELETE FROM fragments WHERE id = ?", row["id"])
        return pb.DeleteFragmentResponse()

    def _current_organization(self, request: pb.GetFragmentRequest, caller: Caller) -> str:
        if not request.current_organization_id:
            return ""
        organization = self._world.organization(request.current_organization_id)
        caller.require_role_in(organization.id)
        return organization.id

    def _revision(self, row: sqlite3.Row, version: str) -> bytes:
        tagged = self._world.store.row(
            "SELECT revision FROM fragment_tags WHERE fragment_id = ? AND tag = ?", row["id"], version
        )
        found = self._world.store.row(
            "SELECT body FROM fragment_revisions WHERE fragment_id = ? AND revision = ?",
            *(row["id"], tagged["revision"] if tagged else version),
        )
        if found is None:
            raise not_found(
                f"The fragment {row['name']!r} has no revision or tag {version[:256]!r}; "
                "get_fragment_history shows its revisions."
            )
        body: bytes = found["body"]
        return body

    def _require_free(self, organization_id: str, name: str) -> None:
        sql = "SELECT 1 FROM fragments WHERE organization_id = ? AND name = ?"
        if self._world.store.row(sql, organization_id, name):
            raise already_exists(f"The organization has a fragment named {name!r} already; choose another name.")

    def _shown(self, body: bytes, uses: Set[Use]) -> pb.Fragment:
        """Return a fragment with all that depends on other things."""
        fragment = with_organization(self._world, pb.Fragment.FromString(body))
        organizations = {use.organization_id for use in uses}
        fragment.robot_part_count = len({use.part_id for use in uses})
        fragment.organization_count = len(organizations)
        fragment.only_used_by_owner = organizations <= {fragment.organization_owner}
        return fragment


def create_fragment(
    world: World, organization_id: str, name: str, config: Config, visibility: pb.FragmentVisibility.ValueType = PRIVATE
) -> pb.Fragment:
    """Make a fragment."""
    fragment = pb.Fragment(id=world.ids.uuid(), name=name, organization_owner=organization_id, created_on=world.now())
    _require_nests(world, fragment, config)
    _put_on(fragment, config)
    world.store.insert(
        "fragments", id=fragment.id, organization_id=organization_id, name=name, visibility=visibility, body=b""
    )
    _save(world, fragment, visibility)
    return fragment


def find_visible(world: World, id: str, caller: Caller) -> sqlite3.Row:
    """Return the row of a fragment that the caller may see: a private one takes an owner in its organization.

    Raises:
        CallError: INVALID_ARGUMENT if the ID is malformed, NOT_FOUND if nothing has it, PERMISSION_DENIED.
    """
    row = world.find("fragment", id)
    if row["visibility"] == PRIVATE:
        require_reader(caller, row["organization_id"])
    return row


def require_reader(caller: Caller, organization_id: str) -> None:
    """Go on only if the caller owns an organization or something in it, and so may read all its fragments.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    if not any(grant.role == "owner" and grant.organization_id == organization_id for grant in caller.grants):
        raise permission_denied(
            f"Fragments of the organization {organization_id!r} can be read by those who own it, or a location or a "
            "machine in it. Ask an owner for such a role (add_role)."
        )


def usage_of(fragment_id: str, uses: Set[Use], current: Set[str], version: Optional[str] = None) -> pb.FragmentUsage:
    """Return how much a fragment is used, in all and in some organizations."""
    return pb.FragmentUsage(
        fragment_id=fragment_id,
        organizations=len({use.organization_id for use in uses}),
        machines=len({use.robot_id for use in uses}),
        machines_in_current_org=len({use.robot_id for use in uses if use.organization_id in current}),
        version=version,
    )


def tags_of(world: World, fragment_id: str) -> List[pb.FragmentTag]:
    """Return the tags of a fragment."""
    rows = world.store.rows("SELECT tag, revision FROM fragment_tags WHERE fragment_id = ? ORDER BY tag", fragment_id)
    return [pb.FragmentTag(tag=row["tag"], revision=row["revision"]) for row in rows]


def with_organization(world: World, fragment: pb.Fragment) -> pb.Fragment:
    """Return a fragment with what its organization is called."""
    organization = world.organization(fragment.organization_owner)
    fragment.organization_name = organization.name
    if organization.public_namespace:
        fragment.public_namespace = organization.public_namespace
    return fragment


def _save(world: World, fragment: pb.Fragment, visibility: int, caller: Optional[Caller] = None) -> None:
    """Keep a fragment as a new revision."""
    # A client compares these times, so two edits must not have the same one.
    now = max(world.microseconds(), microseconds_of(fragment.last_updated) + 1)
    fragment.last_updated.CopyFrom(timestamp(now))
    fragment.revision = world.ids.uuid()
    fragment.visibility = visibility  # type: ignore[assignment]
    fragment.public = visibility != PRIVATE
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


def _put_on(fragment: pb.Fragment, config: Config) -> None:
    fragment.fragment.CopyFrom(config.struct)
    fragment.fragment_config_json = config.text


def _checked_visibility(visibility: int) -> Any:
    """Return a visibility that is known, or none."""
    if visibility and visibility not in _VISIBILITIES:
        names = ", ".join(pb.FragmentVisibility.Name(each) for each in _VISIBILITIES)
        raise invalid_argument(f"{visibility} is not the visibility of a fragment; choose one of {names}.")
    return visibility


def _by_public(request: pb.UpdateFragmentRequest, fragment: pb.Fragment) -> int:
    """Return the visibility that follows from the field public, which cannot tell an unlisted fragment from others."""
    if not request.HasField("public") or request.public == fragment.public:
        return fragment.visibility
    return PUBLIC if request.public else PRIVATE


def _require_fresh(request: pb.UpdateFragmentRequest, fragment: pb.Fragment) -> None:
    if request.HasField("last_known_update") and microseconds_of(request.last_known_update) < microseconds_of(
        fragment.last_updated
    ):
        raise failed_precondition(
            f"The fragment {fragment.name!r} was changed since you read it; get it again (get_fragment), "
            "make your change to that, and send its last_updated."
        )


def _require_namespace(organization: pb.Organization, visibility: int) -> None:
    if visibility != PRIVATE and not organization.public_namespace:
        raise failed_precondition(
            f"The organization {organization.name!r} has no public namespace, which public fragments need; "
            "choose one first (update_organization, public_namespace)."
        )


def _require_nests(world: World, fragment: pb.Fragment, config: Config) -> None:
    """Go on only if the fragments in a configuration can be in a fragment: in no circle, and not too deep."""
    usage = Usage(world)
    deep, level = 0, fragments_named(json.loads(config.text)) & usage.fragments
    while level:
        if fragment.id in level:
            raise failed_precondition(
                f"The fragment {fragment.name!r} would include itself; take what leads back to it out of its fragments."
            )
        deep, level = _next_level(deep), usage.included(level)
    level = usage.including({fragment.id})
    while level:
        deep, level = _next_level(deep), usage.including(level)


def _next_level(deep: int) -> int:
    if deep == _LEVELS:
        raise failed_precondition(
            f"Fragments may include each other {_LEVELS} levels deep, and these go deeper; put some of them into one."
        )
    return deep + 1
