"""Described messages as modules that build them lazily, and as the .pyi stubs that editors and type checkers read."""

import textwrap
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set

from describe import is_repeated, map_entry
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from render import HEADER, docstring

LAZY_MODULE = '''\
{header}
"""The messages and enums of {packages}, each built when it is first named."""

from viam_sync.proto._pool import attribute_of

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

STUB = '''\
{header}
"""The messages and enums of {packages}."""

{imports}

{classes}
'''

MESSAGE = '''\
class {name}(Message):
    """{doc}"""

{body}
'''

ENUM = '''\
class _{name}:
    ValueType = NewType("ValueType", {builtins}int)

class _{name}Wrapper(_EnumTypeWrapper[_{name}.ValueType], type):
{wrapped}

class {name}(_{name}, metaclass=_{name}Wrapper):
    """{doc}"""

{values}
'''

_BUILTINS = {"str", "int", "float", "bool", "bytes", "property"}
_SCALARS: Dict[int, str] = {
    FieldDescriptor.CPPTYPE_STRING: "str",
    FieldDescriptor.CPPTYPE_BOOL: "bool",
    FieldDescriptor.CPPTYPE_DOUBLE: "float",
    FieldDescriptor.CPPTYPE_FLOAT: "float",
}
#: What a constructor takes instead of a well-known type.
_LIKE = {"Timestamp": "TimestampLike", "Duration": "DurationLike", "Struct": "StructLike"}
_GOOGLE = {
    "Any": "any_pb2",
    "Duration": "duration_pb2",
    "FieldMask": "field_mask_pb2",
    "ListValue": "struct_pb2",
    "NullValue": "struct_pb2",
    "Struct": "struct_pb2",
    "Timestamp": "timestamp_pb2",
    "Value": "struct_pb2",
}


def lazy_module(files: Sequence[FileDescriptor]) -> str:
    """Return the module that hands out the messages and enums of ``files``."""
    names = sorted(name for file in files for name in [*file.message_types_by_name, *file.enum_types_by_name])
    return LAZY_MODULE.format(
        header=_header(files), packages=_packages(files), names="\n".join(f'    "{name}",' for name in names)
    )


def empty_module() -> str:
    """Return a module that only has modules below it."""
    return EMPTY_MODULE.format(header=HEADER.format(source="the folders of protos/", edit="protos/stubs.py"))


def stub(files: Sequence[FileDescriptor], module: str, modules: Any, comments: Mapping[str, str]) -> str:
    """Return the stub of the module of ``files``.

    Args:
        files: The .proto files whose messages the module holds.
        module: Its dotted name.
        modules: The module of a .proto file, by the file's name.
        comments: The comment of each element of the schema, by full name.
    """
    return _Stub(module, modules, comments).text(files)


def _header(files: Sequence[FileDescriptor]) -> str:
    return HEADER.format(source=" and ".join(file.name for file in files), edit="the comments there, or protos/stubs.py,")


def _packages(files: Sequence[FileDescriptor]) -> str:
    return " and ".join(f"``{package}``" for package in sorted({file.package for file in files}))


class _Stub:
    """Writes one stub; keeps the modules that it must import."""

    def __init__(self, module: str, modules: Any, comments: Mapping[str, str]) -> None:
        self.module = module
        self.modules = modules
        self.comments = comments
        self.imported: Set[str] = set()

    def text(self, files: Sequence[FileDescriptor]) -> str:
        blocks: List[str] = []
        for file in files:
            if file.package == "google.protobuf":
                names = [*file.message_types_by_name, *file.enum_types_by_name]
                self.imported |= {f"from google.protobuf.{_GOOGLE[n]} import {n} as {n}" for n in names if n in _GOOGLE}
                continue
            blocks += [self.enum(enum, shadowed=False) for enum in file.enum_types_by_name.values()]
            blocks += [self.message(each, set()) for each in file.message_types_by_name.values()]
        classes = "\n".join(blocks)
        return STUB.format(
            header=_header(files), packages=_packages(files), imports="\n".join(self.imports(classes)), classes=classes
        )

    def imports(self, classes: str) -> Iterable[str]:
        if "builtins." in classes:
            yield "import builtins"
        names = ("Iterable", "Literal", "Mapping", "NewType", "Optional")
        used = [name for name in names if f"{name}[" in classes or f"{name}(" in classes]
        if used:
            yield f"from typing import {', '.join(used)}"
        containers = ("MessageMap", "RepeatedCompositeFieldContainer", "RepeatedScalarFieldContainer", "ScalarMap")
        used = [name for name in containers if f"{name}[" in classes]
        if used:
            yield f"from google.protobuf.internal.containers import {', '.join(used)}"
        if "_EnumTypeWrapper[" in classes:
            yield "from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper"
        if "(Message)" in classes:
            yield "from google.protobuf.message import Message"
        used = [name for name in _LIKE.values() if f"[{name}]" in classes or f" {name}]" in classes]
        if used:
            yield f"from viam_sync.proto._values import {', '.join(used)}"
        yield from sorted(self.imported)

    def message(self, message: Descriptor, shadows: Set[str]) -> str:
        shadows = shadows | ({field.name for field in message.fields} & _BUILTINS)
        nested = [self.enum(enum, "int" in shadows) for enum in message.enum_types]
        nested += [self.message(each, shadows) for each in message.nested_types if not each.GetOptions().map_entry]
        parts = [textwrap.indent("\n".join(nested), "    ")] if nested else []
        for enum in message.enum_types:
            parts += [f"    {value.name}: {self.name(enum)}.ValueType" for value in enum.values]
        parts += [self.attribute(field, shadows) for field in message.fields]
        parts.append(self.init(message, shadows))
        parts += self.presence(message, shadows)
        return MESSAGE.format(name=message.name, doc=self.doc(message, 4), body="\n".join(parts))

    def attribute(self, field: FieldDescriptor, shadows: Set[str]) -> str:
        doc = self.comments.get(field.full_name)
        if field.message_type is None and not is_repeated(field):
            described = f'\n    """{self.doc(field, 4)}"""' if doc else ""
            return f"    {field.name}: {self.type(field, shadows)}{described}"
        body = f'\n        """{self.doc(field, 8)}"""' if doc else " ..."
        decorator = "builtins.property" if "property" in shadows else "property"
        return f"    @{decorator}\n    def {field.name}(self) -> {self.container(field, shadows)}:{body}"

    def init(self, message: Descriptor, shadows: Set[str]) -> str:
        if not message.fields:
            return "    def __init__(self) -> None: ..."
        arguments = [f"        {field.name}: Optional[{self.accepted(field, shadows)}] = ..." for field in message.fields]
        return "\n".join(["    def __init__(", "        self,", "        *,", *(f"{a}," for a in arguments), "    ) -> None: ..."])

    def presence(self, message: Descriptor, shadows: Set[str]) -> Iterable[str]:
        boolean = "builtins.bool" if "bool" in shadows else "bool"
        tracked = [field.name for field in message.fields if field.has_presence]
        oneofs = [oneof for oneof in message.oneofs if not _is_synthetic(oneof)]
        groups = [oneof.name for oneof in oneofs]
        if tracked:
            yield f"    def HasField(self, field_name: {_literal(tracked + groups)}) -> {boolean}: ..."
        if message.fields:
            names = [field.name for field in message.fields] + groups
            yield f"    def ClearField(self, field_name: {_literal(names)}) -> None: ..."
        if len(oneofs) == 1:
            fields = _literal([field.name for field in oneofs[0].fields])
            yield f"    def WhichOneof(self, oneof_group: {_literal(groups)}) -> Optional[{fields}]: ..."

    def enum(self, enum: EnumDescriptor, shadowed: bool) -> str:
        values = []
        for value in enum.values:
            values.append(f"    {value.name}: {self.name(enum)}.ValueType")
            if value_doc := self.comments.get(f"{enum.full_name}.{value.name}"):
                values.append(f'    """{docstring(_wrap(value_doc, 4), "    ")}"""')
        return ENUM.format(
            name=enum.name,
            doc=self.doc(enum, 4),
            builtins="builtins." if shadowed else "",
            wrapped="\n".join(f"    {value.name}: _{enum.name}.ValueType" for value in enum.values)
            if enum.containing_type is None
            else "    pass",
            values="\n".join(values),
        )

    def doc(self, element: Any, indent: int) -> str:
        comment = self.comments.get(element.full_name) or f"``{element.full_name}``."
        return docstring(_wrap(comment, indent), " " * indent)

    def container(self, field: FieldDescriptor, shadows: Set[str]) -> str:
        entry = map_entry(field)
        if entry is not None:
            kind = "MessageMap" if entry[1].message_type is not None else "ScalarMap"
            return f"{kind}[{self.type(entry[0], shadows)}, {self.type(entry[1], shadows)}]"
        if is_repeated(field):
            kind = "Composite" if field.message_type is not None else "Scalar"
            return f"Repeated{kind}FieldContainer[{self.type(field, shadows)}]"
        return self.type(field, shadows)

    def accepted(self, field: FieldDescriptor, shadows: Set[str]) -> str:
        entry = map_entry(field)
        if entry is not None:
            return f"Mapping[{self.type(entry[0], shadows)}, {self.like(entry[1], shadows)}]"
        like = self.like(field, shadows)
        return f"Iterable[{like}]" if is_repeated(field) else like

    def like(self, field: FieldDescriptor, shadows: Set[str]) -> str:
        plain = self.type(field, shadows)
        return _LIKE.get(plain, plain) if field.message_type is not None else plain

    def type(self, field: FieldDescriptor, shadows: Set[str]) -> str:
        if field.message_type is not None:
            return self.name(field.message_type)
        if field.enum_type is not None:
            return f"{self.name(field.enum_type)}.ValueType"
        name = "bytes" if field.type == FieldDescriptor.TYPE_BYTES else _SCALARS.get(field.cpp_type, "int")
        return f"builtins.{name}" if name in shadows else name

    def name(self, descriptor: Any) -> str:
        """Return how this stub writes the class of a message or enum."""
        if descriptor.file.package == "google.protobuf":
            self.imported.add(f"from google.protobuf.{_GOOGLE[descriptor.name]} import {descriptor.name}")
            return str(descriptor.name)
        names = []
        outer = descriptor
        while outer is not None:
            names.append(outer.name)
            outer = outer.containing_type
        module = self.modules(descriptor.file.name)
        if module != self.module:
            package, _, last = module.rpartition(".")
            self.imported.add(f"from {package} import {last} as {last}_pb")
            names.append(f"{last}_pb")
        return ".".join(reversed(names))


def _is_synthetic(oneof: Any) -> bool:
    """Tell whether a oneof only stands for the presence of an optional field."""
    return len(oneof.fields) == 1 and oneof.name == f"_{oneof.fields[0].name}"


def _literal(names: Sequence[str]) -> str:
    return f"Literal[{', '.join(repr(name) for name in names)}]"


def _wrap(comment: str, indent: int) -> List[str]:
    lines: List[str] = []
    for paragraph in comment.split("\n\n"):
        margin = " " * indent
        wrapped = textwrap.wrap(
            " ".join(paragraph.split()), 117, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
        )
        lines += ([""] if lines else []) + wrapped
    return lines
