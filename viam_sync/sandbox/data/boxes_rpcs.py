"""The RPCs about bounding boxes."""

from __future__ import annotations

import sqlite3
from typing import Any

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import failed_precondition, not_found
from viam_sync.sandbox.core.request_checks import HINTS, checked_id
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.data.boxes import EDGES, add_box, check_box
from viam_sync.sandbox.data.file_ids import file_reference
from viam_sync.sandbox.data.files import filter_condition, get_files
from viam_sync.sandbox.data.mime_types import is_image


class BoxesServicer:
    """The RPCs of DataService about bounding boxes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def AddBoundingBoxToImageByID(
        self, request: pb.AddBoundingBoxToImageByIDRequest, caller: Caller
    ) -> pb.AddBoundingBoxToImageByIDResponse:
        """Add a box to an image."""
        box = pb.BoundingBox(label=request.label, **{edge: getattr(request, edge) for edge in EDGES})
        if request.HasField("confidence"):
            box.confidence = request.confidence
        check_box(box)
        (file,) = get_files(self._world, caller, [file_reference(request)], "write")
        if not is_image(file["mime_type"]):
            raise failed_precondition(
                f"The file {file['file_id']!r} is no image but {file['mime_type'][:64]!r}; boxes mark things in images."
            )
        return pb.AddBoundingBoxToImageByIDResponse(bbox_id=add_box(self._world, file["id"], box))

    def UpdateBoundingBox(self, request: pb.UpdateBoundingBoxRequest, caller: Caller) -> pb.UpdateBoundingBoxResponse:
        """Update the fields of a box that are set in the request."""
        checked_id("box", request.bbox_id)
        row = self._box(request, caller)
        box = pb.BoundingBox.FromString(row["body"])
        changed = {field.name for field, _ in request.ListFields()}
        for field in changed.intersection(("label", "confidence", *EDGES)):
            setattr(box, field, getattr(request, field))
        check_box(box)
        self._world.store.update("boxes", row["id"], label=box.label, body=box.SerializeToString(deterministic=True))
        return pb.UpdateBoundingBoxResponse()

    def RemoveBoundingBoxFromImageByID(
        self, request: pb.RemoveBoundingBoxFromImageByIDRequest, caller: Caller
    ) -> pb.RemoveBoundingBoxFromImageByIDResponse:
        """Remove a box from an image."""
        checked_id("box", request.bbox_id)
        self._world.store.run("DELETE FROM boxes WHERE id = ?", self._box(request, caller)["id"])
        return pb.RemoveBoundingBoxFromImageByIDResponse()

    def BoundingBoxLabelsByFilter(
        self, request: pb.BoundingBoxLabelsByFilterRequest, caller: Caller
    ) -> pb.BoundingBoxLabelsByFilterResponse:
        """List the labels of the boxes in the images that match a filter."""
        files = filter_condition(self._world, caller, request.filter, "read")
        sql = f"SELECT DISTINCT x.label FROM files f JOIN boxes x ON x.file = f.id WHERE {files.sql} ORDER BY x.label"
        rows = self._world.store.rows(sql, *files.values)
        return pb.BoundingBoxLabelsByFilterResponse(labels=[row["label"] for row in rows])

    def _box(self, request: Any, caller: Caller) -> sqlite3.Row:
        id = checked_id("box", request.bbox_id)
        (file,) = get_files(self._world, caller, [file_reference(request)], "write")
        row = self._world.store.row("SELECT * FROM boxes WHERE id = ? AND file = ?", id, file["id"])
        if row is None:
            raise not_found(f"The file {file['file_id']!r} has no bounding box with the ID {id!r}; {HINTS['box']}.")
        return row
