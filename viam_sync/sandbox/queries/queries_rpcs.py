"""The RPCs that query tabular data in SQL and MQL."""

from __future__ import annotations

import functools
from typing import Optional, Tuple

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import required
from viam_sync.sandbox.core.transactions import opens_transactions
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.queries.documents import encode_readings, origin_document
from viam_sync.sandbox.queries.engine import Engine
from viam_sync.sandbox.queries.mql_stages import stages_of
from viam_sync.sandbox.queries.protocol import Readings
from viam_sync.sandbox.queries.worker_process import ReadReadings, Version

_LONGEST_SQL = 100_000


class QueriesServicer:
    """The RPCs of DataService that query the readings of an organization."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sql = Engine("sql", "duckdb")
        self._mql = Engine("mql", "mongomock")
        for engine in (self._sql, self._mql):
            world.at_end.callback(engine.close)

    @opens_transactions
    def TabularDataBySQL(self, request: pb.TabularDataBySQLRequest, caller: Caller) -> pb.TabularDataBySQLResponse:
        """Return the rows of a SELECT."""
        sql = required(request.sql_query, "The query")
        if "\0" in sql:
            raise invalid_argument("The query holds a NUL character; leave it out.")
        if len(sql) > _LONGEST_SQL:
            raise invalid_argument(f"The query has {len(sql)} characters, and may have {_LONGEST_SQL}; shorten it.")
        self._require(request.organization_id, caller)
        self._sql.require()
        return pb.TabularDataBySQLResponse(raw_data=self._sql.run(sql, self._readings_of(request.organization_id)))

    @opens_transactions
    def TabularDataByMQL(self, request: pb.TabularDataByMQLRequest, caller: Caller) -> pb.TabularDataByMQLResponse:
        """Return the documents that an aggregation pipeline results in."""
        stages = stages_of(request.mql_binary)
        source = request.data_source
        if source.type == pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_PIPELINE_SINK:
            required(source.pipeline_id, "The ID of the data pipeline (pipeline_id)")
        self._require(request.organization_id, caller)
        if source.type == pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_PIPELINE_SINK:
            raise not_found(
                f"No data pipeline has the ID {source.pipeline_id[:64]!r}; the sandbox has none. "
                "Query the standard storage instead."
            )
        if request.query_prefix_name:
            raise not_found(
                f"No saved query is named {request.query_prefix_name[:64]!r}; the sandbox has none. "
                "Put its stages before yours instead."
            )
        self._mql.require()
        return pb.TabularDataByMQLResponse(raw_data=self._mql.run(stages, self._readings_of(request.organization_id)))

    def _require(self, organization_id: str, caller: Caller) -> None:
        """Require that the organization exists and that the caller may query its data."""
        with self._world.store.transaction():
            organization = self._world.organization(organization_id)
            caller.require("read_organization_data_management", "organization", organization.id)

    def _readings_of(self, organization_id: str) -> ReadReadings:
        return functools.partial(self._readings, organization_id.lower())

    def _readings(self, organization_id: str, known: Optional[Version]) -> Tuple[Version, Optional[Readings]]:
        """Return the version of an organization's readings, and the readings if it is another one than that known.

        The store is locked only while they are read.
        """
        store = self._world.store
        with store.transaction():
            version = (organization_id, *store.version)
            if version == known:
                return version, None
            captures = store.rows("SELECT id, body FROM captures WHERE organization_id = ?", organization_id)
            rows = store.rows(
                "SELECT r.capture_id, r.requested, r.received, r.body FROM readings r"
                " JOIN captures c ON c.id = r.capture_id WHERE c.organization_id = ? ORDER BY r.id",
                organization_id,
            )
        origins = [origin_document(pb.CaptureMetadata.FromString(row["body"])) for row in captures]
        indexes = {row["id"]: index for index, row in enumerate(captures)}
        return version, Readings(origins, list(encode_readings(indexes, rows)))
