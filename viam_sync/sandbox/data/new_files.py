"""Adding files whose contents are stored already."""

from __future__ import annotations

from typing import Iterable, NamedTuple

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.data.boxes import add_box
from viam_sync.sandbox.data.captures import find_or_add_capture
from viam_sync.sandbox.data.datasets import add_to_datasets


class NewFile(NamedTuple):
    """The metadata of a new file; times are in microseconds since the epoch.

    Attributes:
        capture: The metadata of its capture, without tags.
        requested: When the data was requested.
        received: When the data was received.
        size: The number of bytes.
        details: Its name, extension and annotations.
        tags: Its tags.
        dataset_ids: The IDs of the datasets to add it to.
    """

    capture: pb.CaptureMetadata
    requested: int
    received: int
    size: int
    details: pb.BinaryMetadata
    tags: Iterable[str] = ()
    dataset_ids: Iterable[str] = ()


def add_file(world: World, file_id: str, new: NewFile) -> str:
    """Add the metadata of a file, and return its ID of binary data."""
    details = pb.BinaryMetadata()
    details.CopyFrom(new.details)
    boxes = list(details.annotations.bboxes)
    details.annotations.ClearField("bboxes")
    world.store.insert(
        "files",
        file_id=file_id,
        capture_id=find_or_add_capture(world, new.capture),
        requested=new.requested,
        received=new.received,
        size=new.size,
        body=details.SerializeToString(deterministic=True),
    )
    row = world.store.row("SELECT id FROM files WHERE file_id = ?", file_id)
    assert row is not None
    for tag in dict.fromkeys(new.tags):
        world.store.insert("file_tags", file=row["id"], tag=tag)
    for box in boxes:
        add_box(world, row["id"], box)
    add_to_datasets(world, new.dataset_ids, [row])
    return f"{new.capture.organization_id}/{new.capture.location_id}/{file_id}"
