"""The private descriptor pool, and the message classes and enums built from it when first named.

The default pool of protobuf is shared by a whole process: two packages that bring the same schema
in different versions cannot both be imported. Ours stands beside it. There is no generated Python
for the messages either, so nothing ties the package to one protobuf runtime.
"""

import functools
import os
import pkgutil
import sys
import threading
from typing import Any, Callable, Dict, List, Mapping, Set, Tuple

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

from viam_sync.checks import UNFIT, as_list, explain, is_list, is_text, redact, refuse_surrogates
from viam_sync.messages.module_names import module_of
from viam_sync.messages.values import value_to_message

_lock = threading.RLock()
_ours: Set[type] = set()

if hasattr(os, "register_at_fork"):  # Windows does not fork
    # A fork waits for what another thread is building, which a child would find half made, under a lock for ever.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@functools.lru_cache(maxsize=None)
def _build() -> Tuple[descriptor_pool.DescriptorPool, Dict[str, Dict[str, Any]]]:
    """Return the pool, and by module and name the descriptors of the messages and enums that it holds."""
    pool = descriptor_pool.DescriptorPool()
    modules: Dict[str, Dict[str, Any]] = {}
    compiled = pkgutil.get_data("viam_sync.proto", "schema.bin")
    assert compiled is not None
    for file in FileDescriptorSet.FromString(compiled).file:
        pool.AddSerializedFile(file.SerializeToString())
        added = pool.FindFileByName(file.name)
        held = modules.setdefault(module_of(file.name), {})
        held.update({**added.message_types_by_name, **added.enum_types_by_name})
    return pool, modules


def pool() -> descriptor_pool.DescriptorPool:
    """Return the pool that all messages of ``viam_sync`` live in."""
    with _lock:
        return _build()[0]


def attribute_of(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module of this package: it builds a class when it is first named."""
    below = module.split(".proto.", 1)[1]

    def __getattr__(name: str) -> Any:
        held = sys.modules[module]
        # Importing a module below this one asks for its name here first; that must not build anything.
        if name not in held.__all__:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        with _lock:
            descriptor = _build()[1][below][name]
            found = _enum(descriptor) if isinstance(descriptor, EnumDescriptor) else message(descriptor)
            setattr(held, name, found)
            return found

    return __getattr__


def message(descriptor: Descriptor) -> Any:
    """Return the class of a message; with it are made the classes of all that its fields hold."""
    if descriptor.file.pool is not pool():
        return message_factory.GetMessageClass(descriptor)
    with _lock:
        cls = message_factory.GetMessageClass(descriptor)
        if cls not in _ours:
            _ours.add(cls)
            _dress(cls, descriptor)
        return cls


def _dress(cls: Any, descriptor: Descriptor) -> None:
    """Give a class its address, so that it pickles, and the acceptance of messages from other pools."""
    cls.__module__, cls.__qualname__ = _address(descriptor)
    cls.__init__ = _accepting_init(cls)
    cls.MergeFrom = _accepting(cls, cls.MergeFrom)
    cls.CopyFrom = _accepting(cls, cls.CopyFrom)
    for nested in descriptor.nested_types:
        setattr(cls, nested.name, message(nested))
    for enum in descriptor.enum_types:
        setattr(cls, enum.name, _enum(enum))
    for field in descriptor.fields:
        if field.message_type is not None:
            message(field.message_type)


def _address(descriptor: Any) -> Tuple[str, str]:
    """Return the module and the qualified name of the class of a message or enum."""
    module = f"viam_sync.proto.{module_of(descriptor.file.name)}"
    names: List[str] = []
    while descriptor is not None:
        names.insert(0, descriptor.name)
        descriptor = descriptor.containing_type
    return module, ".".join(names)


def adopt(cls: Any, value: Any, what: str) -> Any:
    """Return ``value`` as an instance of ``cls``: itself, or a copy when it comes from another pool.

    Raises:
        TypeError: If ``value`` is a message of another type; ``what`` names it in the text.
    """
    if not isinstance(value, Message) or (type(value) in _ours and isinstance(value, cls)):
        return value
    if value.DESCRIPTOR.full_name != cls.DESCRIPTOR.full_name:
        raise TypeError(f"{what} takes a {cls.DESCRIPTOR.full_name}, got a {value.DESCRIPTOR.full_name}")
    return cls.FromString(value.SerializePartialToString())


def _accepting(cls: Any, plain: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(plain)
    def method(self: Any, other: Any) -> None:
        plain(self, adopt(cls, other, plain.__name__))

    return method


def _accepting_init(cls: Any) -> Callable[..., None]:
    plain: Callable[..., None] = cls.__init__
    kinds = {field.name: (field, field.message_type) for field in cls.DESCRIPTOR.fields if field.message_type}
    others = [field for field in cls.DESCRIPTOR.fields if field.name not in kinds]
    lists = {field.name for field in others if is_list(field)}
    enums = {field.name for field in others if field.enum_type is not None}

    @functools.wraps(plain)
    def __init__(self: Any, /, *args: Any, **values: Any) -> None:
        for name in kinds.keys() & values.keys():
            if values[name] is not None:
                values[name] = _adopt_field(f"{cls.DESCRIPTOR.name}.{name}", *kinds[name], values[name])
        for name in lists & values.keys():
            values[name] = as_list(f"{cls.DESCRIPTOR.name}.{name}", values[name])
        for name in enums & values.keys():
            refuse_surrogates(cls, name, values[name])
        try:
            plain(self, *args, **values)
            return
        except UNFIT as error:
            failure = explain(cls, values, error)
        raise failure

    return __init__


def _adopt_field(what: str, field: FieldDescriptor, kind: Descriptor, value: Any) -> Any:
    """Return what a constructor was given for a field with everything in it made messages of ours."""
    if kind.GetOptions().map_entry:
        if not isinstance(value, Mapping):
            raise TypeError(f"{what} takes a mapping, got a {type(value).__name__}")
        held = kind.fields_by_name["value"].message_type
        if held is None:
            return value
        return {key: _adopt_one(message(held), item, what, key) for key, item in value.items()}
    cls = message(kind)
    if not field.has_presence:  # a field of messages that does not know whether it is set is a repeated one
        return [_adopt_one(cls, item, what, index) for index, item in enumerate(as_list(what, value))]
    return _adopt_one(cls, value, what)


def _adopt_one(cls: Any, value: Any, what: str, key: Any = None) -> Any:
    if type(value) is cls:
        return value
    if key is not None:
        what = f"{what}[{key!r}]"
    if cls.DESCRIPTOR.file.package == "google.protobuf":
        value = value_to_message(cls, value, what)
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"{what} takes a dict whose keys are names of fields, got the key {redact(name)}")
            if not is_text(name) or name not in cls.DESCRIPTOR.fields_by_name:
                raise ValueError(f"{what} takes a {cls.DESCRIPTOR.full_name}, which has no field {name!r}")
        return cls(**value)
    if not isinstance(value, Message):
        raise TypeError(f"{what} takes a {cls.DESCRIPTOR.full_name}, got a {type(value).__name__}")
    return adopt(cls, value, what)


@functools.lru_cache(maxsize=None)
def _enum(descriptor: EnumDescriptor) -> "Enum":
    return Enum(descriptor)


class Enum(EnumTypeWrapper):
    """An enum of the schema: ``Name``, ``Value``, ``items``, and each value as an attribute."""

    def __init__(self, descriptor: EnumDescriptor) -> None:
        super().__init__(descriptor)
        self.__module__, self.__qualname__ = _address(descriptor)

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<enum {self.DESCRIPTOR.full_name}: {', '.join(f'{name} = {number}' for name, number in self.items())}>"
