"""The methods of AppClient that give and take roles, and the record of a role of an API key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Literal, Optional, Tuple, get_args

from typing_extensions import Self

from viam_sync.checks import items_of, one_of, parameter_names, require, wrong_type
from viam_sync.checks.official import is_of_official_sdk
from viam_sync.messages.acceptance import adopt
from viam_sync.proto import app as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.shown import ShortRepr

#: What a role allows: all, or to operate machines.
Role = Literal["owner", "operator"]
#: What a role is for.
ResourceType = Literal["organization", "location", "robot"]


@dataclass(frozen=True, repr=False)
class APIKeyAuthorization(ShortRepr):
    """A role that an API key shall have.

    Args:
        role: ``owner`` or ``operator``.
        resource_type: ``organization``, ``location`` or ``robot``.
        resource_id: ID of the organization, location or machine that the role is for.

    Raises:
        ValueError: If the role or the type is something else.

    Example:
        >>> from viam_sync.app.app_client import APIKeyAuthorization
        >>> APIKeyAuthorization("owner", "robot", sandbox.robot_id).proto.authorization_id
        'robot_owner'
    """

    role: Role
    resource_type: ResourceType
    resource_id: str

    def __post_init__(self) -> None:
        one_of("role", self.role, get_args(Role))
        one_of("resource_type", self.resource_type, get_args(ResourceType))
        require(resource_id=self.resource_id)

    @classmethod
    def from_proto(cls, authorization: pb.Authorization) -> Self:
        """Return the record of a message.

        Raises:
            ValueError: If it is no role of a known kind.

        Example:
            >>> from viam_sync.app.app_client import APIKeyAuthorization
            >>> role = pb.Authorization(
            ...     authorization_id="location_operator", resource_type="location", resource_id="ak5ml3mwtr")
            >>> APIKeyAuthorization.from_proto(role).role
            'operator'
        """
        authorization = adopt(pb.Authorization, authorization, "authorization")
        prefix = f"{authorization.resource_type}_"
        role = authorization.authorization_id
        if role.startswith(prefix):
            role = role[len(prefix) :]
        # The constructor refuses a role or a type that is not among the words.
        return cls(role, authorization.resource_type, authorization.resource_id)  # type: ignore[arg-type]

    @property
    def proto(self) -> pb.Authorization:
        """The record as a message, which names neither an organization nor a key yet.

        Example:
            >>> from viam_sync.app.app_client import APIKeyAuthorization
            >>> APIKeyAuthorization("owner", "robot", sandbox.robot_id).proto.identity_type
            'api-key'
        """
        return pb.Authorization(
            authorization_type="role",
            authorization_id=f"{self.resource_type}_{self.role}",
            resource_type=self.resource_type,
            resource_id=self.resource_id,
            identity_type="api-key",
        )


class RolesMixin(Service):
    """Methods that give and take roles."""

    def add_role(
        self,
        org_id: str,
        identity_id: str,
        role: Role,
        resource_type: ResourceType,
        resource_id: str,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Give a role to a user or an API key.

        Args:
            org_id: ID of the organization, a UUID.
            identity_id: ID of the user or the API key.
            role: ``owner`` or ``operator``.
            resource_type: ``organization``, ``location`` or ``robot``.
            resource_id: ID of the organization, location or machine that the role is for.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            ValueError: If ``role`` or ``resource_type`` is something else; nothing was asked.
            AlreadyExistsError: If they have this role already.
            NotFoundError: If the organization, the identity or the resource does not exist.
            PermissionDeniedError: If the caller may not give this role.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> user_id = sandbox.sign_in("bob@example.com")
            >>> app.add_role(sandbox.organization_id, user_id, "operator", "location", sandbox.location_id)
            >>> roles = app.list_authorizations(sandbox.organization_id, [sandbox.location_id])
            >>> [role.authorization_id for role in roles]
            ['location_operator']
        """
        require(org_id=org_id, identity_id=identity_id, resource_id=resource_id)
        with parameter_names(organization_id="org_id"):
            authorization = _authorization(org_id, identity_id, role, resource_type, resource_id)
        request = pb.AddRoleRequest(authorization=authorization)
        self._unary_unary(methods.ADD_ROLE, request, timeout)

    def remove_role(
        self,
        org_id: str,
        identity_id: str,
        role: Role,
        resource_type: ResourceType,
        resource_id: str,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Take a role from a user or an API key.

        Args:
            org_id: ID of the organization, a UUID.
            identity_id: ID of the user or the API key.
            role: ``owner`` or ``operator``.
            resource_type: ``organization``, ``location`` or ``robot``.
            resource_id: ID of the organization, location or machine that the role is for.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            ValueError: If ``role`` or ``resource_type`` is something else; nothing was asked.
            FailedPreconditionError: If the organization would be left without an owner.
            NotFoundError: If they do not have this role.
            PermissionDeniedError: If the caller may not take this role.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> user_id = sandbox.sign_in("bob@example.com")
            >>> app.add_role(sandbox.organization_id, user_id, "owner", "robot", sandbox.robot_id)
            >>> app.remove_role(sandbox.organization_id, user_id, "owner", "robot", sandbox.robot_id)
        """
        require(org_id=org_id, identity_id=identity_id, resource_id=resource_id)
        with parameter_names(organization_id="org_id"):
            authorization = _authorization(org_id, identity_id, role, resource_type, resource_id)
        request = pb.RemoveRoleRequest(authorization=authorization)
        self._unary_unary(methods.REMOVE_ROLE, request, timeout)

    def change_role(
        self,
        organization_id: str,
        old_identity_id: str,
        old_role: Role,
        old_resource_type: ResourceType,
        old_resource_id: str,
        new_identity_id: str,
        new_role: Role,
        new_resource_type: ResourceType,
        new_resource_id: str,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Put one role in the place of another, in one step.

        Args:
            organization_id: ID of the organization, a UUID.
            old_identity_id: ID of the user or the API key that has the role.
            old_role: The role that it has: ``owner`` or ``operator``.
            old_resource_type: The type of the resource that the old role is for: ``organization``, ``location`` or
                ``robot``.
            old_resource_id: ID of the organization, location or machine that it is for.
            new_identity_id: ID of the user or the API key that shall have the new role.
            new_role: The new role: ``owner`` or ``operator``.
            new_resource_type: The type of the resource that the new role is for: ``organization``, ``location`` or
                ``robot``.
            new_resource_id: ID of the organization, location or machine that it shall be for.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            ValueError: If a role or a resource type is something else; nothing was asked.
            AlreadyExistsError: If the new role is there already.
            FailedPreconditionError: If the organization would be left without an owner.
            NotFoundError: If there is no such old role, or the identity or the resource of the new one does not exist.
            PermissionDeniedError: If the caller may not take the one or give the other.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> user_id, robot = sandbox.sign_in("bob@example.com"), ("robot", sandbox.robot_id)
            >>> app.add_role(sandbox.organization_id, user_id, "owner", *robot)
            >>> app.change_role(sandbox.organization_id, user_id, "owner", *robot, user_id, "operator", *robot)
        """
        require(
            organization_id=organization_id,
            old_identity_id=old_identity_id,
            old_resource_id=old_resource_id,
            new_identity_id=new_identity_id,
            new_resource_id=new_resource_id,
        )
        old = (old_identity_id, old_role, old_resource_type, old_resource_id)
        new = (new_identity_id, new_role, new_resource_type, new_resource_id)
        request = pb.ChangeRoleRequest(
            old_authorization=_authorization(organization_id, *old, prefix="old_"),
            new_authorization=_authorization(organization_id, *new, prefix="new_"),
        )
        self._unary_unary(methods.CHANGE_ROLE, request, timeout)

    def create_key(
        self,
        org_id: str,
        authorizations: List[APIKeyAuthorization],
        name: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> Tuple[str, str]:
        """Create an API key.

        Args:
            org_id: ID of the organization, a UUID.
            authorizations: The roles that it shall have, at least one.
            name: Name of the key; None for the local time.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The key, which is not shown again, and its ID.

        Raises:
            ValueError: If ``authorizations`` is empty; nothing was asked.
            TypeError: If it is no list of APIKeyAuthorization; nothing was asked.
            NotFoundError: If the organization or a resource does not exist.
            PermissionDeniedError: If the caller may not give one of the roles.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.app.app_client import APIKeyAuthorization
            >>> role = APIKeyAuthorization("operator", "robot", sandbox.robot_id)
            >>> api_key, api_key_id = app.create_key(sandbox.organization_id, [role], "for the rover")
        """
        require(org_id=org_id)
        request = pb.CreateKeyRequest(
            authorizations=[_of_key(org_id, given) for given in _checked_list(authorizations)],
            name=str(datetime.now()) if name is None else name,
        )
        response: pb.CreateKeyResponse = self._unary_unary(methods.CREATE_KEY, request, timeout)
        return response.key, response.id


def _authorization(
    organization_id: str, identity_id: str, role: str, resource_type: str, resource_id: str, prefix: str = ""
) -> pb.Authorization:
    one_of(f"{prefix}role", role, get_args(Role))
    one_of(f"{prefix}resource_type", resource_type, get_args(ResourceType))
    with parameter_names(identity_id=f"{prefix}identity_id", resource_id=f"{prefix}resource_id"):
        return pb.Authorization(
            authorization_type="role",
            authorization_id=f"{resource_type}_{role}",
            resource_type=resource_type,
            resource_id=resource_id,
            identity_id=identity_id,
            organization_id=organization_id,
        )


def _of_key(organization_id: str, given: APIKeyAuthorization) -> pb.Authorization:
    authorization = given.proto
    with parameter_names(organization_id="org_id"):
        authorization.MergeFrom(pb.Authorization(organization_id=organization_id))
    return authorization


def _checked_list(authorizations: List[APIKeyAuthorization]) -> List[APIKeyAuthorization]:
    items = items_of("authorizations", authorizations, "APIKeyAuthorization")
    return [_own_authorization(f"authorizations[{index}]", given) for index, given in enumerate(items)]


def _own_authorization(name: str, given: Any) -> APIKeyAuthorization:
    """Return the record of a role as ours, into which that of the official SDK is made, whichever version it has."""
    if isinstance(given, APIKeyAuthorization):
        return given
    if not is_of_official_sdk(given, "APIKeyAuthorization"):
        raise wrong_type(name, "a viam_sync.app.app_client.APIKeyAuthorization", given)
    # The older versions have no public attributes.
    role, resource_type, resource_id = (
        getattr(given, word, getattr(given, f"_{word}", None)) for word in ("role", "resource_type", "resource_id")
    )
    with parameter_names(role=name, resource_type=name, resource_id=name):
        return APIKeyAuthorization(role, resource_type, resource_id)  # type: ignore[arg-type]
