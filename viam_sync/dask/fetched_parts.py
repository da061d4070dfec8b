"""The parts of an export as they come from the service, each in a file whose columns are not settled yet."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from viam_sync.app._data.tabular_records import plain_rows
from viam_sync.app.viam_client import ViamClient
from viam_sync.dask.cluster import dask_module, scratch_folder
from viam_sync.dask.staging import read_json, unique_name, write_json
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.batches import read_batches, settled_batches, unsettled_batches, write_batch
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.remote import Location

_PREFIX, _ROWS, _TOLD = "fetched", ".arrows", ".json"


class FetchedPart(NamedTuple):
    """The rows of a part of the filter.

    Attributes:
        rows: Their number.
        file: The name of their file; None if there are none.
        findings: Their columns.
    """

    rows: int
    file: Optional[str]
    findings: Mapping[str, Any]


class RowRequest(NamedTuple):
    """The service that has the rows, and how to ask for them.

    Attributes:
        client: The client.
        include_internal_data: Whether to include what Viam's own services store.
        timeout: Seconds that a page may take; None for the limit of its retry class.
    """

    client: ViamClient
    include_internal_data: bool
    timeout: Optional[float]

    @contextlib.contextmanager
    def rows(self, filter: pb.Filter, limit: Optional[int] = None) -> Iterator[Iterator[Mapping[str, Any]]]:
        """Within this block, there are the rows that match a filter, the oldest first.

        Args:
            filter: The filter.
            limit: The number of rows at most; None for all.
        """
        # The copy connects in this process, and closes only its own connection.
        with copy.copy(self.client) as own, own.data_client.iter_tabular_data(
            filter,
            sort_order=pb.Order.ORDER_ASCENDING,
            limit=limit,
            include_internal_data=self.include_internal_data,
            timeout=self.timeout,
        ) as found:
            yield plain_rows(found)


def parts_there(staging: Location, count: int) -> List[Optional[str]]:
    """Return for each part the name of what tells about it; None for one that was not fetched yet.

    Args:
        staging: The folder of the run.
        count: The number of parts.
    """
    found: Dict[int, str] = {}
    for name in sorted(staging.connect().sizes()):
        begin, _, rest = name.partition("-")
        if begin == _PREFIX and name.endswith(_TOLD):
            found[int(rest.partition("-")[0])] = name
    return [found.get(number) for number in range(count)]


def fetch_part(
    number: int, filter: pb.Filter, told: Optional[str], *, request: RowRequest, columns: Columns, staging: Location
) -> FetchedPart:
    """Bring the rows of a part into a file, unless they are there.

    Args:
        number: The number of the part.
        filter: The filter of the part.
        told: The name of what tells about the part, if it was fetched.
        request: The service that has the rows.
        columns: The columns, without any row.
        staging: The folder of the run.

    Raises:
        ValueError: If a value does not fit the columns.
    """
    folder = staging.connect()
    if told is not None:
        return FetchedPart(**read_json(folder, told))
    name = unique_name(f"{_PREFIX}-{number:05}", "")
    # Workers that are threads of one process have the columns in common.
    columns = copy.deepcopy(columns)
    with scratch_folder() as scratch:
        local = scratch / "rows"
        with of_part(filter), request.rows(filter) as rows, local.open("wb") as file:
            count = _write_rows(rows, columns, file)
        if count:
            folder.write(local, f"{name}{_ROWS}")
    part = FetchedPart(count, f"{name}{_ROWS}" if count else None, columns.findings())
    # What tells about it comes last, so that whatever is told of is whole.
    write_json(folder, f"{name}{_TOLD}", part._asdict())
    return part


def _write_rows(rows: Iterable[Mapping[str, Any]], columns: Columns, file: BinaryIO) -> int:
    arrow = dask_module("pyarrow", "an export")
    count = 0
    for batch in unsettled_batches(rows, columns, arrow):
        write_batch(batch, file, arrow)
        count += batch.num_rows
    return count


@contextlib.contextmanager
def of_part(filter: pb.Filter) -> Iterator[None]:
    """Let an error of a value in this block say in which part it is."""
    try:
        yield
    except ValueError as error:
        start, end = (each.ToJsonString() for each in (filter.interval.start, filter.interval.end))
        raise ValueError(f"{error} (among the readings from {start} to {end})") from error


def settled_rows(parts: Sequence[FetchedPart], columns: Columns, staging: Location, scratch: Path) -> Iterator[Any]:
    """Yield the rows of parts as record batches of pyarrow with all columns.

    Args:
        parts: The parts, in the order of their times.
        columns: The columns, with the findings of all parts.
        staging: The folder of the run.
        scratch: A local folder, for one part at a time.
    """
    arrow = dask_module("pyarrow", "an export")
    folder, local = staging.connect(), scratch / "rows"
    for part in parts:
        if part.file is not None:
            folder.download(part.file, local)
            with local.open("rb") as file:
                yield from settled_batches(read_batches(file, arrow), columns, arrow)
