"""The message Authorization: a role on a resource, given to somebody."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.access import LEVELS, Caller, Grant
from viam_sync.sandbox.checks import checked_id
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.world import World

_ROLES = ("owner", "operator")


def checked_shape(authorization: pb.Authorization) -> Grant:
    """Return the role and the resource that an authorization names.

    Raises:
        CallError: INVALID_ARGUMENT if the authorization contradicts itself.
    """
    kind = authorization.resource_type
    if authorization.authorization_type != "role":
        raise invalid_argument(
            f"The type of an authorization is 'role', not {authorization.authorization_type[:64]!r}."
        )
    if kind not in LEVELS:
        raise invalid_argument(f"The type of a resource is one of {', '.join(LEVELS)}, not {kind[:64]!r}.")
    resource_id = checked_id(kind, authorization.resource_id)
    organization_id = checked_id("organization", authorization.organization_id)
    for role in _ROLES:
        if authorization.authorization_id == f"{kind}_{role}":
            return Grant(role, kind, resource_id, organization_id)
    choice = " or ".join(f"{kind}_{role}" for role in _ROLES)
    raise invalid_argument(
        f"The role on the {kind} {resource_id!r} is {choice}, not {authorization.authorization_id[:64]!r}."
    )


def resource_given(world: World, authorization: pb.Authorization) -> Grant:
    """Return the role and the resource that an authorization names, if the resource is in its organization.

    Raises:
        CallError: INVALID_ARGUMENT if it contradicts itself, NOT_FOUND if the resource does not exist.
    """
    grant = checked_shape(authorization)
    organization = world.organization(grant.organization_id)
    if organization_of(world, grant.resource_type, grant.resource_id) != organization.id:
        raise invalid_argument(
            f"The {grant.resource_type} {grant.resource_id!r} does not belong to the organization {organization.id!r}."
        )
    return grant


def organization_of(world: World, resource_type: str, resource_id: str) -> str:
    """Return the ID of the organization that an organization, location or robot belongs to."""
    row = world.find(resource_type, resource_id)
    if resource_type == "organization":
        return str(row["id"])
    return world.organization_of(row["location_id"] if resource_type == "robot" else row["id"])


def require_may_give(caller: Caller, grant: Grant) -> None:
    """Go on only if the caller owns a resource, and so may give and take roles on it.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    caller.require(f"write_{grant.resource_type}", grant.resource_type, grant.resource_id)


def authorization_of(grant: Grant, identity_id: str = "", identity_type: str = "") -> pb.Authorization:
    """Return a role as the message that clients get."""
    return pb.Authorization(
        authorization_type="role",
        authorization_id=f"{grant.resource_type}_{grant.role}",
        resource_type=grant.resource_type,
        resource_id=grant.resource_id,
        organization_id=grant.organization_id,
        identity_id=identity_id,
        identity_type=identity_type,
    )
