"""The RPCs about locations, which are nested up to three levels deep and shared between organizations."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import failed_precondition, not_found
from viam_sync.sandbox.core.request_checks import checked_id, checked_region, required
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.locations import create_location
from viam_sync.sandbox.fleet.resources import delete_resource
from viam_sync.sandbox.fleet.shared_secrets import add_secret, delete_secret, require_secret, secrets_of

_DEEPEST = 3

# The locations of an organization, those shared with it, and all below them.
_REACHABLE = """
WITH RECURSIVE reachable (id) AS (
    SELECT id FROM locations WHERE organization_id = ?
    UNION SELECT location_id FROM shares WHERE organization_id = ?
    UNION SELECT l.id FROM locations l JOIN reachable r ON l.parent_id = r.id)
SELECT id FROM locations WHERE id IN (SELECT id FROM reachable) ORDER BY rowid
"""

_BELOW = """
WITH RECURSIVE below (id, height) AS (
    SELECT ?, 1 UNION ALL SELECT l.id, b.height + 1 FROM locations l JOIN below b ON l.parent_id = b.id)
SELECT max(height) AS height FROM below
"""


class LocationsServicer:
    """The RPCs of AppService about locations, their secrets and their sharing."""

    def __init__(self, world: World) -> None:
        self._world = world

    def CreateLocation(self, request: pb.CreateLocationRequest, caller: Caller) -> pb.CreateLocationResponse:
        """Create a location in an organization, or in another location of it."""
        name = required(request.name, "The name of the location")
        organization = self._world.organization(request.organization_id)
        parent = self._world.location(request.parent_location_id).id if request.parent_location_id else None
        caller.require("write_organization", "organization", organization.id)
        if parent is not None:
            self._require_room(organization.id, parent, 1)
        made = create_location(self._world, organization.id, name, parent)
        return pb.CreateLocationResponse(location=self._to_message(made.id, caller))

    def GetLocation(self, request: pb.GetLocationRequest, caller: Caller) -> pb.GetLocationResponse:
        """Return a location."""
        location = self._world.location(request.location_id)
        caller.require("read_location", "location", location.id)
        return pb.GetLocationResponse(location=self._to_message(location.id, caller))

    def UpdateLocation(self, request: pb.UpdateLocationRequest, caller: Caller) -> pb.UpdateLocationResponse:
        """Rename or move a location.

        A name that is absent or empty keeps the name. A parent that is absent keeps the place; an empty one
        that is there moves the location to the top.
        """
        region = checked_region(request.region) if request.HasField("region") else None
        location = self._world.location(request.location_id)
        parent = self._world.location(request.parent_location_id).id if request.parent_location_id else ""
        caller.require("write_location", "location", location.id)
        if request.HasField("parent_location_id") and parent != location.parent_location_id:
            self._move(location, parent, caller)
        location.name = request.name or location.name
        if region is not None:
            location.config.region = region
        self._world.store.update(
            "locations", location.id, parent_id=location.parent_location_id or None, body=location.SerializeToString()
        )
        return pb.UpdateLocationResponse(location=self._to_message(location.id, caller))

    def DeleteLocation(self, request: pb.DeleteLocationRequest, caller: Caller) -> pb.DeleteLocationResponse:
        """Delete a location that has no machines and no locations in it."""
        location = self._world.location(request.location_id)
        caller.require("write_location", "location", location.id)
        if self._world.store.row("SELECT 1 FROM robots WHERE location_id = ?", location.id):
            raise failed_precondition(f"The location {location.name!r} still has machines; delete or move them first.")
        if self._world.store.row("SELECT 1 FROM locations WHERE parent_id = ?", location.id):
            raise failed_precondition(f"The location {location.name!r} has locations in it; delete or move them first.")
        delete_resource(self._world, "location", location.id)
        return pb.DeleteLocationResponse()

    def ListLocations(self, request: pb.ListLocationsRequest, caller: Caller) -> pb.ListLocationsResponse:
        """List the locations of an organization that the caller may read, including those shared with it."""
        organization = self._world.organization(request.organization_id)
        caller.require_role_in(organization.id)
        rows = self._world.store.rows(_REACHABLE, organization.id, organization.id)
        seen = [row["id"] for row in rows if caller.may("read_location", "location", row["id"])]
        return pb.ListLocationsResponse(locations=[self._to_message(id, caller) for id in seen])

    def ShareLocation(self, request: pb.ShareLocationRequest, caller: Caller) -> pb.ShareLocationResponse:
        """Share a location with an organization; sharing it again changes nothing."""
        location = self._world.location(request.location_id)
        organization = self._world.organization(request.organization_id)
        caller.require("write_location", "location", location.id)
        if organization.id != self._world.organization_of(location.id):
            self._world.store.run("INSERT OR IGNORE INTO shares VALUES (?, ?)", location.id, organization.id)
        return pb.ShareLocationResponse()

    def UnshareLocation(self, request: pb.UnshareLocationRequest, caller: Caller) -> pb.UnshareLocationResponse:
        """Stop sharing a location with an organization."""
        location = self._world.location(request.location_id)
        organization = self._world.organization(request.organization_id)
        caller.require("write_location", "location", location.id)
        if organization.id == self._world.organization_of(location.id):
            raise failed_precondition(
                f"The location {location.name!r} belongs to the organization {organization.name!r}; "
                "only organizations that it was shared with can lose access."
            )
        where = "location_id = ? AND organization_id = ?"
        if not self._world.store.run(f"DELETE FROM shares WHERE {where}", location.id, organization.id):
            raise not_found(
                f"The location {location.name!r} is not shared with the organization {organization.name!r}; "
                "get_organizations_with_access_to_location lists those that it is shared with."
            )
        return pb.UnshareLocationResponse()

    def LocationAuth(self, request: pb.LocationAuthRequest, caller: Caller) -> pb.LocationAuthResponse:
        """Return the secrets of a location."""
        location = self._world.location(request.location_id)
        caller.require("read_location_secret", "location", location.id)
        return pb.LocationAuthResponse(auth=self._auth(location.id))

    def CreateLocationSecret(
        self, request: pb.CreateLocationSecretRequest, caller: Caller
    ) -> pb.CreateLocationSecretResponse:
        """Add a second secret to a location, and return both."""
        location = self._world.location(request.location_id)
        caller.require("write_location", "location", location.id)
        add_secret(self._world, "location", location.id)
        return pb.CreateLocationSecretResponse(auth=self._auth(location.id))

    def DeleteLocationSecret(
        self, request: pb.DeleteLocationSecretRequest, caller: Caller
    ) -> pb.DeleteLocationSecretResponse:
        """Delete a secret of a location, unless it is the last one."""
        checked_id("secret", request.secret_id)
        location = self._world.location(request.location_id)
        secret_id = require_secret(self._world, "location", location.id, request.secret_id)
        caller.require("write_location", "location", location.id)
        if len(secrets_of(self._world, "location", location.id)) == 1:
            raise failed_precondition(
                f"This is the last secret of the location {location.name!r}; "
                "make another first (create_location_secret)."
            )
        delete_secret(self._world, secret_id)
        return pb.DeleteLocationSecretResponse()

    def _move(self, location: pb.Location, parent: str, caller: Caller) -> None:
        if parent:
            caller.require("write_location", "location", parent)
        if location.parent_location_id and self._world.store.row(
            "SELECT 1 FROM shares WHERE location_id = ?", location.id
        ):
            raise failed_precondition(
                f"The location {location.name!r} is shared with other organizations, so it stays where it is; "
                "unshare it first (unshare_location)."
            )
        if parent:
            if location.id in self._world.lineage(parent):
                raise failed_precondition(
                    f"The location {location.name!r} cannot be moved into itself, or into a location that is in it."
                )
            below = self._world.store.row(_BELOW, location.id)
            assert below is not None
            self._require_room(self._world.organization_of(location.id), parent, below["height"])
        location.parent_location_id = parent

    def _require_room(self, organization_id: str, parent: str, height: int) -> None:
        if self._world.organization_of(parent) != organization_id:
            raise failed_precondition(
                f"The parent location {parent!r} belongs to another organization; choose one of yours."
            )
        if len(self._world.lineage(parent)) + height > _DEEPEST:
            raise failed_precondition(
                f"Below the location {parent!r}, this would be deeper than {_DEEPEST} levels; choose a higher parent."
            )

    def _to_message(self, id: str, caller: Caller) -> pb.Location:
        location = self._world.location(id)
        primary, *_ = everyone = self._world.organizations_with_access(id)
        for organization_id in everyone:
            location.organizations.add(organization_id=organization_id, primary=organization_id == primary)
        location.primary_org_identity.id = primary
        location.primary_org_identity.name = self._world.organization(primary).name
        robots = self._world.store.row("SELECT count(*) AS number FROM robots WHERE location_id = ?", id)
        location.robot_count = robots["number"] if robots is not None else 0
        if caller.may("read_location_secret", "location", id):
            location.auth.CopyFrom(self._auth(id))
        return location

    def _auth(self, id: str) -> pb.LocationAuth:
        secrets = secrets_of(self._world, "location", id)
        return pb.LocationAuth(location_id=id, secrets=secrets, secret=secrets[0].secret)
