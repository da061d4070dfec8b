import json

import pytest
from google.protobuf.internal import api_implementation

from sandbox.calls import refused

NOTHING = "00000000-0000-4000-8000-000000000000"


def update(owner, sandbox, **fields):
    return owner.UpdateRobotPart(**{"id": sandbox.robot_part_id, "name": "rover-main", **fields}).part


def history(owner, sandbox, **fields):
    return owner.GetRobotPartHistory(id=sandbox.robot_part_id, **fields)


@pytest.fixture
def set_time(start, owner_of):
    """Provide a list with the time of a sandbox, which tests set, the sandbox, and its owner."""
    time = [1_700_000_000.0]
    sandbox = start(clock=lambda: time[0])
    return time, sandbox, owner_of(sandbox)


def test_a_part_comes_with_its_configuration_as_json(sandbox, owner):
    response = owner.GetRobotPart(id=sandbox.robot_part_id)
    config = json.loads(response.config_json)
    assert [each["name"] for each in config["components"]] == ["left", "right", "base"]
    assert config["components"][0]["attributes"]["max_rpm"] == 120
    assert json.loads(response.part.robot_config_json) == config
    assert response.part.robot_config["components"][2]["attributes"]["width_mm"] == 260


def test_a_part_that_does_not_exist_is_refused(owner):
    for rpc in ("GetRobotPart", "GetRobotPartHistory"):
        with refused("NOT_FOUND", f"No robot part has the ID '{NOTHING}'; get_robot_parts shows"):
            getattr(owner, rpc)(id=NOTHING)
        with refused("INVALID_ARGUMENT", "'rover-main' is no robot part ID"):
            getattr(owner, rpc)(id="rover-main")


def test_parts_are_listed_the_main_one_first(sandbox, owner):
    new = owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="second").part_id
    assert [part.name for part in owner.GetRobotParts(robot_id=sandbox.robot_id).parts] == ["rover-main", "second"]
    owner.MarkPartAsMain(part_id=new)
    parts = owner.GetRobotParts(robot_id=sandbox.robot_id).parts
    assert [(part.name, part.main_part) for part in parts] == [("second", True), ("rover-main", False)]


def test_a_part_is_found_by_name_and_location(sandbox, owner):
    find = owner.GetRobotPartByNameAndLocation
    assert find(name="rover-main", location_id=sandbox.location_id).part.id == sandbox.robot_part_id
    with refused("NOT_FOUND", "No robot part in the location 'Workshop' is named 'nothing'"):
        find(name="nothing", location_id=sandbox.location_id)
    with refused("INVALID_ARGUMENT", "The name of the part is empty"):
        find(location_id=sandbox.location_id)


def test_a_rename_keeps_the_configuration_and_changes_the_addresses(sandbox, owner):
    before = owner.GetRobotPart(id=sandbox.robot_part_id).part
    part = update(owner, sandbox, name="The Chief")
    assert (part.name, part.dns_name) == ("The Chief", "the-chief")
    assert part.fqdn == f"the-chief.{sandbox.location_id}.viam.cloud"
    assert part.robot_config == before.robot_config
    assert (part.last_updated.seconds, part.last_updated.nanos) > (
        before.last_updated.seconds,
        before.last_updated.nanos,
    )
    assert owner.GetRobotPart(id=sandbox.robot_part_id).part == part


def test_the_json_text_beats_the_struct_and_both_forms_stay_alike(sandbox, owner):
    part = update(
        owner, sandbox, robot_config={"from": "struct"}, robot_config_json='{"from": "text", "n": 3, "x": 0.5}'
    )
    assert dict(part.robot_config) == {"from": "text", "n": 3, "x": 0.5}
    assert json.loads(part.robot_config_json) == {"from": "text", "n": 3, "x": 0.5}
    assert update(owner, sandbox, robot_config={"n": 4}).robot_config_json == '{"n": 4}'
    empty = update(owner, sandbox, robot_config={})
    assert not empty.robot_config.fields
    assert owner.GetRobotPart(id=sandbox.robot_part_id).config_json == "{}"


@pytest.mark.parametrize(
    "text",
    [
        *("", "nonsense", "[1]", "null", '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}'),
        *('{"a":' * 31 + "{}" + "}" * 31, "[" * 100_000, '{"a": 1' + "0" * 400 + "}"),
    ],
    ids=lambda text: text[:12],
)
def test_a_configuration_that_is_no_json_object_is_refused(sandbox, owner, text):
    before = owner.GetRobotPart(id=sandbox.robot_part_id)
    with refused("INVALID_ARGUMENT", "The configuration of the part cannot be used"):
        update(owner, sandbox, robot_config_json=text)
    assert owner.GetRobotPart(id=sandbox.robot_part_id) == before


def test_a_struct_with_what_json_does_not_have_is_refused(sandbox, owner):
    with refused("INVALID_ARGUMENT", "The configuration of the part cannot be used"):
        update(owner, sandbox, robot_config={"a": float("nan")})


def test_a_deep_configuration_survives_the_way_back_through_history(sandbox, owner):
    # The pure-Python runtime takes twice as long with each level.
    levels = 9 if api_implementation.Type() == "python" else 29
    deep = '{"a": ' * levels + "{}" + "}" * levels
    update(owner, sandbox, robot_config_json=deep)
    update(owner, sandbox)
    assert json.loads(history(owner, sandbox).history[0].old.robot_config_json) == json.loads(deep)


def test_a_name_is_needed_and_unique_in_the_machine(sandbox, owner):
    second = owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="second").part_id
    with refused("ALREADY_EXISTS", "has a part named 'second' already"):
        update(owner, sandbox, name="second")
    with refused("ALREADY_EXISTS", "has a part named 'rover-main' already"):
        owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="rover-main")
    with refused("INVALID_ARGUMENT", "The name of the part is empty"):
        update(owner, sandbox, name="")
    with refused("INVALID_ARGUMENT", "The name of the part is empty"):
        owner.NewRobotPart(robot_id=sandbox.robot_id)
    assert owner.UpdateRobotPart(id=second, name="second").part.name == "second"


def test_a_change_on_top_of_an_older_state_is_refused(sandbox, owner):
    read = owner.GetRobotPart(id=sandbox.robot_part_id).part.last_updated
    newer = update(owner, sandbox, robot_config={"v": 1}, last_known_update=read).last_updated
    with refused("FAILED_PRECONDITION", "was changed since you read it"):
        update(owner, sandbox, robot_config={"v": 2}, last_known_update=read)
    assert update(owner, sandbox, robot_config={"v": 3}, last_known_update=newer).robot_config["v"] == 3


def test_two_edits_in_the_same_moment_are_told_apart(set_time):
    _, sandbox, owner = set_time
    first = update(owner, sandbox).last_updated
    update(owner, sandbox, last_known_update=first)
    with refused("FAILED_PRECONDITION"):
        update(owner, sandbox, last_known_update=first)


def test_history_has_each_state_before_an_edit_newest_first(sandbox, owner):
    before = owner.GetRobotPart(id=sandbox.robot_part_id).part
    update(owner, sandbox, name="one", robot_config={"v": 1})
    update(owner, sandbox, name="two")
    second, first = history(owner, sandbox).history
    assert (first.part, first.robot) == (sandbox.robot_part_id, sandbox.robot_id)
    assert (first.old.name, first.old.robot_config) == ("rover-main", before.robot_config)
    assert (second.old.name, dict(second.old.robot_config)) == ("one", {"v": 1})
    assert second.old.fqdn == f"one.{sandbox.location_id}.viam.cloud"
    assert (second.edited_by.type, second.edited_by.value) == (2, sandbox.api_key_id)
    assert not second.old.secret
    assert not second.old.secrets
    assert second.when.seconds


def test_history_comes_in_pages(sandbox, owner):
    for number in range(5):
        update(owner, sandbox, name=f"name {number}")
    page, seen = history(owner, sandbox, page_limit=2), []
    while True:
        assert len(page.history) in (1, 2)
        seen += [entry.old.name for entry in page.history]
        if not page.next_page_token:
            break
        page = history(owner, sandbox, page_limit=2, page_token=page.next_page_token)
    assert seen == ["name 3", "name 2", "name 1", "name 0", "rover-main"]
    assert history(owner, sandbox, page_limit=5).next_page_token == ""
    assert len(history(owner, sandbox, page_limit=2**62).history) == 5


@pytest.mark.parametrize("token", ["malformed", "edit-", "edit-x", "edit-" + "9" * 30])
def test_a_page_token_from_elsewhere_is_refused(sandbox, owner, token):
    with refused("INVALID_ARGUMENT", "The page token is none that this call returned"):
        history(owner, sandbox, page_token=token)


def test_a_negative_page_limit_is_refused(sandbox, owner):
    with refused("INVALID_ARGUMENT", "page_limit is -1"):
        history(owner, sandbox, page_limit=-1)


def test_history_is_cut_to_a_time_span(set_time):
    time, sandbox, owner = set_time
    for name in ("one", "two", "three"):
        time[0] += 10
        update(owner, sandbox, name=name)
    span = {"start": {"seconds": 1_700_000_020}, "end": {"seconds": 1_700_000_030}}
    assert [entry.old.name for entry in history(owner, sandbox, **span).history] == ["one"]
    assert not history(owner, sandbox, start={"seconds": 2**62}).history
    assert not history(owner, sandbox, end={"seconds": -(2**62)}).history


def test_a_machine_seen_a_moment_ago_is_online(set_time):
    time, sandbox, owner = set_time
    assert (owner.GetRobotPart(id=sandbox.robot_part_id).part.online_state) == 2
    time[0] -= 100
    assert (owner.GetRobotPart(id=sandbox.robot_part_id).part.online_state) == 1
    assert owner.GetRobot(id=sandbox.robot_id).robot.seconds_since_online == 0


def test_a_second_part_is_deleted_and_the_main_one_is_not(sandbox, owner):
    second = owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="second").part_id
    part = owner.GetRobotPart(id=second).part
    assert (part.main_part, part.online_state, len(part.secrets)) == (False, 3, 1)
    with refused("FAILED_PRECONDITION", "is the main part of its machine"):
        owner.DeleteRobotPart(part_id=sandbox.robot_part_id)
    owner.DeleteRobotPart(part_id=second)
    with refused("NOT_FOUND"):
        owner.GetRobotPart(id=second)


def test_a_part_is_marked_for_restart_as_often_as_one_likes(sandbox, owner):
    owner.MarkPartForRestart(part_id=sandbox.robot_part_id)
    owner.MarkPartForRestart(part_id=sandbox.robot_part_id)
    with refused("NOT_FOUND"):
        owner.MarkPartForRestart(part_id=NOTHING)


def test_a_part_has_at_most_two_secrets_and_the_first_is_the_legacy_one(sandbox, owner):
    (first,) = owner.GetRobotPart(id=sandbox.robot_part_id).part.secrets
    part = owner.CreateRobotPartSecret(part_id=sandbox.robot_part_id).part
    assert (part.secret, part.secrets[0].id, len(part.secrets)) == (first.secret, first.id, 2)
    with refused("FAILED_PRECONDITION", "has 2 active secrets"):
        owner.CreateRobotPartSecret(part_id=sandbox.robot_part_id)
    owner.DeleteRobotPartSecret(part_id=sandbox.robot_part_id, secret_id=first.id)
    with refused("NOT_FOUND", "has no secret with the ID"):
        owner.DeleteRobotPartSecret(part_id=sandbox.robot_part_id, secret_id=first.id)
    assert owner.GetRobotPart(id=sandbox.robot_part_id).part.secret == part.secrets[1].secret
    with refused("INVALID_ARGUMENT"):
        owner.DeleteRobotPartSecret(part_id=sandbox.robot_part_id, secret_id="first")


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_operator_sees_parts_without_configuration_or_secrets_and_changes_nothing(sandbox, caller_with, level):
    operator = caller_with("operator", level, getattr(sandbox, f"{level}_id"))
    response = operator.GetRobotPart(id=sandbox.robot_part_id)
    assert (response.part.fqdn.split(".")[0], response.config_json) == ("rover-main", "{}")
    for part in (response.part, *operator.GetRobotParts(robot_id=sandbox.robot_id).parts):
        assert not part.secret
        assert not part.secrets
        assert not part.HasField("robot_config")
        assert not part.HasField("robot_config_json")
    with refused("PERMISSION_DENIED", "read_robot_history"):
        history(operator, sandbox)
    with refused("PERMISSION_DENIED", "write_robot"):
        update(operator, sandbox)
    for rpc in ("DeleteRobotPart", "MarkPartAsMain", "MarkPartForRestart", "CreateRobotPartSecret"):
        with refused("PERMISSION_DENIED", "write_robot"):
            getattr(operator, rpc)(part_id=sandbox.robot_part_id)
    with refused("PERMISSION_DENIED"):
        operator.NewRobotPart(robot_id=sandbox.robot_id, part_name="p")


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_owner_at_any_level_above_changes_a_part(sandbox, caller_with, level):
    owner = caller_with("owner", level, getattr(sandbox, f"{level}_id"))
    assert update(owner, sandbox, name="changed").secret
    assert history(owner, sandbox).history
