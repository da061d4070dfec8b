"""What a method or a constructor says of what does not fit: the runtimes of protobuf say little, each its own."""

import math
import re
from functools import lru_cache
from types import TracebackType
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
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

#: What protobuf raises for what does not fit.
UNFIT = (TypeError, ValueError, OverflowError)
#: More workers do not make anything faster, and each has a thread.
_MOST_WORKERS = 64
#: A number that is longer is not written out, which for a huge one Python refuses.
_MOST_BITS = 256
_LONGEST_WORD = 100
#: The clock of grpc ends in the year 2262; of what would be over later it says at once that it is.
MOST_SECONDS = 10**9

_SURROGATE = re.compile("[\ud800-\udfff]")
_ID = re.compile(r"(?:.*_)?id(?P<several>s?)(?:_.*)?")
_PLACE = re.compile(r"\w+\.(?P<field>\w+)")


class parameter_names:
    """Within this block, an argument that does not fit is named as the caller knows it, and not as its field.

    Args:
        parameters: For the name of a field, that of the parameter.

    Example:
        >>> from viam_sync.proto import app as pb
        >>> with parameter_names(id="robot_id"):
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


def require(**values: Any) -> None:
    """Refuse what a method cannot do with: None, an ID that can be none, and a number that is none.

    Args:
        values: The arguments, by the names of the parameters. Which of them are IDs, their names tell.

    Raises:
        TypeError: If one is None, or an ID is no text.
        ValueError: If an ID is empty or has NUL or half a character in it, or a number is infinite or NaN.

    Example:
        >>> require(location_id="")
        Traceback (most recent call last):
        ValueError: location_id is an empty string; it takes an ID
    """
    for name, value in values.items():
        if value is None:
            raise TypeError(f"{name} takes a value, got None")
        kind = _id_kind(name)
        if kind == "id":
            _require_id(name, value)
        elif kind == "ids" and isinstance(value, (list, tuple)):
            for index, each in enumerate(value):
                _require_id(f"{name}[{index}]", each)
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} takes a number, got {value}")


def require_seconds(name: str, value: Optional[float]) -> None:
    """Refuse what is no span of time; None is no limit, and what is over has a span of none or less.

    Raises:
        TypeError: If it is no number; ``name`` is that of the parameter.
        ValueError: If it is NaN, or more than grpc can count.
    """
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} takes a number of seconds, got {redact(value)}")
    if not value <= MOST_SECONDS:
        raise ValueError(f"{name} takes up to {MOST_SECONDS} seconds, or None for the usual limit, got {redact(value)}")


@lru_cache(maxsize=None)
def _id_kind(parameter: str) -> str:
    found = _ID.fullmatch(parameter)
    return f"id{found['several']}" if found else ""


def _require_id(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} takes a str, got {redact(value)}")
    if not value:
        raise ValueError(f"{name} is an empty string; it takes an ID")
    if "\0" in value or not is_text(value):
        raise ValueError(f"{name} takes an ID, got a text with NUL or half a character in it")


def as_list(place: str, value: Any) -> Any:
    """Return what is given for a list, with all its items there: those of an iterator can only be looked at once.

    Raises:
        TypeError: If ``value`` is a text, or a mapping, which would be taken apart; ``place`` names the field.
        ValueError: If it cannot be gone through, such as a file that is closed.
    """
    if isinstance(value, (list, tuple, type(None))):
        return value
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"{place} takes a list, got {redact(value)}")
    try:
        return list(value)
    except (TypeError, ValueError) as error:
        raise kind_of(error)(f"{place} takes a list, got {redact(value)}: {error}") from error


def refuse_surrogates(cls: Any, name: str, value: Any) -> None:
    """Refuse half a character for a value of an enum: the fastest runtime of protobuf crashes at it.

    Raises:
        ValueError: If ``value`` is a text with one, or a list that has such a text; ``name`` is that of the field.
    """
    for each in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(each, str) and not is_text(each):
            raise ValueError(
                f"{_place(cls, name)} takes {_wanted(cls.DESCRIPTOR.fields_by_name[name])}, got {redact(each)}"
            )


def kind_of(error: Exception) -> Type[Exception]:
    """Return which of the two errors of a bad argument one from below stands for."""
    return ValueError if isinstance(error, (OverflowError, ValueError)) else TypeError


def explain(cls: Any, values: Mapping[str, Any], error: Exception) -> Exception:
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
                return TypeError(f"{place} takes a list, got {redact(value)}")
            place, value = next(((f"{place}[{i}]", v) for i, v in enumerate(value) if not _fits(cls, name, v)), ("", 0))
            if not place:
                return error
        return kind_of(error)(f"{place} takes {_wanted(field)}, got {redact(value)}")
    return error


def _in_map(place: str, entry: Descriptor, values: Mapping[Any, Any], error: Exception) -> Exception:
    cls = GetMessageClass(entry)
    for key, value in values.items():
        for what, held in (("key", key), ("value", value)):
            try:
                cls(**{what: held})
            except UNFIT as found:
                where = f"a key of {place}" if what == "key" else f"{place}[{key!r}]"
                return kind_of(found)(f"{where} {str(explain(cls, {what: held}, found)).partition(' ')[2]}")
    return error


def _fits(cls: Any, name: str, item: Any) -> bool:
    message = cls()
    try:
        getattr(message, name).append(item)
    except UNFIT:
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
    return isinstance(value, str) and (value.isascii() or not _SURROGATE.search(value))


def describe(value: Any) -> str:
    """Describe what was given where a word is wanted, which is no secret."""
    return repr(value) if isinstance(value, str) and len(value) <= _LONGEST_WORD else redact(value)


def redact(value: Any) -> str:
    """Describe what was given, without showing what may be a secret."""
    if isinstance(value, str) and not is_text(value):
        return "a str with a lone surrogate, which is half a character"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"a number of {value.bit_length()} bits"
    # A number is no secret, and seeing it helps; a text may be one.
    return repr(value) if isinstance(value, (bool, int, float, type(None))) else f"a {type(value).__name__}"


def texts(name: str, values: Sequence[str]) -> List[str]:
    """Return a list of strings that may not be empty.

    Args:
        name: What the caller knows the list as.
        values: The list.

    Raises:
        TypeError: If it is no list, or something in it is no string.
        ValueError: If it is empty.

    Example:
        >>> from viam_sync.checks import texts
        >>> texts("tags", ("red", "round"))
        ['red', 'round']
    """
    items = as_items(name, values, "strings")
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise TypeError(f"{name}[{index}] takes a str, got a {type(item).__name__}")
    return items


def share(name: str, value: Optional[float]) -> Optional[float]:
    """Return a number from 0 to 1; None stays None.

    Raises:
        TypeError: If it is no number; ``name`` is what the caller knows it as.
        ValueError: If it is outside [0, 1].
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} takes a number from 0 to 1, got a {type(value).__name__}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name} takes a number from 0 to 1, got {redact(value)}")
    return value


def text(name: str, value: str) -> str:
    """Return a string that may not be empty.

    Raises:
        TypeError: If it is no string; ``name`` is what the caller knows it as.
        ValueError: If it is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} takes a str, got a {type(value).__name__}")
    if not value:
        raise ValueError(f"{name} is an empty string")
    require(**{name: value})
    return value


def worker_count(workers: int) -> int:
    """Return how many workers there may be at a time.

    Raises:
        TypeError: If that is no whole number.
        ValueError: If it is outside 1 to 64.

    Example:
        >>> from viam_sync.checks import worker_count
        >>> worker_count(8)
        8
    """
    return whole("workers", workers, 1, _MOST_WORKERS)


def whole(name: str, value: int, least: int, most: int) -> int:
    """Return a whole number that is within a range.

    Args:
        name: What the caller knows it as.
        value: The number.
        least: The least that it may be.
        most: The most that it may be.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is outside of the range.

    Example:
        >>> from viam_sync.checks import whole
        >>> whole("page_size", 500, 1, 100)
        Traceback (most recent call last):
        ValueError: page_size takes a number from 1 to 100, got 500
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} takes an int, got {redact(value)}")
    if not least <= value <= most:
        raise ValueError(f"{name} takes a number from {least} to {most}, got {redact(value)}")
    return value


def as_items(name: str, values: Any, what: str) -> List[Any]:
    """Return the items of a list of ``what``, which may not be empty.

    Raises:
        TypeError: If it is no list; ``name`` is that of the parameter.
        ValueError: If it is empty.
    """
    if isinstance(values, (str, bytes, bytearray, dict, Message)):
        raise TypeError(f"{name} takes a list of {what}, got {describe_kind(values)}")
    try:
        items = list(values)
    except (TypeError, ValueError) as error:  # such as a file that is closed
        raise TypeError(f"{name} takes a list of {what}, got {describe_kind(values)}") from error
    if not items:
        raise ValueError(f"{name} is an empty list; give at least one")
    return items


def describe_kind(value: Any) -> str:
    """Describe what was given by its type alone, and the types of what it holds."""
    if isinstance(value, (tuple, list)):
        kinds: Tuple[str, ...] = tuple(type(item).__name__ for item in value)
        return f"a {type(value).__name__} of ({', '.join(kinds)})"
    return f"a {type(value).__name__}"
