"""Lists, messages, records and results as tables of short texts and pictures."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from google.protobuf.message import Message

from viam_sync.display.cells import Look, cell_text, field_text
from viam_sync.display.shown_fields import ShownField, is_record, is_well_known, shown_field, shown_fields
from viam_sync.display.thumbnails import Picture, picture_of
from viam_sync.transfer.output.flatten import flatten

Cell = Union[str, Picture]

#: The number of rows that are shown of a table, and of one with pictures.
_MOST_ROWS, _MOST_PICTURES = 50, 20
_MOST_COLUMNS = 8

#: The columns of lists, by the type of their items; a dot leads into a message.
_COLUMNS: Mapping[str, str] = {
    "APIKeyWithAuthorizations": "api_key.name api_key.id api_key.key api_key.created_on authorizations",
    "BinaryData": (
        "picture metadata.file_name metadata.capture_metadata.robot_name metadata.capture_metadata.component_name"
        " metadata.time_requested metadata.file_size_bytes metadata.capture_metadata.tags metadata.binary_data_id"
    ),
    "Dataset": "name id type organization_id time_created",
    "DataPipeline": "name id schedule enabled created_on updated_at",
    "DataPipelineRun": "id status start_time end_time data_start_time data_end_time error_message",
    "ExportedFile": "path size already_there metadata_updated error id",
    "Fragment": "name id visibility organization_name robot_part_count created_on last_updated",
    "Location": "name id parent_location_id robot_count created_on",
    "LogEntry": "time level logger_name message host",
    "Organization": "name id public_namespace default_region created_on",
    "Robot": "name id location last_access created_on",
    "RobotPart": "name id robot main_part last_access fqdn",
    "TabularData": "time_requested metadata.robot_name metadata.component_name metadata.method_name data",
    "TabularDataPoint": "time_captured robot_name resource_name method_name payload",
    "TrainingJobMetadata": "model_name id status dataset_id created_on training_ended",
    "UploadResult": "path already_sent error id",
}
#: The fields whose values become columns of their own.
_SPREAD = ("data", "payload")


class Table(NamedTuple):
    """A table.

    Attributes:
        columns: The names of its columns; empty for the fields of one thing, of which each has a row.
        rows: Its rows.
        total: The number of rows that it would have in full.
        title: Stands above it.
    """

    columns: Sequence[str]
    rows: List[List[Cell]]
    total: int
    title: str = ""


#: A table, or a line of text.
Block = Union[Table, str]


def blocks_of(value: Any, look: Look) -> List[Block]:
    """Return how a value is shown, from top to bottom.

    Example:
        >>> from viam_sync.display.cells import Look
        >>> from viam_sync.display.tables import blocks_of
        >>> (table,) = blocks_of(client.app_client.list_organizations(), Look())
        >>> table.title, table.columns[0], table.rows[0][0]
        ('Organization (1)', 'name', 'Lesson Robotics')
    """
    if isinstance(value, (list, tuple)) and not is_record(value):
        if value and all(map(_is_row, value)):
            return [_table(value, look)]
        if _has_rows(value):
            return [block for item in value for block in blocks_of(item, look)]
        return [cell_text(value, look) or "an empty list"]
    if isinstance(value, Message) and not is_well_known(value.DESCRIPTOR):
        return [_fields_table(value, look)]
    if not is_record(value):
        return [cell_text(value, look)]
    held = next((items for items in (getattr(value, name, None) for name in ("files", "runs")) if items), None)
    return [_fields_table(value, look)] if held is None else [repr(value), _table(held, look)]


def _is_row(item: Any) -> bool:
    return isinstance(item, (Message, Mapping)) or is_record(item)


def _has_rows(values: Sequence[Any]) -> bool:
    return any(_is_row(item) or isinstance(item, list) for item in values)


def _table(items: Sequence[Any], look: Look) -> Table:
    kind = type(items[0]).__name__ if len({type(item) for item in items[:_MOST_ROWS]}) == 1 else "item"
    pictures = kind == "BinaryData" and any(item.binary for item in items[:_MOST_ROWS])
    shown = items[: _MOST_PICTURES if pictures else _MOST_ROWS]
    rows = [dict(_cells(item, _COLUMNS.get(kind, "").split(), look)) for item in shown]
    columns = _used_columns(rows)
    title = f"{'rows' if kind == 'dict' else kind} ({len(items):,})"
    return Table(columns, [[row.get(column, "") for column in columns] for row in rows], len(items), title)


def _used_columns(rows: Sequence[Mapping[str, Cell]]) -> List[str]:
    """Return the columns that any row has something in, in their order, as many as fit."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if any(row.get(name, "") != "" for row in rows)][:_MOST_COLUMNS]


def _cells(item: Any, paths: Sequence[str], look: Look) -> Iterator[Tuple[str, Cell]]:
    if isinstance(item, Mapping) and not isinstance(item, Message):
        yield from ((name, cell_text(value, look)) for name, value in flat_row(item).items())
        return
    for path in paths or [field.name for field in shown_fields(item)]:
        if path == "picture":
            yield path, picture_of(item) or ""
            continue
        field = _field_at(item, path)
        if path in _SPREAD and field is not None and isinstance(field.value, Mapping):
            yield from ((name, cell_text(value, look)) for name, value in flat_row(field.value).items())
        else:
            yield path.rpartition(".")[2], "" if field is None else field_text(field, look)


def flat_row(row: Mapping[Any, Any]) -> Dict[str, Any]:
    """Return a row whose nested objects are values with dotted names, or the row itself if that cannot be."""
    named = {str(key): value for key, value in row.items()}
    try:
        return flatten(named)
    except TypeError:  # an object within has keys that are no text
        return named


def _field_at(item: Any, path: str) -> Optional[ShownField]:
    field: Optional[ShownField] = None
    for name in path.split("."):
        field = shown_field(item, name)
        if field is None:
            return None
        item = field.value
    return field


def _fields_table(value: Any, look: Look) -> Table:
    rows: List[List[Cell]] = [[name, text] for name, text in _lines(value, "", look)]
    picture = picture_of(value)
    if picture is not None:
        rows = [[name, picture if name == "binary" else cell] for name, cell in rows]
    return Table((), rows, len(rows), type(value).__name__)


def _lines(value: Any, prefix: str, look: Look) -> Iterator[Tuple[str, str]]:
    for field in shown_fields(value):
        inner = field.value
        opened = isinstance(inner, Message) and not is_well_known(inner.DESCRIPTOR)
        if (opened or is_record(inner)) and not field.secret:
            yield from _lines(inner, f"{prefix}{field.name}.", look)
        else:
            text = field_text(field, look)
            if text:
                yield prefix + field.name, text
