"""The RPCs about tabular data: pages of readings, the latest one, exports, and deletion."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, Iterator, List, Sequence, Union

from viam_sync.proto.app import data as pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.request_checks import required
from viam_sync.sandbox.core.structs import plain_struct
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.data.conditions import (
    Condition,
    access_condition,
    capture_condition,
    interval_condition,
    tags_condition,
)
from viam_sync.sandbox.data.cursors import Page, encode_cursor, page_query
from viam_sync.sandbox.data.method_parameters import method_parameters
from viam_sync.sandbox.data.readings import captures_of, find_captures, of_captures, readings_page

_DAY = 24 * 60 * 60 * 1_000_000
_EARLIEST = -(2**63)
# A client that accepts messages of 32 MiB can read such a page with its metadata.
_PAGE_BYTES = 24 * 1024 * 1024
_EXPORT_BATCH = 500

_TAGS = "SELECT tag FROM capture_tags t WHERE t.capture_id = c.id"


class ReadingsServicer:
    """The RPCs of DataService that read tabular data, and delete it.

    Args:
        world: The state of the sandbox.
        page_bytes: The most bytes of the readings in a page.
    """

    def __init__(self, world: World, page_bytes: int = _PAGE_BYTES) -> None:
        self._world = world
        self._page_bytes = page_bytes

    def TabularDataByFilter(
        self, request: pb.TabularDataByFilterRequest, caller: Caller
    ) -> pb.TabularDataByFilterResponse:
        """Return a page of the readings that match a filter, or only count them."""
        asked = request.data_request
        page = page_query(asked, "r")
        conditions = (
            access_condition(self._world, caller, "read"),
            capture_condition(asked.filter),
            tags_condition(asked.filter.tags_filter, _TAGS),
        )
        captures = find_captures(self._world, conditions)
        times = interval_condition(asked.filter.interval, "r.requested")
        if request.count_only:
            sql = "SELECT COUNT(*) AS n, COALESCE(SUM(LENGTH(r.body)), 0) AS bytes FROM readings r WHERE "
            (counted,) = self._world.store.rows(sql + of_captures(times), json.dumps(captures), *times.values)
            return pb.TabularDataByFilterResponse(count=counted["n"], total_size_bytes=counted["bytes"])
        return self._page_response(self._page(captures, times, page))

    def DeleteTabularData(self, request: pb.DeleteTabularDataRequest, caller: Caller) -> pb.DeleteTabularDataResponse:
        """Delete the readings of an organization that match a filter and are older than a number of days."""
        asked = request.filter
        filter = pb.Filter(
            location_ids=asked.location_ids,
            robot_id=asked.robot_id,
            part_id=asked.part_id,
            component_type=asked.component_type,
            component_name=asked.component_name,
            method=asked.method,
        )
        conditions = (capture_condition(filter), tags_condition(asked.tags_filter, _TAGS))
        organization = self._world.organization(request.organization_id)
        caller.require("write_organization_data_management", "organization", organization.id)
        own = Condition("c.organization_id = ?", [organization.id])
        captures = find_captures(self._world, (own, *conditions))
        older = Condition("1")
        if request.delete_older_than_days:
            today = self._world.microseconds() // _DAY * _DAY
            older = Condition("r.requested < ?", [max(_EARLIEST, today - (request.delete_older_than_days - 1) * _DAY)])
        sql = f"DELETE FROM readings AS r WHERE {of_captures(older)}"
        return pb.DeleteTabularDataResponse(
            deleted_count=self._world.store.run(sql, json.dumps(captures), *older.values)
        )

    def GetLatestTabularData(
        self, request: pb.GetLatestTabularDataRequest, caller: Caller
    ) -> pb.GetLatestTabularDataResponse:
        """Return the latest reading of a resource within a year."""
        captures = self._captures_of_resource(request, caller)
        recent = Condition("r.requested >= ?", [self._world.microseconds() - 365 * _DAY])
        latest = Page(1, "r.requested DESC, r.id DESC", Condition("1"))
        response = pb.GetLatestTabularDataResponse()
        for row in self._page(captures, recent, latest):
            response.time_captured.CopyFrom(timestamp(row["requested"]))
            response.time_synced.CopyFrom(timestamp(row["synced"]))
            response.payload.CopyFrom(Struct.FromString(row["body"]))
            response.payload.SetInParent()
        return response

    def ExportTabularData(
        self, request: pb.ExportTabularDataRequest, caller: Caller, _: Any
    ) -> Iterator[pb.ExportTabularDataResponse]:
        """Yield all readings of a resource, oldest first."""
        times = interval_condition(request.interval, "r.requested")
        asked = pb.DataRequest(sort_order=pb.Order.ORDER_ASCENDING)
        fields: Dict[int, Dict[str, Any]] = {}
        while True:
            with self._world.store.transaction():
                page = page_query(asked, "r")._replace(limit=_EXPORT_BATCH)
                rows = self._page(self._captures_of_resource(request, caller), times, page)
                captures = captures_of(self._world, rows, known=fields)
            fields.update((id, _export_fields(capture)) for id, capture in captures.items())
            for row in rows:
                yield pb.ExportTabularDataResponse(
                    time_captured=timestamp(row["requested"]),
                    payload=Struct.FromString(row["body"]),
                    **fields[row["capture_id"]],
                )
            if not rows:
                return
            asked.last = encode_cursor(rows[-1]["requested"], rows[-1]["id"])

    def _captures_of_resource(
        self, request: Union[pb.GetLatestTabularDataRequest, pb.ExportTabularDataRequest], caller: Caller
    ) -> List[int]:
        """Return the IDs of the captures of a resource of a part, if the caller may read them."""
        filter = pb.Filter(
            component_name=required(request.resource_name, "The name of the resource (resource_name)"),
            component_type=required(request.resource_subtype, "The API of the resource (resource_subtype)"),
            method=required(request.method_name, "The name of the method (method_name)"),
        )
        part = self._world.part(request.part_id)
        caller.require("read_robot_data_management", "robot", part.robot)
        filter.part_id = part.id
        conditions = (capture_condition(filter), access_condition(self._world, caller, "read"))
        captures = find_captures(self._world, conditions)
        parameters = plain_struct(request.additional_parameters)
        if not parameters:
            return captures
        rows = self._world.store.rows(
            "SELECT id, body FROM captures WHERE id IN (SELECT value FROM json_each(?))", json.dumps(captures)
        )
        return [
            row["id"] for row in rows if method_parameters(pb.CaptureMetadata.FromString(row["body"])) == parameters
        ]

    def _page(self, captures: Sequence[int], times: Condition, page: Page) -> List[sqlite3.Row]:
        return readings_page(self._world, captures, times, page, self._page_bytes)

    def _page_response(self, rows: Sequence[sqlite3.Row]) -> pb.TabularDataByFilterResponse:
        captures = captures_of(self._world, rows)
        indexes = {id: index for index, id in enumerate(captures)}
        response = pb.TabularDataByFilterResponse(
            metadata=captures.values(), count=len(rows), total_size_bytes=sum(len(row["body"]) for row in rows)
        )
        for row in rows:
            response.data.add(
                data=Struct.FromString(row["body"]),
                metadata_index=indexes[row["capture_id"]],
                time_requested=timestamp(row["requested"]),
                time_received=timestamp(row["received"]),
            )
        if rows:
            response.last = encode_cursor(rows[-1]["requested"], rows[-1]["id"])
        return response


def _export_fields(capture: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return the fields that the exported readings of a capture have in common."""
    parameters = Struct()
    parameters.update(method_parameters(capture))
    return {
        "part_id": capture.part_id,
        "resource_name": capture.component_name,
        "resource_subtype": capture.component_type,
        "method_name": capture.method_name,
        "organization_id": capture.organization_id,
        "location_id": capture.location_id,
        "robot_name": capture.robot_name,
        "robot_id": capture.robot_id,
        "part_name": capture.part_name,
        "method_parameters": parameters,
        "tags": list(capture.tags),
    }
