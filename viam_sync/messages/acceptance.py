"""Acceptance of plain values, IDs of uploads, and messages from other descriptor pools, by our classes of messages."""

import functools
from typing import Any, Callable, Dict, FrozenSet, Iterator, Mapping, Tuple, Type, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from viam_sync.checks import as_list, parameter_names, wrong_key, wrong_type, wrong_value
from viam_sync.checks.descriptions import is_text
from viam_sync.checks.numbers import plain_number
from viam_sync.messages.explain import (
    UNFIT,
    explain,
    is_list,
    is_map,
    kind_of,
    kind_of_message,
    missing_field,
    refuse_surrogates,
)
from viam_sync.messages.file_id import as_binary_data_id
from viam_sync.messages.values import value_to_message

M = TypeVar("M", bound=Message)

#: The types of value that protobuf may get as they are for a field, and the conversion of all others.
_Conversion = Tuple[FrozenSet[type], Callable[[Any], Any]]

#: What a list holds, by what each item is, where that has a short word.
_ITEMS = {"a str": "str", "bytes": "bytes", "a number": "numbers"}

_NONE = frozenset([type(None)])
_NONE_OR_BOOL = _NONE | {bool}
_NONE_OR_INT = _NONE | {int}
_NONE_OR_STR = _NONE | {str}
_NONE_OR_LIST = _NONE | {list, tuple}


def accept(cls: Any) -> None:
    """Let a class accept plain values and messages from other pools, in its constructor, MergeFrom and CopyFrom.

    These three are replaced, as there is no other way: the C runtime refuses a subclass of a message class, and the
    Python runtime gives a class these methods only after it is made. The class is one of our private pool, so that no
    other package's messages change.
    """
    cls.__init__ = _constructor(cls)
    cls.MergeFrom = _from_any_pool(cls, cls.MergeFrom)
    cls.CopyFrom = _from_any_pool(cls, cls.CopyFrom)


def _constructor(cls: Any) -> Callable[..., None]:
    plain: Callable[..., None] = cls.__init__
    conversions: Dict[str, _Conversion] = dict(_conversions(cls))

    @functools.wraps(plain)
    def __init__(self: Any, /, **values: Any) -> None:
        # Two thirds of the time that this adds to the plain constructor go into passing the arguments on, so that what
        # comes before is kept short: a look-up for each argument, and another for one of a field with a conversion.
        for name in values:
            if name in conversions:
                kinds, convert = conversions[name]
                if type(values[name]) not in kinds:
                    values[name] = convert(values[name])
        try:
            plain(self, **values)
        except UNFIT as error:
            raise explain(cls, values, error) from None

    return __init__


def _conversions(cls: Any) -> Iterator[Tuple[str, _Conversion]]:
    """Yield the conversions of the fields that need one, by their names."""
    for field in cls.DESCRIPTOR.fields:
        name = field.name
        if is_map(field):
            yield name, (_NONE, functools.partial(_map, name, field.message_type.fields_by_name["value"].message_type))
        elif field.message_type is not None:
            kind = GetMessageClass(field.message_type)
            if is_list(field):
                yield name, (_NONE, functools.partial(_messages, name, kind))
            else:
                yield name, (_NONE | {kind}, functools.partial(_message, name, kind))
        elif field.enum_type is not None:
            yield name, (_NONE if is_list(field) else _NONE_OR_INT, functools.partial(_enum, field))
        elif name == "binary_data_id":
            yield name, (_NONE_OR_STR, as_binary_data_id)
        elif name == "binary_data_ids":
            yield name, (_NONE, functools.partial(_binary_data_ids, name))
        elif is_list(field):
            yield name, (_NONE_OR_LIST, functools.partial(as_list, name, kind=_ITEMS.get(kind_of(field), "")))
        elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            yield name, (_NONE_OR_BOOL, functools.partial(_bool, name))


def _message(name: str, cls: Any, value: Any) -> Any:
    """Return what was given for a message as one of ``cls``; ``name`` is that of the parameter, and its place there."""
    if cls.DESCRIPTOR.file.package == "google.protobuf":
        value = value_to_message(cls, value, name)
    if isinstance(value, dict):
        return _from_dict(name, cls, value)
    if not isinstance(value, Message):
        raise wrong_type(name, kind_of_message(cls.DESCRIPTOR), value)
    return adopt(cls, value, name)


def _from_dict(name: str, cls: Any, fields: Dict[Any, Any]) -> Any:
    for field in fields:
        if not isinstance(field, str):
            raise wrong_key(name, "the name of a field", field)
        if not is_text(field) or field not in cls.DESCRIPTOR.fields_by_name:
            raise ValueError(f"{name}: {missing_field(cls.DESCRIPTOR, field)}")
    with parameter_names(**{field: f"{name}[{field!r}]" for field in fields}):
        return cls(**fields)


def _messages(name: str, cls: Any, values: Any) -> Any:
    items = as_list(name, values)
    if {cls}.issuperset(map(type, items)):
        return items
    return [item if type(item) is cls else _message(f"{name}[{index}]", cls, item) for index, item in enumerate(items)]


def _map(name: str, kind: Any, values: Any) -> Any:
    if not isinstance(values, Mapping):
        raise wrong_type(name, "a dict", values)
    if kind is None:
        return values
    cls = GetMessageClass(kind)
    return {key: _message(f"{name}[{key!r}]", cls, value) for key, value in values.items()}


def _enum(field: FieldDescriptor, value: Any) -> Any:
    value = as_list(field.name, value) if is_list(field) else value
    refuse_surrogates(field, value)
    return value


def _binary_data_ids(name: str, values: Any) -> Any:
    return [as_binary_data_id(item) for item in as_list(name, values)]


def _bool(name: str, value: Any) -> Any:
    value = plain_number(value)
    # The Python runtime takes any int for a bool, the others one of 64 bits.
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise wrong_value(name, "a bool", value)
    return value


def adopt(cls: Type[M], value: Any, name: str) -> M:
    """Return a message as an instance of ``cls``: itself, or a copy when it comes from another pool.

    The other pool may hold another version of the schema. Fields that it lacks are unset in the copy; those that ours
    lacks are unknown fields of the copy, and come out again when it is serialized.

    Raises:
        TypeError: If ``value`` is no message, or one of another type; ``name`` is that of the parameter.

    Example:
        >>> from google.protobuf.timestamp_pb2 import Timestamp
        >>> from viam_sync.messages.acceptance import adopt
        >>> from viam_sync.proto import google
        >>> adopt(google.Timestamp, Timestamp(seconds=3), "start").seconds
        3
    """
    if type(value) is cls:
        return value
    if not isinstance(value, Message) or value.DESCRIPTOR.full_name != cls.DESCRIPTOR.full_name:
        raise wrong_type(name, kind_of_message(cls.DESCRIPTOR), value)
    return cls.FromString(value.SerializePartialToString())


def _from_any_pool(cls: Any, plain: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(plain)
    def method(self: Any, other: Any) -> None:
        plain(self, other if type(other) is cls else _message(plain.__name__, cls, other))

    return method
