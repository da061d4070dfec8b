"""The RPCs that query tabular data in SQL and MQL."""

from __future__ import annotations

from typing import Any, List

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import required
from viam_sync.sandbox.core.transactions import opens_transactions
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.queries.documents import encode_readings, origin_document
from viam_sync.sandbox.queries.engine import Engine
from viam_sync.sandbox.queries.mql_stages import stages_of

_LONGEST_SQL = 100_000


class QueriesServicer:
    """The RPCs of DataService that query the readings of an organization."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sql = Engine("sql", "duckdb")
        self._mql = Engine("mql", "mongomock")

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
        return pb.TabularDataBySQLResponse(raw_data=self._answer(self._sql, sql, request.organization_id))

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
        return pb.TabularDataByMQLResponse(raw_data=self._answer(self._mql, stages, request.organization_id))

    def _require(self, organization_id: str, caller: Caller) -> None:
        """Require that the organization exists and that the caller may query its data."""
        with self._world.store.transaction():
            organization = self._world.organization(organization_id)
            caller.require("read_organization_data_management", "organization", organization.id)

    def _answer(self, engine: Engine, query: Any, organization_id: str) -> List[bytes]:
        """Return the result of a query; the store is locked only while the readings are read."""
        store = self._world.store
        with store.transaction():
            captures = store.rows("SELECT id, body FROM captures WHERE organization_id = ?", organization_id.lower())
            rows = store.rows(
                "SELECT r.capture_id, r.requested, r.received, r.body FROM readings r"
                " JOIN captures c ON c.id = r.capture_id WHERE c.organization_id = ? ORDER BY r.id",
                organization_id.lower(),
            )
        origins = [origin_document(pb.CaptureMetadata.FromString(row["body"])) for row in captures]
        indexes = {row["id"]: index for index, row in enumerate(captures)}
        return engine.run(query, origins, encode_readings(indexes, rows))
