"""The model of bounding boxes."""

from __future__ import annotations

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.request_checks import required
from viam_sync.sandbox.core.world import World

#: The fields with the edges of a box.
EDGES = ("x_min_normalized", "y_min_normalized", "x_max_normalized", "y_max_normalized")


def add_box(world: World, file: int, box: pb.BoundingBox) -> str:
    """Add a box to an image, given the row ID of its file, and return the new ID of the box."""
    box.id = world.ids.object()
    world.store.insert("boxes", id=box.id, file=file, label=box.label, body=box.SerializeToString(deterministic=True))
    return box.id


def check_box(box: pb.BoundingBox) -> None:
    """Check that a box has a label and lies within its image.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    required(box.label, "The label of the bounding box")
    for field in (*EDGES, *(["confidence"] if box.HasField("confidence") else [])):
        value = getattr(box, field)
        if not 0 <= value <= 1:  # is true for NaN, too
            raise invalid_argument(f"{field} is {value}; give a share of the whole, from 0 to 1.")
    for axis in ("x", "y"):
        low, high = getattr(box, f"{axis}_min_normalized"), getattr(box, f"{axis}_max_normalized")
        if low >= high:
            raise invalid_argument(
                f"{axis}_min_normalized is {low} and {axis}_max_normalized is {high}; the minimum must be the lesser."
            )
