import pytest

from sandbox.calls import refused


@pytest.fixture(params=["Organization", "Location", "Robot", "RobotPart"])
def kind(request):
    return request.param


@pytest.fixture
def target(sandbox, kind):
    """Provide the field with the ID of the resource."""
    return {
        "Organization": {"organization_id": sandbox.organization_id},
        "Location": {"location_id": sandbox.location_id},
        "Robot": {"id": sandbox.robot_id},
        "RobotPart": {"id": sandbox.robot_part_id},
    }[kind]


def test_metadata_is_empty_then_what_it_was_set_to_as_a_whole(owner, kind, target):
    get, update = getattr(owner, f"Get{kind}Metadata"), getattr(owner, f"Update{kind}Metadata")
    assert not get(**target).data.fields
    update(data={"shelf": "A", "slots": [1, {"deep": None}]}, **target)
    update(data={"shelf": "B"}, **target)
    assert dict(get(**target).data) == {"shelf": "B"}
    update(**target)
    assert not get(**target).data.fields


def test_an_operator_reads_metadata_and_does_not_write_it(sandbox, caller_with, kind, target):
    operator = caller_with("operator", "organization", sandbox.organization_id)
    getattr(operator, f"Get{kind}Metadata")(**target)
    with refused("PERMISSION_DENIED", "your role there is: operator"):
        getattr(operator, f"Update{kind}Metadata")(**target)


def test_a_thing_without_a_good_id_has_no_metadata(owner, kind, target):
    for rpc in (f"Get{kind}Metadata", f"Update{kind}Metadata"):
        with refused("INVALID_ARGUMENT", "ID is empty"):
            getattr(owner, rpc)()
