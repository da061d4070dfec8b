"""Descriptions of RPCs, messages and enums, as a .proto file has them."""

import json
from typing import Any, Dict, Iterator, List, Sequence, Union

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, ServiceDescriptor

from viam_sync.checks import string
from viam_sync.checks.near_names import any_of, near_names
from viam_sync.display.shown_fields import inner_message, is_well_known
from viam_sync.messages.explain import is_list, is_map
from viam_sync.messages.pool import schema_files
from viam_sync.messages.secret_fields import is_secret
from viam_sync.reflection.rpcs import Rpc, all_rpcs, find_rpc, is_end_of

_TYPES = {
    number: name[len("TYPE_") :].lower() for name, number in vars(FieldDescriptor).items() if name.startswith("TYPE_")
}
#: What stands in the template of a request for a message of protobuf's own.
_EXAMPLES: Dict[str, Any] = {
    "google.protobuf.Duration": "1s",
    "google.protobuf.FieldMask": "",
    "google.protobuf.ListValue": [],
    "google.protobuf.Timestamp": "2024-01-31T12:00:00Z",
}
_INDENT = "  "

Described = Union[Descriptor, EnumDescriptor, ServiceDescriptor, Rpc]


def find_described(name: str) -> Described:
    """Return the RPC, service, message or enum of a name, with its package or without.

    Raises:
        TypeError: If ``name`` is no str.
        ValueError: If there is none, or several have the name.

    Example:
        >>> from viam_sync.reflection.proto_form import find_described
        >>> find_described("GetRobotRequest").full_name
        'viam.app.v1.GetRobotRequest'
    """
    wanted = string("name", name).strip().strip("/")
    types = {each.full_name: each for each in _all_types()}
    found = [types[each] for each in types if is_end_of(wanted, each)]
    exact = types.get(wanted)
    if exact is not None or len(found) == 1:
        return exact or found[0]
    if found:
        raise ValueError(f"name fits several, got {wanted!r}; give one of {any_of([one.full_name for one in found])}")
    if any(is_end_of(wanted, rpc.name) for rpc in all_rpcs()):
        return find_rpc(wanted)
    names = [each.name for each in types.values()]
    near = near_names(wanted, [rpc.short_name for rpc in all_rpcs()] if "/" in wanted else names)
    advice = f"did you mean {any_of(near)}?" if near else "viam-sync call --list lists the RPCs"
    raise ValueError(f"name is no RPC, service, message or enum, got {wanted!r}; {advice}")


def _all_types() -> Iterator[Union[Descriptor, EnumDescriptor, ServiceDescriptor]]:
    for file in schema_files():
        yield from file.services_by_name.values()
        yield from file.enum_types_by_name.values()
        for each in file.message_types_by_name.values():
            yield from _with_nested(each)


def _with_nested(message: Descriptor) -> Iterator[Union[Descriptor, EnumDescriptor]]:
    yield message
    yield from message.enum_types
    for nested in message.nested_types:
        if not nested.GetOptions().map_entry:
            yield from _with_nested(nested)


def proto_text(described: Described) -> str:
    """Return a description, as a .proto file has it; that of an RPC has its messages, and a call to fill in.

    Example:
        >>> from viam_sync.reflection.proto_form import find_described, proto_text
        >>> print(proto_text(find_described("GetRobotRequest")))
        message GetRobotRequest {
          string id = 1;
        }
    """
    return "\n".join(_lines(described))


def _lines(described: Described) -> List[str]:
    if isinstance(described, Rpc):
        return _rpc_lines(described)
    if isinstance(described, Descriptor):
        return [f"message {described.name} {{", *_field_lines(described), "}"]
    if isinstance(described, EnumDescriptor):
        return [f"enum {described.name} {{", *(f"  {each.name} = {each.number};" for each in described.values), "}"]
    rpcs = [each for each in all_rpcs() if each.descriptor.containing_service.full_name == described.full_name]
    return [f"service {described.name} {{", *(f"{_INDENT}{_signature(rpc)}" for rpc in rpcs), "}"]


def _rpc_lines(rpc: Rpc) -> List[str]:
    request, response = rpc.descriptor.input_type, rpc.descriptor.output_type
    lines = [f"// {rpc.name}", f"// {how_sent(rpc)}", _signature(rpc)]
    for each in dict.fromkeys([request, response]):
        lines += ["", *_lines(each)]
    return [*lines, "", f"// viam-sync call {rpc.short_name} '{json.dumps(template(request))}'"]


def how_sent(rpc: Rpc) -> str:
    """Return how often an RPC is sent, in words.

    Example:
        >>> from viam_sync.reflection.proto_form import how_sent
        >>> from viam_sync.reflection.rpcs import find_rpc
        >>> how_sent(find_rpc("GetRobot"))
        'sent up to 5 times, as READ'
    """
    policy = rpc.method.policy
    return "sent once" if policy.attempts == 1 else f"sent up to {policy.attempts} times, as {policy.name}"


def _signature(rpc: Rpc) -> str:
    takes = f"{'stream ' if rpc.takes_stream else ''}{_name_in(rpc.descriptor.input_type, rpc.descriptor)}"
    gives = f"{'stream ' if rpc.gives_stream else ''}{_name_in(rpc.descriptor.output_type, rpc.descriptor)}"
    return f"rpc {rpc.descriptor.name}({takes}) returns ({gives});"


def _name_in(described: Any, place: Any) -> str:
    """Return the name of a type as it is in the file of something else: without a package that both are in."""
    package = (place.file if hasattr(place, "file") else place.containing_service.file).package
    name: str = described.full_name
    return name[len(package) + 1 :] if described.file.package == package else name


def _field_lines(holder: Descriptor) -> List[str]:
    lines: List[str] = []
    around = None
    for field in holder.fields:
        group = _real_oneof(field)
        if around is not None and group is not around:
            lines.append(f"{_INDENT}}}")
        if group is not None and group is not around:
            lines.append(f"{_INDENT}oneof {group.name} {{")
        around = group
        secret = "  // secret" if is_secret(field) else ""
        indent = _INDENT if group is None else 2 * _INDENT
        lines.append(f"{indent}{_label(field)}{_type_name(field)} {field.name} = {field.number};{secret}")
    return lines if around is None else [*lines, f"{_INDENT}}}"]


def _real_oneof(field: FieldDescriptor) -> Any:
    """Return the oneof that a field is in; None also for an optional field, which is alone in one that nobody wrote."""
    oneof = field.containing_oneof
    return None if oneof is None or oneof.name == f"_{field.name}" else oneof


def _label(field: FieldDescriptor) -> str:
    if is_list(field):
        return "" if is_map(field) else "repeated "
    return "optional " if field.containing_oneof is not None and _real_oneof(field) is None else ""


def _type_name(field: FieldDescriptor) -> str:
    kind: Any = field.message_type or field.enum_type
    if is_map(field):
        key, value = (kind.fields_by_name[name] for name in ("key", "value"))
        return f"map<{_type_name(key)}, {_type_name(value)}>"
    return _TYPES[field.type] if kind is None else _name_in(kind, field)


def template(holder: Descriptor) -> Dict[str, Any]:
    """Return a request to fill in: each field with what stands for an empty one, and of a oneof the first.

    Example:
        >>> from viam_sync.reflection.proto_form import find_described, template
        >>> template(find_described("GetRobotRequest"))
        {'id': ''}
    """
    return _template(holder, ())


def _template(holder: Descriptor, around: Sequence[Descriptor]) -> Dict[str, Any]:
    filled: Dict[str, Any] = {}
    for field in holder.fields:
        group = _real_oneof(field)
        # A message in itself would have no end.
        if (group is None or group.fields[0].number == field.number) and inner_message(field) not in (holder, *around):
            filled[field.json_name] = _blank(field, (holder, *around))
    return filled


def _blank(field: FieldDescriptor, around: Sequence[Descriptor]) -> Any:
    if is_map(field):
        return {}
    kind = field.message_type
    if kind is not None:
        one: Any = _EXAMPLES.get(kind.full_name, {}) if is_well_known(kind) else _template(kind, around)
    elif field.enum_type is not None:
        one = field.enum_type.values[0].name
    else:
        one = {FieldDescriptor.CPPTYPE_STRING: "", FieldDescriptor.CPPTYPE_BOOL: False}.get(field.cpp_type, 0)
    return [one] if is_list(field) else one
