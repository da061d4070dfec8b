"""What a constructor says when it is given what does not fit: the runtimes of protobuf say little, each its own."""

import re
from types import TracebackType
from typing import Any, Mapping, Optional, Type

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

_WANTED = {
    FieldDescriptor.CPPTYPE_BOOL: "a bool",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
    FieldDescriptor.CPPTYPE_INT32: "a whole number of 32 bits",
    FieldDescriptor.CPPTYPE_INT64: "a whole number of 64 bits",
    FieldDescriptor.CPPTYPE_UINT32: "a whole number of 32 bits from 0 on",
    FieldDescriptor.CPPTYPE_UINT64: "a whole number of 64 bits from 0 on",
}

_SURROGATE = re.compile("[\ud800-\udfff]")
_PLACE = re.compile(r"\w+\.(?P<field>\w+)")


class naming:
    """Within this block, an argument that does not fit is named as the caller knows it, and not as its field.

    Args:
        parameters: For the name of a field, that of the parameter.

    Example:
        >>> from viam_sync.proto import app as pb
        >>> with naming(id="robot_id"):
        ...     pb.GetRobotRequest(id=5)
        Traceback (most recent call last):
        TypeError: robot_id takes a str, got 5
    """

    def __init__(self, **parameters: str) -> None:
        self._parameters = parameters

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if isinstance(error, (TypeError, ValueError)):
            place = _PLACE.match(str(error))
            if place and place["field"] in self._parameters:
                raise type(error)(self._parameters[place["field"]] + str(error)[place.end() :]) from None


def refuse_text(cls: Any, name: str, value: Any) -> None:
    """Refuse a text where a list is meant: it would be taken apart into its characters.

    Raises:
        TypeError: If ``value`` is a text; ``name`` is that of the field.
    """
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{_place(cls, name)} takes a list, got a {type(value).__name__}")


def clearer(cls: Any, values: Mapping[str, Any], error: Exception) -> Exception:
    """Return an exception that names the argument behind ``error``; ``error`` itself where that is not found."""
    if len(values) > 1:
        for name, value in values.items():
            try:
                cls(**{name: value})
            except (TypeError, ValueError) as found:
                return found
        return error
    for name, value in values.items():
        field = cls.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            return error
        place = _place(cls, name)
        if field.message_type is not None:
            is_map = field.message_type.GetOptions().map_entry
            return _in_map(place, field.message_type, value, error) if is_map else error
        if is_list(field):
            if not isinstance(value, (list, tuple)):
                return TypeError(f"{place} takes a list, got {given(value)}")
            place, value = next(((f"{place}[{i}]", v) for i, v in enumerate(value) if not _fits(cls, name, v)), ("", 0))
            if not place:
                return error
        kind = ValueError if isinstance(error, ValueError) else TypeError
        return kind(f"{place} takes {_wanted(field)}, got {given(value)}")
    return error


def _in_map(place: str, entry: Descriptor, values: Mapping[Any, Any], error: Exception) -> Exception:
    cls = GetMessageClass(entry)
    for key, value in values.items():
        for what, held in (("key", key), ("value", value)):
            try:
                cls(**{what: held})
            except (TypeError, ValueError) as found:
                kind = ValueError if isinstance(found, ValueError) else TypeError
                where = f"a key of {place}" if what == "key" else f"{place}[{key!r}]"
                return kind(f"{where} {str(clearer(cls, {what: held}, found)).partition(' ')[2]}")
    return error


def _fits(cls: Any, name: str, item: Any) -> bool:
    message = cls()
    try:
        getattr(message, name).append(item)
    except (TypeError, ValueError):
        return False
    return True


def is_list(field: FieldDescriptor) -> bool:
    """Tell whether a field, which holds no messages, holds a list."""
    return not field.has_presence and type(field.default_value) is list


def _place(cls: Any, name: str) -> str:
    return f"{cls.DESCRIPTOR.name}.{name}"


def _wanted(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return f"a value of {field.enum_type.name}"
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return "bytes" if field.type == FieldDescriptor.TYPE_BYTES else "a str"
    return _WANTED[field.cpp_type]


def is_text(value: Any) -> bool:
    """Tell whether a value is a str that UTF-8 can hold."""
    return isinstance(value, str) and not _SURROGATE.search(value)


def given(value: Any) -> str:
    """Describe what was given, without showing what may be a secret."""
    if isinstance(value, str) and not is_text(value):
        return "a str with a lone surrogate, which is half a character"
    # A number is no secret, and seeing it helps; a text may be one.
    return repr(value) if isinstance(value, (bool, int, float)) else f"a {type(value).__name__}"
