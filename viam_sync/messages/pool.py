"""The private descriptor pool, and the message classes and enums built from it when first named.

The default pool of protobuf is shared by a whole process: two packages that bring the same schema
in different versions cannot both be imported. Ours stands beside it. There is no generated Python
for the messages either, so nothing ties the package to one protobuf runtime. A file of the schema is
added when something in it is first named, as most programs need few of them.
"""

import functools
import os
import sys
import threading
from typing import Any, Callable, Dict, List, Set, Tuple, Union

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor, ServiceDescriptor

from viam_sync.checks.near_names import near_names
from viam_sync.messages.acceptance import accept
from viam_sync.messages.attributes import explain_attributes
from viam_sync.messages.compiled_schema import schema_index
from viam_sync.messages.enums import EnumTypeWrapper
from viam_sync.messages.module_names import module_of
from viam_sync.shown import show_in_notebooks
from viam_sync.viam_sdk import missing_attribute

_pool = descriptor_pool.DescriptorPool()
_files: Dict[str, FileDescriptor] = {}
_lock = threading.RLock()
_ours: Set[type] = set()

if hasattr(os, "register_at_fork"):  # Windows does not fork
    # A fork waits for a thread that builds a class: a child would find it half made, and the lock held for ever.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@functools.lru_cache(maxsize=None)
def pool() -> descriptor_pool.DescriptorPool:
    """Return the pool that all messages of ``viam_sync`` live in, with all files of the schema."""
    schema_files()
    return _pool


def schema_files() -> List[FileDescriptor]:
    """Return the descriptors of the files of the schema, each after those that it imports."""
    return [schema_file(name) for name in schema_index()]


def schema_file(name: str) -> FileDescriptor:
    """Return the descriptor of a file of the schema; it is built when it is first asked for."""
    with _lock:
        if name not in _files:
            file = schema_index()[name]
            for each in file.imports:
                schema_file(each)
            _pool.AddSerializedFile(file.serialized)
            _files[name] = _pool.FindFileByName(name)
        return _files[name]


def schema_service(full_name: str) -> ServiceDescriptor:
    """Return the descriptor of a service of the schema.

    Example:
        >>> from viam_sync.messages.pool import schema_service
        >>> schema_service("viam.app.dataset.v1.DatasetService").file.name
        'app/dataset/v1/dataset.proto'
    """
    package, _, name = full_name.rpartition(".")
    # Several files may share a package; the one that declares the service holds its name as a field 1.
    named = bytes((0x0A, len(name))) + name.encode()
    index = schema_index().items()
    files = (schema_file(each) for each, file in index if file.package == package and named in file.serialized)
    for file in files:
        if name in file.services_by_name:
            return file.services_by_name[name]
    raise KeyError(full_name)


def _type(module: str, name: str) -> Union[Descriptor, EnumDescriptor]:
    """Return the descriptor of a message or an enum by the module that holds it."""
    files = (schema_file(each) for each in _files_of(module))
    held = (types for file in files for types in (file.message_types_by_name, file.enum_types_by_name))
    found: Union[Descriptor, EnumDescriptor] = next(types[name] for types in held if name in types)
    return found


@functools.lru_cache(maxsize=None)
def _files_of(module: str) -> List[str]:
    return [name for name in schema_index() if module_of(name) == module]


def attribute_of(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module of this package: it builds a class when it is first named."""
    below = module.split(".proto.", 1)[1]

    def __getattr__(name: str) -> Any:
        held = sys.modules[module]
        # Importing a module below this one asks for its name here first; that must not build anything.
        if name not in held.__all__:
            # Modules, which are asked for at every import, have names in lower case.
            near = near_names(name, held.__all__) if name[:1].isupper() else ()
            raise missing_attribute(module, name, near)
        with _lock:
            descriptor = _type(below, name)
            found = _enum(descriptor) if isinstance(descriptor, EnumDescriptor) else message(descriptor)
            setattr(held, name, found)
            return found

    return __getattr__


def message(descriptor: Descriptor) -> Any:
    """Return the class of a message; with it are made the classes of all that its fields hold."""
    if descriptor.file.pool is not _pool:
        return message_factory.GetMessageClass(descriptor)
    with _lock:
        cls = message_factory.GetMessageClass(descriptor)
        if cls not in _ours:
            _ours.add(cls)
            _complete(cls, descriptor)
        return cls


def _complete(cls: Any, descriptor: Descriptor) -> None:
    """Give a class its address, so that it pickles, what is nested in it, and methods of ours.

    These accept other values, raise clear errors, and show tables in notebooks.
    """
    cls.__module__, cls.__qualname__ = _address(descriptor)
    if descriptor.containing_type is not None:
        cls.__reduce__ = _reduce
    accept(cls)
    explain_attributes(cls)
    show_in_notebooks(cls)
    for nested in descriptor.nested_types:
        setattr(cls, nested.name, message(nested))
    for enum in descriptor.enum_types:
        setattr(cls, enum.name, _enum(enum))
    for field in descriptor.fields:
        if field.message_type is not None:
            message(field.message_type)


def _reduce(message: Any) -> Tuple[Any, ...]:
    """Return how a nested message pickles; protobuf would look its class up in the pool that the process shares."""
    return type(message), (), message.__getstate__()


def _address(descriptor: Any) -> Tuple[str, str]:
    """Return the module and the qualified name of the class of a message or enum."""
    module = f"viam_sync.proto.{module_of(descriptor.file.name)}"
    names: List[str] = []
    while descriptor is not None:
        names.insert(0, descriptor.name)
        descriptor = descriptor.containing_type
    return module, ".".join(names)


@functools.lru_cache(maxsize=None)
def _enum(descriptor: EnumDescriptor) -> EnumTypeWrapper[int]:
    return EnumTypeWrapper(descriptor, *_address(descriptor))
