import pytest

from sandbox.calls import refused

NOBODY = "00000000-0000-4000-8000-000000000000"


def update(owner, sandbox, **fields):
    return owner.UpdateOrganization(organization_id=sandbox.organization_id, **fields).organization


def test_a_new_organization_belongs_to_its_maker_and_has_a_first_location(sandbox, owner):
    made = owner.CreateOrganization(name="Second Robotics").organization
    assert (made.name, made.default_region) == ("Second Robotics", "us-central")
    assert made.created_on.seconds
    assert owner.GetOrganization(organization_id=made.id).organization == made
    assert [each.name for each in owner.ListLocations(organization_id=made.id).locations] == ["First Location"]
    members = owner.ListOrganizationMembers(organization_id=made.id).members
    assert [list(member.emails) for member in members] == [["ada@example.com"]]


@pytest.mark.parametrize("name", ["", "  "])
def test_an_organization_needs_a_name(owner, sandbox, name):
    with refused("INVALID_ARGUMENT", "The name of the organization is empty"):
        owner.CreateOrganization(name=name)
    with refused("INVALID_ARGUMENT", "The name of the organization is empty"):
        update(owner, sandbox, name=name)


def test_the_list_has_those_that_the_caller_has_any_role_in(sandbox, owner, caller_with):
    second = owner.CreateOrganization(name="Second").organization
    assert [each.name for each in owner.ListOrganizations().organizations] == ["Lesson Robotics", "Second"]
    helper = caller_with("operator", "robot", sandbox.robot_id)
    assert [each.id for each in helper.ListOrganizations().organizations] == [sandbox.organization_id]
    assert helper.GetOrganization(organization_id=sandbox.organization_id).organization.name == "Lesson Robotics"
    with refused("PERMISSION_DENIED", "You have no role in the organization"):
        helper.GetOrganization(organization_id=second.id)


def test_an_update_changes_only_the_fields_that_it_has(sandbox, owner):
    update(owner, sandbox, cid="crm-1", region="eu-west")
    changed = update(owner, sandbox, name="Lessons")
    assert (changed.name, changed.cid, changed.default_region) == ("Lessons", "crm-1", "eu-west")
    assert owner.GetOrganization(organization_id=sandbox.organization_id).organization == changed
    assert owner.CreateLocation(organization_id=sandbox.organization_id, name="L").location.config.region == "eu-west"
    assert update(owner, sandbox, cid="").cid == ""


def test_default_fragments_are_kept_and_seed_new_machines(sandbox, owner):
    fragments = {"fragments": [{"fragment_id": NOBODY}]}
    changed = update(owner, sandbox, default_fragments=fragments, allowed_login_methods={"methods": [1]})
    assert changed.default_fragments.fragments[0].fragment_id == NOBODY
    assert list(changed.allowed_login_methods.methods) == [1]
    robot_id = owner.NewRobot(name="seeded", location=sandbox.location_id).id
    (part,) = owner.GetRobotParts(robot_id=robot_id).parts
    assert part.robot_config["fragments"][0]["id"] == NOBODY


def test_an_unknown_region_is_refused(sandbox, owner):
    with refused("INVALID_ARGUMENT", "'mars' is not a region; choose one of us-central, eu-west"):
        update(owner, sandbox, region="mars")


def test_a_namespace_is_set_once_and_is_nobody_elses(sandbox, owner):
    second = owner.CreateOrganization(name="Second").organization.id
    free = owner.GetOrganizationNamespaceAvailability
    assert free(public_namespace="lessons").available
    assert update(owner, sandbox, public_namespace="lessons").public_namespace == "lessons"
    assert not free(public_namespace="lessons").available
    assert free(public_namespace="lessons", organization_id=sandbox.organization_id).available
    with refused("ALREADY_EXISTS", "Another organization has the public namespace 'lessons'"):
        owner.UpdateOrganization(organization_id=second, public_namespace="lessons")
    with refused("FAILED_PRECONDITION", "has the public namespace 'lessons' already"):
        update(owner, sandbox, public_namespace="other", name="not kept")
    assert update(owner, sandbox, public_namespace="lessons").name == "Lesson Robotics"


@pytest.mark.parametrize("namespace", ["", "Lessons", "le ssons", "-lessons", "lessons-", "l_essons"])
def test_an_illegal_namespace_is_refused(sandbox, owner, namespace):
    with refused("INVALID_ARGUMENT", "cannot be a public namespace"):
        owner.GetOrganizationNamespaceAvailability(public_namespace=namespace)
    with refused("INVALID_ARGUMENT", "cannot be a public namespace"):
        update(owner, sandbox, public_namespace=namespace)


def test_an_organization_with_locations_is_not_deleted_and_one_without_is(sandbox, owner):
    made = owner.CreateOrganization(name="Short-lived").organization.id
    given = [owner.role("owner", "organization", made, made)]
    key = owner.CreateKey(authorizations=given, name="its own")
    with refused("FAILED_PRECONDITION", "still has locations; delete them first"):
        owner.DeleteOrganization(organization_id=made)
    owner.DeleteLocation(location_id=owner.ListLocations(organization_id=made).locations[0].id)
    owner.CreateOrganizationInvite(organization_id=made, email="bob@example.com")
    owner.DeleteOrganization(organization_id=made)
    with refused("NOT_FOUND", f"No organization has the ID '{made}'; list_organizations shows"):
        owner.GetOrganization(organization_id=made)
    with refused("NOT_FOUND", "No API key"):
        owner.DeleteKey(id=key.id)
    assert sandbox.sign_in("bob@example.com")
    assert [each.name for each in owner.ListOrganizations().organizations] == ["Lesson Robotics"]


@pytest.mark.parametrize("id", ["", "abc", "00000000-0000-4000-8000-00000000000g", NOBODY + "\n"])
def test_a_malformed_id_is_an_invalid_argument(owner, id):
    for rpc in ("GetOrganization", "UpdateOrganization", "DeleteOrganization", "ListLocations"):
        with refused("INVALID_ARGUMENT", "list_organizations shows those that you can use"):
            getattr(owner, rpc)(organization_id=id)


def test_an_id_in_capitals_is_the_same_id(sandbox, owner):
    assert (
        owner.GetOrganization(organization_id=sandbox.organization_id.upper()).organization.id
        == sandbox.organization_id
    )


@pytest.mark.parametrize("rpc", ["UpdateOrganization", "DeleteOrganization", "UpdateOrganizationMetadata"])
def test_only_an_owner_of_the_organization_changes_it(sandbox, caller_with, rpc):
    for role in (
        ("operator", "organization", sandbox.organization_id),
        ("owner", "location", sandbox.location_id),
        ("owner", "robot", sandbox.robot_id),
    ):
        with refused("PERMISSION_DENIED", "write_organization"):
            getattr(caller_with(*role), rpc)(organization_id=sandbox.organization_id)


def test_there_are_no_rover_rentals(sandbox, owner):
    assert not owner.GetRoverRentalRobots(org_id=sandbox.organization_id).robots
    with refused("NOT_FOUND"):
        owner.GetRoverRentalRobots(org_id=NOBODY)
