"""The RPCs about fragments: configuration that machines share, and that can include other fragments."""

from __future__ import annotations

import sqlite3
from typing import Any, Set

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import required
from viam_sync.sandbox.core.world import World, microseconds_of, timestamp
from viam_sync.sandbox.fleet.configs import config_in_request, make_config
from viam_sync.sandbox.fleet.fragments import (
    PRIVATE_FRAGMENT,
    PUBLIC_FRAGMENT,
    create_fragment,
    fragment_tags,
    fragment_usage,
    get_visible_fragment,
    put_config,
    require_fragment_reader,
    require_nesting,
    save_fragment,
    with_organization,
)
from viam_sync.sandbox.fleet.usage import Usage, Use

_VISIBILITIES = (PRIVATE_FRAGMENT, PUBLIC_FRAGMENT, pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC_UNLISTED)


class FragmentsServicer:
    """The RPCs of AppService about fragments."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ListFragments(self, request: pb.ListFragmentsRequest, caller: Caller) -> pb.ListFragmentsResponse:
        """List the fragments of an organization and all public ones, if they have one of the given visibilities."""
        given = [each for each in request.fragment_visibility if _checked_visibility(each)]
        wanted = given or [PUBLIC_FRAGMENT if request.show_public else PRIVATE_FRAGMENT]
        organization = self._world.organization(request.organization_id)
        require_fragment_reader(caller, organization.id)
        sql = "SELECT * FROM fragments WHERE organization_id = ? OR visibility = ? ORDER BY rowid"
        usage = Usage(self._world, of_many=True)
        response = pb.ListFragmentsResponse()
        for row in self._world.store.rows(sql, organization.id, PUBLIC_FRAGMENT):
            if row["visibility"] in wanted:
                uses = usage.of_fragment(row["id"])
                response.fragments.append(self._to_message(row["body"], uses))
                response.fragment_usages.append(fragment_usage(row["id"], uses, {organization.id}))
        return response

    def GetFragment(self, request: pb.GetFragmentRequest, caller: Caller) -> pb.GetFragmentResponse:
        """Return a fragment, or one of its revisions, with the names of all revisions."""
        row = get_visible_fragment(self._world, request.id, caller)
        current = {self._current_organization(request, caller)}
        body = self._revision(row, request.version) if request.version else row["body"]
        uses = Usage(self._world).of_fragment(row["id"])
        response = pb.GetFragmentResponse(
            fragment=self._to_message(body, uses),
            fragment_usage=fragment_usage(row["id"], uses, current),
            tags=fragment_tags(self._world, row["id"]),
        )
        sql = "SELECT revision, created FROM fragment_revisions WHERE fragment_id = ? ORDER BY id DESC"
        for each in self._world.store.rows(sql, row["id"]):
            response.revisions.add(revision=each["revision"], created_at=timestamp(each["created"]))
        return response

    def CreateFragment(self, request: pb.CreateFragmentRequest, caller: Caller) -> pb.CreateFragmentResponse:
        """Create a fragment, which is private by default."""
        name = required(request.name, "The name of the fragment")
        visibility = _checked_visibility(request.visibility) or PRIVATE_FRAGMENT
        config = config_in_request(request, "", "config", "fragment") or make_config({})
        organization = self._world.organization(request.organization_id)
        caller.require("write_fragment", "organization", organization.id)
        self._require_free(organization.id, name)
        _require_namespace(organization, visibility)
        made = create_fragment(self._world, organization.id, name, config, visibility)
        return pb.CreateFragmentResponse(fragment=self._to_message(made.SerializeToString(), set()))

    def UpdateFragment(self, request: pb.UpdateFragmentRequest, caller: Caller) -> pb.UpdateFragmentResponse:
        """Save a fragment as a new revision, with the changes in the request."""
        name = required(request.name, "The name of the fragment")
        given = _checked_visibility(request.visibility)
        config = config_in_request(request, "fragment_config_json", "config", "fragment")
        row = self._world.get("fragment", request.id)
        caller.require("write_fragment", "organization", row["organization_id"])
        fragment = pb.Fragment.FromString(row["body"])
        _require_fresh(request, fragment)
        if name != fragment.name:
            self._require_free(row["organization_id"], name)
        visibility = given or _by_public(request, fragment)
        if visibility != fragment.visibility:
            _require_namespace(self._world.organization(row["organization_id"]), visibility)
        if config is not None:
            require_nesting(self._world, fragment, config)
            put_config(fragment, config)
        fragment.name = name
        save_fragment(self._world, fragment, visibility, caller)
        return pb.UpdateFragmentResponse(
            fragment=self._to_message(fragment.SerializeToString(), Usage(self._world).of_fragment(fragment.id))
        )

    def DeleteFragment(self, request: pb.DeleteFragmentRequest, caller: Caller) -> pb.DeleteFragmentResponse:
        """Delete a fragment that no machine uses."""
        row = self._world.get("fragment", request.id)
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

    def _to_message(self, body: bytes, uses: Set[Use]) -> pb.Fragment:
        """Return a fragment with the fields that are derived from its organization and its usage."""
        fragment = with_organization(self._world, pb.Fragment.FromString(body))
        organizations = {use.organization_id for use in uses}
        fragment.robot_part_count = len({use.part_id for use in uses})
        fragment.organization_count = len(organizations)
        fragment.only_used_by_owner = organizations <= {fragment.organization_owner}
        return fragment


def _checked_visibility(visibility: int) -> Any:
    """Return a visibility that exists, or 0 for none."""
    if visibility and visibility not in _VISIBILITIES:
        names = ", ".join(pb.FragmentVisibility.Name(each) for each in _VISIBILITIES)
        raise invalid_argument(f"{visibility} is not the visibility of a fragment; choose one of {names}.")
    return visibility


def _by_public(request: pb.UpdateFragmentRequest, fragment: pb.Fragment) -> int:
    """Return the visibility that the older field ``public`` sets, which knows no unlisted fragments."""
    if not request.HasField("public") or request.public == fragment.public:
        return fragment.visibility
    return PUBLIC_FRAGMENT if request.public else PRIVATE_FRAGMENT


def _require_fresh(request: pb.UpdateFragmentRequest, fragment: pb.Fragment) -> None:
    if request.HasField("last_known_update") and microseconds_of(request.last_known_update) < microseconds_of(
        fragment.last_updated
    ):
        raise failed_precondition(
            f"The fragment {fragment.name!r} was changed since you read it; get it again (get_fragment), "
            "make your change to that, and send its last_updated."
        )


def _require_namespace(organization: pb.Organization, visibility: int) -> None:
    if visibility != PRIVATE_FRAGMENT and not organization.public_namespace:
        raise failed_precondition(
            f"The organization {organization.name!r} has no public namespace, which public fragments need; "
            "choose one first (update_organization, public_namespace)."
        )
