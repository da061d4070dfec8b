"""The message Authorization, which names a role on a resource and its holder."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import RESOURCE_TYPES, Caller, Grant
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.request_checks import checked_id
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.resources import organization_of_resource

_ROLES = ("owner", "operator")


def grant_from_authorization(authorization: pb.Authorization) -> Grant:
    """Return the role that an authorization names.

    Raises:
        CallError: INVALID_ARGUMENT if the fields of the authorization contradict each other.
    """
    kind = authorization.resource_type
    if authorization.authorization_type != "role":
        raise invalid_argument(
            f"The type of an authorization is 'role', not {authorization.authorization_type[:64]!r}."
        )
    if kind not in RESOURCE_TYPES:
        raise invalid_argument(f"The type of a resource is one of {', '.join(RESOURCE_TYPES)}, not {kind[:64]!r}.")
    resource_id = checked_id(kind, authorization.resource_id)
    organization_id = checked_id("organization", authorization.organization_id)
    for role in _ROLES:
        if authorization.authorization_id == f"{kind}_{role}":
            return Grant(role, kind, resource_id, organization_id)
    choice = " or ".join(f"{kind}_{role}" for role in _ROLES)
    raise invalid_argument(
        f"The role on the {kind} {resource_id!r} is {choice}, not {authorization.authorization_id[:64]!r}."
    )


def checked_grant(world: World, authorization: pb.Authorization) -> Grant:
    """Return the role that an authorization names, if its resource is in its organization.

    Raises:
        CallError: INVALID_ARGUMENT if the authorization contradicts itself or the resource is elsewhere, NOT_FOUND if
            the resource does not exist.
    """
    grant = grant_from_authorization(authorization)
    organization = world.organization(grant.organization_id)
    if organization_of_resource(world, grant.resource_type, grant.resource_id) != organization.id:
        raise invalid_argument(
            f"The {grant.resource_type} {grant.resource_id!r} does not belong to the organization {organization.id!r}."
        )
    return grant


def require_may_grant(caller: Caller, grant: Grant) -> None:
    """Require that the caller owns the resource of a role, and so may add and remove it.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    caller.require(f"write_{grant.resource_type}", grant.resource_type, grant.resource_id)


def authorization_of(grant: Grant, identity_id: str = "", identity_type: str = "") -> pb.Authorization:
    """Return a role as a message."""
    return pb.Authorization(
        authorization_type="role",
        authorization_id=f"{grant.resource_type}_{grant.role}",
        resource_type=grant.resource_type,
        resource_id=grant.resource_id,
        organization_id=grant.organization_id,
        identity_id=identity_id,
        identity_type=identity_type,
    )
