import pytest

from .calls import refused

NOBODY = "00000000-0000-4000-8000-000000000000"
BOB = "bob@example.com"


def invite(owner, cloud, *authorizations, email=BOB):
    return owner.CreateOrganizationInvite(
        organization_id=cloud.organization_id, email=email, authorizations=authorizations
    ).invite


def change(owner, cloud, **fields):
    return owner.UpdateOrganizationInviteAuthorizations(
        organization_id=cloud.organization_id, email=BOB, **fields
    ).invite


def roles(invite):
    return [(each.authorization_id, each.resource_id) for each in invite.authorizations]


def test_a_user_is_found_by_the_email_whatever_its_case(cloud, owner):
    member = owner.ListOrganizationMembers(organization_id=cloud.organization_id).members[0]
    assert owner.GetUserIDByEmail(email="Ada@Example.com").user_id == member.user_id
    assert member.date_added.seconds
    assert member.last_login.seconds
    with refused("NOT_FOUND", "No user has the e-mail address 'bob@example.com'"):
        owner.GetUserIDByEmail(email=BOB)


@pytest.mark.parametrize("email", ["", "bob", "bob@", "@example.com", "b b@example.com", "bob@example"])
def test_a_bad_email_is_refused(cloud, owner, email):
    with refused("INVALID_ARGUMENT", "is not an e-mail address"):
        owner.GetUserIDByEmail(email=email)
    with refused("INVALID_ARGUMENT", "is not an e-mail address"):
        invite(owner, cloud, email=email)


def test_the_organizations_of_a_user_are_listed(cloud, owner):
    owner.UpdateOrganization(organization_id=cloud.organization_id, public_namespace="lessons", cid="c1")
    user_id = owner.GetUserIDByEmail(email="ada@example.com").user_id
    second = owner.CreateOrganization(name="Second").organization.id
    first, other = owner.ListOrganizationsByUser(user_id=user_id).orgs
    assert (first.org_id, first.org_name) == (cloud.organization_id, "Lesson Robotics")
    assert (first.public_namespace, first.org_cid) == ("lessons", "c1")
    assert other.org_id == second
    with refused("NOT_FOUND", "No user has the ID"):
        owner.ListOrganizationsByUser(user_id=NOBODY)


def test_of_another_user_only_the_organizations_in_common_are_listed(cloud, owner):
    invite(owner, cloud)
    bob = cloud.sign_in(BOB)
    assert [each.org_id for each in owner.ListOrganizationsByUser(user_id=bob).orgs] == [cloud.organization_id]
    assert not owner.ListOrganizationsByUser(user_id=cloud.sign_in("carol@example.com")).orgs


def test_an_invite_without_roles_makes_an_owner_once_the_person_signs_in(cloud, owner):
    made = invite(owner, cloud)
    assert roles(made) == [("organization_owner", cloud.organization_id)]
    listed = owner.ListOrganizationMembers(organization_id=cloud.organization_id)
    assert listed.organization_id == cloud.organization_id
    assert list(listed.invites) == [made]
    bob = cloud.sign_in("BOB@example.com")
    after = owner.ListOrganizationMembers(organization_id=cloud.organization_id)
    assert [member.user_id for member in after.members][1:] == [bob]
    assert not after.invites
    assert cloud.sign_in(BOB) == bob


def test_nobody_is_invited_twice_nor_as_a_member(cloud, owner):
    invite(owner, cloud)
    with refused("ALREADY_EXISTS", "is invited to the organization 'Lesson Robotics' already"):
        invite(owner, cloud, email="Bob@Example.com")
    cloud.sign_in(BOB)
    with refused("ALREADY_EXISTS", "is a member of the organization 'Lesson Robotics' already"):
        invite(owner, cloud)


def test_an_invite_has_one_role_at_each_level(cloud, owner):
    place = owner.role("owner", "location", cloud.location_id)
    machine = owner.role("operator", "robot", cloud.robot_id)
    with refused("INVALID_ARGUMENT", "one role at the level of a robot"):
        invite(owner, cloud, machine, owner.role("owner", "robot", cloud.robot_id))
    invite(owner, cloud, machine)
    assert len(roles(change(owner, cloud, add_authorizations=[place]))) == 2
    with refused("FAILED_PRECONDITION", "one role at the level of a location"):
        change(owner, cloud, add_authorizations=[owner.role("operator", "location", cloud.location_id)])
    assert roles(change(owner, cloud, remove_authorizations=[machine])) == [("location_owner", cloud.location_id)]
    with refused("FAILED_PRECONDITION", "without a role; delete it"):
        change(owner, cloud, remove_authorizations=[place])
    swapped = change(owner, cloud, remove_authorizations=[place], add_authorizations=[machine])
    assert roles(swapped) == [("robot_operator", cloud.robot_id)]
    assert owner.ListOrganizationMembers(organization_id=cloud.organization_id).invites[0] == swapped


def test_a_change_of_an_invite_that_cannot_be_made_is_refused(cloud, owner):
    machine = owner.role("operator", "robot", cloud.robot_id)
    with refused("NOT_FOUND", "No invite of 'bob@example.com'"):
        change(owner, cloud, add_authorizations=[machine])
    invite(owner, cloud)
    with refused("INVALID_ARGUMENT", "Nothing to change was given"):
        change(owner, cloud)
    with refused("NOT_FOUND", "has no role operator on the robot"):
        change(owner, cloud, remove_authorizations=[machine])
    elsewhere = dict(machine, organization_id=NOBODY)
    with refused("INVALID_ARGUMENT", "one of its authorizations is in the organization"):
        change(owner, cloud, add_authorizations=[elsewhere])


def test_what_an_invite_names_may_be_gone_when_the_person_signs_in(cloud, owner):
    robot_id = owner.NewRobot(name="gone soon", location=cloud.location_id).id
    place = owner.role("operator", "location", cloud.location_id)
    invite(owner, cloud, place, owner.role("operator", "robot", robot_id))
    owner.DeleteRobot(id=robot_id)
    bob = cloud.sign_in(BOB)
    all_roles = owner.ListAuthorizations(organization_id=cloud.organization_id).authorizations
    assert [each.authorization_id for each in all_roles if each.identity_id == bob] == ["location_operator"]


def test_an_invite_is_resent_and_taken_back(cloud, owner):
    with refused("NOT_FOUND", "list_organization_members shows those that are"):
        owner.ResendOrganizationInvite(organization_id=cloud.organization_id, email=BOB)
    made = invite(owner, cloud)
    again = owner.ResendOrganizationInvite(organization_id=cloud.organization_id, email="BOB@example.com").invite
    assert again == made
    owner.DeleteOrganizationInvite(organization_id=cloud.organization_id, email=BOB)
    with refused("NOT_FOUND", "No invite of 'bob@example.com'"):
        owner.DeleteOrganizationInvite(organization_id=cloud.organization_id, email=BOB)
    bob = cloud.sign_in(BOB)
    assert not owner.ListOrganizationsByUser(user_id=bob).orgs


def test_a_member_who_is_removed_loses_every_role_in_the_organization(cloud, owner):
    invite(owner, cloud, owner.role("owner", "location", cloud.location_id))
    bob = cloud.sign_in(BOB)
    owner.AddRole(authorization=dict(owner.role("operator", "robot", cloud.robot_id), identity_id=bob))
    owner.DeleteOrganizationMember(organization_id=cloud.organization_id, user_id=bob)
    left = owner.ListAuthorizations(organization_id=cloud.organization_id).authorizations
    assert bob not in [each.identity_id for each in left]
    with refused("NOT_FOUND", "is not a member of the organization"):
        owner.DeleteOrganizationMember(organization_id=cloud.organization_id, user_id=bob)
    with refused("NOT_FOUND", "No user has the ID"):
        owner.DeleteOrganizationMember(organization_id=cloud.organization_id, user_id=NOBODY)


def test_the_last_owner_of_an_organization_stays(cloud, owner):
    ada = owner.GetUserIDByEmail(email="ada@example.com").user_id
    with refused("FAILED_PRECONDITION", "without an owner"):
        owner.DeleteOrganizationMember(organization_id=cloud.organization_id, user_id=ada)
    assert len(owner.ListOrganizationMembers(organization_id=cloud.organization_id).members) == 1
    invite(owner, cloud)
    cloud.sign_in(BOB)
    owner.DeleteOrganizationMember(organization_id=cloud.organization_id, user_id=ada)
    members = owner.ListOrganizationMembers(organization_id=cloud.organization_id).members
    assert [list(member.emails) for member in members] == [[BOB]]


def test_people_invite_within_what_they_own(cloud, owner, caller_with):
    place = owner.role("operator", "location", cloud.location_id)
    machine = owner.role("owner", "robot", cloud.robot_id)
    host = caller_with("owner", "location", cloud.location_id)
    with refused("PERMISSION_DENIED", "write_organization"):
        invite(host, cloud)
    assert roles(invite(host, cloud, place, machine)) == [
        ("location_operator", cloud.location_id),
        ("robot_owner", cloud.robot_id),
    ]
    for role in ("owner", "robot", cloud.robot_id), ("operator", "organization", cloud.organization_id):
        guest = caller_with(*role)
        with refused("PERMISSION_DENIED"):
            invite(guest, cloud, place, email="carol@example.com")
        with refused("PERMISSION_DENIED"):
            guest.DeleteOrganizationInvite(organization_id=cloud.organization_id, email=BOB)
        with refused("PERMISSION_DENIED"):
            guest.ResendOrganizationInvite(organization_id=cloud.organization_id, email=BOB)
        with refused("PERMISSION_DENIED"):
            change(guest, cloud, remove_authorizations=[place])
    host.DeleteOrganizationInvite(organization_id=cloud.organization_id, email=BOB)


def test_members_are_listed_by_those_with_a_role_on_the_organization(cloud, caller_with):
    operator = caller_with("operator", "organization", cloud.organization_id)
    assert operator.ListOrganizationMembers(organization_id=cloud.organization_id).members
    with refused("PERMISSION_DENIED"):
        operator.DeleteOrganizationMember(
            organization_id=cloud.organization_id,
            user_id=operator.GetUserIDByEmail(email="ada@example.com").user_id,
        )
    with refused("PERMISSION_DENIED", "read_organization"):
        caller_with("owner", "location", cloud.location_id).ListOrganizationMembers(
            organization_id=cloud.organization_id
        )
