"""The RPCs about organizations."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition
from viam_sync.sandbox.core.request_checks import checked_namespace, checked_region, required
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.locations import create_location
from viam_sync.sandbox.fleet.organizations import create_organization
from viam_sync.sandbox.fleet.resources import delete_resource


class OrganizationsServicer:
    """The RPCs of AppService about organizations."""

    def __init__(self, world: World) -> None:
        self._world = world

    def CreateOrganization(
        self, request: pb.CreateOrganizationRequest, caller: Caller
    ) -> pb.CreateOrganizationResponse:
        """Create an organization that the caller owns, with a first location."""
        name = required(request.name, "The name of the organization")
        made = create_organization(self._world, name, caller.require_user(), caller.id)
        create_location(self._world, made.id, "First Location")
        return pb.CreateOrganizationResponse(organization=made)

    def ListOrganizations(self, request: pb.ListOrganizationsRequest, caller: Caller) -> pb.ListOrganizationsResponse:
        """List the organizations that the caller has any role in."""
        rows = self._world.store.rows("SELECT id, body FROM organizations ORDER BY rowid")
        found = [pb.Organization.FromString(row["body"]) for row in rows if caller.belongs_to(row["id"])]
        return pb.ListOrganizationsResponse(organizations=found)

    def GetOrganization(self, request: pb.GetOrganizationRequest, caller: Caller) -> pb.GetOrganizationResponse:
        """Return an organization."""
        organization = self._world.organization(request.organization_id)
        caller.require_role_in(organization.id)
        return pb.GetOrganizationResponse(organization=organization)

    def GetOrganizationsWithAccessToLocation(
        self, request: pb.GetOrganizationsWithAccessToLocationRequest, caller: Caller
    ) -> pb.GetOrganizationsWithAccessToLocationResponse:
        """List the organization of a location, and those that it is shared with."""
        location = self._world.location(request.location_id)
        caller.require("read_location", "location", location.id)
        ids = self._world.organizations_with_access(location.id)
        found = [pb.OrganizationIdentity(id=id, name=self._world.organization(id).name) for id in ids]
        return pb.GetOrganizationsWithAccessToLocationResponse(organization_identities=found)

    def GetOrganizationNamespaceAvailability(
        self, request: pb.GetOrganizationNamespaceAvailabilityRequest, caller: Caller
    ) -> pb.GetOrganizationNamespaceAvailabilityResponse:
        """Return whether a public namespace is free, or that of the organization in the request."""
        namespace = checked_namespace(request.public_namespace)
        row = self._world.store.row("SELECT id FROM organizations WHERE namespace = ?", namespace)
        available = row is None or row["id"] == request.organization_id
        return pb.GetOrganizationNamespaceAvailabilityResponse(available=available)

    def UpdateOrganization(
        self, request: pb.UpdateOrganizationRequest, caller: Caller
    ) -> pb.UpdateOrganizationResponse:
        """Update the fields of an organization that are set in the request."""
        values = {}
        if request.HasField("name"):
            values["name"] = required(request.name, "The name of the organization")
        if request.HasField("public_namespace"):
            values["public_namespace"] = checked_namespace(request.public_namespace)
        if request.HasField("region"):
            values["region"] = checked_region(request.region)
        organization = self._world.organization(request.organization_id)
        caller.require("write_organization", "organization", organization.id)
        if "public_namespace" in values:
            self._set_namespace(organization, values["public_namespace"])
        organization.name = values.get("name", organization.name)
        organization.default_region = values.get("region", organization.default_region)
        if request.HasField("cid"):
            organization.cid = request.cid
        for field in ("default_fragments", "allowed_login_methods"):
            if request.HasField(field):
                getattr(organization, field).CopyFrom(getattr(request, field))
        self._world.store.update("organizations", organization.id, body=organization.SerializeToString())
        return pb.UpdateOrganizationResponse(organization=organization)

    def DeleteOrganization(
        self, request: pb.DeleteOrganizationRequest, caller: Caller
    ) -> pb.DeleteOrganizationResponse:
        """Delete an organization that has no locations left, with its roles, keys and invites."""
        organization = self._world.organization(request.organization_id)
        caller.require("write_organization", "organization", organization.id)
        if self._world.store.row("SELECT 1 FROM locations WHERE organization_id = ?", organization.id):
            raise failed_precondition(
                f"The organization {organization.name!r} still has locations; delete them first (delete_location)."
            )
        delete_resource(self._world, "organization", organization.id)
        return pb.DeleteOrganizationResponse()

    def _set_namespace(self, organization: pb.Organization, namespace: str) -> None:
        if organization.public_namespace == namespace:
            return
        if organization.public_namespace:
            raise failed_precondition(
                f"The organization {organization.name!r} has the public namespace {organization.public_namespace!r} "
                "already, and cannot change it: the names of its modules and models begin with it."
            )
        if self._world.store.row("SELECT 1 FROM organizations WHERE namespace = ?", namespace):
            raise already_exists(
                f"Another organization has the public namespace {namespace!r}; "
                "get_organization_namespace_availability tells which are free."
            )
        organization.public_namespace = namespace
        self._world.store.update("organizations", organization.id, namespace=namespace)
