"""The RPCs about users, members of organizations, and invites."""

from __future__ import annotations

from typing import Callable, Iterable, List

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import RESOURCE_TYPES, Caller, Grant, grants_of
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import HINTS, checked_email, checked_id
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.fleet.authorizations import (
    authorization_of,
    checked_grant,
    grant_from_authorization,
    require_may_grant,
)
from viam_sync.sandbox.fleet.roles import require_owner

_ONE_INVITE = "organization_id = ? AND email = ?"


class MembersServicer:
    """The RPCs of AppService about users, members and invites."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetUserIDByEmail(self, request: pb.GetUserIDByEmailRequest, caller: Caller) -> pb.GetUserIDByEmailResponse:
        """Return the ID of the user with an e-mail address."""
        email = checked_email(request.email)
        row = self._world.store.row("SELECT id FROM users WHERE email = ?", email)
        if row is None:
            raise not_found(f"No user has the e-mail address {email!r}; create_organization_invite invites a new one.")
        return pb.GetUserIDByEmailResponse(user_id=row["id"])

    def ListOrganizationsByUser(
        self, request: pb.ListOrganizationsByUserRequest, caller: Caller
    ) -> pb.ListOrganizationsByUserResponse:
        """List the organizations of a user; of another user, only those that the caller belongs to as well."""
        user_id = self._world.get("user", request.user_id)["id"]
        response = pb.ListOrganizationsByUserResponse()
        for id in dict.fromkeys(each.organization_id for each in grants_of(self._world, user_id)):
            if user_id == caller.user_id or caller.belongs_to(id):
                organization = self._world.organization(id)
                details = response.orgs.add(org_id=id, org_name=organization.name)
                if organization.HasField("cid"):
                    details.org_cid = organization.cid
                if organization.public_namespace:
                    details.public_namespace = organization.public_namespace
        return response

    def ListOrganizationMembers(
        self, request: pb.ListOrganizationMembersRequest, caller: Caller
    ) -> pb.ListOrganizationMembersResponse:
        """List the users with a role in an organization, and the pending invites."""
        organization = self._world.organization(request.organization_id)
        caller.require("read_organization", "organization", organization.id)
        response = pb.ListOrganizationMembersResponse(organization_id=organization.id)
        members = self._world.store.rows(
            "SELECT u.*, min(g.created) AS added FROM users u JOIN grants g ON g.user_id = u.id"
            " WHERE g.organization_id = ? GROUP BY u.id ORDER BY min(g.id)",
            organization.id,
        )
        for row in members:
            member = response.members.add(user_id=row["id"], emails=[row["email"]], date_added=timestamp(row["added"]))
            if row["last_login"] is not None:
                member.last_login.CopyFrom(timestamp(row["last_login"]))
        sql = "SELECT body FROM invites WHERE organization_id = ? ORDER BY rowid"
        invites = self._world.store.rows(sql, organization.id)
        response.invites.extend(pb.OrganizationInvite.FromString(row["body"]) for row in invites)
        return response

    def DeleteOrganizationMember(
        self, request: pb.DeleteOrganizationMemberRequest, caller: Caller
    ) -> pb.DeleteOrganizationMemberResponse:
        """Remove all roles of a user in an organization."""
        checked_id("user", request.user_id)
        organization = self._world.organization(request.organization_id)
        user = self._world.get("user", request.user_id)
        caller.require("write_organization", "organization", organization.id)
        where = "user_id = ? AND organization_id = ?"
        if not self._world.store.run(f"DELETE FROM grants WHERE {where}", user["id"], organization.id):
            raise not_found(
                f"The user {user['id']!r} is not a member of the organization {organization.name!r}; {HINTS['user']}."
            )
        require_owner(self._world, organization.id)
        return pb.DeleteOrganizationMemberResponse()

    def CreateOrganizationInvite(
        self, request: pb.CreateOrganizationInviteRequest, caller: Caller
    ) -> pb.CreateOrganizationInviteResponse:
        """Invite a user to an organization, as its owner unless the request names other roles."""
        email = checked_email(request.email)
        asked = _grants_in(request.organization_id, request.authorizations)
        _require_one_per_type(asked, invalid_argument)
        organization = self._world.organization(request.organization_id)
        given = [checked_grant(self._world, each) for each in request.authorizations] or [
            Grant("owner", "organization", organization.id, organization.id)
        ]
        for each in given:
            require_may_grant(caller, each)
        self._require_new(organization, email)
        invite = pb.OrganizationInvite(organization_id=organization.id, email=email, created_on=self._world.now())
        invite.authorizations.extend(authorization_of(each) for each in given)
        body = invite.SerializeToString()
        self._world.store.insert("invites", organization_id=organization.id, email=email, body=body)
        return pb.CreateOrganizationInviteResponse(invite=invite)

    def UpdateOrganizationInviteAuthorizations(
        self, request: pb.UpdateOrganizationInviteAuthorizationsRequest, caller: Caller
    ) -> pb.UpdateOrganizationInviteAuthorizationsResponse:
        """Change the roles of an invite: it has at least one, and at most one on each type of resource."""
        removed = _grants_in(request.organization_id, request.remove_authorizations)
        if not removed and not request.add_authorizations:
            raise invalid_argument("Nothing to change was given; name authorizations to add or to remove.")
        _grants_in(request.organization_id, request.add_authorizations)
        invite = self._invite(request.organization_id, request.email)
        added = [checked_grant(self._world, each) for each in request.add_authorizations]
        for each in [*removed, *added]:
            require_may_grant(caller, each)
        grants = [grant_from_authorization(each) for each in invite.authorizations]
        for each in removed:
            if each not in grants:
                raise not_found(
                    f"The invite of {invite.email!r} has no role {each.role} on the {each.resource_type} "
                    f"{each.resource_id!r} to remove; list_organization_members shows what it has."
                )
            grants.remove(each)
        grants += added
        if not grants:
            raise failed_precondition(
                "This would leave the invite without a role; delete it (delete_organization_invite)."
            )
        _require_one_per_type(grants, failed_precondition)
        del invite.authorizations[:]
        invite.authorizations.extend(authorization_of(each) for each in grants)
        self._world.store.run(
            f"UPDATE invites SET body = ? WHERE {_ONE_INVITE}",
            *(invite.SerializeToString(), invite.organization_id, invite.email),
        )
        return pb.UpdateOrganizationInviteAuthorizationsResponse(invite=invite)

    def DeleteOrganizationInvite(
        self, request: pb.DeleteOrganizationInviteRequest, caller: Caller
    ) -> pb.DeleteOrganizationInviteResponse:
        """Delete an invite."""
        invite = self._invite(request.organization_id, request.email)
        _require_may_change(invite, caller)
        self._world.store.run(f"DELETE FROM invites WHERE {_ONE_INVITE}", invite.organization_id, invite.email)
        return pb.DeleteOrganizationInviteResponse()

    def ResendOrganizationInvite(
        self, request: pb.ResendOrganizationInviteRequest, caller: Caller
    ) -> pb.ResendOrganizationInviteResponse:
        """Return the invite; the sandbox sends no e-mails."""
        invite = self._invite(request.organization_id, request.email)
        _require_may_change(invite, caller)
        return pb.ResendOrganizationInviteResponse(invite=invite)

    def _invite(self, organization_id: str, email: str) -> pb.OrganizationInvite:
        email = checked_email(email)
        organization = self._world.organization(organization_id)
        row = self._world.store.row(f"SELECT body FROM invites WHERE {_ONE_INVITE}", organization.id, email)
        if row is None:
            raise not_found(
                f"No invite of {email!r} to the organization {organization.name!r} is pending; "
                "list_organization_members shows those that are."
            )
        return pb.OrganizationInvite.FromString(row["body"])

    def _require_new(self, organization: pb.Organization, email: str) -> None:
        member = "SELECT 1 FROM users u JOIN grants g ON g.user_id = u.id WHERE g.organization_id = ? AND u.email = ?"
        if self._world.store.row(member, organization.id, email):
            raise already_exists(f"{email!r} is a member of the organization {organization.name!r} already.")
        if self._world.store.row(f"SELECT 1 FROM invites WHERE {_ONE_INVITE}", organization.id, email):
            raise already_exists(
                f"{email!r} is invited to the organization {organization.name!r} already; "
                "resend_organization_invite reminds, update_organization_invite_authorizations changes the roles."
            )


def _grants_in(organization_id: str, authorizations: Iterable[pb.Authorization]) -> List[Grant]:
    organization_id = checked_id("organization", organization_id)
    grants = [grant_from_authorization(each) for each in authorizations]
    for each in grants:
        if each.organization_id != organization_id:
            raise invalid_argument(
                f"The invite is to the organization {organization_id!r}, "
                f"and one of its authorizations is in the organization {each.organization_id!r}."
            )
    return grants


def _require_one_per_type(grants: List[Grant], error: Callable[[str], Exception]) -> None:
    for kind in RESOURCE_TYPES:
        if sum(each.resource_type == kind for each in grants) > 1:
            raise error(f"An invite can have one role at the level of a {kind}; remove the others.")


def _require_may_change(invite: pb.OrganizationInvite, caller: Caller) -> None:
    # An owner of the organization may change any invite, even if its resources were deleted.
    if not caller.may("write_organization", "organization", invite.organization_id):
        for each in invite.authorizations:
            require_may_grant(caller, grant_from_authorization(each))
