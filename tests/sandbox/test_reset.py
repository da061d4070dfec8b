import contextlib

import grpc
import pytest

from viam_sync.messages.pool import message, pool
from viam_sync.sandbox import Sandbox

from .calls import Caller, refused
from .test_faults import files, follow, upload

NAMES = ("api_key", "api_key_id", "organization_id", "location_id", "robot_id", "robot_part_id", "dataset_id")


@pytest.fixture(params=["in memory", "in a folder"])
def cloud(request, tmp_path):
    with Sandbox(tmp_path if request.param == "in a folder" else None, seed=1) as cloud:
        yield cloud


@contextlib.contextmanager
def entered(cloud):
    """Give a caller with the sandbox's own key."""
    caller = Caller(cloud, cloud.api_key_id, cloud.api_key)
    try:
        yield caller
    finally:
        caller.channel.close()


def everything(cloud):
    """Return all rows of all tables."""
    store = cloud._world.store
    tables = [row["name"] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {table: [tuple(row) for row in store.rows(f"SELECT * FROM {table}")] for table in tables}


def contents(cloud):
    """Return the contents of all files, by name."""
    return {name: cloud._world.store.blobs.read(name) for name in files(cloud)}


def delete_files(cloud, owner):
    """Delete all binary data of the organization."""
    method = pool().FindMethodByName("viam.app.data.v1.DataService.DeleteBinaryDataByFilter")
    request = message(method.input_type)(filter={"organization_ids": [cloud.organization_id]})
    send = owner.channel.unary_unary(
        "/viam.app.data.v1.DataService/DeleteBinaryDataByFilter",
        response_deserializer=message(method.output_type).FromString,
    )
    return send(request.SerializeToString(), metadata=owner.metadata, timeout=10).deleted_count


def test_it_goes_back_to_the_world_that_it_started_with(cloud, owner):
    before, shown = everything(cloud), [getattr(cloud, name) for name in NAMES]
    owner.NewRobot(name="new", location=cloud.location_id)
    owner.UpdateRobot(id=cloud.robot_id, name="renamed", location=cloud.location_id)
    owner.DeleteRobotPart(part_id=owner.NewRobotPart(robot_id=cloud.robot_id, part_name="gone").part_id)
    cloud.sign_in("bob@example.com")
    assert everything(cloud) != before
    cloud.reset()
    assert everything(cloud) == before
    assert [getattr(cloud, name) for name in NAMES] == shown
    assert owner.GetRobot(id=cloud.robot_id).robot.name == "rover"


def test_the_same_calls_make_the_same_ids_after_each_reset(cloud, owner):
    made = []
    for _ in range(3):
        cloud.reset()
        made.append(owner.NewRobot(name="new", location=cloud.location_id).id)
    assert len(set(made)) == 1


def test_without_a_seed_it_can_be_reset_too():
    with Sandbox() as cloud, entered(cloud) as owner:
        first = owner.NewRobot(name="new", location=cloud.location_id).id
        cloud.reset()
        assert owner.NewRobot(name="new", location=cloud.location_id).id != first


def test_a_token_of_before_is_still_good_and_one_of_a_new_key_is_not(cloud, owner, caller_with):
    other = caller_with("owner", "organization", cloud.organization_id)
    cloud.reset()
    assert owner.ListOrganizations().organizations
    with refused("UNAUTHENTICATED", "was deleted or rotated"):
        other.ListOrganizations()


def test_the_key_that_was_deleted_is_there_again(cloud, owner):
    owner.DeleteKey(id=cloud.api_key_id)
    cloud.reset()
    assert owner.ListOrganizations().organizations


def test_expired_tokens_stay_expired_and_newer_ones_good(cloud, owner, callers):
    cloud.faults.expire_tokens()
    newer = callers(cloud.api_key_id, cloud.api_key)
    cloud.reset()
    assert newer.ListOrganizations().organizations
    with refused("UNAUTHENTICATED", "has expired"):
        owner.ListOrganizations()
    cloud.faults.expire_tokens()
    with refused("UNAUTHENTICATED", "has expired"):
        newer.ListOrganizations()


def test_faults_are_forgotten(cloud, owner):
    cloud.faults.fail("all", "UNAVAILABLE", times=None)
    with refused("UNAVAILABLE"):
        owner.ListOrganizations()
    cloud.reset()
    assert (cloud.faults.planned, cloud.faults.met) == ([], 0)
    assert owner.ListOrganizations().organizations


def test_the_same_faults_meet_the_same_calls_after_a_reset(cloud, owner):
    rounds = []
    for _ in range(2):
        cloud.reset()
        fault = cloud.faults.fail("ListOrganizations", "UNAVAILABLE", times=None, rate=0.5)
        rounds.append([])
        for _ in range(20):
            with contextlib.suppress(grpc.RpcError):
                owner.ListOrganizations()
            rounds[-1].append(fault.met)
    assert rounds[0] == rounds[1]


def test_the_clock_is_where_it_was(cloud, owner):
    cloud.advance(86400)
    cloud.reset()
    ahead = owner.CreateOrganization(name="Today").organization.created_on.seconds - cloud._clock()
    assert ahead < 43200


def test_contents_that_were_deleted_are_there_again(cloud, owner):
    before = contents(cloud)
    assert before
    assert delete_files(cloud, owner) > 0
    assert files(cloud) == sorted(before)
    cloud.reset()
    assert contents(cloud) == before
    assert delete_files(cloud, owner) > 0


def test_contents_that_came_later_are_gone(cloud, owner):
    before = files(cloud)
    later = upload(cloud, owner).file_id
    assert later in files(cloud)
    cloud.reset()
    assert files(cloud) == before
    assert upload(cloud, owner).file_id in files(cloud)


def test_contents_that_came_later_are_gone_as_soon_as_they_are_deleted(cloud, owner):
    later = upload(cloud, owner).file_id
    delete_files(cloud, owner)
    assert later not in files(cloud)


def test_what_was_deleted_and_not_brought_back_is_gone_from_the_folder_at_the_end(tmp_path):
    with Sandbox(tmp_path, seed=1) as cloud, entered(cloud) as owner:
        kept = set(files(cloud))
        delete_files(cloud, owner)
        left = {row["id"] for row in cloud._world.store.rows("SELECT file_id AS id FROM files")}
    on_disk = {path.name for path in (tmp_path / "blobs").iterdir()}
    assert on_disk < kept
    assert left <= on_disk


def test_what_was_reset_in_a_folder_is_so_after_a_restart(tmp_path):
    with Sandbox(tmp_path, seed=1) as cloud, entered(cloud) as owner:
        before, held = everything(cloud), contents(cloud)
        owner.NewRobot(name="new", location=cloud.location_id)
        delete_files(cloud, owner)
        cloud.reset()
    with Sandbox(tmp_path) as cloud:
        assert everything(cloud)["robots"] == before["robots"]
        assert contents(cloud) == held


def test_the_world_of_a_restart_is_the_one_to_go_back_to(tmp_path):
    with Sandbox(tmp_path) as cloud, entered(cloud) as owner:
        robot_id = owner.NewRobot(name="new", location=cloud.location_id).id
    with Sandbox(tmp_path) as cloud, entered(cloud) as owner:
        owner.DeleteRobot(id=robot_id)
        cloud.reset()
        assert owner.GetRobot(id=robot_id).robot.name == "new"


def test_open_streams_are_ended(cloud, owner):
    stream = follow(cloud, owner)
    cloud.wait_for_tail(cloud.robot_part_id)
    cloud.reset()
    with refused("CANCELLED"):
        next(stream)
    with pytest.raises(TimeoutError):
        cloud.wait_for_tail(cloud.robot_part_id, timeout=0)
    again = follow(cloud, owner)
    cloud.wait_for_tail(cloud.robot_part_id)
    cloud.log(cloud.robot_part_id, "after the reset")
    assert next(again).logs[0].message == "after the reset"


def test_a_call_that_waits_is_ended_and_does_nothing_more(cloud, owner):
    fault = cloud.faults.delay("NewRobot", 3600)
    request = message(pool().FindMethodByName("viam.app.v1.AppService.NewRobot").input_type)
    send = owner.channel.unary_unary("/viam.app.v1.AppService/NewRobot")
    waiting = send.future(
        request(name="late", location=cloud.location_id).SerializeToString(), metadata=owner.metadata, timeout=10
    )
    while not fault.met:
        owner.ListOrganizations()
    cloud.reset()
    with refused("CANCELLED"):
        waiting.result()
    assert "late" not in {robot.name for robot in owner.ListRobots(location_id=cloud.location_id).robots}


def test_only_a_running_sandbox_can_be_reset(cloud):
    assert cloud.running
    cloud.stop()
    assert not cloud.running
    with pytest.raises(RuntimeError, match="not running; start it first"):
        cloud.reset()


def test_many_resets_leave_no_file_open_and_nothing_behind(cloud, owner):
    before = everything(cloud)
    for number in range(50):
        owner.NewRobot(name=f"robot {number}", location=cloud.location_id)
        upload(cloud, owner)
        cloud.reset()
    assert everything(cloud) == before
