"""The private descriptor pool, and the message classes and enums built from it when first named.

The default pool of protobuf is shared by a whole process: two packages that bring the same schema
in different versions cannot both be imported. Ours stands beside it. There is no generated Python
for the messages either, so nothing ties the package to one protobuf runtime.
"""

import functools
import pkgutil
import threading
from typing import Any, Callable, Dict, List, Mapping, Set, Tuple

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

from viam_sync.proto._modules import module_of
from viam_sync.proto._values import value_to_message

_lock = threading.RLock()
_ours: Set[type] = set()


@functools.lru_cache(maxsize=None)
def _build() -> Tuple[descriptor_pool.DescriptorPool, Dict[str, List[Any]]]:
    """Return the pool, and the descriptors of the messages and enums that each module holds."""
    pool = descriptor_pool.DescriptorPool()
    modules: Dict[str, List[Any]] = {}
    compiled = pkgutil.get_data(__package__, "schema.bin")
    assert compiled is not None
    for file in FileDescriptorSet.FromString(compiled).file:
        pool.AddSerializedFile(file.SerializeToString())
        added = pool.FindFileByName(file.name)
        held = modules.setdefault(module_of(file.name), [])
        held += [*added.message_types_by_name.values(), *added.enum_types_by_name.values()]
    return pool, modules


def pool() -> descriptor_pool.DescriptorPool:
    """Return the pool that all messages of ``viam_sync`` live in."""
    with _lock:
        return _build()[0]


def attribute_of(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module of this package: it builds a class when it is first named."""
    below = module.split(".proto.", 1)[1]

    def __getattr__(name: str) -> Any:
        if not name.startswith("_"):
            with _lock:
                for descriptor in _build()[1].get(below, ()):
                    if descriptor.name == name:
                        return _enum(descriptor) if isinstance(descriptor, EnumDescriptor) else message(descriptor)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

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
    names = []
    while descriptor is not None:
        names.append(descriptor.name)
        file, descriptor = descriptor.file, descriptor.containing_type
    return f"{__package__}.{module_of(file.name)}", ".".join(reversed(names))


def adopt(cls: Any, value: Any, what: str) -> Any:
    """Return ``value`` as an instance of ``cls``: itself, or a copy when it comes from another pool.

    Raises:
        TypeError: If ``value`` is a message of another type; ``what`` names it in the text.
    """
    if not isinstance(value, Message) or type(value) in _ours and isinstance(value, cls):
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
    plain = cls.__init__
    fields = {field.name: field for field in cls.DESCRIPTOR.fields if field.message_type is not None}

    @functools.wraps(plain)
    def __init__(self: Any, *args: Any, **values: Any) -> None:
        for name in fields.keys() & values.keys():
            values[name] = _adopt_field(fields[name], values[name])
        plain(self, *args, **values)

    return __init__ if fields else plain


def _adopt_field(field: FieldDescriptor, value: Any) -> Any:
    """Return what a constructor was given for a field with every foreign message in it made ours."""
    what = f"{field.containing_type.name}.{field.name}"
    kind = field.message_type
    if value is None:
        return None
    if kind.GetOptions().map_entry:
        kind = kind.fields_by_name["value"].message_type
        if kind is None or not isinstance(value, Mapping):
            return value
        return {key: _adopt_one(kind, item, what) for key, item in value.items()}
    if _is_repeated(field):
        return [_adopt_one(kind, item, what) for item in value]
    return _adopt_one(kind, value, what)


def _adopt_one(kind: Descriptor, value: Any, what: str) -> Any:
    cls = message(kind)
    if kind.file.package == "google.protobuf":
        value = value_to_message(cls, value)
    elif isinstance(value, dict):
        return cls(**value)
    return adopt(cls, value, what)


def _is_repeated(field: FieldDescriptor) -> bool:
    # The newer runtimes deprecate label, the older ones know nothing else.
    if hasattr(type(field), "is_repeated"):
        return bool(field.is_repeated)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED)


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
