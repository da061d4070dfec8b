"""The sample world: an organization with two locations and three machines."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Grant
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.fleet.keys import create_key
from viam_sync.sandbox.fleet.locations import create_location
from viam_sync.sandbox.fleet.machines import create_robot
from viam_sync.sandbox.fleet.members import sign_in
from viam_sync.sandbox.fleet.organizations import create_organization
from viam_sync.sandbox.fleet.parts import create_part
from viam_sync.sandbox.sample.air_readings import add_sample_readings
from viam_sync.sandbox.sample.log_stories import add_log_story
from viam_sync.sandbox.sample.payments import add_sample_billing
from viam_sync.sandbox.sample.shared_items import add_sample_fragment, add_sample_module
from viam_sync.sandbox.sample.tomato_images import add_sample_images

_OWNER = "ada@example.com"
_MINUTE = 60 * 1_000_000


class Sample(NamedTuple):
    """The IDs in the sample world that are attributes of Sandbox."""

    api_key_id: str
    organization_id: str
    location_id: str
    robot_id: str
    robot_part_id: str
    dataset_id: str
    fragment_id: str


def find_or_create_sample(world: World) -> Sample:
    """Return the IDs in the sample world; it is created if the sandbox is new, or if its organization was deleted.

    If only its API key was deleted, a new one is created, since the sandbox would be inaccessible without one.
    """
    sample = Sample(*(world.store.setting(field) or "" for field in Sample._fields))
    if world.store.row("SELECT 1 FROM organizations WHERE id = ?", sample.organization_id) is None:
        sample = _create_sample(world)
    if world.store.row("SELECT 1 FROM keys WHERE id = ?", sample.api_key_id) is None:
        sample = sample._replace(api_key_id=_create_key(world, sample.organization_id))
    world.store.save_settings(**sample._asdict())
    return sample


def _create_key(world: World, organization_id: str) -> str:
    owner = Grant("owner", "organization", organization_id, organization_id)
    return create_key(world, "sandbox", sign_in(world, _OWNER), [owner]).id


def _create_sample(world: World) -> Sample:
    user_id = sign_in(world, _OWNER)
    organization = create_organization(world, "Lesson Robotics", user_id)
    workshop = create_location(world, organization.id, "Workshop")
    greenhouse = create_location(world, organization.id, "Greenhouse", workshop.id)
    rover = _create_machine(world, workshop.id, "rover", user_id, 2, _ROVER)
    arm = _create_machine(world, workshop.id, "arm", user_id, 45, _ARM)
    fragment_id = add_sample_fragment(world, organization.id)
    plant_watcher = {**_PLANT_WATCHER, "fragments": [{"id": fragment_id}]}
    watcher = _create_machine(world, greenhouse.id, "plant-watcher", user_id, 60 * 26, plant_watcher)
    create_part(world, arm.robot, "arm-camera", config=_ARM_CAMERA)
    add_sample_billing(world, organization.id)
    add_sample_module(world, organization.id)
    dataset_id = add_sample_images(world, watcher)
    add_sample_readings(world, watcher)
    key_id = _create_key(world, organization.id)
    return Sample(key_id, organization.id, workshop.id, rover.robot, rover.id, dataset_id, fragment_id)


def _create_machine(
    world: World, location_id: str, name: str, user_id: str, minutes_ago: int, config: Dict[str, Any]
) -> pb.RobotPart:
    """Create a machine that was last seen some minutes ago, and return its main part."""
    robot = create_robot(world, location_id, name, user_id, config)
    seen = timestamp(world.microseconds() - minutes_ago * _MINUTE)
    robot.last_access.CopyFrom(seen)
    world.store.update("robots", robot.id, body=robot.SerializeToString())
    row: Optional[Any] = world.store.row("SELECT id FROM parts WHERE robot_id = ?", robot.id)
    assert row is not None
    part = world.part(row["id"])
    part.last_access.CopyFrom(seen)
    world.store.update("parts", part.id, body=part.SerializeToString())
    add_log_story(world, part)
    return part


def _component(name: str, api: str, model: str, **attributes: Any) -> Dict[str, Any]:
    return {"name": name, "api": f"rdk:component:{api}", "model": f"rdk:builtin:{model}", "attributes": attributes}


_ROVER = {
    "components": [
        _component("left", "motor", "fake", max_rpm=120),
        _component("right", "motor", "fake", max_rpm=120),
        _component("base", "base", "wheeled", left=["left"], right=["right"], width_mm=260, wheel_circumference_mm=217),
    ]
}
_ARM = {"components": [_component("arm", "arm", "fake"), _component("gripper", "gripper", "fake")]}
_ARM_CAMERA = {"components": [_component("camera", "camera", "fake", width=640, height=480)]}
_PLANT_WATCHER = {
    "components": [_component("air", "sensor", "fake"), _component("camera", "camera", "fake", width=320, height=240)],
}
