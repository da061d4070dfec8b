import pytest

from sandbox.calls import authenticate, refused

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def bob(sandbox, owner):
    """Provide the ID of a user who is an operator of the organization."""
    operator = owner.role("operator", "organization", sandbox.organization_id)
    owner.CreateOrganizationInvite(
        organization_id=sandbox.organization_id, email="bob@example.com", authorizations=[operator]
    )
    return sandbox.sign_in("bob@example.com")


def listed(owner, sandbox, *resource_ids):
    found = owner.ListAuthorizations(organization_id=sandbox.organization_id, resource_ids=resource_ids).authorizations
    return [(each.identity_id, each.authorization_id, each.resource_id) for each in found]


def held(caller, resource_type, resource_id, *permissions):
    asked = {"resource_type": resource_type, "resource_id": resource_id, "permissions": permissions}
    return [list(each.permissions) for each in caller.CheckPermissions(permissions=[asked]).authorized_permissions]


def test_a_role_is_given_and_taken(sandbox, owner, bob):
    role = dict(owner.role("owner", "location", sandbox.location_id), identity_id=bob)
    owner.AddRole(authorization=role)
    assert listed(owner, sandbox, sandbox.location_id) == [(bob, "location_owner", sandbox.location_id)]
    with refused("ALREADY_EXISTS", "has the role owner on the location"):
        owner.AddRole(authorization=role)
    owner.RemoveRole(authorization=role)
    assert listed(owner, sandbox, sandbox.location_id) == []
    with refused("NOT_FOUND", "does not have the role owner on the location"):
        owner.RemoveRole(authorization=role)


def test_a_role_given_to_a_key_works_at_once(sandbox, owner, caller_with):
    key = caller_with("operator", "robot", sandbox.robot_id)
    owner.AddRole(authorization=dict(owner.role("owner", "location", sandbox.location_id), identity_id=key.id))
    assert key.UpdateLocation(location_id=sandbox.location_id, name="by key").location.name == "by key"
    found = owner.ListAuthorizations(organization_id=sandbox.organization_id, resource_ids=[sandbox.location_id])
    (listed,) = found.authorizations
    assert (listed.identity_type, listed.organization_id) == ("api-key", sandbox.organization_id)
    assert (listed.authorization_type, listed.resource_type) == ("role", "location")


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"authorization_id": "robot_owner"}, "INVALID_ARGUMENT", "is location_owner or location_operator"),
        ({"authorization_id": "location_king"}, "INVALID_ARGUMENT", "not 'location_king'"),
        ({"authorization_type": "permission"}, "INVALID_ARGUMENT", "The type of an authorization is 'role'"),
        ({"resource_type": "planet"}, "INVALID_ARGUMENT", "one of organization, location, robot"),
        ({"resource_id": ""}, "INVALID_ARGUMENT", "The location ID is empty"),
        ({"resource_id": "0123456789"}, "NOT_FOUND", "No location has the ID"),
        ({"organization_id": ""}, "INVALID_ARGUMENT", "The organization ID is empty"),
        ({"organization_id": NOBODY}, "NOT_FOUND", "No organization has the ID"),
        ({"identity_id": ""}, "INVALID_ARGUMENT", "The user or API key ID is empty"),
        ({"identity_id": "bob"}, "INVALID_ARGUMENT", "What was given is no user or API key ID"),
        ({"identity_id": NOBODY}, "NOT_FOUND", "No user or API key has the ID"),
        ({"identity_type": "ghost"}, "INVALID_ARGUMENT", "is user or api-key"),
    ],
)
def test_a_role_that_makes_no_sense_is_refused(sandbox, owner, bob, change, code, text):
    role = dict(owner.role("owner", "location", sandbox.location_id), identity_id=bob)
    with refused(code, text):
        owner.AddRole(authorization=dict(role, **change))


def test_a_resource_of_another_organization_is_refused(sandbox, owner, bob):
    second = owner.CreateOrganization(name="Second").organization.id
    role = dict(owner.role("owner", "location", sandbox.location_id, second), identity_id=bob)
    with refused("INVALID_ARGUMENT", "does not belong to the organization"):
        owner.AddRole(authorization=role)


def test_the_last_owner_keeps_the_role(sandbox, owner, bob):
    ada = owner.GetUserIDByEmail(email="ada@example.com").user_id
    owns = owner.role("owner", "organization", sandbox.organization_id)
    with refused("FAILED_PRECONDITION", "without an owner"):
        owner.RemoveRole(authorization=dict(owns, identity_id=ada))
    operates = dict(owner.role("operator", "organization", sandbox.organization_id), identity_id=ada)
    with refused("FAILED_PRECONDITION", "without an owner"):
        owner.ChangeRole(old_authorization=dict(owns, identity_id=ada), new_authorization=operates)
    owner.AddRole(authorization=dict(owns, identity_id=bob))
    owner.RemoveRole(authorization=dict(owns, identity_id=ada))


def test_a_role_is_changed_in_one_step(sandbox, owner, bob):
    old = dict(owner.role("operator", "organization", sandbox.organization_id), identity_id=bob)
    new = dict(owner.role("owner", "robot", sandbox.robot_id), identity_id=bob)
    owner.ChangeRole(old_authorization=old, new_authorization=new)
    roles = [role for role in listed(owner, sandbox) if role[0] == bob]
    assert roles == [(bob, "robot_owner", sandbox.robot_id)]
    with refused("NOT_FOUND", "does not have the role operator on the organization"):
        owner.ChangeRole(old_authorization=old, new_authorization=new)
    owner.ChangeRole(old_authorization=new, new_authorization=new)
    owner.AddRole(authorization=old)
    with refused("ALREADY_EXISTS"):
        owner.ChangeRole(old_authorization=old, new_authorization=new)
    assert len([role for role in listed(owner, sandbox) if role[0] == bob]) == 2


def test_roles_are_given_only_within_what_one_owns(sandbox, owner, bob, caller_with):
    place = dict(owner.role("operator", "location", sandbox.location_id), identity_id=bob)
    machine = dict(owner.role("operator", "robot", sandbox.robot_id), identity_id=bob)
    driver = caller_with("owner", "robot", sandbox.robot_id)
    driver.AddRole(authorization=machine)
    for change in (
        lambda caller: caller.AddRole(authorization=place),
        lambda caller: caller.ChangeRole(old_authorization=machine, new_authorization=place),
        lambda caller: caller.CreateKey(authorizations=[place]),
    ):
        with refused("PERMISSION_DENIED", "write_location"):
            change(driver)
    operator = caller_with("operator", "organization", sandbox.organization_id)
    for rpc in ("AddRole", "RemoveRole"):
        with refused("PERMISSION_DENIED", "your role there is: operator"):
            getattr(operator, rpc)(authorization=machine)
    driver.RemoveRole(authorization=machine)


def test_roles_are_listed_as_far_as_the_caller_may_see(sandbox, owner, caller_with):
    driver = caller_with("owner", "robot", sandbox.robot_id)
    assert {role[2] for role in listed(driver, sandbox)} == {sandbox.robot_id}
    assert {role[2] for role in listed(owner, sandbox)} > {sandbox.robot_id, sandbox.organization_id}
    with refused("PERMISSION_DENIED", "read_organization"):
        listed(driver, sandbox, sandbox.organization_id)
    with refused("NOT_FOUND", "Nothing in this organization has the ID"):
        listed(owner, sandbox, NOBODY)
    with refused("INVALID_ARGUMENT"):
        listed(owner, sandbox, "malformed")
    second = owner.CreateOrganization(name="Second").organization.id
    with refused("NOT_FOUND"):
        listed(owner, sandbox, second)
    with refused("PERMISSION_DENIED", "You have no role in the organization"):
        driver.ListAuthorizations(organization_id=second)


def test_permissions_follow_the_roles_down_and_not_up(sandbox, owner, caller_with):
    keeper = caller_with("owner", "location", sandbox.location_id)
    assert held(keeper, "robot", sandbox.robot_id, "control_robot", "read_robot_secret") == [
        ["control_robot", "read_robot_secret"]
    ]
    assert held(keeper, "location", sandbox.location_id, "write_robot", "write_location", "write_organization") == [
        ["write_robot", "write_location"]
    ]
    assert held(keeper, "organization", sandbox.organization_id, "read_organization", "control_robot") == []
    assert held(owner, "organization", sandbox.organization_id, "delete_dataset", "control_robot", "nonsense") == [
        ["delete_dataset", "control_robot"]
    ]
    assert held(owner, "robot", sandbox.robot_id, "write_organization", "write_location") == []


def test_an_operator_controls_and_reads(sandbox, caller_with):
    operator = caller_with("operator", "organization", sandbox.organization_id)
    asked = ["read_robot", "write_robot", "control_robot", "read_robot_logs", "read_organization_data_management"]
    assert held(operator, "organization", sandbox.organization_id, *asked) == [
        ["read_robot", "control_robot", "read_organization_data_management"]
    ]


def test_a_question_about_permissions_must_be_one(sandbox, owner):
    with refused("INVALID_ARGUMENT", "The list of permissions is empty"):
        owner.CheckPermissions()
    with refused("INVALID_ARGUMENT", "one of organization, location, robot"):
        held(owner, "planet", sandbox.robot_id, "read_robot")
    with refused("INVALID_ARGUMENT", "is no robot ID"):
        held(owner, "robot", "rover", "read_robot")
    with refused("NOT_FOUND"):
        held(owner, "robot", NOBODY, "read_robot")


def test_a_new_key_works_and_its_value_is_not_listed(sandbox, owner, callers):
    role = owner.role("operator", "location", sandbox.location_id)
    made = owner.CreateKey(authorizations=[role, role], name="helper")
    assert len(made.key) == 32
    assert callers(made.id, made.key).GetLocation(location_id=sandbox.location_id).location.name == "Workshop"
    keys = {each.api_key.id: each for each in owner.ListKeys(org_id=sandbox.organization_id).api_keys}
    assert all(not each.api_key.key for each in keys.values())
    assert {sandbox.api_key_id, made.id} < set(keys)
    assert (keys[made.id].api_key.name, len(keys[made.id].authorizations)) == ("helper", 1)
    assert keys[made.id].api_key.created_on.seconds
    (details,) = keys[made.id].authorizations
    assert (details.authorization_id, details.org_id) == ("location_operator", sandbox.organization_id)


def test_a_key_without_a_name_is_named_after_the_time(sandbox, owner):
    role = owner.role("operator", "location", sandbox.location_id)
    owner.CreateKey(authorizations=[role])
    names = [each.api_key.name for each in owner.ListKeys(org_id=sandbox.organization_id).api_keys]
    assert names[-1].startswith("20")


def test_a_key_needs_roles_in_one_organization(sandbox, owner):
    with refused("INVALID_ARGUMENT", "give at least one authorization"):
        owner.CreateKey(name="for nothing")
    second = owner.CreateOrganization(name="Second").organization.id
    roles = [owner.role("owner", "organization", id, id) for id in (sandbox.organization_id, second)]
    with refused("INVALID_ARGUMENT", "make a key for each organization"):
        owner.CreateKey(authorizations=roles)


def test_a_rotated_key_dies_at_once_and_the_new_one_has_its_roles(sandbox, owner, callers):
    made = owner.CreateKey(authorizations=[owner.role("owner", "robot", sandbox.robot_id)], name="driver")
    rotated = owner.RotateKey(id=made.id)
    assert rotated.id != made.id
    with refused("UNAUTHENTICATED", "No API key has this ID"):
        authenticate(owner.channel, made.id, made.key)
    with refused("UNAUTHENTICATED"):
        authenticate(owner.channel, rotated.id, made.key)
    assert callers(rotated.id, rotated.key).UpdateRobot(id=sandbox.robot_id, name="driven").robot.name == "driven"
    names = [each.api_key.name for each in owner.ListKeys(org_id=sandbox.organization_id).api_keys]
    assert names.count("driver") == 1
    with refused("NOT_FOUND", "No API key has the ID"):
        owner.RotateKey(id=made.id)


def test_a_key_made_from_another_one_leaves_it_alone(sandbox, owner, callers):
    made = owner.CreateKey(authorizations=[owner.role("owner", "robot", sandbox.robot_id)], name="driver")
    twin = owner.CreateKeyFromExistingKeyAuthorizations(id=made.id)
    assert twin.key != made.key
    for each in (made, twin):
        assert callers(each.id, each.key).GetRobot(id=sandbox.robot_id).robot.name == "rover"


def test_a_key_whose_only_role_was_taken_is_still_listed_and_deleted(sandbox, owner, caller_with):
    key = caller_with("owner", "robot", sandbox.robot_id)
    owner.RemoveRole(authorization=dict(owner.role("owner", "robot", sandbox.robot_id), identity_id=key.id))
    with refused("PERMISSION_DENIED"):
        key.GetRobot(id=sandbox.robot_id)
    assert not key.ListOrganizations().organizations
    assert key.id in [each.api_key.id for each in owner.ListKeys(org_id=sandbox.organization_id).api_keys]
    owner.DeleteKey(id=key.id)


def test_a_key_in_the_place_of_its_id_does_not_come_back_in_the_message(sandbox, owner):
    for rpc in ("DeleteKey", "RotateKey", "CreateKeyFromExistingKeyAuthorizations"):
        with pytest.raises(Exception, match="INVALID_ARGUMENT") as raised:
            getattr(owner, rpc)(id=sandbox.api_key)
        assert sandbox.api_key not in raised.value.details()


def test_keys_are_managed_by_those_who_own_all_that_they_open(sandbox, owner, caller_with):
    driver = caller_with("owner", "robot", sandbox.robot_id)
    keeper = caller_with("owner", "location", sandbox.location_id)
    for rpc in ("DeleteKey", "RotateKey", "CreateKeyFromExistingKeyAuthorizations"):
        with refused("PERMISSION_DENIED", "write_location"):
            getattr(driver, rpc)(id=keeper.id)
    with refused("PERMISSION_DENIED", "write_organization"):
        keeper.ListKeys(org_id=sandbox.organization_id)
    keeper.DeleteKey(id=driver.id)
    keeper.RotateKey(id=keeper.id)
