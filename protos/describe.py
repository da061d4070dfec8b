"""Each service as it will look in Python: descriptors and the surface table, as frozen dataclasses."""

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from names import Modules, aliases, free, modules_below, nesting, snake
from proto_text import comments_of
from surface import (
    DEFAULT_POLICY,
    Entry,
    SurfaceError,
    entries,
    is_generated,
    listed_parameters,
    takes_timeout_by_position,
)

#: The names that a generated method uses itself.
_TAKEN = {
    *("self", "timeout", "request", "response", "list", "dict", "pb", "methods"),
    *("struct_to_dict", "require", "require_one", "text"),
}

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


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method, and the field of the request that it fills.

    One without a default need not be required: the reference may ask for what the schema lets a caller leave out.
    """

    name: str
    field: str
    annotation: str
    default: Optional[str]
    doc: str
    keyword_only: bool
    required: bool


@dataclass(frozen=True)
class Returned:
    """One value that a method returns: an expression on the response, its type, and what it is."""

    expression: str
    annotation: str
    doc: str


@dataclass(frozen=True)
class Rpc:
    """One RPC as a row of the table of all RPCs."""

    constant: str
    path: str
    client_streaming: bool
    server_streaming: bool
    policy: str
    verify_with: str

    @property
    def kind(self) -> str:
        """How many messages go up and come down, as the methods of a ``grpc.Channel`` say it."""
        request = "stream" if self.client_streaming else "unary"
        return f"{request}_{'stream' if self.server_streaming else 'unary'}"


@dataclass(frozen=True)
class Method:
    """One RPC as a method."""

    rpc: Rpc
    name: str
    request: str
    response: str
    parameters: Tuple[Parameter, ...]
    needs_one: bool
    timeout_by_position: bool
    returned: Tuple[Returned, ...]
    why: str
    doc: str
    deprecated: bool
    raises: Tuple[str, ...]
    example: str
    not_empty: Tuple[str, ...]


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


def load(compiled: FileDescriptorSet) -> Tuple[DescriptorPool, Dict[str, str]]:
    """Return a pool with the compiled files, and the comments of all their elements by full name.

    Those of ``google.protobuf`` are left out: they speak of C++ and Java, and their words are not ours.
    """
    pool = DescriptorPool()
    comments: Dict[str, str] = {}
    for file in compiled.file:
        if file.package != "google.protobuf":
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
    tables = entries(surface, services)
    table = {row.path: row for row in rpcs(services, surface)}
    return [_Describer(service, comments, tables, table, modules).service() for service in services]


def rpcs(services: Sequence[ServiceDescriptor], surface: Mapping[str, Any]) -> List[Rpc]:
    """Return a row for each RPC of ``services`` that has a method, generated or by hand.

    Where two services have an RPC of one name, the names of their constants begin with those of the services.

    Raises:
        SurfaceError: If the surface table names what the schema does not have.
    """
    tables = entries(surface, services)
    present = [
        method for service in services for method in service.methods if "omitted" not in tables[method.full_name]
    ]
    names = [snake(method.name) for method in present]
    found = []
    for method, name in zip(present, names):
        service = method.containing_service
        constant = name if names.count(name) == 1 else f"{snake(service.name)}_{name}"
        entry = tables[method.full_name]
        found.append(
            Rpc(
                constant.upper(),
                f"/{service.full_name}/{method.name}",
                bool(method.client_streaming),
                bool(method.server_streaming),
                entry.get("retry", DEFAULT_POLICY),
                entry.get("verify_with", ""),
            )
        )
    return found


class _Describer:
    """Describes one service; keeps the modules of messages that it must import."""

    def __init__(
        self,
        service: ServiceDescriptor,
        comments: Mapping[str, str],
        tables: Mapping[str, Entry],
        rpcs: Mapping[str, Rpc],
        modules: Modules,
    ) -> None:
        self.descriptor = service
        self.comments = comments
        self.tables = tables
        self.rpcs = rpcs
        self.modules = modules
        self.aliases = {**aliases(modules_below(service.file, modules)), modules(service.file.name): "pb"}
        self.messages: Dict[str, str] = {}

    def service(self) -> ServiceClass:
        descriptor = self.descriptor
        name = descriptor.name if descriptor.name.endswith("Service") else f"{descriptor.name}Service"
        tables = [(method, self.tables[method.full_name]) for method in descriptor.methods]
        methods = tuple(self.method(method, entry) for method, entry in tables if is_generated(entry))
        names = [method.name for method in methods]
        twice = {each for each in names if names.count(each) > 1}
        if twice:
            raise SurfaceError(f"{descriptor.full_name} has two methods named {', '.join(sorted(twice))}")
        doc = self.comments.get(descriptor.full_name, f"The service ``{descriptor.full_name}``.")
        source = descriptor.file.name
        return ServiceClass(name, descriptor.full_name, snake(name), source, doc, dict(self.messages), methods)

    def method(self, rpc: MethodDescriptor, entry: Entry) -> Method:
        parameters = () if rpc.client_streaming else self.parameters(rpc, entry)
        doc = self.comments.get(rpc.full_name, f"Call {rpc.name}.")
        needs_one = "params" not in entry and bool(parameters) and not any(each.required for each in parameters)
        return Method(
            rpc=self.rpcs[f"/{self.descriptor.full_name}/{rpc.name}"],
            name=entry.get("name") or free(snake(rpc.name)),
            request=self.message(rpc.input_type),
            response=self.message(rpc.output_type),
            parameters=parameters,
            needs_one=needs_one,
            timeout_by_position=takes_timeout_by_position(entry),
            returned=self.returned(rpc, entry.get("returns", [])),
            why=entry.get("why", ""),
            doc="\n\n".join([doc, *_alternatives(rpc.input_type, parameters, needs_one)]),
            deprecated=rpc.GetOptions().deprecated,
            raises=tuple(entry.get("raises", ())),
            example=entry.get("example", "").strip(),
            not_empty=tuple(entry.get("not_empty", ())),
        )

    def parameters(self, rpc: MethodDescriptor, entry: Entry) -> Tuple[Parameter, ...]:
        """Return the listed parameters in their order, then the remaining fields, keyword-only.

        Beside listed ones, the remaining fields can be left out. Where none are listed, the schema says which can.
        """
        taken = {*_TAKEN, *self.aliases.values()}
        fields: Dict[str, FieldDescriptor] = dict(rpc.input_type.fields_by_name)
        found = []
        for each in listed_parameters(rpc, entry, taken):
            found.append(self.parameter(fields.pop(each.field), each.name, each.default, keyword_only=False))
            taken.add(each.name)
        for field in rpc.input_type.fields:
            if field.name in fields and not field.GetOptions().deprecated:
                default = None if "params" not in entry and _must_be_given(field) else "None"
                found.append(self.parameter(field, free(field.name, taken), default, keyword_only=True))
                taken.add(found[-1].name)
        unknown = set(entry.get("not_empty", ())) - {each.name for each in found}
        if unknown:
            raise SurfaceError(f"surface.toml: {rpc.full_name} has no parameter {', '.join(sorted(unknown))}")
        return tuple(found)

    def parameter(self, field: FieldDescriptor, name: str, default: Optional[str], keyword_only: bool) -> Parameter:
        annotation = self.accepted(field)
        required = default is None and field.containing_oneof is None
        if default == "None" or (default is None and not required):
            annotation = f"Optional[{annotation}]"
        doc = self.comments.get(field.full_name, f"The field ``{field.name}``.")
        return Parameter(name, field.name, annotation, default, doc, keyword_only, required)

    def returned(self, rpc: MethodDescriptor, listed: Any) -> Tuple[Returned, ...]:
        """Return the listed fields of the response; the whole of it where none are listed."""
        response = rpc.output_type
        names = [listed] if isinstance(listed, str) else listed
        if not names:
            whole = Returned("response", self.message(response), "The answer of the service.")
            return (whole,) if response.fields or rpc.server_streaming else ()
        found = []
        for name in names:
            if name not in response.fields_by_name:
                raise SurfaceError(f"surface.toml: {response.full_name} has no field {name!r}")
            field = response.fields_by_name[name]
            expression, annotation = self.given(field)
            doc = self.comments.get(field.full_name, f"The field ``{name}`` of the answer.")
            found.append(Returned(expression, annotation, doc))
        return tuple(found)

    def accepted(self, field: FieldDescriptor) -> str:
        """Return the type that a parameter for ``field`` takes."""
        entry = map_entry(field)
        if entry is not None:
            return f"Mapping[{self.type(entry[0])}, {self.type(entry[1])}]"
        return f"Sequence[{self.type(field)}]" if is_repeated(field) else self.type(field)

    def given(self, field: FieldDescriptor) -> Tuple[str, str]:
        """Return the expression that takes ``field`` out of a response, and its type."""
        entry = map_entry(field)
        place = f"response.{field.name}" if free(field.name) == field.name else f'getattr(response, "{field.name}")'
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
        module = self.modules(descriptor.file.name)
        alias = self.aliases[module]
        self.messages[alias] = module
        return ".".join([alias, *nesting(descriptor)])


def _must_be_given(field: FieldDescriptor) -> bool:
    """Tell whether a field has to be given: it is a text or a message, and not ``optional``, repeated or in a oneof.

    A number that is zero and a bool that is false may be meant.
    """
    kinds = (FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_MESSAGE)
    return field.cpp_type in kinds and not is_repeated(field) and field.containing_oneof is None


def _alternatives(request: Descriptor, parameters: Sequence[Parameter], needs_one: bool) -> Iterator[str]:
    """Yield a sentence for each oneof of a request of which several fields are parameters, and for the need of one."""
    if needs_one and len(parameters) > 1:
        yield f"Give at least one of {', '.join(each.name for each in parameters[:-1])} and {parameters[-1].name}."
    for oneof in request.oneofs:
        fields = {field.name for field in oneof.fields}
        names = [each.name for each in parameters if each.field in fields]
        if len(names) > 1:
            yield f"Give at most one of {', '.join(names[:-1])} and {names[-1]}."


def map_entry(field: FieldDescriptor) -> Optional[Tuple[FieldDescriptor, FieldDescriptor]]:
    """Return the key and the value of a map field, None for any other."""
    kind = field.message_type
    if kind is None or not kind.GetOptions().map_entry:
        return None
    return kind.fields_by_name["key"], kind.fields_by_name["value"]


def is_repeated(field: FieldDescriptor) -> bool:
    """Tell whether a field holds any number of values."""
    return bool(field.is_repeated)
