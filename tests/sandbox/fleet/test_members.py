import pytest

from sandbox.calls import refused

NOBODY = "00000000-0000-4000-8000-000000000000"
BOB = "bob@example.com"


def invite(owner, sandbox, *authorizations, email=BOB):
    return owner.CreateOrganizationInvite(
        organization_id=sandbox.organization_id, email=email, authorizations=authorizations
    ).invite


def change(owner, sandbox, **fields):
    return owner.UpdateOrganizationInviteAuthorizations(
        organization_id=sandbox.organization_id, email=BOB, **fields
    ).invite


def roles(invite):
    return [(each.authorization_id, each.resource_id) for each in invite.authorizations]


def test_a_user_is_found_by_the_email_whatever_its_case(sandbox, owner):
    member = owner.ListOrganizationMembers(organization_id=sandbox.organization_id).members[0]
    assert owner.GetUserIDByEmail(email="Ada@Example.com").user_id == member.user_id
    assert member.date_added.seconds
    assert member.last_login.seconds
    with refused("NOT_FOUND", "No user has the e-mail address 'bob@example.com'"):
        owner.GetUserIDByEmail(email=BOB)


@pytest.mark.parametrize("email", ["", "bob", "bob@", "@example.com", "b b@example.com", "bob@example"])
def test_a_bad_email_is_refused(sandbox, owner, email):
    with refused("INVALID_ARGUMENT", "is not an e-mail address"):
        owner.GetUserIDByEmail(email=email)
    with refused("INVALID_ARGUMENT", "is not an e-mail address"):
        invite(owner, sandbox, email=email)


def test_the_organizations_of_a_user_are_listed(sandbox, owner):
    owner.UpdateOrganization(organization_id=sandbox.organization_id, public_namespace="lessons", cid="c1")
    user_id = owner.GetUserIDByEmail(email="ada@example.com").user_id
    second = owner.CreateOrganization(name="Second").organization.id
    first, other = owner.ListOrganizationsByUser(user_id=user_id).orgs
    assert (first.org_id, first.org_name) == (sandbox.organization_id, "Lesson Robotics")
    assert (first.public_namespace, first.org_cid) == ("lessons", "c1")
    assert other.org_id == second
    with refused("NOT_FOUND", "No user has the ID"):
        owner.ListOrganizationsByUser(user_id=NOBODY)


def test_of_another_user_only_the_organizations_in_common_are_listed(sandbox, owner):
    invite(owner, sandbox)
    bob = sandbox.sign_in(BOB)
    assert [each.org_id for each in owner.ListOrganizationsByUser(user_id=bob).orgs] == [sandbox.organization_id]
    assert not owner.ListOrganizationsByUser(user_id=sandbox.sign_in("carol@example.com")).orgs


def test_an_invite_without_roles_makes_an_owner_once_the_person_signs_in(sandbox, owner):
    made = invite(owner, sandbox)
    assert roles(made) == [("organization_owner", sandbox.organization_id)]
    listed = owner.ListOrganizationMembers(organization_id=sandbox.organization_id)
    assert listed.organization_id == sandbox.organization_id
    assert list(listed.invites) == [made]
    bob = sandbox.sign_in("BOB@example.com")
    after = owner.ListOrganizationMembers(organization_id=sandbox.organization_id)
    assert [member.user_id for member in after.members][1:] == [bob]
    assert not after.invites
    assert sandbox.sign_in(BOB) == bob


def test_nobody_is_invited_twice_nor_as_a_member(sandbox, owner):
    invite(owner, sandbox)
    with refused("ALREADY_EXISTS", "is invited to the organization 'Lesson Robotics' already"):
        invite(owner, sandbox, email="Bob@Example.com")
    sandbox.sign_in(BOB)
    with refused("ALREADY_EXISTS", "is a member of the organization 'Lesson Robotics' already"):
        invite(owner, sandbox)


def test_an_invite_has_one_role_at_each_level(sandbox, owner):
    place = owner.role("owner", "location", sandbox.location_id)
    machine = owner.role("operator", "robot", sandbox.robot_id)
    with refused("INVALID_ARGUMENT", "one role at the level of a robot"):
        invite(owner, sandbox, machine, owner.role("owner", "robot", sandbox.robot_id))
    invite(owner, sandbox, machine)
    assert len(roles(change(owner, sandbox, add_authorizations=[place]))) == 2
    with refused("FAILED_PRECONDITION", "one role at the level of a location"):
        change(owner, sandbox, add_authorizations=[owner.role("operator", "location", sandbox.location_id)])
    assert roles(change(owner, sandbox, remove_authorizations=[machine])) == [("location_owner", sandbox.location_id)]
    with refused("FAILED_PRECONDITION", "without a role; delete it"):
        change(owner, sandbox, remove_authorizations=[place])
    swapped = change(owner, sandbox, remove_authorizations=[place], add_authorizations=[machine])
    assert roles(swapped) == [("robot_operator", sandbox.robot_id)]
    assert owner.ListOrganizationMembers(organization_id=sandbox.organization_id).invites[0] == swapped


def test_a_change_of_an_invite_that_cannot_be_made_is_refused(sandbox, owner):
    machine = owner.role("operator", "robot", sandbox.robot_id)
    with refused("NOT_FOUND", "No invite of 'bob@example.com'"):
        change(owner, sandbox, add_authorizations=[machine])
    invite(owner, sandbox)
    with refused("INVALID_ARGUMENT", "Nothing to change was given"):
        change(owner, sandbox)
    with refused("NOT_FOUND", "has no role operator on the robot"):
        change(owner, sandbox, remove_authorizations=[machine])
    elsewhere = dict(machine, organization_id=NOBODY)
    with refused("INVALID_ARGUMENT", "one of its authorizations is in the organization"):
        change(owner, sandbox, add_authorizations=[elsewhere])


def test_resources_of_an_invite_may_be_deleted_before_the_user_signs_in(sandbox, owner):
    robot_id = owner.NewRobot(name="gone soon", location=sandbox.location_id).id
    place = owner.role("operator", "location", sandbox.location_id)
    invite(owner, sandbox, place, owner.role("operator", "robot", robot_id))
    owner.DeleteRobot(id=robot_id)
    bob = sandbox.sign_in(BOB)
    all_roles = owner.ListAuthorizations(organization_id=sandbox.organization_id).authorizations
    assert [each.authorization_id for each in all_roles if each.identity_id == bob] == ["location_operator"]


def test_an_invite_is_resent_and_taken_back(sandbox, owner):
    with refused("NOT_FOUND", "list_organization_members shows those that are"):
        owner.ResendOrganizationInvite(organization_id=sandbox.organization_id, email=BOB)
    made = invite(owner, sandbox)
    again = owner.ResendOrganizationInvite(organization_id=sandbox.organization_id, email="BOB@example.com").invite
    assert again == made
    owner.DeleteOrganizationInvite(organization_id=sandbox.organization_id, email=BOB)
    with refused("NOT_FOUND", "No invite of 'bob@example.com'"):
        owner.DeleteOrganizationInvite(organization_id=sandbox.organization_id, email=BOB)
    bob = sandbox.sign_in(BOB)
    assert not owner.ListOrganizationsByUser(user_id=bob).orgs


def test_a_member_who_is_removed_loses_every_role_in_the_organization(sandbox, owner):
    invite(owner, sandbox, owner.role("owner", "location", sandbox.location_id))
    bob = sandbox.sign_in(BOB)
    owner.AddRole(authorization=dict(owner.role("operator", "robot", sandbox.robot_id), identity_id=bob))
    owner.DeleteOrganizationMember(organization_id=sandbox.organization_id, user_id=bob)
    left = owner.ListAuthorizations(organization_id=sandbox.organization_id).authorizations
    assert bob not in [each.identity_id for each in left]
    with refused("NOT_FOUND", "is not a member of the organization"):
        owner.DeleteOrganizationMember(organization_id=sandbox.organization_id, user_id=bob)
    with refused("NOT_FOUND", "No user has the ID"):
        owner.DeleteOrganizationMember(organization_id=sandbox.organization_id, user_id=NOBODY)


def test_the_last_owner_of_an_organization_stays(sandbox, owner):
    ada = owner.GetUserIDByEmail(email="ada@example.com").user_id
    with refused("FAILED_PRECONDITION", "without an owner"):
        owner.DeleteOrganizationMember(organization_id=sandbox.organization_id, user_id=ada)
    assert len(owner.ListOrganizationMembers(organization_id=sandbox.organization_id).members) == 1
    invite(owner, sandbox)
    sandbox.sign_in(BOB)
    owner.DeleteOrganizationMember(organization_id=sandbox.organization_id, user_id=ada)
    members = owner.ListOrganizationMembers(organization_id=sandbox.organization_id).members
    assert [list(member.emails) for member in members] == [[BOB]]


def test_people_invite_within_what_they_own(sandbox, owner, caller_with):
    place = owner.role("operator", "location", sandbox.location_id)
    machine = owner.role("owner", "robot", sandbox.robot_id)
    host = caller_with("owner", "location", sandbox.location_id)
    with refused("PERMISSION_DENIED", "write_organization"):
        invite(host, sandbox)
    assert roles(invite(host, sandbox, place, machine)) == [
        ("location_operator", sandbox.location_id),
        ("robot_owner", sandbox.robot_id),
    ]
    for role in ("owner", "robot", sandbox.robot_id), ("operator", "organization", sandbox.organization_id):
        guest = caller_with(*role)
        with refused("PERMISSION_DENIED"):
            invite(guest, sandbox, place, email="carol@example.com")
        with refused("PERMISSION_DENIED"):
            guest.DeleteOrganizationInvite(organization_id=sandbox.organization_id, email=BOB)
        with refused("PERMISSION_DENIED"):
            guest.ResendOrganizationInvite(organization_id=sandbox.organization_id, email=BOB)
        with refused("PERMISSION_DENIED"):
            change(guest, sandbox, remove_authorizations=[place])
    host.DeleteOrganizationInvite(organization_id=sandbox.organization_id, email=BOB)


def test_members_are_listed_by_those_with_a_role_on_the_organization(sandbox, caller_with):
    operator = caller_with("operator", "organization", sandbox.organization_id)
    assert operator.ListOrganizationMembers(organization_id=sandbox.organization_id).members
    with refused("PERMISSION_DENIED"):
        operator.DeleteOrganizationMember(
            organization_id=sandbox.organization_id,
            user_id=operator.GetUserIDByEmail(email="ada@example.com").user_id,
        )
    with refused("PERMISSION_DENIED", "read_organization"):
        caller_with("owner", "location", sandbox.location_id).ListOrganizationMembers(
            organization_id=sandbox.organization_id
        )
