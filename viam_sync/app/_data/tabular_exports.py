"""The rows that an export writes to a file: those of a filter, of a query, or of an iterator that the caller gives."""

from __future__ import annotations

import contextlib
import io
import itertools
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from google.protobuf.message import Message
from typing_extensions import TypeAlias

from viam_sync.app._data.queries import QueriesMixin
from viam_sync.app._data.tabular_data import TabularDataMixin
from viam_sync.app._data.tabular_records import READING_COLUMNS, AnyRow, TabularData, fixed_columns
from viam_sync.checks import parameter_names, wrong_type
from viam_sync.checks.numbers import worker_count
from viam_sync.messages.bson_documents import to_documents
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.kinds import Kind

#: A filter; a query, in SQL or as stages of MQL; or rows.
RowSource: TypeAlias = Union[
    pb.Filter,
    str,
    Sequence[Union[bytes, Mapping[str, Any]]],
    Iterator[AnyRow],
    None,
]

_FILTER, _QUERY, _ROWS = "a filter", "a query", "an iterator of rows"
#: The options that go with each kind of source, and the reason why others do not.
_OPTIONS: Dict[str, Sequence[str]] = {
    _FILTER: ("sort_order", "include_internal_data", "workers", "timeout"),
    _QUERY: ("organization_id", "timeout"),
    _ROWS: (),
}
_REASONS = {
    _FILTER: "which has organization_ids of its own",
    _QUERY: "which has an order of its own, and whose rows come in one message",
    _ROWS: "which was made with options of its own",
}


class RowOptions(NamedTuple):
    """The options of an export that say which rows are asked for, and how."""

    organization_id: Optional[str] = None
    sort_order: Optional[pb.Order.ValueType] = None
    include_internal_data: bool = False
    workers: int = 1
    timeout: Optional[float] = None


class _PeekedRows(Iterator[Any]):
    """Rows of which the first one is known before it is taken.

    Attributes:
        item_type: The type of the first one; None if there is none.
    """

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        first = list(itertools.islice(rows, 1))
        self.item_type = type(first[0]) if first else None
        self._all = itertools.chain(first, rows)

    def __next__(self) -> Any:
        return next(self._all)

    def close(self) -> None:
        _close(self._rows)


def source_with_columns(source: RowSource) -> Tuple[RowSource, Mapping[str, Kind]]:
    """Return a source of rows, and the columns that its rows have in any case.

    An iterator that does not tell the type of its rows gives its first one here, and is returned as another one.

    Example:
        >>> from viam_sync.app._data.tabular_exports import source_with_columns
        >>> source_with_columns("SELECT 1")
        ('SELECT 1', {})
    """
    kind = _source_kind(source)
    if kind != _ROWS:
        return source, READING_COLUMNS if kind == _FILTER else {}
    rows: Any = source
    if not hasattr(rows, "item_type"):
        rows = _PeekedRows(rows)
    return rows, fixed_columns(rows.item_type)


class TabularExportsMixin(TabularDataMixin, QueriesMixin):
    """The rows of an export, from wherever they come."""

    @contextlib.contextmanager
    def _rows_of(
        self, source: RowSource, options: RowOptions, counted: bool
    ) -> Iterator[Tuple[Iterable[Any], Optional[int]]]:
        """Within this block, there are the rows of a source, and their number if it is known.

        Args:
            source: The source; a list is a query, an iterator is rows, and closed at the end.
            options: How to ask for them.
            counted: Whether the service is to count them first.

        Raises:
            TypeError: If the source is none.
            ValueError: If an option does not go with it.
        """
        kind = _require_fitting(source, options)
        rows: Any = source
        total: Optional[int] = None
        if kind == _FILTER:
            rows = self._found(rows, options)
            total = self._count_rows(source, options) if counted else None
        elif kind == _QUERY:
            rows = self._queried(rows, options)
            total = len(rows)
        try:
            yield rows, total
        finally:
            _close(rows)

    def _found(self, filter: Optional[pb.Filter], options: RowOptions) -> Iterator[TabularData]:
        return self.iter_tabular_data(
            filter,
            sort_order=options.sort_order,
            include_internal_data=options.include_internal_data,
            workers=options.workers,
            timeout=options.timeout,
        )

    def _queried(self, query: Any, options: RowOptions) -> List[Dict[str, Any]]:
        if isinstance(query, (bytes, Mapping)) or not isinstance(query, (str, Sequence)):
            kinds = "a Filter, SQL as a str, MQL as a list of stages, or an iterator of rows"
            raise wrong_type("filter_or_query", kinds, query)
        if options.organization_id is None:
            advice = "" if isinstance(query, str) else "; if it is a list of rows, give iter(rows)"
            raise ValueError(
                "filter_or_query is a query, and a query is for the data of one organization; give its ID as"
                f" organization_id{advice}"
            )
        if isinstance(query, str):
            with parameter_names(sql_query="filter_or_query"):
                return self.tabular_data_by_sql(options.organization_id, query, timeout=options.timeout)
        stages = to_documents("filter_or_query", query)
        return self.tabular_data_by_mql(options.organization_id, stages, timeout=options.timeout)

    def _count_rows(self, filter: Any, options: RowOptions) -> int:
        _, count, _ = self.tabular_data_by_filter(
            filter,
            count_only=True,
            include_internal_data=options.include_internal_data,
            timeout=options.timeout,
        )
        return count


def _source_kind(source: Any) -> str:
    if source is None or isinstance(source, Message):
        return _FILTER
    # An open file is an iterator, too, and as likely as not the destination.
    is_rows = isinstance(source, Iterator) and not isinstance(source, io.IOBase)
    return _ROWS if is_rows else _QUERY


def _close(rows: Any) -> None:
    """Close rows that can be closed, such as those of a stream."""
    if hasattr(rows, "close"):
        rows.close()


def _require_fitting(source: Any, options: RowOptions) -> str:
    """Require that a source has no option that does not go with it, and return its kind."""
    worker_count(options.workers)
    kind = _source_kind(source)
    for name, value in options._asdict().items():
        if name not in _OPTIONS[kind] and value != RowOptions._field_defaults[name]:
            takers = " or ".join(each for each in _OPTIONS if name in _OPTIONS[each])
            raise ValueError(f"{name} goes with {takers}; filter_or_query is {kind}, {_REASONS[kind]}")
    return kind
