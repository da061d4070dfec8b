"""The records that the methods for tabular data return instead of messages, with plain values."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Type, TypeVar, Union

from google.protobuf.struct_pb2 import Struct
from typing_extensions import Self

from viam_sync.checks import wrong_type
from viam_sync.messages.acceptance import adopt
from viam_sync.messages.conversion import struct_to_dict, timestamp_to_datetime
from viam_sync.messages.struct_layouts import StructReader
from viam_sync.proto.app import data as pb
from viam_sync.shown import ShortRepr
from viam_sync.transfer.output.kinds import Kind
from viam_sync.transfer.output.rows import CaptureCache, capture_metadata_row
from viam_sync.transfer.paging.pages import ConvertedPage

#: The columns that a table of readings (`TabularData`) has in any case, in their order, and their kinds.
READING_COLUMNS: Mapping[str, Kind] = {
    "timeRequested": "time",
    "timeReceived": "time",
    "metadata.organizationId": "text",
    "metadata.locationId": "text",
    "metadata.robotName": "text",
    "metadata.robotId": "text",
    "metadata.partName": "text",
    "metadata.partId": "text",
    "metadata.componentType": "text",
    "metadata.componentName": "text",
    "metadata.methodName": "text",
    "metadata.tags": ("list", "text"),
    "metadata.mimeType": "text",
}

#: The same of a table of points (`TabularDataPoint`).
POINT_COLUMNS: Mapping[str, Kind] = {
    "part_id": "text",
    "resource_name": "text",
    "resource_api": "text",
    "method_name": "text",
    "time_captured": "time",
    "organization_id": "text",
    "location_id": "text",
    "robot_name": "text",
    "robot_id": "text",
    "part_name": "text",
    "tags": ("list", "text"),
}

#: The most messages of metadata that are kept at a time, each of which keeps the memory of its whole page.
_MOST_MESSAGES = 8


@dataclass(repr=False)
class TabularData(ShortRepr):
    """A row of tabular data and where it comes from.

    Times are UTC without a time zone, as in the official SDK, or in that of the client's options.

    Attributes:
        data: The captured values.
        metadata: The resource and the machine that captured it.
        time_requested: When the machine asked the resource for it.
        time_received: When the machine got it.
    """

    data: Mapping[str, Any]
    metadata: pb.CaptureMetadata
    time_requested: datetime
    time_received: datetime

    def __str__(self) -> str:
        times = f"Time requested: {self.time_requested}\nTime received: {self.time_received}\n"
        return f"{self.data}\n{self.metadata}{times}"


def tabular_items(
    response: pb.TabularDataByFilterResponse, tz: Optional[tzinfo] = None, reader: Optional[StructReader] = None
) -> ConvertedPage[TabularData]:
    """Return the rows of a page, each with its metadata, which the page holds once for all rows that share it."""
    shared = dict(enumerate(response.metadata))
    read = (reader or StructReader()).read

    def convert(row: pb.TabularData) -> TabularData:
        return TabularData(
            read(row.data),
            # The index may be out of range, as it comes from the service.
            shared.get(row.metadata_index) or pb.CaptureMetadata(),
            timestamp_to_datetime(row.time_requested, tz),
            timestamp_to_datetime(row.time_received, tz),
        )

    return ConvertedPage(response.data, convert)


@dataclass(repr=False)
class TabularDataPoint(ShortRepr):
    """A tabular reading, and where it comes from.

    Attributes:
        part_id: ID of the part that captured it, a UUID.
        resource_name: Name of the component or service.
        resource_api: Its API, such as ``rdk:component:sensor``.
        method_name: Name of the captured method, such as ``Readings``.
        time_captured: When it was captured, UTC without a time zone, or in that of the client's options.
        organization_id: ID of the organization, a UUID.
        location_id: ID of the location, ten lowercase letters and digits.
        robot_name: Name of the machine.
        robot_id: ID of the machine, a UUID.
        part_name: Name of the part.
        method_parameters: Parameters that the method was captured with.
        tags: Its tags.
        payload: The captured values.
    """

    part_id: str
    resource_name: str
    resource_api: str
    method_name: str
    time_captured: datetime
    organization_id: str
    location_id: str
    robot_name: str
    robot_id: str
    part_name: str
    method_parameters: Mapping[str, Any]
    tags: List[str]
    payload: Mapping[str, Any]

    @classmethod
    def from_proto(cls, message: pb.ExportTabularDataResponse, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Example:
            >>> from viam_sync.app.data_client import DataClient
            >>> from viam_sync.proto.app.data import ExportTabularDataResponse
            >>> DataClient.TabularDataPoint.from_proto(ExportTabularDataResponse(payload={"speed": 1})).payload
            {'speed': 1.0}
        """
        return _point(cls, adopt(pb.ExportTabularDataResponse, message, "message"), tz, struct_to_dict)

    @property
    def resource_subtype(self) -> str:
        """The API of the resource, under its older name."""
        return self.resource_api


Point = TypeVar("Point", bound=TabularDataPoint)


def point_converter(tz: Optional[tzinfo] = None) -> Callable[[pb.ExportTabularDataResponse], TabularDataPoint]:
    """Return the function that makes the records of the messages of a stream."""
    read = StructReader().read
    return lambda message: _point(TabularDataPoint, message, tz, read)


def _point(
    cls: Type[Point],
    message: pb.ExportTabularDataResponse,
    tz: Optional[tzinfo],
    read: Callable[[Struct], Mapping[str, Any]],
) -> Point:
    return cls(
        part_id=message.part_id,
        resource_name=message.resource_name,
        resource_api=message.resource_subtype,
        method_name=message.method_name,
        time_captured=timestamp_to_datetime(message.time_captured, tz),
        organization_id=message.organization_id,
        location_id=message.location_id,
        robot_name=message.robot_name,
        robot_id=message.robot_id,
        part_name=message.part_name,
        method_parameters=read(message.method_parameters) if message.HasField("method_parameters") else {},
        tags=list(message.tags),
        payload=read(message.payload),
    )


#: A row as the methods for tabular data return it.
AnyRow = Union[TabularData, TabularDataPoint, Mapping[str, Any]]


def fixed_columns(row_type: Optional[type]) -> Mapping[str, Kind]:
    """Return the columns that a table of rows of a type has in any case, and their kinds; rows of a query have none.

    Example:
        >>> from viam_sync.app._data.tabular_records import fixed_columns
        >>> fixed_columns(dict)
        {}
    """
    if row_type is TabularData:
        return READING_COLUMNS
    return POINT_COLUMNS if row_type is TabularDataPoint else {}


def rows_with_columns(rows: Iterable[AnyRow]) -> Tuple[Iterator[Mapping[str, Any]], Mapping[str, Kind]]:
    """Return rows as `plain_rows` does, and the columns that they always have.

    These are those of the first row. Without rows, an iterator of this package still tells the type of its items; other
    rows count as readings then, which most tables hold.

    Raises:
        TypeError: If there is something else among them, which the iterator finds.
    """
    if not isinstance(rows, Iterable):
        raise wrong_type("rows", "a list of rows", rows)
    iterator = iter(rows)
    first = list(itertools.islice(iterator, 1))
    row_type = type(first[0]) if first else getattr(rows, "item_type", TabularData)
    return plain_rows(itertools.chain(first, iterator)), fixed_columns(row_type)


def plain_rows(rows: Iterable[AnyRow]) -> Iterator[Mapping[str, Any]]:
    """Yield rows as mappings: readings with the names of proto JSON, points with their own, others as they are.

    Parameters of a method that has none are left out, as the metadata of readings leaves them out.

    Raises:
        TypeError: If there is something else among them.
    """
    metadata_rows = _MetadataRows()
    for row in rows:
        if isinstance(row, TabularData):
            times = {"timeRequested": row.time_requested, "timeReceived": row.time_received}
            yield {"data": row.data, "metadata": metadata_rows.of(row.metadata), **times}
        elif isinstance(row, TabularDataPoint):
            yield {name: value for name, value in vars(row).items() if value or name != "method_parameters"}
        elif isinstance(row, (dict, Mapping)):  # most are of a type that is quicker to ask
            yield row
        else:
            advice = "of a page (rows, count, last), give the rows" if isinstance(row, list) else ""
            raise wrong_type("rows", "what methods for tabular data return", row, advice=advice)


class _MetadataRows:
    """The metadata of readings as rows; readings share it, and its conversion takes longer than all else."""

    def __init__(self) -> None:
        #: By id() for the readings of a page, and by their contents for those of all pages.
        self._messages: Dict[int, Tuple[pb.CaptureMetadata, Dict[str, Any]]] = {}
        self._rows = CaptureCache(capture_metadata_row)

    def of(self, metadata: pb.CaptureMetadata) -> Dict[str, Any]:
        known = self._messages.get(id(metadata))
        if known is None:
            if len(self._messages) == _MOST_MESSAGES:
                self._messages.clear()
            # The message is kept, as another object could get its id() once it is gone.
            known = self._messages[id(metadata)] = metadata, self._rows.of(metadata)
        return known[1]
