"""Helpers for scripts: between plain Python values and messages."""

from __future__ import annotations

import copy
import inspect
from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from google.protobuf.json_format import Error as JsonFormatError
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import UNFIT, is_text, parameter_names, redact
from viam_sync.messages.pool import adopt, pool
from viam_sync.messages.values import DEEPEST, StructLike, TimestampLike, struct_of, timestamp_of
from viam_sync.proto.app import data as data_pb

_EPOCH = datetime(1970, 1, 1)
_SECOND = 1_000_000_000  # in nanoseconds
#: More parts than anyone has workers for would only fill the memory.
_MOST_PARTS = 100_000

ValueTypes = Union[None, bool, float, str, List["ValueTypes"], Mapping[str, "ValueTypes"]]

M = TypeVar("M", bound=Message)


def struct_to_dict(struct: Struct) -> Dict[str, Any]:
    """Return a Struct as a dict.

    Args:
        struct: The message, ours or that of ``google.protobuf``.

    Returns:
        Its fields. Numbers are floats, as a Struct knows no others; null is None.

    Example:
        >>> from viam_sync.utils import dict_to_struct, struct_to_dict
        >>> struct_to_dict(dict_to_struct({"speeds": [1, None]}))
        {'speeds': [1.0, None]}
    """
    # A page of readings is mostly this loop, and items() is slow here. What is true tells its kind by itself.
    try:
        fields = struct.fields
    except AttributeError:
        raise TypeError(f"struct takes a Struct, got {redact(struct)}") from None
    try:
        return {
            name: (value := fields[name]).number_value or value.string_value or value_to_primitive(value)
            for name in fields
        }
    except UnicodeDecodeError:  # the first runtimes of our range read such keys, and fail when they are asked for
        raise ValueError("struct has a key that is no UTF-8, so the message that it came in is damaged") from None


def value_to_primitive(value: Value) -> Any:
    """Return a Value as None, a bool, a float, a str, a list or a dict.

    Raises:
        TypeError: If it is no Value.
    """
    try:
        kind = value.WhichOneof("kind")
    except (AttributeError, ValueError):
        raise TypeError(f"value takes a Value, got {redact(value)}") from None
    if kind == "struct_value":
        return struct_to_dict(value.struct_value)
    if kind == "list_value":
        return [item.number_value or item.string_value or value_to_primitive(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def primitive_to_value(primitive: Any) -> Value:
    """Return None, a bool, a number, a string, a list or a mapping of these as a Value.

    Args:
        primitive: The value; bytes become a string, which they must hold as UTF-8.

    Raises:
        TypeError: If it is something else.
        ValueError: If it holds itself or is too deep, or a number or text is one that no message holds.

    Example:
        >>> from viam_sync.utils import primitive_to_value
        >>> primitive_to_value(1).number_value
        1.0
    """
    return _value(primitive, "primitive", DEEPEST)


def _value(primitive: Any, place: str, room: int) -> Value:
    if primitive is None:
        return Value(null_value=0)  # type: ignore[arg-type]
    if isinstance(primitive, bool):
        return Value(bool_value=primitive)
    if isinstance(primitive, (int, float)):
        try:
            return Value(number_value=primitive)
        except OverflowError:
            raise ValueError(f"{place} takes a number of up to 308 digits, got {redact(primitive)}") from None
    if isinstance(primitive, (str, bytes)):
        return Value(string_value=_text(primitive, place))
    if isinstance(primitive, (Mapping, list, tuple)) and not room:
        text = f"takes up to {DEEPEST} dicts and lists within each other; this has more, or holds itself"
        raise ValueError(f"{place.partition('[')[0]} {text}")
    if isinstance(primitive, Mapping):
        wrong = next((name for name in primitive if not is_text(name)), None)
        if wrong is not None:
            raise TypeError(f"{place} takes a dict whose keys are texts, got the key {redact(wrong)}")
        fields = {name: _value(item, f"{place}[{name!r}]", room - 1) for name, item in primitive.items()}
        return Value(struct_value=Struct(fields=fields))
    if isinstance(primitive, (list, tuple)):
        items = [_value(item, f"{place}[{index}]", room - 1) for index, item in enumerate(primitive)]
        return Value(list_value=ListValue(values=items))
    raise TypeError(f"{place} takes None, a bool, a number, a str, a list or a dict, got {redact(primitive)}")


def _text(text: Union[str, bytes], place: str) -> str:
    try:
        decoded = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{place} takes bytes that are text in UTF-8, got {len(text)} others") from None
    if not is_text(decoded):
        raise ValueError(f"{place} takes a str, got {redact(decoded)}")
    return decoded


def dict_to_struct(mapping: Mapping[str, Any]) -> Struct:
    """Return a mapping as a Struct.

    Args:
        mapping: Keys are strings; values are None, bools, numbers, strings, lists or mappings of these.

    Raises:
        TypeError: If it is no mapping, or a key of it is no string.
        ValueError: If a value is something else, or has no form in a Struct.

    Example:
        >>> from viam_sync.utils import dict_to_struct
        >>> dict_to_struct({"speed": 1})["speed"]
        1.0
    """
    if not isinstance(mapping, Mapping):
        raise TypeError(f"mapping takes a mapping, got {redact(mapping)}")
    converted: Struct = struct_of(Struct, mapping, "mapping")
    return converted


def timestamp_to_datetime(timestamp: Timestamp) -> datetime:
    """Return a Timestamp as a datetime in UTC without a time zone, cut to microseconds.

    Raises:
        TypeError: If it is no Timestamp.
        ValueError: If no calendar has it.

    Example:
        >>> from viam_sync.utils import datetime_to_timestamp, timestamp_to_datetime
        >>> timestamp_to_datetime(datetime_to_timestamp(datetime(2024, 1, 1)))
        datetime.datetime(2024, 1, 1, 0, 0)
    """
    try:
        return _EPOCH + timedelta(0, timestamp.seconds, timestamp.nanos // 1000)
    except AttributeError:
        raise TypeError(f"timestamp takes a Timestamp, got {redact(timestamp)}") from None
    except OverflowError:
        raise ValueError(f"no calendar has the time {timestamp.seconds} seconds after 1970") from None


def datetime_to_timestamp(moment: Optional[datetime]) -> Optional[Timestamp]:
    """Return a datetime as a Timestamp; one without a time zone is UTC, and None stays None.

    Raises:
        TypeError: If it is no datetime.
        ValueError: If it is not in the years 1 to 9999 in UTC.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.utils import datetime_to_timestamp
        >>> datetime_to_timestamp(datetime(1970, 1, 2)).seconds
        86400
    """
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise TypeError(f"moment takes a datetime, got {redact(moment)}")
    converted: Timestamp = timestamp_of(Timestamp, moment, "moment")
    return converted


def message_to_struct(message: Message) -> Struct:
    """Return a message as a Struct: its fields by their names in the schema, those not set included.

    Raises:
        TypeError: If it is no message.
        ValueError: If something in it has no form in JSON, such as a time that no calendar has.

    Example:
        >>> from viam_sync.utils import message_to_struct
        >>> message_to_struct(pb.Robot(name="rover"))["name"]
        'rover'
    """
    if not isinstance(message, Message):
        raise TypeError(f"message takes a message, got {redact(message)}")
    # The name of this option has changed in protobuf 5.26, and its old one is gone.
    option = "always_print_fields_with_no_presence"
    if option not in inspect.signature(MessageToDict).parameters:
        option = "including_default_value_fields"
    options: Dict[str, Any] = {option: True}
    try:
        fields = MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool(), **options)
    except (*UNFIT, JsonFormatError) as error:
        raise ValueError(f"message has no form in JSON: {error}") from error
    converted: Struct = struct_of(Struct, fields, "message")
    return converted


def struct_to_message(struct: Struct, message_type: Type[M]) -> M:
    """Return a Struct as a message.

    Args:
        struct: Holds the fields by their names in the schema.
        message_type: The class of the message.

    Raises:
        TypeError: If an argument is of the wrong type.
        google.protobuf.json_format.ParseError: If the message has no such field, or a value does not fit one.

    Example:
        >>> from viam_sync.utils import dict_to_struct, struct_to_message
        >>> struct_to_message(dict_to_struct({"name": "rover"}), pb.Robot).name
        'rover'
    """
    if not (isinstance(message_type, type) and issubclass(message_type, Message)):
        raise TypeError(f"message_type takes the class of a message, got {redact(message_type)}")
    return ParseDict(struct_to_dict(struct), message_type())


def create_filter(
    component_name: Optional[str] = None,
    component_type: Optional[str] = None,
    method: Optional[str] = None,
    robot_name: Optional[str] = None,
    robot_id: Optional[str] = None,
    part_name: Optional[str] = None,
    part_id: Optional[str] = None,
    location_ids: Optional[Sequence[str]] = None,
    organization_ids: Optional[Sequence[str]] = None,
    mime_type: Optional[Sequence[str]] = None,
    start_time: Optional[datetime] = None,
    end_time: Optional[datetime] = None,
    tags: Optional[Sequence[str]] = None,
    bbox_labels: Optional[Sequence[str]] = None,
    dataset_id: Optional[str] = None,
) -> data_pb.Filter:
    """Return a filter for captured data: it must match all that is given.

    Args:
        component_name: Name of the component or service.
        component_type: Its type as it was uploaded: both ``camera`` and ``rdk:component:camera`` occur.
        method: Name of the captured method, such as ``Readings``.
        robot_name: Name of the machine.
        robot_id: ID of the machine, a UUID.
        part_name: Name of the part.
        part_id: ID of the part, a UUID.
        location_ids: IDs of locations, ten lowercase letters and digits each; one of them must be that of the data.
        organization_ids: IDs of organizations, UUIDs; one of them must be that of the data.
        mime_type: MIME types, such as ``image/png``; the data must have one of them.
        start_time: Only data from this time on; without a time zone it is UTC.
        end_time: Only data before this time; without a time zone it is UTC.
        tags: Tags; the data must have one of them.
        bbox_labels: Labels of bounding boxes; the image must have a box with one of them.
        dataset_id: ID of the dataset that the data must be in, 24 hexadecimal digits.

    Returns:
        The filter.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a text or a time is one that no message holds.

    Example:
        >>> from viam_sync.utils import create_filter
        >>> create_filter(component_name="camera", tags=["night"]).component_name
        'camera'
    """
    interval = None
    if start_time is not None or end_time is not None:
        with parameter_names(start="start_time", end="end_time"):
            interval = data_pb.CaptureInterval(start=start_time, end=end_time)
    return data_pb.Filter(
        component_name=component_name,
        component_type=component_type,
        method=method,
        robot_name=robot_name,
        robot_id=robot_id,
        part_name=part_name,
        part_id=part_id,
        location_ids=location_ids,
        organization_ids=organization_ids,
        mime_type=mime_type,
        interval=interval,
        tags_filter=data_pb.TagsFilter(tags=tags),
        bbox_labels=bbox_labels,
        dataset_id=dataset_id,
    )


def partition_filter(filter: data_pb.Filter, n: int) -> List[data_pb.Filter]:
    """Return filters that share the time range of one: each match of that one matches exactly one of them.

    Args:
        filter: What to split; it needs a start and an end, and stays as it is.
        n: How many filters to make of it, up to 100,000.

    Returns:
        The filters, in the order of their times: each ends, exact to the microsecond, where the next one starts. All
        else is as in the filter.

    Raises:
        TypeError: If ``filter`` is no filter, or ``n`` no whole number.
        ValueError: If the filter lacks a start or an end, the end is not after the start, ``n`` is below 1 or above
            100,000, or the range has fewer than ``n`` microseconds.

    Example:
        >>> from viam_sync.utils import create_filter, partition_filter
        >>> day = create_filter(start_time=datetime(2024, 1, 1), end_time=datetime(2024, 1, 2))
        >>> [str(timestamp_to_datetime(part.interval.start)) for part in partition_filter(day, 2)]
        ['2024-01-01 00:00:00', '2024-01-01 12:00:00']
    """
    filter = adopt(data_pb.Filter, filter, "filter")
    if not isinstance(filter, data_pb.Filter):
        raise TypeError(f"filter takes a Filter, got a {type(filter).__name__}; make one with create_filter")
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"n takes a whole number, got a {type(n).__name__}")
    missing = [name for name in ("start", "end") if not filter.interval.HasField(name)]
    if missing:
        raise ValueError(f"filter has no {missing[0]}; give create_filter both start_time and end_time")
    start, end = _nanoseconds(filter.interval.start), _nanoseconds(filter.interval.end)
    if end <= start:
        raise ValueError("filter ends before it starts, or at the same time; end_time must be after start_time")
    longest = (end - start) // 1000
    most = min(longest, _MOST_PARTS)
    if not 1 <= n <= most:
        why = ", as the range has that many microseconds" if most == longest else ""
        raise ValueError(f"n takes a number from 1 to {most}{why}, got {redact(n)}")
    parts = [copy.deepcopy(filter) for _ in range(n)]
    for number in range(1, n):
        seconds, nanos = divmod((start + (end - start) * number // n) // 1000 * 1000, _SECOND)
        for edge in (parts[number - 1].interval.end, parts[number].interval.start):
            edge.seconds, edge.nanos = seconds, nanos
    return parts


def _nanoseconds(timestamp: Timestamp) -> int:
    return timestamp.seconds * _SECOND + timestamp.nanos


__all__ = [
    "ListValue",
    "StructLike",
    "TimestampLike",
    "ValueTypes",
    "create_filter",
    "datetime_to_timestamp",
    "dict_to_struct",
    "message_to_struct",
    "partition_filter",
    "primitive_to_value",
    "struct_to_dict",
    "timestamp_to_datetime",
    "struct_to_message",
    "value_to_primitive",
]
