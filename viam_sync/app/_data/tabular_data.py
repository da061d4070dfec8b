"""The methods of DataClient that read and delete tabular data."""

from __future__ import annotations

from datetime import tzinfo
from functools import partial
from typing import List, Optional, Tuple

from typing_extensions import TypeAlias

from viam_sync.app._data.tabular_records import (
    READING_COLUMNS,
    TabularData,
    TabularDataPoint,
    plain_rows,
    tabular_items,
)
from viam_sync.checks.numbers import boolean
from viam_sync.messages.struct_layouts import StructReader
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.output.outputs import response_output
from viam_sync.transfer.output.writers import write_rows
from viam_sync.transfer.paging.page_list import PageList
from viam_sync.transfer.paging.paged_call import PagedCall
from viam_sync.transfer.paging.pages import PageItems, Pages


def _read_rows(
    request: pb.TabularDataByFilterRequest,
    response: pb.TabularDataByFilterResponse,
    tz: Optional[tzinfo] = None,
    reader: Optional[StructReader] = None,
) -> Tuple[PageItems[TabularData], str]:
    return tabular_items(response, tz, reader), response.last if response.data else ""


_ROWS = PagedCall(
    methods.TABULAR_DATA_BY_FILTER,
    _read_rows,
    "limit",
    "last",
    place="data_request",
    time="time_requested",
    item_type=TabularData,
    largest=1600,
)


class TabularDataMixin(Service):
    """Methods for tabular data."""

    # Without TypeAlias, mypy takes these names for variables, which cannot be used as types.
    TabularData: TypeAlias = TabularData
    TabularDataPoint: TypeAlias = TabularDataPoint

    def tabular_data_by_filter(
        self,
        filter: Optional[pb.Filter] = None,
        limit: Optional[int] = None,
        sort_order: Optional[pb.Order.ValueType] = None,
        last: Optional[str] = None,
        count_only: bool = False,
        include_internal_data: bool = False,
        dest: Optional[str] = None,
        *,
        escape_formulas: bool = False,
        timeout: Optional[float] = None,
    ) -> Tuple[List[TabularData], int, str]:
        """Get one page of the rows that match a filter, and write it to a file where one is named.

        For the next page, give the ``last`` that came with this one; the page after the last one has no rows. A page
        that is short is not necessarily the last.

        Args:
            filter: Filter that the rows must match; None for all rows that the caller may read.
            limit: Rows in the page, up to 100; None for 50.
            sort_order: Order by time; None for the newest first.
            last: Where the page before ended; None for the first page.
            count_only: Whether to count all that match, and return no rows.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            dest: Path or URL of a file for the page: JSON lines if it ends in ``.jsonl``, CSV if in ``.csv``, with
                the columns that ``export_tabular_data_to`` gives it, else JSON. A file of that name is replaced; a link
                is followed, and a device or a pipe is written through.
            escape_formulas: Whether text in CSV that a spreadsheet would take for a formula, as it begins with ``=``,
                ``+``, ``-``, ``@``, a tab or the end of a line, gets an apostrophe before it.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The rows, how many there are, and where the page ends.

        Raises:
            OSError: If ``dest`` cannot be written. Found before the call, nothing was asked; found later, the error's
                attribute ``result`` has the value that would have been returned.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``limit`` is negative.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> air = create_filter(component_name="air")
            >>> rows, count, last = client.data_client.tabular_data_by_filter(air, limit=3)
            >>> count, sorted(rows[0].data["readings"])
            (3, ['co2', 'humidity', 'temperature'])
        """
        escape_formulas = boolean("escape_formulas", escape_formulas)
        destination = None if dest is None else response_output(dest)
        request = pb.TabularDataByFilterRequest(
            data_request=pb.DataRequest(
                filter=pb.Filter() if filter is None else filter, limit=limit, sort_order=sort_order, last=last
            ),
            count_only=count_only,
            include_internal_data=include_internal_data,
        )
        response: pb.TabularDataByFilterResponse = self._unary_unary(methods.TABULAR_DATA_BY_FILTER, request, timeout)
        page = (PageList(tabular_items(response, self._options.tz)), response.count, response.last)
        if destination is not None:
            rows = plain_rows(page[0])
            write_rows(destination, rows, dict, page, fixed=READING_COLUMNS, escape_formulas=escape_formulas)
        return page

    def iter_tabular_data(
        self,
        filter: Optional[pb.Filter] = None,
        *,
        sort_order: Optional[pb.Order.ValueType] = None,
        page_size: Optional[int] = None,
        limit: Optional[int] = None,
        include_internal_data: bool = False,
        prefetch: bool = True,
        workers: int = 1,
        timeout: Optional[float] = None,
    ) -> Pages[TabularData]:
        """Go through all rows that match a filter.

        Args:
            filter: Filter that the rows must match; None for all rows that the caller may read.
            sort_order: Order by time; None for the newest first.
            page_size: Rows in a page, up to 100; None for pages of 100 that grow to as many as 1,600 where the service
                gives them, quickly and in less than 2 MiB. A larger page that it refuses, or that takes longer than
                ``timeout``, is asked for again with 100. With several workers, pages have 100.
            limit: How many rows at most; None for all.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            workers: How many pages to fetch at a time, up to 64, each of another time; the rows and their order stay
                the same. Up to 16 pages for each worker are in memory, and some may be fetched in vain.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the rows; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size``, ``limit`` or ``workers`` is out of its range.
            InternalError: While iterating, if the service returns data that is not of the time range that was asked
                for.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> with client.data_client.iter_tabular_data() as rows:
            ...     temperatures = [row.data["readings"]["temperature"] for row in rows]
            >>> len(temperatures)
            1008
        """
        data_request = pb.DataRequest(filter=pb.Filter() if filter is None else filter, sort_order=sort_order)
        request = pb.TabularDataByFilterRequest(include_internal_data=include_internal_data)
        request.data_request.CopyFrom(data_request)
        # All pages share a reader, so that it learns but once.
        rows = _ROWS._replace(read=partial(_read_rows, reader=StructReader()))
        return rows.with_times_in(self._options.tz).pages(
            self._unary_unary,
            request,
            page_size=page_size,
            limit=limit,
            prefetch=prefetch,
            timeout=timeout,
            workers=workers,
        )

    def delete_tabular_data_by_filter(self, filter: Optional[pb.Filter], *, timeout: Optional[float] = None) -> int:
        """Refuse: the service has no such method any more; use ``delete_tabular_data``.

        Args:
            filter: Not looked at.
            timeout: Not looked at.

        Returns:
            Nothing, ever.

        Raises:
            NotImplementedError: Always; nothing is sent.

        Example:
            >>> client.data_client.delete_tabular_data_by_filter(None)
            Traceback (most recent call last):
            NotImplementedError: delete_tabular_data_by_filter is gone from the service; ...
        """
        raise NotImplementedError(
            "delete_tabular_data_by_filter is gone from the service; "
            "use delete_tabular_data(organization_id, delete_older_than_days), which also takes a filter"
        )
