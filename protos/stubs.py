"""Described messages as modules that build them lazily, and as the .pyi stubs that editors and type checkers read."""

import keyword
import re
from typing import AbstractSet, Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from describe import is_repeated, map_entry
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from names import Modules, aliases, modules_below, nesting
from words import docstring, header

LAZY_MODULE = '''\
{header}
# ruff: noqa: F822 (the names come into being when they are asked for)

"""The messages and enums of {packages}, each built when it is first named."""

from viam_sync.messages.pool import attribute_of

__all__ = [
{names}
]

__getattr__ = attribute_of(__name__)


def __dir__() -> "list[str]":
    return __all__
'''

EMPTY_MODULE = '''\
{header}
"""The modules of the messages and enums; see the names below this one."""
'''

ROOT_MODULE = '''\
{header}
"""The messages and enums of the wire, under the names that the official SDK gives them.

They live in a descriptor pool of their own, so any protobuf runtime from 4.22 on will do, and any
version of the official SDK can be used in the same process. A message of the official SDK, or one of
``google.protobuf``, is taken wherever one of ours with the same full name is: by constructors, by
``CopyFrom`` and by ``MergeFrom``. The containers of repeated fields are protobuf's own; their ``append``,
``extend`` and ``add`` take messages of ours only.

Example:
    >>> from viam_sync.proto.app import Organization
    >>> Organization(name="Lessons").name
    'Lessons'
"""
'''

STUB = '''\
{header}
"""The messages and enums of {packages}."""

{imports}

{classes}
'''

MESSAGE = '''\
class {name}(Message):
    """{doc}"""

{members}
'''

ENUM = '''\
class _{name}:
    ValueType = NewType("ValueType", int)

class _{name}Wrapper(EnumTypeWrapper[{path}.ValueType], type):
{wrapped}

class {name}(_{name}, metaclass=_{name}Wrapper):
    """{doc}"""

{values}
'''

INIT = """\
    def __init__(
        {self},
{arguments}
    ) -> None: ...
"""

_SCALARS: Dict[int, str] = {
    FieldDescriptor.CPPTYPE_STRING: "str",
    FieldDescriptor.CPPTYPE_BOOL: "bool",
    FieldDescriptor.CPPTYPE_DOUBLE: "float",
    FieldDescriptor.CPPTYPE_FLOAT: "float",
}
#: The plain types that a constructor takes in place of well-known types.
_LIKE = {
    "google.protobuf.Timestamp": "TimestampLike",
    "google.protobuf.Duration": "DurationLike",
    "google.protobuf.Struct": "StructLike",
}
#: The names that a stub imports where it uses them, by module.
_IMPORTS = {
    "typing": ("Iterable", "Literal", "Mapping", "NewType", "Optional", "overload"),
    "google.protobuf.internal.containers": (
        "MessageMap",
        "RepeatedCompositeFieldContainer",
        "RepeatedScalarFieldContainer",
        "ScalarMap",
    ),
    "google.protobuf.message": ("Message",),
    "viam_sync.messages.enums": ("EnumTypeWrapper",),
    "viam_sync.messages.values": ("DurationLike", "StructLike", "TimestampLike"),
}

#: One member of a class: its text, and whether it stands apart from those around it.
Member = Tuple[str, bool]


def lazy_module(files: Sequence[FileDescriptor]) -> str:
    """Return the module that hands out the messages and enums of ``files``."""
    names = "\n".join(f'    "{name}",' for name in sorted(_own_names(files)))
    return LAZY_MODULE.format(header=_header(files), packages=_packages(files), names=names)


def empty_module(name: str) -> str:
    """Return a module that only has modules below it; the first of all says what the messages do."""
    template = ROOT_MODULE if name == "viam_sync.proto" else EMPTY_MODULE
    return template.format(header=header(["the folders of protos/"], "protos/stubs.py"))


def stub(files: Sequence[FileDescriptor], module: str, modules: Modules, comments: Mapping[str, str]) -> str:
    """Return the stub of the module of ``files``.

    Args:
        files: The .proto files whose messages the module holds.
        module: Its dotted name.
        modules: The module of a .proto file, by the file's name.
        comments: The comment of each element of the schema, by full name.

    Raises:
        ValueError: If a message bears a name that every stub needs for something else.
    """
    return _Stub(files, module, modules, comments).text()


def _header(files: Sequence[FileDescriptor]) -> str:
    return header([file.name for file in files], "the comments there, or protos/stubs.py,")


def _packages(files: Sequence[FileDescriptor]) -> str:
    return " and ".join(f"``{package}``" for package in sorted({file.package for file in files}))


def _own_names(files: Sequence[FileDescriptor]) -> Set[str]:
    return {name for file in files for name in [*file.message_types_by_name, *file.enum_types_by_name]}


class _Stub:
    """Writes one stub; keeps what it must import, and which classes it must give a second name."""

    def __init__(
        self, files: Sequence[FileDescriptor], module: str, modules: Modules, comments: Mapping[str, str]
    ) -> None:
        self.files = files
        self.module = module
        self.modules = modules
        self.comments = comments
        self.own = _own_names(files)
        self.aliases = aliases(set().union(*(modules_below(file, modules) for file in files)))
        self.imported: Set[str] = set()
        self.renamed: Set[str] = set()

    def text(self) -> str:
        taken = self.own & {name for names in _IMPORTS.values() for name in names}
        if taken:
            raise ValueError(f"a stub cannot hold a message named {', '.join(sorted(taken))}: it needs the name itself")
        blocks: List[str] = []
        for file in self.files:
            if file.package == "google.protobuf":
                self.imported |= {_google_import(file, name, name, exported=True) for name in _own_names([file])}
                continue
            blocks += [self.enum(enum) for enum in file.enum_types_by_name.values()]
            blocks += [self.message(each) for each in file.message_types_by_name.values()]
        blocks += [f"_{name} = {name}\n" for name in sorted(self.renamed)]
        classes = "\n".join(blocks)
        return STUB.format(
            header=_header(self.files),
            packages=_packages(self.files),
            imports="\n".join(self.imports(classes)),
            classes=classes,
        )

    def imports(self, classes: str) -> Iterable[str]:
        if "builtins." in classes:
            yield "import builtins"
        for module, names in _IMPORTS.items():
            used = [name for name in names if re.search(rf"(?m)\b{name}[\[(\])]|\[{name}|@{name}$", classes)]
            if used:
                yield f"from {module} import {', '.join(used)}"
        yield from sorted(self.imported)

    def message(self, message: Descriptor) -> str:
        """Return the class of a message."""
        nested = [each for each in message.nested_types if not each.GetOptions().map_entry]
        members: List[Member] = [(_indented(self.enum(each)), True) for each in message.enum_types]
        members += [(_indented(self.message(each)), True) for each in nested]
        for enum in message.enum_types:
            members += [(f"    {name}: {self.name(enum)}.ValueType", False) for name in _values(enum)]
        scope = {*message.nested_types_by_name, *message.enum_types_by_name, *message.fields_by_name}
        members += _Fields(self, message, scope).members()
        return MESSAGE.format(name=message.name, doc=self.doc(message, 4), members=_spaced(members))

    def enum(self, enum: EnumDescriptor) -> str:
        """Return the classes of an enum: that of its values, its metaclass, and its own."""
        names = nesting(enum)
        path = ".".join([*names[:-1], f"_{enum.name}"])
        values: List[Member] = []
        for name in _values(enum):
            comment = self.comments.get(f"{enum.full_name}.{name}")
            doc = f'\n    """{docstring(comment, "    ")}"""' if comment else ""
            values.append((f"    {name}: {'.'.join(names)}.ValueType{doc}", bool(comment)))
        return ENUM.format(
            name=enum.name,
            path=path,
            doc=self.doc(enum, 4),
            wrapped="\n".join(f"    {name}: {path}.ValueType" for name in _values(enum)),
            values=_spaced(values),
        )

    def doc(self, element: Any, indent: int) -> str:
        return docstring(self.comments.get(element.full_name) or f"``{element.full_name}``.", " " * indent)

    def name(self, descriptor: Any, scope: AbstractSet[str] = frozenset()) -> str:
        """Return how this stub writes the class of a message or enum, where ``scope`` hides names of the module."""
        if descriptor.file.package == "google.protobuf":
            here = self.modules(descriptor.file.name) == self.module
            alias = descriptor.name if here or descriptor.name not in self.own else f"_{descriptor.name}"
            self.imported.add(_google_import(descriptor.file, descriptor.name, alias, exported=here))
            return str(alias)
        names = nesting(descriptor)
        module = self.modules(descriptor.file.name)
        if module != self.module:
            package, _, last = module.rpartition(".")
            self.imported.add(f"from {package} import {last} as {self.aliases[module]}")
            names.insert(0, self.aliases[module])
        elif names[0] in scope:
            self.renamed.add(names[0])
            names[0] = f"_{names[0]}"
        return ".".join(names)


class _Fields:
    """Writes what the fields of one message give its class."""

    def __init__(self, stub: _Stub, message: Descriptor, scope: Set[str]) -> None:
        self.stub = stub
        self.message = message
        self.scope = scope
        self.names = [field.name for field in message.fields]

    def members(self) -> Iterator[Member]:
        for field in self.message.fields:
            yield self.attribute(field)
        yield self.init(), True
        for text in self.presence():
            yield text, False

    def attribute(self, field: FieldDescriptor) -> Member:
        """Return a field as an attribute; as a property where it can be changed but not assigned."""
        if keyword.iskeyword(field.name):
            return f'    # A keyword of Python: getattr(message, "{field.name}")', False
        doc = self.stub.comments.get(field.full_name)
        if field.message_type is None and not is_repeated(field):
            described = f'\n    """{docstring(doc, "    ")}"""' if doc else ""
            return f"    {field.name}: {self.type(field)}{described}", bool(doc)
        body = f'\n        """{docstring(doc, " " * 8)}"""' if doc else " ..."
        head = f"    @{self.builtin('property')}\n    def {field.name}(self) -> {self.container(field)}:"
        return head + body, True

    def init(self) -> str:
        if not self.names:
            return "    def __init__(self) -> None: ..."
        given = [field for field in self.message.fields if not keyword.iskeyword(field.name)]
        arguments = ["*"] if given else []
        arguments += [f"{field.name}: Optional[{self.accepted(field)}] = ..." for field in given]
        if len(given) < len(self.names):
            arguments.append(f"**fields: {self.builtin('object')}")
        lines = "\n".join(f"        {argument}," for argument in arguments)
        return INIT.format(self="_self" if "self" in self.names else "self", arguments=lines).rstrip()

    def presence(self) -> Iterable[str]:
        """Yield the methods that take the name of a field or of a oneof."""
        tracked = [field.name for field in self.message.fields if field.has_presence]
        oneofs = [oneof for oneof in self.message.oneofs if not _is_synthetic(oneof)]
        groups = [oneof.name for oneof in oneofs]
        if tracked:
            names = _literal(tracked + groups)
            yield f"    def HasField(self, field_name: {names}) -> {self.builtin('bool')}: ..."
        if self.names:
            yield f"    def ClearField(self, field_name: {_literal(self.names + groups)}) -> None: ..."
        for oneof in oneofs:
            overload = "    @overload\n" if len(oneofs) > 1 else ""
            fields = _literal([field.name for field in oneof.fields])
            group = _literal([oneof.name])
            yield f"{overload}    def WhichOneof(self, oneof_group: {group}) -> Optional[{fields}]: ..."

    def container(self, field: FieldDescriptor) -> str:
        entry = map_entry(field)
        if entry is not None:
            kind = "MessageMap" if entry[1].message_type is not None else "ScalarMap"
            return f"{kind}[{self.type(entry[0])}, {self.type(entry[1])}]"
        if is_repeated(field):
            kind = "Composite" if field.message_type is not None else "Scalar"
            return f"Repeated{kind}FieldContainer[{self.type(field)}]"
        return self.type(field)

    def accepted(self, field: FieldDescriptor) -> str:
        entry = map_entry(field)
        if entry is not None:
            return f"Mapping[{self.type(entry[0])}, {self.like(entry[1])}]"
        return f"Iterable[{self.like(field)}]" if is_repeated(field) else self.like(field)

    def like(self, field: FieldDescriptor) -> str:
        kind = field.message_type
        return _LIKE[kind.full_name] if kind is not None and kind.full_name in _LIKE else self.type(field)

    def type(self, field: FieldDescriptor) -> str:
        if field.message_type is not None:
            return self.stub.name(field.message_type, self.scope)
        if field.enum_type is not None:
            return f"{self.stub.name(field.enum_type, self.scope)}.ValueType"
        bytes_ = field.type == FieldDescriptor.TYPE_BYTES
        return self.builtin("bytes" if bytes_ else _SCALARS.get(field.cpp_type, "int"))

    def builtin(self, name: str) -> str:
        return f"builtins.{name}" if name in self.names else name


def _google_import(file: Any, name: str, alias: str, exported: bool) -> str:
    module = file.name[: -len(".proto")].replace("/", ".")
    renamed = f" as {alias}" if exported or alias != name else ""
    return f"from {module}_pb2 import {name}{renamed}"


def _values(enum: EnumDescriptor) -> List[str]:
    return [value.name for value in enum.values if not keyword.iskeyword(value.name)]


def _is_synthetic(oneof: Any) -> bool:
    """Tell whether a oneof only stands for the presence of an optional field."""
    return len(oneof.fields) == 1 and oneof.name == f"_{oneof.fields[0].name}"


def _literal(names: Sequence[str]) -> str:
    return f"Literal[{', '.join(repr(name) for name in names)}]"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.rstrip().split("\n"))


def _spaced(members: Sequence[Member]) -> str:
    """Return members of a class one below the other, those that stand apart with empty lines around them."""
    lines: List[str] = []
    before = False
    for text, apart in members:
        if lines and (apart or before):
            lines.append("")
        lines.append(text)
        before = apart
    return "\n".join(lines)
