import pytest

from sandbox.calls import refused

NOTHING = "00000000-0000-4000-8000-000000000000"
ONLINE, OFFLINE, AWAITING_SETUP = 1, 2, 3


def names(response):
    return [robot.name for robot in response.robots]


def test_a_new_machine_has_a_main_part_and_a_key_of_its_own(sandbox, owner, callers):
    id = owner.NewRobot(name="Big Rover", location=sandbox.location_id).id
    robot = owner.GetRobot(id=id).robot
    assert (robot.id, robot.name, robot.location) == (id, "Big Rover", sandbox.location_id)
    assert (robot.online_state, robot.HasField("last_access")) == (AWAITING_SETUP, False)
    (part,) = owner.GetRobotParts(robot_id=id).parts
    assert (part.name, part.main_part, part.dns_name) == ("Big Rover-main", True, "big-rover-main")
    assert part.fqdn == f"big-rover-main.{sandbox.location_id}.viam.cloud"
    assert part.local_fqdn == f"big-rover-main.{sandbox.location_id}.local.viam.cloud"
    assert (part.location_id, part.robot) == (sandbox.location_id, id)
    assert [each.secret for each in part.secrets] == [part.secret]
    (key,) = owner.GetRobotAPIKeys(robot_id=id).api_keys
    assert [(each.authorization_id, each.resource_id) for each in key.authorizations] == [("robot_owner", id)]
    machine = callers(key.api_key.id, key.api_key.key)
    assert machine.UpdateRobot(id=id, name="Self").robot.name == "Self"
    with refused("PERMISSION_DENIED"):
        machine.GetRobot(id=sandbox.robot_id)


def test_a_machine_needs_a_name_that_is_free_in_a_location(sandbox, owner):
    with refused("INVALID_ARGUMENT", "The name of the machine is empty"):
        owner.NewRobot(location=sandbox.location_id)
    with refused("INVALID_ARGUMENT", "The location ID is empty"):
        owner.NewRobot(name="r")
    with refused("NOT_FOUND", "No location has the ID"):
        owner.NewRobot(name="r", location="0123456789")
    with refused("ALREADY_EXISTS", "'Workshop' has a machine named 'rover' already"):
        owner.NewRobot(name="rover", location=sandbox.location_id)


def test_a_sample_machine_was_last_seen_some_time_ago(sandbox, owner):
    robot = owner.GetRobot(id=sandbox.robot_id).robot
    assert robot.online_state == OFFLINE
    assert 119 <= robot.seconds_since_online <= 600


@pytest.mark.parametrize("id", ["", "rover", NOTHING])
def test_a_machine_that_does_not_exist_is_refused(owner, id):
    code = "NOT_FOUND" if id == NOTHING else "INVALID_ARGUMENT"
    for rpc, field in (("GetRobot", "id"), ("DeleteRobot", "id"), ("GetRobotParts", "robot_id")):
        with refused(code, "list_robots shows those of a location"):
            getattr(owner, rpc)(**{field: id})


def test_machines_are_listed_by_location_locations_and_organization(sandbox, owner):
    workshop, greenhouse = owner.ListLocations(organization_id=sandbox.organization_id).locations
    assert names(owner.ListRobots(location_id=workshop.id)) == ["rover", "arm"]
    both = owner.ListRobotsForLocations(location_ids=[greenhouse.id, workshop.id, greenhouse.id])
    assert names(both) == ["plant-watcher", "rover", "arm"]
    assert names(owner.ListRobotsForOrg(org_id=sandbox.organization_id)) == ["rover", "arm", "plant-watcher"]
    assert names(owner.ListRobotsForLocations()) == []
    with refused("NOT_FOUND"):
        owner.ListRobotsForLocations(location_ids=[workshop.id, "0123456789"])


def test_a_machine_is_renamed_and_an_empty_location_keeps_its_place(sandbox, owner):
    robot = owner.UpdateRobot(id=sandbox.robot_id, name="rover 2").robot
    assert (robot.name, robot.location) == ("rover 2", sandbox.location_id)
    assert owner.UpdateRobot(id=sandbox.robot_id, name="rover 2", location=sandbox.location_id).robot == robot
    with refused("INVALID_ARGUMENT", "The name of the machine is empty"):
        owner.UpdateRobot(id=sandbox.robot_id)
    with refused("ALREADY_EXISTS", "has a machine named 'arm' already"):
        owner.UpdateRobot(id=sandbox.robot_id, name="arm")


def test_moving_a_machine_moves_its_parts(sandbox, owner):
    greenhouse = owner.ListLocations(organization_id=sandbox.organization_id).locations[1].id
    robot = owner.UpdateRobot(id=sandbox.robot_id, name="rover", location=greenhouse).robot
    part = owner.GetRobotPart(id=sandbox.robot_part_id).part
    assert robot.location == part.location_id == greenhouse
    assert part.fqdn == f"rover-main.{greenhouse}.viam.cloud"
    assert names(owner.ListRobots(location_id=sandbox.location_id)) == ["arm"]
    taken = owner.NewRobot(name="rover", location=sandbox.location_id).id
    with refused("ALREADY_EXISTS"):
        owner.UpdateRobot(id=taken, name="rover", location=greenhouse)


def test_a_machine_does_not_move_to_another_organization(sandbox, owner):
    second = owner.CreateOrganization(name="Second").organization.id
    there = owner.ListLocations(organization_id=second).locations[0].id
    with refused("FAILED_PRECONDITION", "belongs to another organization"):
        owner.UpdateRobot(id=sandbox.robot_id, name="rover", location=there)


def test_a_machine_goes_with_its_parts_and_keys(sandbox, owner, caller_with):
    key = caller_with("operator", "robot", sandbox.robot_id)
    owner.AddFavoriteMachine(machine_id=sandbox.robot_id)
    owner.DeleteRobot(id=sandbox.robot_id)
    with refused("NOT_FOUND", "No robot part has the ID"):
        owner.GetRobotPart(id=sandbox.robot_part_id)
    with refused("UNAUTHENTICATED"):
        key.ListOrganizations()
    left = owner.ListAuthorizations(organization_id=sandbox.organization_id).authorizations
    assert sandbox.robot_id not in [each.resource_id for each in left]
    assert not owner.ListFavoriteMachines().favorites
    assert owner.GetLocation(location_id=sandbox.location_id).location.robot_count == 1


def test_the_keys_of_a_machine_are_listed_with_their_values(sandbox, owner, caller_with):
    other = caller_with("operator", "robot", sandbox.robot_id)
    first, second = owner.GetRobotAPIKeys(robot_id=sandbox.robot_id).api_keys
    assert first.api_key.name == "rover-key"
    assert second.api_key.id == other.id
    assert len(second.api_key.key) == 32
    with refused("PERMISSION_DENIED", "read_robot_secret"):
        other.GetRobotAPIKeys(robot_id=sandbox.robot_id)


def test_favorites_are_added_and_removed(sandbox, owner):
    owner.AddFavoriteMachine(machine_id=sandbox.robot_id)
    owner.AddFavoriteMachine(machine_id=sandbox.robot_id)
    (favorite,) = owner.ListFavoriteMachines().favorites
    assert favorite.machine == owner.GetRobot(id=sandbox.robot_id).robot
    assert favorite.organization_id == sandbox.organization_id
    assert favorite.created_on.seconds
    owner.RemoveFavoriteMachine(machine_id=sandbox.robot_id)
    owner.RemoveFavoriteMachine(machine_id=sandbox.robot_id)
    assert not owner.ListFavoriteMachines().favorites


def test_a_location_owner_makes_moves_and_deletes_machines_below(sandbox, owner, caller_with):
    greenhouse = owner.ListLocations(organization_id=sandbox.organization_id).locations[1].id
    keeper = caller_with("owner", "location", sandbox.location_id)
    id = keeper.NewRobot(name="r", location=greenhouse).id
    keeper.UpdateRobot(id=id, name="r", location=sandbox.location_id)
    keeper.DeleteRobot(id=id)
    gardener = caller_with("owner", "location", greenhouse)
    with refused("PERMISSION_DENIED"):
        gardener.NewRobot(name="r", location=sandbox.location_id)
    (watcher,) = gardener.ListRobotsForOrg(org_id=sandbox.organization_id).robots
    with refused("PERMISSION_DENIED"):
        gardener.UpdateRobot(id=watcher.id, name="r", location=sandbox.location_id)


def test_a_robot_owner_changes_that_machine_alone(sandbox, owner, caller_with):
    driver = caller_with("owner", "robot", sandbox.robot_id)
    assert driver.UpdateRobot(id=sandbox.robot_id, name="mine").robot.name == "mine"
    assert names(driver.ListRobots(location_id=sandbox.location_id)) == ["mine"]
    with refused("PERMISSION_DENIED"):
        driver.NewRobot(name="r", location=sandbox.location_id)
    greenhouse = owner.ListLocations(organization_id=sandbox.organization_id).locations[1].id
    with refused("PERMISSION_DENIED", "You have no role on the location"):
        driver.ListRobots(location_id=greenhouse)


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_operator_at_any_level_sees_machines_and_changes_none(sandbox, caller_with, level):
    operator = caller_with("operator", level, getattr(sandbox, f"{level}_id"))
    assert operator.GetRobot(id=sandbox.robot_id).robot.name == "rover"
    assert "rover" in names(operator.ListRobots(location_id=sandbox.location_id))
    for rpc, fields in (("UpdateRobot", {"name": "r"}), ("DeleteRobot", {})):
        with refused("PERMISSION_DENIED", "write_robot"):
            getattr(operator, rpc)(id=sandbox.robot_id, **fields)
    with refused("PERMISSION_DENIED", "write_location"):
        operator.NewRobot(name="r", location=sandbox.location_id)
