"""Descriptors as the text of .proto files, and the comments that such files hold."""

import textwrap
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

Comments = Dict[str, str]

_SCALARS = {
    number: name[len("TYPE_") :].lower()
    for name, number in FieldDescriptorProto.Type.items()
    if name not in ("TYPE_MESSAGE", "TYPE_ENUM", "TYPE_GROUP")
}
_WIDTH = 100


def comments_of(file: FileDescriptorProto) -> Comments:
    """Return the comment above each element of ``file``, by the element's full name ("" is the file's own).

    ``file`` must have been compiled with source info.
    """
    found = {}
    for location in file.source_code_info.location:
        if location.path == [12]:  # the syntax line: what stands above it speaks of the file
            blocks = [*location.leading_detached_comments, location.leading_comments]
            found[""] = _unindent(next(filter(None, blocks), ""))
        elif location.leading_comments and len(location.path) % 2 == 0:
            name = _name_at(file, location.path)
            if name:
                found[name] = _unindent(location.leading_comments)
    return {name: text for name, text in found.items() if text}


def _unindent(text: str) -> str:
    return "\n".join(line[1:] if line.startswith(" ") else line for line in text.rstrip().split("\n"))


def _name_at(file: FileDescriptorProto, path: Iterable[int]) -> str:
    """Return the full name of the element at a source path, "" where the path is no named element."""
    here, names = file, [file.package]
    steps = list(path)
    for number, index in zip(steps[::2], steps[1::2]):
        field = here.DESCRIPTOR.fields_by_number[number]
        if field.message_type is None or field.name in ("options", "extension"):
            return ""
        here = getattr(here, field.name)[index]
        if not hasattr(here, "name"):
            return ""
        names.append(here.name)
    return ".".join(names)


def proto_text(file: FileDescriptorProto, comments: Comments) -> str:
    """Return the .proto file that compiles to ``file``, with ``comments`` above the elements they name."""
    return _Writer(file, comments).text()


class _Writer:
    """Writes one file; keeps its lines, and the names that could hide others."""

    def __init__(self, file: FileDescriptorProto, comments: Comments) -> None:
        self.file = file
        self.comments = comments
        self.named = set(_named(file))
        self.lines: List[str] = []

    def text(self) -> str:
        self._comment("", "")
        self.lines += [f'syntax = "{self.file.syntax}";', "", f"package {self.file.package};", ""]
        public = set(self.file.public_dependency)
        for number, name in enumerate(self.file.dependency):
            self.lines.append(f'import {"public " if number in public else ""}"{name}";')
        for service in self.file.service:
            self._service(service)
        for message in self.file.message_type:
            self.lines.append("")
            self._message(message, self.file.package, "")
        for enum in self.file.enum_type:
            self.lines.append("")
            self._enum(enum, self.file.package, "")
        return "\n".join(self.lines) + "\n"

    def _comment(self, name: str, indent: str) -> None:
        for line in self.comments.get(name, "").split("\n") if name in self.comments else ():
            wrapped = textwrap.wrap(line, _WIDTH - len(indent) - 3, break_on_hyphens=False) or [""]
            self.lines += [f"{indent}// {piece}".rstrip() for piece in wrapped]
        if not name and self.lines:
            self.lines.append("")

    def _service(self, service: ServiceDescriptorProto) -> None:
        scope = f"{self.file.package}.{service.name}"
        self.lines.append("")
        self._comment(scope, "")
        self.lines.append(f"service {service.name} {{")
        for method in service.method:
            self._comment(f"{scope}.{method.name}", "  ")
            request = ("stream " if method.client_streaming else "") + self._local(method.input_type, scope)
            response = ("stream " if method.server_streaming else "") + self._local(method.output_type, scope)
            body = " { option deprecated = true; }" if method.options.deprecated else ";"
            self.lines.append(f"  rpc {method.name}({request}) returns ({response}){body}")
        self.lines.append("}")

    def _message(self, message: DescriptorProto, scope: str, indent: str) -> None:
        full = f"{scope}.{message.name}"
        inner = indent + "  "
        self._comment(full, indent)
        if message == DescriptorProto(name=message.name):
            self.lines.append(f"{indent}message {message.name} {{}}")
            return
        self.lines.append(f"{indent}message {message.name} {{")
        if message.options.deprecated:
            self.lines.append(f"{inner}option deprecated = true;")
        for enum in message.enum_type:
            self._enum(enum, full, inner)
        for nested in message.nested_type:
            if not nested.options.map_entry:
                self._message(nested, full, inner)
        self._reserved(message.reserved_range, message.reserved_name, inner, last_included=False)
        opened = None
        for field in message.field:
            oneof = field.oneof_index if field.HasField("oneof_index") and not field.proto3_optional else None
            if oneof != opened:
                if opened is not None:
                    self.lines.append(f"{inner}}}")
                if oneof is not None:
                    name = message.oneof_decl[oneof].name
                    self._comment(f"{full}.{name}", inner)
                    self.lines.append(f"{inner}oneof {name} {{")
                opened = oneof
            self._field(field, message, full, inner if oneof is None else inner + "  ")
        if opened is not None:
            self.lines.append(f"{inner}}}")
        self.lines.append(f"{indent}}}")

    def _field(self, field: FieldDescriptorProto, message: DescriptorProto, scope: str, indent: str) -> None:
        self._comment(f"{scope}.{field.name}", indent)
        entry = next((m for m in message.nested_type if field.type_name == f".{scope}.{m.name}"), None)
        if entry is not None and entry.options.map_entry:
            key, value = entry.field
            kind = f"map<{self._type(key, scope)}, {self._type(value, scope)}>"
        else:
            kind = self._type(field, scope)
            if field.label == FieldDescriptorProto.LABEL_REPEATED:
                kind = "repeated " + kind
            elif field.proto3_optional:
                kind = "optional " + kind
        options = []
        if field.options.HasField("packed"):
            options.append(f"packed = {str(field.options.packed).lower()}")
        if field.options.deprecated:
            options.append("deprecated = true")
        if field.json_name and field.json_name != default_json_name(field.name):
            options.append(f'json_name = "{field.json_name}"')
        ending = f" [{', '.join(options)}]" if options else ""
        self.lines.append(f"{indent}{kind} {field.name} = {field.number}{ending};")

    def _enum(self, enum: EnumDescriptorProto, scope: str, indent: str) -> None:
        full = f"{scope}.{enum.name}"
        inner = indent + "  "
        self._comment(full, indent)
        self.lines.append(f"{indent}enum {enum.name} {{")
        if enum.options.allow_alias:
            self.lines.append(f"{inner}option allow_alias = true;")
        if enum.options.deprecated:
            self.lines.append(f"{inner}option deprecated = true;")
        self._reserved(enum.reserved_range, enum.reserved_name, inner, last_included=True)
        for value in enum.value:
            self._comment(f"{full}.{value.name}", inner)
            ending = " [deprecated = true]" if value.options.deprecated else ""
            self.lines.append(f"{inner}{value.name} = {value.number}{ending};")
        self.lines.append(f"{indent}}}")

    def _reserved(self, ranges: Iterable[Any], names: Iterable[str], indent: str, last_included: bool) -> None:
        spans = []
        for span in ranges:
            last = span.end if last_included else span.end - 1
            spans.append(str(span.start) if span.start == last else f"{span.start} to {last}")
        if spans:
            self.lines.append(f"{indent}reserved {', '.join(spans)};")
        if names:
            quoted = ", ".join(f'"{name}"' for name in names)
            self.lines.append(f"{indent}reserved {quoted};")

    def _type(self, field: FieldDescriptorProto, scope: str) -> str:
        return self._local(field.type_name, scope) if field.type_name else _SCALARS[field.type]

    def _local(self, type_name: str, scope: str) -> str:
        """Return a type's name as it is written in ``scope``: without the file's own package, where that is clear."""
        prefix = f".{self.file.package}."
        short = type_name[len(prefix if type_name.startswith(prefix) else ".") :]
        first = short.partition(".")[0]
        while scope and scope != self.file.package:
            if f".{scope}.{first}" in self.named and not type_name.startswith(f".{scope}.{first}"):
                return type_name
            scope = scope.rpartition(".")[0]
        return short


def _named(file: FileDescriptorProto) -> Iterator[str]:
    """Yield the full names, each behind a dot, of what a file holds that can hide a type: types and RPCs."""
    stack: List[Tuple[str, Any]] = [(f".{file.package}", each) for each in [*file.message_type, *file.enum_type]]
    stack += [(f".{file.package}.{service.name}", method) for service in file.service for method in service.method]
    while stack:
        scope, element = stack.pop()
        full = f"{scope}.{element.name}"
        yield full
        stack += [(full, each) for each in getattr(element, "nested_type", ())]
        stack += [(full, each) for each in getattr(element, "enum_type", ())]


def default_json_name(name: str) -> str:
    """Return the name that protoc gives a field in JSON."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def elements(file: FileDescriptorProto) -> Iterator[Tuple[str, str]]:
    """Yield each element of ``file`` as (full name, what it is), so that two schemas can be compared."""
    for service in file.service:
        for method in service.method:
            yield f"{file.package}.{service.name}.{method.name}", str(method)
    for enum in file.enum_type:
        yield f"{file.package}.{enum.name}", str(enum)
    stack = [(file.package, message) for message in file.message_type]
    while stack:
        scope, message = stack.pop()
        full = f"{scope}.{message.name}"
        shell = DescriptorProto()
        shell.CopyFrom(message)
        shell.ClearField("field")
        shell.ClearField("nested_type")
        yield full, str(shell)
        for field in message.field:
            yield f"{full}.{field.name}", str(field)
        stack += [(full, nested) for nested in message.nested_type]
