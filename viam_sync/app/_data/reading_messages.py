"""Readings as messages: mappings from any iterable, and the rows of a pandas.DataFrame."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import IOBase
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Optional, Sequence, Sized, Tuple, Union

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from typing_extensions import Protocol, TypeAlias, TypeGuard

from viam_sync.app._data.arguments import request_time_fields
from viam_sync.checks import is_number, wrong_type
from viam_sync.messages.values import DEEPEST, struct_of, too_deep
from viam_sync.proto.app import datasync as pb


class Frame(Protocol):
    """A pandas.DataFrame, recognized without importing pandas."""

    @property
    def columns(self) -> Any:
        """Return the names of its columns."""

    @property
    def iloc(self) -> Any:
        """Return the indexer that takes row numbers."""

    @property
    def to_dict(self) -> Any:
        """Return the function that converts it to dicts."""


#: Readings to upload: a dict for each, or a ``pandas.DataFrame``.
Rows: TypeAlias = Union[Iterable[Mapping[str, Any]], Frame]
Times = Sequence[Tuple[datetime, datetime]]

#: The most bytes of readings in a message, far below the 32 MiB that the service takes, as a slow line must send them
#: in time.
_MESSAGE = 4 * 1024 * 1024
#: The number of rows of a DataFrame that are converted at a time.
_FRAME_ROWS = 1000


def reading_messages(rows: Rows, times: Optional[Times] = None) -> Iterator[pb.SensorData]:
    """Return the messages of tabular readings; those of a generator are made as they are asked for.

    Args:
        rows: The readings.
        times: When each was requested and received; None to leave it open.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If there are not as many times as readings, or a reading holds a value that no message can.

    Example:
        >>> from viam_sync.app._data.reading_messages import reading_messages
        >>> [reading.struct["celsius"] for reading in reading_messages({"celsius": each} for each in (20.5, 21))]
        [20.5, 21.0]
    """
    if times is not None and not isinstance(times, (list, tuple)):
        raise wrong_type("data_request_times", "a list", times)
    plain = _frame_rows(rows) if _is_frame(rows) else _iterable(rows)
    if times is not None and isinstance(rows, Sized) and len(rows) != len(times):
        raise _other_length(len(times), len(rows))
    messages = _messages(plain, times)
    # A list is checked as a whole before the first message is sent.
    return iter(list(messages)) if isinstance(rows, (list, tuple)) else messages


def message_batches(messages: Iterable[pb.SensorData]) -> Iterator[List[pb.SensorData]]:
    """Yield readings in lists that fit a message: a single empty one if there are none.

    Example:
        >>> from viam_sync.app._data.reading_messages import message_batches, reading_messages
        >>> [len(batch) for batch in message_batches(reading_messages([{"text": "x" * 3_000_000}] * 3))]
        [1, 1, 1]
    """
    batch: List[pb.SensorData] = []
    size, first = 0, True
    for message in messages:
        length = message.ByteSize()
        if batch and size + length > _MESSAGE:
            yield batch
            batch, size, first = [], 0, False
        batch.append(message)
        size += length
    if batch or first:
        yield batch


def _messages(rows: Iterable[Any], times: Optional[Times]) -> Iterator[pb.SensorData]:
    count = 0
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise wrong_type(f"tabular_data[{index}]", "a dict", row)
        struct = struct_of(Struct, row, f"tabular_data[{index}]")
        metadata = None
        if times is not None:
            if index >= len(times):
                raise _other_length(len(times), f"more than {index}")
            metadata = pb.SensorMetadata(**request_time_fields(f"data_request_times[{index}]", times[index]))
        count += 1
        yield pb.SensorData(metadata=metadata, struct=struct)
    if times is not None and count != len(times):
        raise _other_length(len(times), count)


def _other_length(times: int, rows: object) -> ValueError:
    return ValueError(f"data_request_times and tabular_data must have the same length, got {times} and {rows}")


def _iterable(rows: Any) -> Iterable[Any]:
    if isinstance(rows, (str, bytes, bytearray, memoryview, IOBase, Mapping, Message)) or not isinstance(
        rows, Iterable
    ):
        raise wrong_type("tabular_data", "an iterable of dicts or a DataFrame", rows)
    return rows


def _is_frame(rows: Rows) -> TypeGuard[Frame]:
    return all(hasattr(rows, name) for name in ("columns", "iloc", "to_dict"))


def _frame_rows(frame: Any) -> Iterator[Mapping[str, Any]]:
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"tabular_data has a column {name!r}; the columns of a DataFrame need names that are str")
    if len(set(names)) != len(names):
        raise ValueError(f"tabular_data has two columns of one name among {names}; rename one of them")
    for start in range(0, len(frame), _FRAME_ROWS):
        for index, row in enumerate(frame.iloc[start : start + _FRAME_ROWS].to_dict("records"), start):
            yield {name: _plain(value, f"tabular_data[{index}][{name!r}]") for name, value in row.items()}


def _plain(value: Any, where: str, room: int = DEEPEST) -> Any:
    """Return a value of a DataFrame as one that a message can hold."""
    if room < 0:
        raise too_deep(where)
    if value is None or isinstance(value, (str, bool)):
        return value
    if type(value).__name__ in ("NAType", "NaTType"):  # NA cannot be compared, and NaT is a datetime
        return None
    if is_number(value):
        return None if value != value else value
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    if isinstance(value, Mapping):
        return {name: _plain(item, f"{where}[{name!r}]", room - 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{index}]", room - 1) for index, item in enumerate(value)]
    if hasattr(value, "tolist"):  # a bool, a time or an array of numpy
        return _plain(_in_microseconds(value).tolist(), where, room - 1)
    raise ValueError(f"{where} is a {type(value).__name__}, which has no form in a message; convert that column first")


def _in_microseconds(value: Any) -> Any:
    """Return times of numpy in a unit of which it makes those of Python; nanoseconds would become numbers."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    return value.astype(f"{kind}8[us]") if kind in ("m", "M") else value


def _time_text(moment: datetime) -> str:
    # A time without a time zone is UTC, as everywhere in this package. A Timestamp of pandas keeps its nanoseconds.
    return moment.isoformat() + ("Z" if moment.tzinfo is None else "")


def _seconds(span: timedelta) -> float:
    # The method of the plain class would see none of a Timedelta of pandas 2 that does not count nanoseconds.
    return span.total_seconds()


_CONVERSIONS: Sequence[Tuple[type, Callable[[Any], Any]]] = (
    (datetime, _time_text),
    (date, date.isoformat),
    (timedelta, _seconds),
)
