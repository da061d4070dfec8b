"""Messages, records, and lists and dicts of them, as what JSON can hold, by the rules of proto JSON."""

import base64
import re
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any, Dict, Iterator, Mapping, Sequence
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import Error as JsonFormatError
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import wrong_key, wrong_type
from viam_sync.checks.numbers import boolean, plain_number
from viam_sync.checks.urls import redact_urls
from viam_sync.display.shown_fields import enum_name, inner_message, is_record, is_well_known, shown_fields
from viam_sync.messages.bson_documents import bson_text
from viam_sync.messages.explain import UNFIT, is_list, is_map
from viam_sync.messages.secret_fields import HIDDEN, is_secret
from viam_sync.messages.values import timestamp_of, value_to_message

_KINDS = "a message, a record of viam_sync, or a plain value, or a list or dict of these"
#: How many lists, dicts and records may be within each other, as many as in BSON.
_DEEPEST = 100
_FIRST_WORD = re.compile(r"[.\[]")
_NEXT_WORD = re.compile("_([a-z0-9])")


def to_dict(value: Any, *, secrets: bool = True) -> Any:
    """Return a message, a record or a page, or a list of these, as what ``json.dumps`` takes.

    The rules are those of proto JSON: names are in lowerCamelCase; whole numbers of 64 bits are text, and so are NaN
    and infinity; bytes are base64, times RFC 3339 in UTC, enums the names of their values; and what is not set is left
    out. Records follow them, too; their empty fields are None. Plain values within are converted by the same rules, and
    keys of a dict stay as they are.

    Args:
        value: The message, of this package or of another; the record; or a list, tuple or dict of these and of plain
            values, such as rows of a query.
        secrets: Whether secrets are in it: those of locations, of parts and of keys, and configurations, in which there
            may be some. False writes ``(hidden)`` in their place.

    Returns:
        A dict for a message, a record or a dict; a list for a list or a tuple.

    Raises:
        TypeError: If it is something else, such as an iterator, whose items would be used up; give ``list(value)``.
        ValueError: If something in it has no form in JSON, such as a time that no calendar has.

    Example:
        >>> import json, viam_sync
        >>> (rover,) = client.app_client.get_robot_parts(sandbox.robot_id)
        >>> json.dumps(viam_sync.to_dict(rover, secrets=False)["secret"])
        '"(hidden)"'
    """
    return _form(value, "value", boolean("secrets", secrets))


def _form(value: Any, place: str, secrets: bool, room: int = _DEEPEST) -> Any:
    if not room:
        name = _FIRST_WORD.split(place, 1)[0]
        raise ValueError(f"{name} has more than {_DEEPEST} lists and dicts within each other, or holds itself")
    if isinstance(value, Message):
        return message_form(value, place, secrets)
    if is_record(value):
        return _record_form(value, place, secrets, room)
    if isinstance(value, Mapping):
        return {_key(place, key): _form(item, f"{place}[{key!r}]", secrets, room - 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return [_form(item, f"{place}[{index}]", secrets, room - 1) for index, item in enumerate(value)]
    return _plain_form(value, place)


def _key(place: str, key: Any) -> Any:
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, (bool, int, float)):
        return key
    raise wrong_key(place, "a str", key)


def _plain_form(value: Any, place: str) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (str, PurePath, UUID)):
        return str(value)
    number = plain_number(value)
    if number is None or isinstance(number, (bool, int)):
        return number
    if isinstance(number, float):
        # Only proto JSON has names for the three numbers that JSON lacks.
        return number if number - number == 0 else {"nan": "NaN", "inf": "Infinity"}.get(str(number), "-Infinity")
    if isinstance(value, datetime):
        return timestamp_of(Timestamp, value, place).ToJsonString()
    if isinstance(value, timedelta):
        return value_to_message(Duration, value, place).ToJsonString()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, BaseException):
        return redact_urls(f"{type(value).__name__}: {value}")
    if type(value).__module__.partition(".")[0] == "bson":
        return bson_text(value)
    advice = "its items are used up as they are read; give list(value)" if isinstance(value, Iterator) else ""
    raise wrong_type(place, _KINDS, value, advice=advice)


def _record_form(record: Any, place: str, secrets: bool, room: int) -> Dict[str, Any]:
    message = getattr(record, "proto", None)
    if isinstance(message, Message):
        return message_form(message, place, secrets)  # type: ignore[no-any-return]
    form: Dict[str, Any] = {}
    for field in shown_fields(record):
        name = _NEXT_WORD.sub(lambda found: found[1].upper(), field.name)
        if field.secret and not secrets:
            form[name] = HIDDEN
        elif field.enum is not None:
            form[name] = enum_name(field.enum, field.value)
        else:
            form[name] = _form(field.value, f"{place}.{field.name}", secrets, room - 1)
    return form


def message_form(message: Message, place: str, secrets: bool) -> Any:
    """Return a message as proto JSON has it; ``place`` stands for it in errors.

    Raises:
        ValueError: If something in it has no form in JSON.
    """
    form = _converted(message, place)
    if not secrets and not is_well_known(message.DESCRIPTOR):
        _hide_secrets(form, message.DESCRIPTOR)
    return form


def _converted(message: Any, place: str) -> Any:
    try:
        return MessageToDict(message, descriptor_pool=message.DESCRIPTOR.file.pool)
    except (*UNFIT, JsonFormatError) as error:
        if message.DESCRIPTOR.full_name == "google.protobuf.Any":
            # The type is one that nobody here knows, as parameters of a method may be; its bytes are kept.
            return {"@type": message.type_url, "value": base64.b64encode(message.value).decode()}
        if is_well_known(message.DESCRIPTOR):
            raise ValueError(f"{place} has no form in JSON: {error}") from error
    return _converted_by_fields(message, place)


def _converted_by_fields(message: Any, place: str) -> Dict[str, Any]:
    """Return a message in which something has no form in proto JSON, so that all else has its own."""
    bare = type(message)()
    bare.CopyFrom(message)
    inner = [(field, value) for field, value in message.ListFields() if inner_message(field) is not None]
    for field, _ in inner:
        bare.ClearField(field.name)
    form: Dict[str, Any] = MessageToDict(bare)
    for field, value in inner:
        here = f"{place}.{field.name}"
        if is_map(field):
            form[field.json_name] = {str(key): _converted(value[key], f"{here}[{key!r}]") for key in value}
        elif is_list(field):
            form[field.json_name] = [_converted(item, f"{here}[{index}]") for index, item in enumerate(value)]
        else:
            form[field.json_name] = _converted(value, here)
    return form


def _hide_secrets(form: Dict[str, Any], descriptor: Any) -> None:
    for field in descriptor.fields:
        if field.json_name not in form:
            continue
        value, kind = form[field.json_name], inner_message(field)
        if is_secret(field):
            form[field.json_name] = HIDDEN
        elif kind is not None and not is_well_known(kind):
            for item in value.values() if is_map(field) else value if is_list(field) else [value]:
                _hide_secrets(item, kind)
