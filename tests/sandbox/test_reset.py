import contextlib

import grpc
import pytest

from viam_sync.messages.pool import message, pool
from viam_sync.sandbox import Sandbox

from .calls import entered, refused
from .data_calls import blob_names
from .stream_calls import follow, upload

NAMES = ("api_key", "api_key_id", "organization_id", "location_id", "robot_id", "robot_part_id", "dataset_id")


@pytest.fixture(params=["in memory", "in a folder"])
def sandbox(request, tmp_path):
    with Sandbox(tmp_path if request.param == "in a folder" else None, seed=1) as sandbox:
        yield sandbox


def everything(sandbox):
    """Return all rows of all tables."""
    store = sandbox._world.store
    tables = [row["name"] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {table: [tuple(row) for row in store.rows(f"SELECT * FROM {table}")] for table in tables}


def contents(sandbox):
    """Return the contents of all files, by name."""
    return {name: sandbox._world.store.blobs.read(name) for name in blob_names(sandbox)}


def delete_files(sandbox, owner):
    """Delete all binary data of the organization."""
    method = pool().FindMethodByName("viam.app.data.v1.DataService.DeleteBinaryDataByFilter")
    request = message(method.input_type)(filter={"organization_ids": [sandbox.organization_id]})
    send = owner.channel.unary_unary(
        "/viam.app.data.v1.DataService/DeleteBinaryDataByFilter",
        response_deserializer=message(method.output_type).FromString,
    )
    return send(request.SerializeToString(), metadata=owner.metadata, timeout=10).deleted_count


def test_it_goes_back_to_the_world_that_it_started_with(sandbox, owner):
    before, shown = everything(sandbox), [getattr(sandbox, name) for name in NAMES]
    owner.NewRobot(name="new", location=sandbox.location_id)
    owner.UpdateRobot(id=sandbox.robot_id, name="renamed", location=sandbox.location_id)
    owner.DeleteRobotPart(part_id=owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="gone").part_id)
    sandbox.sign_in("bob@example.com")
    assert everything(sandbox) != before
    sandbox.reset()
    assert everything(sandbox) == before
    assert [getattr(sandbox, name) for name in NAMES] == shown
    assert owner.GetRobot(id=sandbox.robot_id).robot.name == "rover"


def test_the_same_calls_make_the_same_ids_after_each_reset(sandbox, owner):
    made = []
    for _ in range(3):
        sandbox.reset()
        made.append(owner.NewRobot(name="new", location=sandbox.location_id).id)
    assert len(set(made)) == 1


def test_without_a_seed_it_can_be_reset_too():
    with Sandbox() as sandbox, entered(sandbox) as owner:
        first = owner.NewRobot(name="new", location=sandbox.location_id).id
        sandbox.reset()
        assert owner.NewRobot(name="new", location=sandbox.location_id).id != first


def test_a_token_of_before_is_still_good_and_one_of_a_new_key_is_not(sandbox, owner, caller_with):
    other = caller_with("owner", "organization", sandbox.organization_id)
    sandbox.reset()
    assert owner.ListOrganizations().organizations
    with refused("UNAUTHENTICATED", "was deleted or rotated"):
        other.ListOrganizations()


def test_the_key_that_was_deleted_is_there_again(sandbox, owner):
    owner.DeleteKey(id=sandbox.api_key_id)
    sandbox.reset()
    assert owner.ListOrganizations().organizations


def test_expired_tokens_stay_expired_and_newer_ones_good(sandbox, owner, callers):
    sandbox.faults.expire_tokens()
    newer = callers(sandbox.api_key_id, sandbox.api_key)
    sandbox.reset()
    assert newer.ListOrganizations().organizations
    with refused("UNAUTHENTICATED", "has expired"):
        owner.ListOrganizations()
    sandbox.faults.expire_tokens()
    with refused("UNAUTHENTICATED", "has expired"):
        newer.ListOrganizations()


def test_faults_are_forgotten(sandbox, owner):
    sandbox.faults.fail("all", "UNAVAILABLE", times=None)
    with refused("UNAVAILABLE"):
        owner.ListOrganizations()
    sandbox.reset()
    assert (sandbox.faults.planned, sandbox.faults.met) == ([], 0)
    assert owner.ListOrganizations().organizations


def test_the_same_faults_meet_the_same_calls_after_a_reset(sandbox, owner):
    rounds = []
    for _ in range(2):
        sandbox.reset()
        fault = sandbox.faults.fail("ListOrganizations", "UNAVAILABLE", times=None, rate=0.5)
        rounds.append([])
        for _ in range(20):
            with contextlib.suppress(grpc.RpcError):
                owner.ListOrganizations()
            rounds[-1].append(fault.met)
    assert rounds[0] == rounds[1]


def test_the_clock_is_where_it_was(sandbox, owner):
    sandbox.advance(86400)
    sandbox.reset()
    ahead = owner.CreateOrganization(name="Today").organization.created_on.seconds - sandbox._clock()
    assert ahead < 43200


def test_contents_that_were_deleted_are_there_again(sandbox, owner):
    before = contents(sandbox)
    assert before
    assert delete_files(sandbox, owner) > 0
    assert blob_names(sandbox) == set(before)
    sandbox.reset()
    assert contents(sandbox) == before
    assert delete_files(sandbox, owner) > 0


def test_contents_that_came_later_are_gone(sandbox, owner):
    before = blob_names(sandbox)
    later = upload(sandbox, owner).file_id
    assert later in blob_names(sandbox)
    sandbox.reset()
    assert blob_names(sandbox) == before
    assert upload(sandbox, owner).file_id in blob_names(sandbox)


def test_contents_that_came_later_are_gone_as_soon_as_they_are_deleted(sandbox, owner):
    later = upload(sandbox, owner).file_id
    delete_files(sandbox, owner)
    assert later not in blob_names(sandbox)


def test_deleted_files_that_no_reset_restores_are_removed_at_the_end(tmp_path):
    with Sandbox(tmp_path, seed=1) as sandbox, entered(sandbox) as owner:
        kept = set(blob_names(sandbox))
        delete_files(sandbox, owner)
        left = {row["id"] for row in sandbox._world.store.rows("SELECT file_id AS id FROM files")}
    on_disk = {path.name for path in (tmp_path / "blobs").iterdir()}
    assert on_disk < kept
    assert left <= on_disk


def test_a_reset_in_a_folder_outlasts_a_restart(tmp_path):
    with Sandbox(tmp_path, seed=1) as sandbox, entered(sandbox) as owner:
        before, held = everything(sandbox), contents(sandbox)
        owner.NewRobot(name="new", location=sandbox.location_id)
        delete_files(sandbox, owner)
        sandbox.reset()
    with Sandbox(tmp_path) as sandbox:
        assert everything(sandbox)["robots"] == before["robots"]
        assert contents(sandbox) == held


def test_the_world_of_a_restart_is_the_one_to_go_back_to(tmp_path):
    with Sandbox(tmp_path) as sandbox, entered(sandbox) as owner:
        robot_id = owner.NewRobot(name="new", location=sandbox.location_id).id
    with Sandbox(tmp_path) as sandbox, entered(sandbox) as owner:
        owner.DeleteRobot(id=robot_id)
        sandbox.reset()
        assert owner.GetRobot(id=robot_id).robot.name == "new"


def test_open_streams_are_ended(sandbox, owner):
    stream = follow(sandbox, owner)
    sandbox.wait_for_tail(sandbox.robot_part_id)
    sandbox.reset()
    with refused("CANCELLED"):
        next(stream)
    with pytest.raises(TimeoutError):
        sandbox.wait_for_tail(sandbox.robot_part_id, timeout=0)
    again = follow(sandbox, owner)
    sandbox.wait_for_tail(sandbox.robot_part_id)
    sandbox.log(sandbox.robot_part_id, "after the reset")
    assert next(again).logs[0].message == "after the reset"


def test_a_call_that_waits_is_ended_and_does_nothing_more(sandbox, owner):
    fault = sandbox.faults.delay("NewRobot", 3600)
    request = message(pool().FindMethodByName("viam.app.v1.AppService.NewRobot").input_type)
    send = owner.channel.unary_unary("/viam.app.v1.AppService/NewRobot")
    waiting = send.future(
        request(name="late", location=sandbox.location_id).SerializeToString(), metadata=owner.metadata, timeout=10
    )
    while not fault.met:
        owner.ListOrganizations()
    sandbox.reset()
    with refused("CANCELLED"):
        waiting.result()
    assert "late" not in {robot.name for robot in owner.ListRobots(location_id=sandbox.location_id).robots}


def test_only_a_running_sandbox_can_be_reset(sandbox):
    assert sandbox.running
    sandbox.stop()
    assert not sandbox.running
    with pytest.raises(RuntimeError, match="not running; use `with"):
        sandbox.reset()


def test_many_resets_leave_no_file_open_and_nothing_behind(sandbox, owner):
    before = everything(sandbox)
    for number in range(50):
        owner.NewRobot(name=f"robot {number}", location=sandbox.location_id)
        upload(sandbox, owner)
        sandbox.reset()
    assert everything(sandbox) == before
