"""Captures: the metadata about the origin of data, which files and readings share."""

from __future__ import annotations

from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.world import World


def find_or_add_capture(world: World, metadata: pb.CaptureMetadata) -> int:
    """Return the ID of the capture with this metadata, which is added if there is none."""
    body = metadata.SerializeToString(deterministic=True)
    row = world.store.row("SELECT id FROM captures WHERE body = ?", body)
    if row is None:
        world.store.insert(
            "captures",
            body=body,
            organization_id=metadata.organization_id,
            location_id=metadata.location_id,
            robot_id=metadata.robot_id,
            robot_name=metadata.robot_name,
            part_id=metadata.part_id,
            part_name=metadata.part_name,
            component_type=metadata.component_type,
            component_name=metadata.component_name,
            method=metadata.method_name,
            mime_type=metadata.mime_type,
        )
        row = world.store.row("SELECT id FROM captures WHERE body = ?", body)
        assert row is not None
        for tag in dict.fromkeys(metadata.tags):
            world.store.insert("capture_tags", capture_id=row["id"], tag=tag)
    return int(row["id"])


def current_capture_metadata(world: World, part: app_pb.RobotPart) -> pb.CaptureMetadata:
    """Return the metadata for data that a part captures now: its present location and names."""
    robot = world.robot(part.robot)
    return pb.CaptureMetadata(
        organization_id=world.organization_of(robot.location),
        location_id=robot.location,
        robot_name=robot.name,
        robot_id=robot.id,
        part_name=part.name,
        part_id=part.id,
    )
