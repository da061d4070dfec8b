"""What each service looks like in Python: descriptors and the surface table, as frozen dataclasses."""

import keyword
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from proto_text import comments_of

#: The names that a generated method uses itself.
_TAKEN = {"self", "timeout", "request", "response", "list", "dict", "struct_to_dict"}
_POLICIES = {"READ", "QUERY", "READ_FILES", "IDEMPOTENT", "ONCE", "UPLOAD", "STREAM", "TAIL"}
_KEYS = {"name", "params", "returns", "retry", "why", "raises", "example", "hand_written", "omitted"}

_SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: "str",
    FieldDescriptor.CPPTYPE_BOOL: "bool",
    FieldDescriptor.CPPTYPE_DOUBLE: "float",
    FieldDescriptor.CPPTYPE_FLOAT: "float",
    FieldDescriptor.CPPTYPE_INT32: "int",
    FieldDescriptor.CPPTYPE_INT64: "int",
    FieldDescriptor.CPPTYPE_UINT32: "int",
    FieldDescriptor.CPPTYPE_UINT64: "int",
}
#: Well-known types that a caller need not build.
_VALUES = {
    "google.protobuf.Timestamp": "TimestampLike",
    "google.protobuf.Duration": "DurationLike",
    "google.protobuf.Struct": "StructLike",
}


class SurfaceError(ValueError):
    """The surface table and the schema do not fit together."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method, and the field of the request that it fills."""

    name: str
    field: str
    annotation: str
    default: Optional[str]
    doc: str
    keyword_only: bool


@dataclass(frozen=True)
class Returned:
    """One value that a method returns: an expression on the response, its type, and what it is."""

    expression: str
    annotation: str
    doc: str


@dataclass(frozen=True)
class Method:
    """One RPC as a method."""

    rpc: str
    name: str
    client_streaming: bool
    server_streaming: bool
    request: str
    response: str
    parameters: Tuple[Parameter, ...]
    returned: Tuple[Returned, ...]
    whole: bool
    policy: str
    why: str
    summary: str
    description: str
    deprecated: bool
    raises: Tuple[str, ...]
    example: str


@dataclass(frozen=True)
class ServiceClass:
    """One proto service as a class."""

    name: str
    full_name: str
    module: str
    source: str
    doc: str
    messages: Mapping[str, str]
    methods: Tuple[Method, ...]


Modules = Callable[[str], str]


def load(compiled: FileDescriptorSet) -> Tuple[DescriptorPool, Dict[str, str]]:
    """Return a pool with the compiled files, and the comments of all their elements by full name."""
    pool = DescriptorPool()
    comments: Dict[str, str] = {}
    for file in compiled.file:
        comments.update(comments_of(file))
        pool.AddSerializedFile(file.SerializeToString())
    return pool, comments


def describe(
    services: Sequence[ServiceDescriptor], comments: Mapping[str, str], surface: Mapping[str, Any], modules: Modules
) -> List[ServiceClass]:
    """Return the classes of ``services``.

    Args:
        services: Their descriptors.
        comments: The comment of each element of the schema, by full name.
        surface: The table of surface.toml; an RPC that it does not hold gets the default rule.
        modules: The module that holds the messages of a .proto file, by the file's name.

    Raises:
        SurfaceError: If the table names what the schema does not have.
    """
    unknown = _leaves(surface, "") - {f"{s.full_name}.{m.name}" for s in services for m in s.methods}
    if unknown:
        raise SurfaceError(f"surface.toml names what is no RPC: {', '.join(sorted(unknown))}")
    return [_Describer(service, comments, surface, modules).service() for service in services]


def entry_of(surface: Mapping[str, Any], full_name: str) -> Dict[str, Any]:
    """Return what the surface table says of an RPC; nothing where it says nothing."""
    entry: Any = surface
    for part in full_name.split("."):
        entry = entry.get(part, {})
    return dict(entry)


def _leaves(table: Mapping[str, Any], scope: str) -> Set[str]:
    found = set()
    for name, value in table.items():
        full = f"{scope}.{name}" if scope else name
        nested = isinstance(value, dict)
        if nested and any(isinstance(inner, dict) for inner in value.values()):
            found |= _leaves(value, full)
        elif nested:
            found.add(full)
            wrong = set(value) - _KEYS
            if wrong or value.get("retry", "ONCE") not in _POLICIES:
                raise SurfaceError(f"surface.toml: {full} has {sorted(wrong) or value['retry']}, which means nothing")
    return found


class _Describer:
    """Describes one service; keeps the aliases under which it imports modules of messages."""

    def __init__(
        self, service: ServiceDescriptor, comments: Mapping[str, str], surface: Mapping[str, Any], modules: Modules
    ) -> None:
        self.descriptor = service
        self.comments = comments
        self.surface = surface
        self.modules = modules
        self.messages: Dict[str, str] = {"pb": modules(service.file.name)}

    def service(self) -> ServiceClass:
        descriptor = self.descriptor
        name = descriptor.name if descriptor.name.endswith("Service") else f"{descriptor.name}Service"
        entries = [(method, entry_of(self.surface, method.full_name)) for method in descriptor.methods]
        methods = tuple(
            self.method(method, entry)
            for method, entry in entries
            if "hand_written" not in entry and "omitted" not in entry
        )
        names = [method.name for method in methods]
        twice = {each for each in names if names.count(each) > 1}
        if twice:
            raise SurfaceError(f"{descriptor.full_name} has two methods named {', '.join(sorted(twice))}")
        doc = self.comments.get(descriptor.full_name, f"The service {descriptor.full_name}.")
        source = descriptor.file.name
        return ServiceClass(name, descriptor.full_name, snake(name), source, doc, dict(self.messages), methods)

    def method(self, rpc: MethodDescriptor, entry: Mapping[str, Any]) -> Method:
        summary, _, description = self.comments.get(rpc.full_name, f"Call {rpc.name}.").partition("\n\n")
        streams = bool(rpc.client_streaming), bool(rpc.server_streaming)
        parameters = () if streams[0] else self.parameters(rpc.input_type, entry.get("params", []))
        returned, whole = self.returned(rpc, entry.get("returns", []))
        return Method(
            rpc=rpc.name,
            name=entry.get("name") or _free(snake(rpc.name), set()),
            client_streaming=streams[0],
            server_streaming=streams[1],
            request=self.message(rpc.input_type),
            response=self.message(rpc.output_type),
            parameters=parameters,
            returned=returned,
            whole=whole,
            policy=entry.get("retry", "ONCE"),
            why=entry.get("why", ""),
            summary=" ".join(summary.split()),
            description=description,
            deprecated=rpc.GetOptions().deprecated,
            raises=tuple(entry.get("raises", ())),
            example=entry.get("example", "").strip(),
        )

    def parameters(self, request: Descriptor, listed: Sequence[str]) -> Tuple[Parameter, ...]:
        """Return the listed parameters in their order, then the remaining fields, keyword-only."""
        fields = dict(request.fields_by_name)
        taken = _TAKEN | set(self.messages)
        found = []
        for text in listed:
            left, _, default = (part.strip() for part in text.partition("="))
            name, _, wire = (part.strip() for part in left.partition("->"))
            field = fields.pop(wire or name, None)
            if field is None:
                raise SurfaceError(f"{request.full_name} has no field {wire or name}")
            found.append(self.parameter(field, name, default or None, keyword_only=False))
        for field in request.fields:
            if field.name in fields and not field.GetOptions().deprecated:
                found.append(self.parameter(field, _free(field.name, taken), "None", keyword_only=True))
        return tuple(found)

    def parameter(self, field: FieldDescriptor, name: str, default: Optional[str], keyword_only: bool) -> Parameter:
        annotation = self.accepted(field)
        if default == "None":
            annotation = f"Optional[{annotation}]"
        doc = self.comments.get(field.full_name, f"The field ``{field.name}``.")
        return Parameter(name, field.name, annotation, default, doc, keyword_only)

    def returned(self, rpc: MethodDescriptor, listed: Any) -> Tuple[Tuple[Returned, ...], bool]:
        response = rpc.output_type
        names = [listed] if isinstance(listed, str) else listed
        if rpc.server_streaming or not names:
            whole = Returned("response", self.message(response), "The answer of the service.")
            return ((whole,) if response.fields or rpc.server_streaming else ()), True
        found = []
        for name in names:
            if name not in response.fields_by_name:
                raise SurfaceError(f"{response.full_name} has no field {name}")
            field = response.fields_by_name[name]
            expression, annotation = self.given(field)
            found.append(Returned(expression, annotation, self.comments.get(field.full_name, f"The ``{name}``.")))
        return tuple(found), False

    def accepted(self, field: FieldDescriptor) -> str:
        """Return the type that a parameter for ``field`` takes."""
        entry = map_entry(field)
        if entry is not None:
            return f"Mapping[{self.type(entry[0])}, {self.type(entry[1])}]"
        return f"Sequence[{self.type(field)}]" if is_repeated(field) else self.type(field)

    def given(self, field: FieldDescriptor) -> Tuple[str, str]:
        """Return the expression that takes ``field`` out of a response, and its type."""
        entry = map_entry(field)
        place = f"response.{field.name}"
        if entry is not None:
            return f"dict({place})", f"Dict[{self.plain(entry[0])}, {self.plain(entry[1])}]"
        if is_repeated(field):
            return f"list({place})", f"List[{self.plain(field)}]"
        if field.message_type is not None and field.message_type.full_name == "google.protobuf.Struct":
            return f"struct_to_dict({place})", "Dict[str, Any]"
        return place, self.plain(field)

    def type(self, field: FieldDescriptor) -> str:
        kind = field.message_type
        return _VALUES[kind.full_name] if kind is not None and kind.full_name in _VALUES else self.plain(field)

    def plain(self, field: FieldDescriptor) -> str:
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return f"{self.message(field.enum_type)}.ValueType"
        return "bytes" if field.type == FieldDescriptor.TYPE_BYTES else _SCALARS[field.cpp_type]

    def message(self, descriptor: Any) -> str:
        """Return how this service's module writes the class of a message or enum."""
        names = []
        outer = descriptor
        while outer is not None:
            names.append(outer.name)
            outer = outer.containing_type
        module = self.modules(descriptor.file.name)
        alias = "pb" if module == self.messages["pb"] else f"{module.rsplit('.', 1)[-1]}_pb"
        self.messages[alias] = module
        return ".".join([alias, *reversed(names)])


def map_entry(field: FieldDescriptor) -> Optional[Tuple[FieldDescriptor, FieldDescriptor]]:
    """Return the key and the value of a map field, None for any other."""
    kind = field.message_type
    if kind is None or not kind.GetOptions().map_entry:
        return None
    return kind.fields_by_name["key"], kind.fields_by_name["value"]


def is_repeated(field: FieldDescriptor) -> bool:
    """Tell whether a field holds any number of values."""
    if hasattr(type(field), "is_repeated"):
        return bool(field.is_repeated)
    return bool(field.label == FieldDescriptor.LABEL_REPEATED)


def snake(name: str) -> str:
    """Return a CamelCase name in snake_case.

    >>> snake("GetUserIDByEmail"), snake("ListDatasetsByIDs")
    ('get_user_id_by_email', 'list_datasets_by_ids')
    """
    name = re.sub(r"([A-Z])IDs\b|IDs\b", lambda match: f"{match.group(1) or ''}Ids", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _free(name: str, taken: Set[str]) -> str:
    """Return a name that neither Python nor the method uses already."""
    return f"{name}_" if keyword.iskeyword(name) or name in taken else name
