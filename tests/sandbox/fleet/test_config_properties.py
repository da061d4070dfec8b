import json

import pytest

from sandbox.calls import refused

NOTHING = "00000000-0000-4000-8000-000000000000"


def change(owner, sandbox, *changes):
    given = [{"path": path, "value": value} for path, value in changes]
    return owner.SetConfigProperty(robot_part_id=sandbox.robot_part_id, property_changes=given).property_changes


def config(owner, sandbox):
    return json.loads(owner.GetRobotPart(id=sandbox.robot_part_id).config_json)


def history(owner, sandbox):
    return owner.GetRobotPartHistory(id=sandbox.robot_part_id).history


def test_a_property_is_set_where_its_path_leads(sandbox, owner):
    (result,) = change(owner, sandbox, ("components.0.attributes.max_rpm", {"number_value": 90}))
    assert (result.path, result.value.number_value, result.success, result.error) == (
        "components.0.attributes.max_rpm",
        90,
        True,
        "",
    )
    assert config(owner, sandbox)["components"][0]["attributes"] == {"max_rpm": 90}
    assert (
        owner.GetRobotPart(id=sandbox.robot_part_id).part.robot_config["components"][0]["attributes"]["max_rpm"] == 90
    )


def test_missing_objects_on_the_path_are_created(sandbox, owner):
    change(
        owner,
        sandbox,
        ("remotes", {"list_value": {"values": [{"string_value": "a"}]}}),
        ("remotes.1", {"bool_value": True}),
        ("cloud.deep.down", {"null_value": 0}),
        ("", {"string_value": "nowhere"}),
    )
    changed = config(owner, sandbox)
    assert (changed["remotes"], changed["cloud"]) == (["a", True], {"deep": {"down": None}})


def test_each_change_succeeds_or_fails_for_itself(sandbox, owner):
    results = change(
        owner,
        sandbox,
        ("components.9.name", {"string_value": "far"}),
        ("components.3.name", {"string_value": "next"}),
        ("components.x", {"string_value": "no place"}),
        ("components.²", {"string_value": "no place"}),
        ("components.0.name.first", {"string_value": "in a text"}),
        ("a..b", {"string_value": "no key"}),
        ("n", {"number_value": float("nan")}),
        ("n", {"list_value": {"values": [{"number_value": float("inf")}]}}),
        ("n", {}),
        ("a" + ".a" * 30, {"bool_value": True}),
        ("good", {"number_value": 1}),
    )
    assert [result.success for result in results] == [False] * 10 + [True]
    assert all(result.error.startswith("The property '") for result in results[:10])
    assert config(owner, sandbox)["good"] == 1
    assert [each["name"] for each in config(owner, sandbox)["components"]] == ["left", "right", "base"]
    assert len(history(owner, sandbox)) == 1


def test_nothing_is_edited_where_no_change_succeeds(sandbox, owner):
    before = owner.GetRobotPart(id=sandbox.robot_part_id)
    assert not change(owner, sandbox, ("components.x", {"bool_value": True}))[0].success
    assert owner.GetRobotPart(id=sandbox.robot_part_id) == before
    assert not history(owner, sandbox)


def test_a_path_of_any_length_is_answered(sandbox, owner):
    (result,) = change(owner, sandbox, ("." * 1_000_000, {"bool_value": True}))
    assert "empty key" in result.error


def test_a_request_without_changes_or_for_no_part_is_refused(sandbox, owner):
    with refused("INVALID_ARGUMENT", "There are no changes"):
        change(owner, sandbox)
    for id, code in ((NOTHING, "NOT_FOUND"), ("rover", "INVALID_ARGUMENT")):
        with refused(code):
            owner.SetConfigProperty(robot_part_id=id, property_changes=[{"path": "a", "value": {"bool_value": True}}])


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_operator_changes_nothing(sandbox, caller_with, level):
    operator = caller_with("operator", level, getattr(sandbox, f"{level}_id"))
    with refused("PERMISSION_DENIED", "write_robot"):
        change(operator, sandbox, ("a", {"bool_value": True}))
