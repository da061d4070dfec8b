"""The fields of messages and records, in one form: name, value, whether it is a secret, and the enum of a number."""

import dataclasses
from typing import Any, Iterator, Mapping, NamedTuple, Optional, Tuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from viam_sync.messages.pool import pool
from viam_sync.messages.secret_fields import is_secret

#: The enums of the numbers in records, whose types are gone at run time.
_ENUMS: Mapping[Tuple[str, str], str] = {
    ("DataPipeline", "data_source_type"): "viam.app.data.v1.TabularDataSourceType",
    ("DataPipelineRun", "data_source_type"): "viam.app.data.v1.TabularDataSourceType",
    ("DataPipelineRun", "status"): "viam.app.datapipelines.v1.DataPipelineRunStatus",
}


class ShownField(NamedTuple):
    """A field of a message or a record.

    Attributes:
        name: Its name in Python.
        value: Its value.
        secret: Whether it holds a secret, or may.
        enum: The enum that a number in it belongs to.
    """

    name: str
    value: Any
    secret: bool = False
    enum: Optional[EnumDescriptor] = None


def is_record(value: Any) -> bool:
    """Tell whether a value is a record or a result of this package: an instance of one of its dataclasses and tuples.

    Example:
        >>> from viam_sync.app.app_client import LogEntry
        >>> from viam_sync.display.shown_fields import is_record
        >>> from viam_sync.proto import common
        >>> is_record(LogEntry.from_proto(common.LogEntry())), is_record(LogEntry), is_record((1, 2))
        (True, False, False)
    """
    cls = type(value)
    own = cls.__module__.partition(".")[0] == "viam_sync"
    return own and (dataclasses.is_dataclass(cls) or (isinstance(value, tuple) and hasattr(cls, "_fields")))


def is_well_known(descriptor: Any) -> bool:
    """Tell whether a message is one of protobuf's own, such as a Timestamp, which stands for a single value."""
    package: str = descriptor.file.package
    return package == "google.protobuf"


def shown_fields(value: Any) -> Iterator[ShownField]:
    """Yield the fields of a message, those that are set; or the public ones of a record, all of them.

    Example:
        >>> from viam_sync.display.shown_fields import shown_fields
        >>> [(field.name, field.value) for field in shown_fields(pb.Robot(name="rover", location="shed"))]
        [('name', 'rover'), ('location', 'shed')]
    """
    if isinstance(value, Message):
        for field, inner in value.ListFields():
            yield ShownField(field.name, inner, is_secret(field), field.enum_type)
    elif isinstance(value, tuple):
        yield from (ShownField(name, inner) for name, inner in value._asdict().items())  # type: ignore[attr-defined]
    else:
        for each in dataclasses.fields(value):
            if not each.name.startswith("_"):
                yield _record_field(value, each)


def shown_field(value: Any, name: str) -> Optional[ShownField]:
    """Return one field as `shown_fields` does, without a look at the others, which may be large; None if it is not set.

    Example:
        >>> from viam_sync.display.shown_fields import shown_field
        >>> shown_field(pb.Robot(name="rover"), "name").value, shown_field(pb.Robot(), "last_access")
        ('rover', None)
    """
    if not isinstance(value, Message):
        return next((field for field in shown_fields(value) if field.name == name), None)
    field: Any = value.DESCRIPTOR.fields_by_name.get(name)
    if field is None or (field.has_presence and not value.HasField(name)):
        return None
    inner = getattr(value, name)
    return ShownField(name, inner, is_secret(field), field.enum_type) if field.has_presence or inner else None


def _record_field(record: Any, field: "dataclasses.Field[Any]") -> ShownField:
    # What may be a secret is left out of the repr, too; a test compares these fields with those of the messages.
    enum = _ENUMS.get((type(record).__name__, field.name))
    found = None if enum is None else pool().FindEnumTypeByName(enum)
    return ShownField(field.name, getattr(record, field.name), not field.repr, found)


def enum_name(enum: EnumDescriptor, number: int) -> Any:
    """Return the name of a value of an enum; the number where this version of the schema has no name for it."""
    found = enum.values_by_number.get(number)
    return number if found is None else found.name


def inner_message(field: FieldDescriptor) -> Optional[Descriptor]:
    """Return the descriptor of the messages that a field holds, also as the values of a map; None if it holds none."""
    kind: Optional[Descriptor] = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        inner: Optional[Descriptor] = kind.fields_by_name["value"].message_type
        return inner
    return kind
