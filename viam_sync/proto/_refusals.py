"""What a constructor says when it is given what does not fit: the runtimes of protobuf say little, each its own."""

from typing import Any, Mapping

from google.protobuf.descriptor import FieldDescriptor

_WANTED = {
    FieldDescriptor.CPPTYPE_BOOL: "a bool",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
    FieldDescriptor.CPPTYPE_INT32: "a whole number of 32 bits",
    FieldDescriptor.CPPTYPE_INT64: "a whole number of 64 bits",
    FieldDescriptor.CPPTYPE_UINT32: "a whole number of 32 bits from 0 on",
    FieldDescriptor.CPPTYPE_UINT64: "a whole number of 64 bits from 0 on",
}


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
        if field is None or field.message_type is not None:
            return error
        place = _place(cls, name)
        if is_list(field):
            if not isinstance(value, (list, tuple)):
                return TypeError(f"{place} takes a list, got {_given(value)}")
            place, value = next(((f"{place}[{i}]", v) for i, v in enumerate(value) if not _fits(cls, name, v)), ("", 0))
            if not place:
                return error
        kind = ValueError if isinstance(error, ValueError) else TypeError
        return kind(f"{place} takes {_wanted(field)}, got {_given(value)}")
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


def _given(value: Any) -> str:
    # A number is no secret, and seeing it helps; a text may be one.
    return repr(value) if isinstance(value, (bool, int, float)) else f"a {type(value).__name__}"
