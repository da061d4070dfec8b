"""The labelled boxes that mark things in images."""

from __future__ import annotations

import sqlite3
from typing import Any

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.checks import HINTS, checked_id, required
from viam_sync.sandbox.errors import failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.files import add_box, name_in, require, selected
from viam_sync.sandbox.media import is_image
from viam_sync.sandbox.world import World

_EDGES = ("x_min_normalized", "y_min_normalized", "x_max_normalized", "y_max_normalized")


class Boxes:
    """The RPCs of DataService about bounding boxes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def AddBoundingBoxToImageByID(
        self, request: pb.AddBoundingBoxToImageByIDRequest, caller: Caller
    ) -> pb.AddBoundingBoxToImageByIDResponse:
        """Mark something in an image."""
        box = pb.BoundingBox(label=request.label, **{edge: getattr(request, edge) for edge in _EDGES})
        if request.HasField("confidence"):
            box.confidence = request.confidence
        check_box(box)
        (file,) = require(self._world, caller, [name_in(request)], "write")
        if not is_image(file["mime_type"]):
            raise failed_precondition(
                f"The file {file['file_id']!r} is no image but {file['mime_type'][:64]!r}; boxes mark things in images."
            )
        return pb.AddBoundingBoxToImageByIDResponse(bbox_id=add_box(self._world, file["id"], box))

    def UpdateBoundingBox(self, request: pb.UpdateBoundingBoxRequest, caller: Caller) -> pb.UpdateBoundingBoxResponse:
        """Change what the request has of a box; what it leaves out stays."""
        checked_id("box", request.bbox_id)
        row = self._box(request, caller)
        box = pb.BoundingBox.FromString(row["body"])
        changed = {field.name for field, _ in request.ListFields()}
        for field in changed.intersection(("label", "confidence", *_EDGES)):
            setattr(box, field, getattr(request, field))
        check_box(box)
        self._world.store.update("boxes", row["id"], label=box.label, body=box.SerializeToString(deterministic=True))
        return pb.UpdateBoundingBoxResponse()

    def RemoveBoundingBoxFromImageByID(
        self, request: pb.RemoveBoundingBoxFromImageByIDRequest, caller: Caller
    ) -> pb.RemoveBoundingBoxFromImageByIDResponse:
        """Take a box from an image."""
        checked_id("box", request.bbox_id)
        self._world.store.run("DELETE FROM boxes WHERE id = ?", self._box(request, caller)["id"])
        return pb.RemoveBoundingBoxFromImageByIDResponse()

    def BoundingBoxLabelsByFilter(
        self, request: pb.BoundingBoxLabelsByFilterRequest, caller: Caller
    ) -> pb.BoundingBoxLabelsByFilterResponse:
        """List the labels of the boxes in the images that match a filter."""
        files = selected(self._world, caller, request.filter, "read")
        sql = f"SELECT DISTINCT x.label FROM files f JOIN boxes x ON x.file = f.id WHERE {files.sql} ORDER BY x.label"
        rows = self._world.store.rows(sql, *files.values)
        return pb.BoundingBoxLabelsByFilterResponse(labels=[row["label"] for row in rows])

    def _box(self, request: Any, caller: Caller) -> sqlite3.Row:
        id = checked_id("box", request.bbox_id)
        (file,) = require(self._world, caller, [name_in(request)], "write")
        row = self._world.store.row("SELECT * FROM boxes WHERE id = ? AND file = ?", id, file["id"])
        if row is None:
            raise not_found(f"The file {file['file_id']!r} has no bounding box with the ID {id!r}; {HINTS['box']}.")
        return row


def check_box(box: pb.BoundingBox) -> None:
    """Go on only if a box has a label and lies in its image.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    required(box.label, "The label of the bounding box")
    for field in (*_EDGES, *(["confidence"] if box.HasField("confidence") else [])):
        value = getattr(box, field)
        if not 0 <= value <= 1:  # so written, it refuses NaN too
            raise invalid_argument(f"{field} is {value}; give a share of the whole, from 0 to 1.")
    for axis in ("x", "y"):
        low, high = getattr(box, f"{axis}_min_normalized"), getattr(box, f"{axis}_max_normalized")
        if low >= high:
            raise invalid_argument(
                f"{axis}_min_normalized is {low} and {axis}_max_normalized is {high}; the minimum must be the lesser."
            )
