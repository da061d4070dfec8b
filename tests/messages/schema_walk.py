"""Every module, message and enum of the schema, and a second pool that plays another package with the same schema."""

import functools
import importlib
import pkgutil
from typing import Any, Callable, Dict, Iterable, Iterator, List, Tuple

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

import viam_sync.proto

PROTO = "viam_sync.proto"


def modules() -> List[str]:
    """Return the names of the modules that hold messages."""
    found = [module.name for module in pkgutil.walk_packages(viam_sync.proto.__path__, f"{PROTO}.")]
    names = (name for name in found if not name.rpartition(".")[2].startswith("_"))
    return sorted(name for name in names if hasattr(importlib.import_module(name), "__all__"))


def _classes() -> Iterator[Any]:
    for module in map(importlib.import_module, modules()):
        for name in module.__all__:
            yield from _with_nested(getattr(module, name))


def _with_nested(cls: Any) -> Iterator[Any]:
    yield cls
    if isinstance(cls.DESCRIPTOR, Descriptor):
        nested = [each.name for each in cls.DESCRIPTOR.nested_types if not each.GetOptions().map_entry]
        for name in [*nested, *cls.DESCRIPTOR.enum_types_by_name]:
            yield from _with_nested(getattr(cls, name))


def full_name(cls: Any) -> str:
    return cls.DESCRIPTOR.full_name


@functools.lru_cache(maxsize=None)
def messages() -> List[Any]:
    """Return the classes of all messages, nested ones included."""
    return [cls for cls in _classes() if isinstance(cls.DESCRIPTOR, Descriptor)]


@functools.lru_cache(maxsize=None)
def enums() -> List[Any]:
    """Return all enums, nested ones included."""
    return [cls for cls in _classes() if isinstance(cls.DESCRIPTOR, EnumDescriptor)]


def schema() -> FileDescriptorSet:
    compiled = pkgutil.get_data(PROTO, "schema.bin")
    assert compiled is not None
    return FileDescriptorSet.FromString(compiled)


def _leave_out_fields(message: DescriptorProto) -> None:
    """Leave one field in a message, as its first version may have been: a plain one, in no oneof."""
    del message.field[1:], message.oneof_decl[:]
    for field in message.field:
        field.ClearField("oneof_index")
        field.ClearField("proto3_optional")


def _add_field(message: DescriptorProto) -> None:
    """Add a field to a message, and a value to each enum in it, as a version of the future may have them."""
    message.field.add(name="added", number=5000, type=FieldDescriptor.TYPE_STRING, label=FieldDescriptor.LABEL_OPTIONAL)
    _add_values(message.enum_type)


def _add_values(enums: Iterable[EnumDescriptorProto]) -> None:
    for enum in enums:
        enum.value.add(name=f"{enum.name}_ADDED", number=5000)


def _change(message: DescriptorProto, change: Callable[[DescriptorProto], None]) -> None:
    for nested in message.nested_type:
        _change(nested, change)
    if not message.options.map_entry:
        change(message)


@functools.lru_cache(maxsize=None)
def _other_classes(version: str) -> Dict[str, Any]:
    """Return all classes of another pool; protobuf 4.22 crashes at a list of messages whose class is gone."""
    pool = descriptor_pool.DescriptorPool()
    found: Dict[str, Any] = {}
    for file in schema().file:
        if version != "same" and not file.package.startswith("google."):
            for message in file.message_type:
                _change(message, _leave_out_fields if version == "older" else _add_field)
        if version == "newer":
            _add_values(file.enum_type)
        pool.AddSerializedFile(file.SerializeToString())
        for descriptor in pool.FindFileByName(file.name).message_types_by_name.values():
            _add_classes(found, descriptor)
    return found


def _add_classes(found: Dict[str, Any], descriptor: Descriptor) -> None:
    found[descriptor.full_name] = message_factory.GetMessageClass(descriptor)
    for nested in descriptor.nested_types:
        _add_classes(found, nested)


def foreign(name: str, version: str = "same") -> Any:
    """Return the class of a message from another pool, with the same schema, an ``older`` or a ``newer`` one."""
    return _other_classes(version)[name]


def streaming(rpc: Any) -> Tuple[bool, bool]:
    """Tell whether the request of an RPC is a stream, and whether the response is."""
    if not hasattr(rpc, "client_streaming"):  # protobuf 4.22
        described = MethodDescriptorProto()
        rpc.CopyToProto(described)
        rpc = described
    return rpc.client_streaming, rpc.server_streaming


def example(cls: Any, depth: int = 3) -> Any:
    """Return a message with something in each field; those in ``depth`` others are empty."""
    if full_name(cls) == "google.protobuf.Any":
        return cls(type_url="type.googleapis.com/google.protobuf.Timestamp", value=b"\x08\x03")
    return cls(**{field.name: _value(field, depth - 1) for field in cls.DESCRIPTOR.fields if depth})


def _value(field: Any, depth: int) -> Any:
    kind = field.message_type
    if kind is None:
        return _scalar(field) if field.default_value != [] else [_scalar(field)]
    if kind.GetOptions().map_entry:
        key, value = kind.fields_by_name["key"], kind.fields_by_name["value"]
        return {_scalar(key): _value(value, depth)}
    inner = example(message_factory.GetMessageClass(kind), depth)
    return inner if field.has_presence else [inner]


def _scalar(field: Any) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"\5\0\0\0\0"  # a BSON document without fields, as some bytes are documents
    kinds = {FieldDescriptor.CPPTYPE_STRING: "text", FieldDescriptor.CPPTYPE_BOOL: True}
    return kinds.get(field.cpp_type, 7)
