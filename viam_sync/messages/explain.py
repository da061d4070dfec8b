"""Explain which argument of a constructor does not fit: the runtimes of protobuf say little, and each its own."""

from typing import Any, Iterable, Mapping, Optional, Tuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from viam_sync.checks import misfit_text, parameter_names, type_of, wrong_key
from viam_sync.checks.descriptions import is_text, redact, with_article
from viam_sync.checks.near_names import any_of, near_first

#: The errors that protobuf raises for a value that does not fit; the last one comes from the Python runtime, which
#: writes the value out, however deep it is.
UNFIT = (TypeError, ValueError, OverflowError, RecursionError)

_KINDS = {
    FieldDescriptor.CPPTYPE_BOOL: "a bool",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
    FieldDescriptor.CPPTYPE_INT32: f"an int from {-(2**31)} to {2**31 - 1}",
    FieldDescriptor.CPPTYPE_INT64: f"an int from {-(2**63)} to {2**63 - 1}",
    FieldDescriptor.CPPTYPE_UINT32: f"an int from 0 to {2**32 - 1}",
    FieldDescriptor.CPPTYPE_UINT64: f"an int from 0 to {2**64 - 1}",
}
#: What to give for messages that nobody makes by their class.
_PLAIN_KINDS = {
    "google.protobuf.Timestamp": "a datetime",
    "google.protobuf.Duration": "a timedelta",
    "google.protobuf.Struct": "a dict",
    "google.protobuf.Value": "a Value, as viam_sync.utils.primitive_to_value(…) returns",
    "viam.app.data.v1.Filter": "a Filter, as viam_sync.utils.create_filter(…) returns",
}
#: How to read messages that are no values of Python.
_READERS = {
    "google.protobuf.Timestamp": "ToDatetime() returns a datetime",
    "google.protobuf.Duration": "ToTimedelta() returns a timedelta",
    "google.protobuf.Struct": "viam_sync.utils.struct_to_dict(…) returns a dict",
}


def explain(cls: Any, values: Mapping[str, Any], error: Exception) -> Exception:
    """Return an exception that names the argument behind ``error``; ``error`` itself where that is not found.

    Args:
        cls: The class of the message.
        values: The arguments of its constructor.
        error: What that has raised.
    """
    if len(values) != 1:
        alone: Iterable[Optional[Exception]] = (_failure(cls, {name: value}) for name, value in values.items())
        return next(filter(None, alone), error)
    ((name, value),) = values.items()
    field = cls.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        return ValueError(missing_field(cls.DESCRIPTOR, name))
    return _explain_one(cls, field, value, error) or error


def _explain_one(cls: Any, field: FieldDescriptor, value: Any, error: Exception) -> Optional[Exception]:
    if field.message_type is not None:
        return _explain_map(field.name, field.message_type, value) if is_map(field) else None
    place, value = _misfit(cls, field, value)
    return type_of(error)(misfit_text(place, _kind_for(field, value), value)) if place else None


def _kind_for(field: FieldDescriptor, value: Any) -> str:
    """Return what a field takes; for what is no value of an enum, also its names."""
    if field.enum_type is None or isinstance(value, int):
        return kind_of(field)
    names = [each.name for each in sorted(field.enum_type.values, key=lambda each: each.number == 0)]
    return f"{kind_of(field)}, such as {any_of(near_first(value, names) if isinstance(value, str) else names)}"


def _failure(cls: Any, values: Mapping[str, Any]) -> Optional[Exception]:
    try:
        cls(**values)
    except (TypeError, ValueError) as error:
        return error
    return None


def _explain_map(name: str, entry: Descriptor, values: Mapping[Any, Any]) -> Optional[Exception]:
    cls = GetMessageClass(entry)
    for key, value in values.items():
        if _failure(cls, {"key": key}):
            return wrong_key(name, kind_of(entry.fields_by_name["key"]), key)
        try:
            with parameter_names(value=f"{name}[{key!r}]"):
                cls(value=value)
        except (TypeError, ValueError) as error:
            return error
    return None


def _misfit(cls: Any, field: FieldDescriptor, value: Any) -> Tuple[str, Any]:
    """Return the first value in an argument that does not fit, and its place; no place if all of them do."""
    if not is_list(field):
        return field.name, value
    unfit = (index for index, item in enumerate(value) if not _fits(cls, field.name, item))
    index = next(unfit, None)
    return ("", None) if index is None else (f"{field.name}[{index}]", value[index])


def _fits(cls: Any, name: str, item: Any) -> bool:
    try:
        getattr(cls(), name).append(item)
    except UNFIT:
        return False
    return True


def refuse_surrogates(field: FieldDescriptor, value: Any) -> None:
    """Refuse half a character for a value of an enum: the fastest runtime of protobuf crashes at it.

    Raises:
        ValueError: If ``value`` is a text with one, or a list that has such a text.
    """
    for each in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(each, str) and not is_text(each):
            raise ValueError(f"{field.name} takes {kind_of(field)}, got {redact(each)}")


def missing_field(descriptor: Descriptor, name: str) -> str:
    """Return the text about a field that a message does not have: it names those that there are, close matches first.

    Example:
        >>> from viam_sync.messages.explain import missing_field
        >>> missing_field(pb.GetRobotRequest.DESCRIPTOR, "robot_id")
        "GetRobotRequest has no field 'robot_id'; it has id"
    """
    found = ", ".join(near_first(name, (field.name for field in descriptor.fields))) or "none"
    reader, holder = _READERS.get(descriptor.full_name), _holder_of(name, descriptor)
    missing = f"{descriptor.name} has no field {name!r}{f', but its {holder} has' if holder else ''}"
    return f"{missing}; it has {found}{f', and {reader}' if reader else ''}"


def _holder_of(name: str, descriptor: Descriptor) -> str:
    """Return the field whose message has a field of a name; an empty text if none has."""
    if not is_text(name):  # which the oldest protobuf cannot look for
        return ""
    holders = (
        field.name
        for field in descriptor.fields
        if field.message_type is not None and not is_list(field) and name in field.message_type.fields_by_name
    )
    return next(holders, "")


def is_map(field: FieldDescriptor) -> bool:
    """Tell whether a field holds a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def is_list(field: FieldDescriptor) -> bool:
    """Tell whether a field holds a list."""
    # A field of messages that does not know whether it is set is a repeated one.
    return not field.has_presence and (field.message_type is not None or type(field.default_value) is list)


def kind_of(field: FieldDescriptor) -> str:
    """Return what a field takes, or each item of a list, in the words of Python."""
    if field.message_type is not None:
        return kind_of_message(field.message_type)
    if field.enum_type is not None:
        return f"a value of {field.enum_type.name}"
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return "bytes" if field.type == FieldDescriptor.TYPE_BYTES else "a str"
    return _KINDS[field.cpp_type]


def kind_of_message(descriptor: Any) -> str:
    """Return what a field of such messages takes, in the words of Python."""
    return _PLAIN_KINDS.get(descriptor.full_name) or with_article(descriptor.name)
