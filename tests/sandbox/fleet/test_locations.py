import pytest

from sandbox.calls import refused

NOWHERE = "0123456789"


@pytest.fixture
def make(sandbox, owner):
    """Make locations in the sample organization."""

    def make(name, parent=None):
        return owner.CreateLocation(
            organization_id=sandbox.organization_id, name=name, parent_location_id=parent
        ).location.id

    return make


def update(owner, id, **fields):
    return owner.UpdateLocation(location_id=id, **fields).location


def test_a_new_location_is_complete(sandbox, owner):
    made = owner.CreateLocation(
        organization_id=sandbox.organization_id, name="Annex", parent_location_id=sandbox.location_id
    ).location
    assert len(made.id) == 10
    assert (made.name, made.parent_location_id, made.robot_count) == ("Annex", sandbox.location_id, 0)
    assert (made.primary_org_identity.id, made.primary_org_identity.name) == (
        sandbox.organization_id,
        "Lesson Robotics",
    )
    assert [(each.organization_id, each.primary) for each in made.organizations] == [(sandbox.organization_id, True)]
    assert made.config.region == "us-central"
    assert made.auth.location_id == made.id
    assert [(each.secret, each.state) for each in made.auth.secrets] == [(made.auth.secret, 1)]
    assert len(made.auth.secret) == 48
    assert owner.GetLocation(location_id=made.id).location == made


def test_a_location_needs_a_name_an_organization_and_a_parent_that_exist(sandbox, owner):
    with refused("INVALID_ARGUMENT", "The name of the location is empty"):
        owner.CreateLocation(organization_id=sandbox.organization_id)
    with refused("NOT_FOUND", "No organization has the ID"):
        owner.CreateLocation(organization_id="00000000-0000-4000-8000-000000000000", name="L")
    with refused("NOT_FOUND", f"No location has the ID '{NOWHERE}'; list_locations shows"):
        owner.CreateLocation(organization_id=sandbox.organization_id, name="L", parent_location_id=NOWHERE)


@pytest.mark.parametrize("id", ["", "abc", "ABCDEFGHIJ", "01234567890"])
def test_a_malformed_id_is_an_invalid_argument(owner, id):
    for rpc in ("GetLocation", "UpdateLocation", "DeleteLocation", "LocationAuth", "ListRobots"):
        with refused("INVALID_ARGUMENT", "list_locations shows those of an organization"):
            getattr(owner, rpc)(location_id=id)


def test_locations_go_three_deep(owner, make, sandbox):
    second = make("second", make("first"))
    third = make("third", second)
    with refused("FAILED_PRECONDITION", "deeper than 3 levels"):
        make("fourth", third)
    with refused("FAILED_PRECONDITION", "deeper than 3 levels"):
        update(owner, sandbox.location_id, parent_location_id=second)


def test_a_parent_in_another_organization_is_refused(owner, sandbox, other, make):
    foreign = owner.ListLocations(organization_id=other).locations[0].id
    with refused("FAILED_PRECONDITION", "belongs to another organization"):
        make("L", foreign)
    with refused("FAILED_PRECONDITION", "belongs to another organization"):
        update(owner, sandbox.location_id, parent_location_id=foreign)


def test_an_update_keeps_what_it_does_not_have(owner, make):
    top = make("top")
    inner = make("inner", top)
    assert update(owner, inner, name="renamed").parent_location_id == top
    moved = update(owner, inner, parent_location_id="")
    assert (moved.name, moved.parent_location_id) == ("renamed", "")
    back = update(owner, inner, name="", parent_location_id=top, region="eu-west")
    assert (back.name, back.parent_location_id, back.config.region) == ("renamed", top, "eu-west")
    assert owner.GetLocation(location_id=inner).location == back
    with refused("INVALID_ARGUMENT", "is not a region"):
        update(owner, inner, region="mars")


def test_a_location_cannot_be_moved_into_itself(owner, make):
    top = make("top")
    inner = make("inner", top)
    for target in (top, inner):
        with refused("FAILED_PRECONDITION", "cannot be moved into itself"):
            update(owner, top, parent_location_id=target)


def test_a_location_is_deleted_only_when_empty(sandbox, owner, make):
    top = make("top")
    inner = make("inner", top)
    with refused("FAILED_PRECONDITION", "has locations in it"):
        owner.DeleteLocation(location_id=top)
    robot_id = owner.NewRobot(name="r", location=inner).id
    with refused("FAILED_PRECONDITION", "still has machines"):
        owner.DeleteLocation(location_id=inner)
    owner.DeleteRobot(id=robot_id)
    owner.DeleteLocation(location_id=inner)
    owner.DeleteLocation(location_id=top)
    with refused("NOT_FOUND"):
        owner.GetLocation(location_id=top)


def test_the_keys_of_a_location_go_with_it(owner, caller_with, make):
    id = make("short-lived")
    keeper = caller_with("owner", "location", id)
    assert keeper.GetLocation(location_id=id).location.name == "short-lived"
    owner.DeleteLocation(location_id=id)
    with refused("UNAUTHENTICATED"):
        keeper.ListOrganizations()


def test_a_shared_location_is_seen_and_managed_by_the_other_organization(sandbox, owner, caller_with, other, make):
    inner = make("inner", sandbox.location_id)
    stranger = caller_with("owner", "organization", other, other)
    with refused("PERMISSION_DENIED", "read_location"):
        stranger.GetLocation(location_id=inner)
    owner.ShareLocation(location_id=sandbox.location_id, organization_id=other)
    owner.ShareLocation(location_id=sandbox.location_id, organization_id=other)
    seen = {each.id: each for each in stranger.ListLocations(organization_id=other).locations}
    assert {sandbox.location_id, inner} < set(seen)
    assert (seen[sandbox.location_id].robot_count, seen[sandbox.location_id].name) == (2, "Workshop")
    for id in (sandbox.location_id, inner):
        found = owner.GetOrganizationsWithAccessToLocation(location_id=id).organization_identities
        assert [(each.id, each.name) for each in found] == [
            (sandbox.organization_id, "Lesson Robotics"),
            (other, "Other"),
        ]
    shared_with = owner.GetLocation(location_id=inner).location.organizations
    assert [(each.organization_id, each.primary) for each in shared_with] == [
        (sandbox.organization_id, True),
        (other, False),
    ]
    assert update(stranger, inner, name="theirs too").name == "theirs too"
    third = owner.CreateOrganization(name="Third").organization.id
    stranger.ShareLocation(location_id=inner, organization_id=third)
    with refused("PERMISSION_DENIED"):
        stranger.ListLocations(organization_id=sandbox.organization_id)
    owner.UnshareLocation(location_id=sandbox.location_id, organization_id=other)
    with refused("PERMISSION_DENIED"):
        stranger.GetLocation(location_id=sandbox.location_id)


def test_unsharing_what_is_not_shared_is_refused(sandbox, owner, other):
    with refused("NOT_FOUND", "is not shared with the organization 'Other'"):
        owner.UnshareLocation(location_id=sandbox.location_id, organization_id=other)
    with refused("FAILED_PRECONDITION", "belongs to the organization 'Lesson Robotics'"):
        owner.UnshareLocation(location_id=sandbox.location_id, organization_id=sandbox.organization_id)
    owner.ShareLocation(location_id=sandbox.location_id, organization_id=sandbox.organization_id)
    found = owner.GetOrganizationsWithAccessToLocation(location_id=sandbox.location_id).organization_identities
    assert len(found) == 1


def test_a_shared_location_in_another_one_stays_where_it_is(sandbox, owner, other, make):
    inner = make("inner", sandbox.location_id)
    owner.ShareLocation(location_id=inner, organization_id=other)
    with refused("FAILED_PRECONDITION", "unshare it first"):
        update(owner, inner, parent_location_id="")
    owner.UnshareLocation(location_id=inner, organization_id=other)
    assert update(owner, inner, parent_location_id="").parent_location_id == ""


def test_a_location_has_one_or_two_secrets(sandbox, owner):
    (first,) = owner.LocationAuth(location_id=sandbox.location_id).auth.secrets
    with refused("FAILED_PRECONDITION", "This is the last secret of the location 'Workshop'"):
        owner.DeleteLocationSecret(location_id=sandbox.location_id, secret_id=first.id)
    auth = owner.CreateLocationSecret(location_id=sandbox.location_id).auth
    assert auth.secrets[0].id == first.id
    assert (auth.secret, auth.location_id, len(auth.secrets)) == (first.secret, sandbox.location_id, 2)
    with refused("FAILED_PRECONDITION", "has 2 active secrets"):
        owner.CreateLocationSecret(location_id=sandbox.location_id)
    owner.DeleteLocationSecret(location_id=sandbox.location_id, secret_id=first.id)
    with refused("NOT_FOUND", "has no secret with the ID"):
        owner.DeleteLocationSecret(location_id=sandbox.location_id, secret_id=first.id)
    left = owner.LocationAuth(location_id=sandbox.location_id).auth
    assert left.secret == auth.secrets[1].secret != first.secret


def test_a_secret_in_the_place_of_its_id_does_not_come_back_in_the_message(sandbox, owner):
    secret = owner.LocationAuth(location_id=sandbox.location_id).auth.secret
    with pytest.raises(Exception, match="INVALID_ARGUMENT") as raised:
        owner.DeleteLocationSecret(location_id=sandbox.location_id, secret_id=secret)
    assert secret not in raised.value.details()


def test_a_location_owner_manages_it_and_those_in_it_but_makes_none(sandbox, owner, caller_with, make):
    inner = make("inner", sandbox.location_id)
    outside = make("outside")
    keeper = caller_with("owner", "location", sandbox.location_id)
    assert update(keeper, inner, name="kept").name == "kept"
    assert keeper.LocationAuth(location_id=inner).auth.secret
    listed = [each.name for each in keeper.ListLocations(organization_id=sandbox.organization_id).locations]
    assert listed == ["Workshop", "Greenhouse", "kept"]
    with refused("PERMISSION_DENIED", "write_organization"):
        keeper.CreateLocation(organization_id=sandbox.organization_id, name="L", parent_location_id=sandbox.location_id)
    with refused("PERMISSION_DENIED"):
        update(keeper, inner, parent_location_id=outside)
    with refused("PERMISSION_DENIED"):
        keeper.GetLocation(location_id=outside)
    keeper.DeleteLocation(location_id=inner)


def test_an_operator_sees_a_location_without_its_secrets(sandbox, owner, caller_with):
    operator = caller_with("operator", "organization", sandbox.organization_id)
    seen = operator.GetLocation(location_id=sandbox.location_id).location
    assert (seen.name, seen.HasField("auth")) == ("Workshop", False)
    for rpc in ("UpdateLocation", "DeleteLocation", "LocationAuth", "CreateLocationSecret"):
        with refused("PERMISSION_DENIED", "your role there is: operator"):
            getattr(operator, rpc)(location_id=sandbox.location_id)
    for rpc in ("ShareLocation", "UnshareLocation"):
        with refused("PERMISSION_DENIED"):
            getattr(operator, rpc)(location_id=sandbox.location_id, organization_id=sandbox.organization_id)


def test_a_role_on_a_machine_alone_shows_no_location(sandbox, owner, caller_with):
    driver = caller_with("owner", "robot", sandbox.robot_id)
    assert not driver.ListLocations(organization_id=sandbox.organization_id).locations
    for rpc in ("GetLocation", "GetOrganizationsWithAccessToLocation"):
        with refused("PERMISSION_DENIED", "your role there is: none"):
            getattr(driver, rpc)(location_id=sandbox.location_id)
