"""Tabular data: readings as they were captured, in pages, one by one and as a stream, and their deletion."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Union

from viam_sync.proto.app import data as pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.captures import (
    Condition,
    Page,
    all_of,
    capture_of,
    in_reach,
    matching,
    page_of,
    place_of,
    tagged,
    within,
)
from viam_sync.sandbox.checks import required
from viam_sync.sandbox.documents import parameters, plain
from viam_sync.sandbox.world import World, microseconds_of, timestamp

_DAY = 24 * 60 * 60 * 1_000_000
_EARLIEST = -(2**63)
# What a page may hold; a client that takes no more than 32 MiB at a time can then read it with its metadata.
_LARGEST = 24 * 1024 * 1024
_BATCH = 500
# From this many captures on, reading all that is there in the order of time beats merging them.
_MANY = 32

_TAGS = "SELECT tag FROM capture_tags t WHERE t.capture_id = c.id"


class Readings:
    """The RPCs of DataService that read tabular data as it was captured, and delete it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def TabularDataByFilter(
        self, request: pb.TabularDataByFilterRequest, caller: Caller
    ) -> pb.TabularDataByFilterResponse:
        """Return a page of the readings that match a filter, or only count them."""
        asked = request.data_request
        page = page_of(asked, "r")
        wanted = (
            in_reach(self._world, caller, "read"),
            matching(asked.filter),
            tagged(asked.filter.tags_filter, _TAGS),
        )
        captures = self._captures(wanted)
        times = within(asked.filter.interval, "r.requested")
        if request.count_only:
            sql = f"SELECT COUNT(*) AS n, COALESCE(SUM(LENGTH(r.body)), 0) AS bytes FROM readings r WHERE {_in(times)}"
            (counted,) = self._world.store.rows(sql, json.dumps(captures), *times.values)
            return pb.TabularDataByFilterResponse(count=counted["n"], total_size_bytes=counted["bytes"])
        return self._shown(self._page(captures, times, page))

    def DeleteTabularData(self, request: pb.DeleteTabularDataRequest, caller: Caller) -> pb.DeleteTabularDataResponse:
        """Delete the readings of an organization that are older than some days, or all of them."""
        asked = request.filter
        filter = pb.Filter(
            location_ids=asked.location_ids,
            robot_id=asked.robot_id,
            part_id=asked.part_id,
            component_type=asked.component_type,
            component_name=asked.component_name,
            method=asked.method,
        )
        wanted = (matching(filter), tagged(asked.tags_filter, _TAGS))
        organization = self._world.organization(request.organization_id)
        caller.require("write_organization_data_management", "organization", organization.id)
        captures = self._captures((Condition("c.organization_id = ?", [organization.id]), *wanted))
        older = Condition("1")
        if request.delete_older_than_days:
            today = self._world.microseconds() // _DAY * _DAY
            older = Condition("r.requested < ?", [max(_EARLIEST, today - (request.delete_older_than_days - 1) * _DAY)])
        sql = f"DELETE FROM readings AS r WHERE {_in(older)}"
        return pb.DeleteTabularDataResponse(
            deleted_count=self._world.store.run(sql, json.dumps(captures), *older.values)
        )

    def GetLatestTabularData(
        self, request: pb.GetLatestTabularDataRequest, caller: Caller
    ) -> pb.GetLatestTabularDataResponse:
        """Return the newest reading of a resource within a year."""
        captures = self._captures_of(request, caller)
        recent = Condition("r.requested >= ?", [self._world.microseconds() - 365 * _DAY])
        newest = Page(1, "r.requested DESC, r.id DESC", Condition("1"))
        response = pb.GetLatestTabularDataResponse()
        for row in self._page(captures, recent, newest):
            response.time_captured.CopyFrom(timestamp(row["requested"]))
            response.time_synced.CopyFrom(timestamp(row["synced"]))
            response.payload.CopyFrom(Struct.FromString(row["body"]))
            response.payload.SetInParent()
        return response

    def ExportTabularData(
        self, request: pb.ExportTabularDataRequest, caller: Caller, _: Any
    ) -> Iterator[pb.ExportTabularDataResponse]:
        """Yield all readings of a resource, the oldest first."""
        times = within(request.interval, "r.requested")
        asked = pb.DataRequest(sort_order=pb.Order.ORDER_ASCENDING)
        origins: Dict[int, Dict[str, Any]] = {}
        while True:
            with self._world.store.transaction():
                page = page_of(asked, "r")._replace(limit=_BATCH)
                rows = self._page(self._captures_of(request, caller), times, page)
                captures = self._metadata(rows, origins)
            origins.update((id, _origin(capture)) for id, capture in captures.items())
            for row in rows:
                yield pb.ExportTabularDataResponse(
                    time_captured=timestamp(row["requested"]),
                    payload=Struct.FromString(row["body"]),
                    **origins[row["capture_id"]],
                )
            if not rows:
                return
            asked.last = place_of(rows[-1]["requested"], rows[-1]["id"])

    def _captures(self, conditions: Iterable[Condition]) -> List[int]:
        wanted = all_of(conditions)
        rows = self._world.store.rows(f"SELECT c.id FROM captures c WHERE {wanted.sql}", *wanted.values)
        return [row["id"] for row in rows]

    def _captures_of(
        self, request: Union[pb.GetLatestTabularDataRequest, pb.ExportTabularDataRequest], caller: Caller
    ) -> List[int]:
        """Return the captures of a resource of a part that the caller may read."""
        filter = pb.Filter(
            component_name=required(request.resource_name, "The name of the resource (resource_name)"),
            component_type=required(request.resource_subtype, "The API of the resource (resource_subtype)"),
            method=required(request.method_name, "The name of the method (method_name)"),
        )
        part = self._world.part(request.part_id)
        caller.require("read_robot_data_management", "robot", part.robot)
        filter.part_id = part.id
        captures = self._captures((matching(filter), in_reach(self._world, caller, "read")))
        given = plain(request.additional_parameters)
        if not given:
            return captures
        rows = self._world.store.rows(
            "SELECT id, body FROM captures WHERE id IN (SELECT value FROM json_each(?))", json.dumps(captures)
        )
        return [row["id"] for row in rows if parameters(pb.CaptureMetadata.FromString(row["body"])) == given]

    def _page(self, captures: Sequence[int], times: Condition, page: Page) -> List[sqlite3.Row]:
        """Return the readings of a page, fewer than its limit if they are large."""
        store = self._world.store
        where = all_of((times, page.condition))
        if len(captures) < _MANY:
            sql = (
                f"SELECT r.requested, r.id FROM readings r WHERE r.capture_id = ? AND {where.sql} ORDER BY {page.order}"
            )
            places = [
                tuple(row) for id in captures for row in store.rows(f"{sql} LIMIT ?", id, *where.values, page.limit)
            ]
            places.sort(reverse="DESC" in page.order)
        else:
            sql = f"SELECT r.requested, r.id FROM readings r INDEXED BY readings_by_time WHERE {_in(where)}"
            rows = store.rows(f"{sql} ORDER BY {page.order} LIMIT ?", json.dumps(captures), *where.values, page.limit)
            places = [tuple(row) for row in rows]
        found: List[sqlite3.Row] = []
        size = 0
        for _, id in places[: page.limit]:
            (row,) = store.rows("SELECT * FROM readings WHERE id = ?", id)
            size += len(row["body"])
            if found and size > _LARGEST:
                break
            found.append(row)
        return found

    def _metadata(self, rows: Iterable[sqlite3.Row], known: Iterable[int] = ()) -> Dict[int, pb.CaptureMetadata]:
        """Return the captures of some readings by their IDs, in the order of the readings, but for those known."""
        found: Dict[int, pb.CaptureMetadata] = {}
        for id in dict.fromkeys(row["capture_id"] for row in rows):
            if id not in known:
                (capture,) = self._world.store.rows("SELECT body FROM captures WHERE id = ?", id)
                found[id] = pb.CaptureMetadata.FromString(capture["body"])
        return found

    def _shown(self, rows: Sequence[sqlite3.Row]) -> pb.TabularDataByFilterResponse:
        captures = self._metadata(rows)
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
            response.last = place_of(rows[-1]["requested"], rows[-1]["id"])
        return response


def add_readings(world: World, capture: pb.CaptureMetadata, sensor_contents: Sequence[datasync_pb.SensorData]) -> None:
    """Keep readings that have their origin in common; a time that is missing is the present."""
    if not sensor_contents:
        return
    capture_id, now = capture_of(world, capture), world.microseconds()
    for each in sensor_contents:
        times = each.metadata
        world.store.insert(
            "readings",
            capture_id=capture_id,
            requested=microseconds_of(times.time_requested) if times.HasField("time_requested") else now,
            received=microseconds_of(times.time_received) if times.HasField("time_received") else now,
            synced=now,
            body=each.struct.SerializeToString(deterministic=True),
        )


def _in(condition: Condition) -> str:
    """Return the condition that a reading is of one of the captures in a JSON array, and another one."""
    return f"r.capture_id IN (SELECT value FROM json_each(?)) AND {condition.sql}"


def _origin(capture: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return what a capture has to say in the export of its readings."""
    given = Struct()
    given.update(parameters(capture))
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
        "method_parameters": given,
        "tags": list(capture.tags),
    }
