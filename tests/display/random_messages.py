"""Messages with random contents."""

import random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from viam_sync.messages.explain import is_list, is_map

#: Fields of this many messages within each other have something in them.
DEPTH = 3
_NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_FLOATS = (0.0, 1.5, -2.25e30, float("nan"), float("inf"), float("-inf"))


def random_message(cls: Any, source: random.Random, depth: int = DEPTH) -> Any:
    """Return a message of which each field is set or not, by chance."""
    name = cls.DESCRIPTOR.full_name
    if name == "google.protobuf.Any":
        return cls(type_url="type.googleapis.com/google.protobuf.Timestamp", value=b"\x08\x03")
    if name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        return cls(seconds=source.randrange(2**31), nanos=source.randrange(10**9))
    if name == "google.protobuf.FieldMask":
        return cls(paths=["name", "last_access"])
    message = cls()
    for field in cls.DESCRIPTOR.fields:
        if depth and source.random() < 0.7:
            _set(message, field, source, depth - 1)
    return message


def _set(message: Any, field: Any, source: random.Random, depth: int) -> None:
    place = getattr(message, field.name)
    if is_map(field):
        inner = field.message_type.fields_by_name["value"]
        key = _scalar(field.message_type.fields_by_name["key"], source)
        if inner.message_type is None:
            place[key] = _scalar(inner, source)
        else:
            place[key].CopyFrom(random_message(GetMessageClass(inner.message_type), source, depth))
    elif field.message_type is not None:
        made = random_message(GetMessageClass(field.message_type), source, depth)
        (place.add() if is_list(field) else place).CopyFrom(made)
    elif is_list(field):
        place.extend(_scalar(field, source) for _ in range(source.randrange(3)))
    else:
        setattr(message, field.name, _scalar(field, source))


def _scalar(field: Any, source: random.Random) -> Any:
    if field.enum_type is not None:
        return source.choice([*(value.number for value in field.enum_type.values), 12345])
    if field.cpp_type in _NUMBERS:
        return source.randint(*_NUMBERS[field.cpp_type])
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return source.random() < 0.5
    if field.type == FieldDescriptor.TYPE_BYTES:
        return source.getrandbits(80).to_bytes(10, "big")
    # A Value has no form in JSON for the numbers that JSON lacks.
    floats = _FLOATS[:3] if field.containing_type.full_name == "google.protobuf.Value" else _FLOATS
    text = f"Käse <script>alert('{source.random()}')</script>"
    return text if field.cpp_type == FieldDescriptor.CPPTYPE_STRING else source.choice(floats)
