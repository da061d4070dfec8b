"""Calls about tabular data."""

import bson

from viam_sync.messages.pool import message, pool

from .data_calls import DATA, TABULAR, Data

HERE = {"resource_name": "air", "resource_subtype": "rdk:component:sensor", "method_name": "Readings"}


class Tabular(Data):
    """The services for data as a caller sees them, with what it takes for readings."""

    def __init__(self, caller):
        super().__init__(caller)
        self.organization_id = caller.sandbox.organization_id
        self.part_id = caller.sandbox.robot_part_id

    def put(self, *readings, at=None, **fields):
        """Upload readings, as the values under ``data.readings``: the first ``at`` seconds since 1970, each a second
        after the one before."""
        contents = []
        for number, values in enumerate(readings):
            sensor = {"struct": {"readings": values}}
            if at is not None:
                time = {"seconds": at + number}
                sensor["metadata"] = {"time_requested": time, "time_received": time}
            contents.append(sensor)
        given = {"component_type": "rdk:component:sensor", "component_name": "air", "method_name": "Readings", **fields}
        return self.DataCaptureUpload(metadata=self.metadata(TABULAR, **given), sensor_contents=contents)

    def page(self, limit=0, last="", sort_order=0, **filter):
        """Return the page of readings that match a filter."""
        asked = {"filter": filter, "limit": limit, "last": last, "sort_order": sort_order}
        return self.TabularDataByFilter(data_request=asked)

    def seen(self, name="n", **filter):
        """Return a value of each reading of that page."""
        return [row.data["readings"][name] for row in self.page(**filter).data]

    def count(self, **filter):
        """Return how many readings match a filter."""
        return self.TabularDataByFilter(data_request={"filter": filter}, count_only=True).count

    def sql(self, query, organization_id=None):
        """Return the rows of a query in SQL."""
        given = {"organization_id": organization_id or self.organization_id, "sql_query": query}
        return [bson.decode(row) for row in self._slow("TabularDataBySQL", **given).raw_data]

    def mql(self, *stages, organization_id=None, **fields):
        """Return the documents that come out of stages, which are dictionaries or BSON."""
        binary = [stage if isinstance(stage, bytes) else bson.encode(stage) for stage in stages]
        given = {"organization_id": organization_id or self.organization_id, "mql_binary": binary, **fields}
        return [bson.decode(row) for row in self._slow("TabularDataByMQL", **given).raw_data]

    def latest(self, **fields):
        """Return the newest reading."""
        return self.GetLatestTabularData(**{"part_id": self.part_id, **HERE, **fields})

    def export(self, **fields):
        """Return all readings."""
        return list(self.exporting(**fields))

    def exporting(self, **fields):
        """Return the stream of all readings."""
        method = pool().FindMethodByName(f"{DATA}.ExportTabularData")
        call = self.caller.channel.unary_stream(
            f"/{DATA}/ExportTabularData",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message(method.output_type).FromString,
        )
        given = message(method.input_type)(**{"part_id": self.part_id, **HERE, **fields})
        return call(given, metadata=self.caller.metadata, timeout=60)

    def _slow(self, rpc, **fields):
        """Make a call that may start a process, for which a computer that is busy needs time."""
        method = pool().FindMethodByName(f"{DATA}.{rpc}")
        call = self.caller.channel.unary_unary(
            f"/{DATA}/{rpc}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message(method.output_type).FromString,
        )
        return call(message(method.input_type)(**fields), metadata=self.caller.metadata, timeout=60)
