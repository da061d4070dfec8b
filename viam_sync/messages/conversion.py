"""Conversion between plain Python values and messages, in the functions that ``viam_sync.utils`` makes public."""

import inspect
import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Dict, List, Mapping, Optional, Type, TypeVar, Union

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import dictionary, is_number, string, time_zone, wrong_type, wrong_value
from viam_sync.checks.numbers import plain_number
from viam_sync.messages.explain import UNFIT
from viam_sync.messages.pool import pool
from viam_sync.messages.precision import warn_if_rounded
from viam_sync.messages.values import DEEPEST, JSON_KINDS, SMALL_ENOUGH, fits_double, struct_of, timestamp_of, too_deep

#: The package of a message or an enum in an error of protobuf, which is no word of Python.
_PACKAGE = r"\b(?:[a-z]\w*\.)+(?:v\d+|protobuf)\.(?=[A-Z])"
_EPOCH = datetime(1970, 1, 1)
_EPOCH_IN_UTC = _EPOCH.replace(tzinfo=timezone.utc)

#: What a Struct holds, as plain values of Python.
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
    # A page of readings is mostly this loop, and items() is slow here. A number or text that is true is the value.
    try:
        fields = struct.fields
    except AttributeError:
        raise wrong_type("struct", "a Struct", struct) from None
    try:
        return {
            name: (value := fields[name]).number_value or value.string_value or value_to_primitive(value)
            for name in fields
        }
    except UnicodeDecodeError:  # protobuf 4.22 parses such keys, and fails only when they are asked for
        raise ValueError("struct has a key that is no UTF-8, so the message that it came in is damaged") from None


def value_to_primitive(value: Value) -> Any:
    """Return a Value as None, a bool, a float, a str, a list or a dict.

    Args:
        value: The message.

    Raises:
        TypeError: If it is no Value.
    """
    try:
        kind = value.WhichOneof("kind")
    except (AttributeError, ValueError):
        raise wrong_type("value", "a Value", value) from None
    if kind == "struct_value":
        return struct_to_dict(value.struct_value)
    if kind == "list_value":
        return [item.number_value or item.string_value or value_to_primitive(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def primitive_to_value(v: Any) -> Value:
    """Return None, a bool, a number, a string, a list or a mapping of these as a Value.

    Args:
        v: The value; bytes become a string, which they must hold as UTF-8.

    Raises:
        TypeError: If it is something else.
        ValueError: If it holds itself or is too deep, or a number or text is one that no message holds.

    Example:
        >>> from viam_sync.utils import primitive_to_value
        >>> primitive_to_value(1).number_value
        1.0
    """
    return value_of(v, "v")


def value_of(primitive: Any, place: str, room: int = DEEPEST) -> Value:
    """Return a plain value as a Value; ``place`` is the name of the parameter, and the place of the value in it.

    Raises:
        TypeError: If a Value cannot be of its type.
        ValueError: If it has more than ``room`` dicts and lists within each other, or a number or text is one that no
            message holds.
    """
    if primitive is None:
        return Value(null_value=0)  # type: ignore[arg-type]
    if isinstance(primitive, (str, bytes)):
        return Value(string_value=_text(primitive, place))
    number = plain_number(primitive)
    if isinstance(number, bool):
        return Value(bool_value=number)
    if is_number(number):
        if not fits_double(number):
            raise wrong_value(place, SMALL_ENOUGH, number)
        warn_if_rounded(place, primitive)
        return Value(number_value=float(number))
    if isinstance(primitive, (Mapping, list, tuple)) and not room:
        raise too_deep(place)
    if isinstance(primitive, Mapping):
        named = dictionary(place, primitive).items()
        fields = {name: value_of(item, f"{place}[{name!r}]", room - 1) for name, item in named}
        return Value(struct_value=Struct(fields=fields))
    if isinstance(primitive, (list, tuple)):
        items = [value_of(item, f"{place}[{index}]", room - 1) for index, item in enumerate(primitive)]
        return Value(list_value=ListValue(values=items))
    raise wrong_type(place, JSON_KINDS, primitive)


def _text(text: Union[str, bytes], place: str) -> str:
    try:
        decoded = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{place} takes bytes that are text in UTF-8, got {len(text)} others") from None
    return string(place, decoded)


def dict_to_struct(obj: Optional[Mapping[str, Any]]) -> Struct:
    """Return a mapping as a Struct.

    Args:
        obj: The mapping, None for an empty one. Keys are strings; values are None, bools, numbers, strings, lists or
            mappings of these.

    Raises:
        TypeError: If it is no mapping, or a key of it is no string.
        ValueError: If a value is something else, or has no form in a Struct.

    Example:
        >>> from viam_sync.utils import dict_to_struct
        >>> dict_to_struct({"speed": 1})["speed"]
        1.0
    """
    if obj is None:
        return Struct()
    if not isinstance(obj, Mapping):
        raise wrong_type("obj", "a dict", obj)
    converted: Struct = struct_of(Struct, obj, "obj")
    return converted


def timestamp_to_datetime(timestamp: Timestamp, tz: Optional[tzinfo] = None) -> datetime:
    """Return a Timestamp as a datetime, cut to microseconds.

    Args:
        timestamp: The message; one that is not set is the start of 1970.
        tz: The time zone of the result, such as ``datetime.timezone.utc``; None for UTC without a time zone.

    Returns:
        The time. At the ends of the calendar, it is in UTC where it would be in the year 0 or 10000 in ``tz``.

    Raises:
        TypeError: If ``timestamp`` is no Timestamp, or ``tz`` no time zone.
        ValueError: If no calendar has the time.

    Example:
        >>> from datetime import timezone
        >>> from viam_sync.utils import timestamp_to_datetime
        >>> robot = client.app_client.get_robot(sandbox.robot_id)
        >>> timestamp_to_datetime(robot.last_access, timezone.utc).tzname()
        'UTC'
    """
    try:
        moment = (_EPOCH if tz is None else _EPOCH_IN_UTC) + timedelta(0, timestamp.seconds, timestamp.nanos // 1000)
    except AttributeError:
        raise wrong_type("timestamp", "a Timestamp", timestamp) from None
    except OverflowError:
        raise ValueError(f"no calendar has the time {timestamp.seconds} seconds after 1970") from None
    return moment if tz is None else in_zone(moment, time_zone("tz", tz))


def in_zone(moment: datetime, tz: tzinfo) -> datetime:
    """Return a time with a time zone in another one; as it is where it would be in the year 0 or 10000 there.

    Example:
        >>> from viam_sync.messages.conversion import in_zone
        >>> in_zone(datetime(2024, 1, 1, tzinfo=timezone.utc), timezone(timedelta(hours=1))).isoformat()
        '2024-01-01T01:00:00+01:00'
    """
    try:
        return moment.astimezone(tz)
    except OverflowError:
        return moment


def datetime_to_timestamp(dt: Optional[datetime]) -> Optional[Timestamp]:
    """Return a datetime as a Timestamp; one without a time zone is UTC, and None stays None.

    Args:
        dt: The time.

    Raises:
        TypeError: If it is no datetime.
        ValueError: If it is not in the years 1 to 9999 in UTC.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.utils import datetime_to_timestamp
        >>> datetime_to_timestamp(datetime(1970, 1, 2)).seconds
        86400
    """
    if dt is None:
        return None
    if not isinstance(dt, datetime):
        raise wrong_type("dt", "a datetime", dt)
    converted: Timestamp = timestamp_of(Timestamp, dt, "dt")
    return converted


def message_to_struct(message: Message) -> Struct:
    """Return a message as a Struct: its fields by their names in the schema, those not set included.

    Args:
        message: Any message.

    Raises:
        TypeError: If it is no message.
        ValueError: If something in it has no form in JSON, such as a time that no calendar has.

    Example:
        >>> from viam_sync.utils import message_to_struct
        >>> message_to_struct(pb.Robot(name="rover"))["name"]
        'rover'
    """
    if not isinstance(message, Message):
        raise wrong_type("message", "a message", message)
    from google.protobuf.json_format import Error, MessageToDict  # slow to load, and only of use here

    # The name of this option has changed in protobuf 5.26, and its old one is gone.
    option = "always_print_fields_with_no_presence"
    if option not in inspect.signature(MessageToDict).parameters:
        option = "including_default_value_fields"
    options: Dict[str, Any] = {option: True}
    try:
        fields = MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool(), **options)
    except (*UNFIT, Error) as error:
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
        raise wrong_type("message_type", "the class of a message", message_type)
    from google.protobuf.json_format import ParseDict, ParseError  # slow to load, and only of use here

    try:
        return ParseDict(struct_to_dict(struct), message_type())
    except ParseError as error:
        raise ParseError(without_packages(str(error))) from None


def without_packages(text: str) -> str:
    """Return the text of an error of protobuf with messages and enums as they are called in Python.

    Example:
        >>> from viam_sync.messages.conversion import without_packages
        >>> without_packages('Message type "viam.app.v1.Robot" has no field named "nme"')
        'Message type "Robot" has no field named "nme"'
    """
    return re.sub(_PACKAGE, "", text)
