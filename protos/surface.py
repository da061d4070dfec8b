"""The surface table: what surface.toml says of each RPC, checked against the schema."""

import keyword
from dataclasses import dataclass
from typing import Any, Collection, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

#: The retry class of an RPC that the table does not list: it is sent once, unless it was certainly not processed.
DEFAULT_POLICY = "NON_IDEMPOTENT"
#: The retry classes of viam_sync/rpc/policies.py.
POLICIES = {
    *("READ", "QUERY", "READ_FILES", "IDEMPOTENT", "DELETE", "DELETE_SOME"),
    *(DEFAULT_POLICY, "UPLOAD", "STREAM", "TAIL"),
}
_KEYS = {
    *("name", "params", "not_empty", "returns", "retry", "why", "verify_with", "raises", "example"),
    *("hand_written", "omitted"),
}

Entry = Mapping[str, Any]


class SurfaceError(ValueError):
    """The surface table and the schema do not fit together."""


@dataclass(frozen=True)
class Listed:
    """A parameter as the table lists it: ``name -> field = default``."""

    name: str
    field: str
    default: Optional[str]


def entries(surface: Mapping[str, Any], services: Sequence[ServiceDescriptor]) -> Dict[str, Entry]:
    """Return what the table says of each RPC of ``services``, by full name; nothing where it says nothing.

    Raises:
        SurfaceError: If the table names what the schema does not have, or says what means nothing.
    """
    rpcs = {method.full_name: method for service in services for method in service.methods}
    tables = dict(_leaves(surface, ""))
    unknown = tables.keys() - rpcs.keys()
    if unknown:
        raise SurfaceError(f"surface.toml names what is no RPC: {', '.join(sorted(unknown))}")
    for name, entry in tables.items():
        _check(rpcs[name], entry)
    return {name: tables.get(name, {}) for name in rpcs}


def is_generated(entry: Entry) -> bool:
    """Tell whether an RPC gets a generated method."""
    return "hand_written" not in entry and "omitted" not in entry


def takes_timeout_by_position(entry: Entry) -> bool:
    """Tell whether the timeout is taken by position, too, after the parameters that the table lists."""
    return bool(entry.get("params", [])[-1:] == ["timeout"])


def listed_parameters(rpc: MethodDescriptor, entry: Entry, taken: Collection[str]) -> Tuple[Listed, ...]:
    """Return the parameters that the table lists for an RPC, in their order.

    Raises:
        SurfaceError: If one cannot be a parameter; ``taken`` are the names that the method uses itself.
    """
    found: Dict[str, Listed] = {}
    optional = ""
    listed_texts = entry.get("params", [])
    for text in listed_texts[:-1] if takes_timeout_by_position(entry) else listed_texts:
        left, _, default = (part.strip() for part in text.partition("="))
        name, _, field = (part.strip() for part in left.partition("->"))
        listed = Listed(name, field or name, default or None)
        if not _is_name(name) or name in taken or name in found:
            raise SurfaceError(f"surface.toml: {rpc.full_name} cannot have a parameter named {name!r}")
        if any(each.field == listed.field for each in found.values()):
            raise SurfaceError(f"surface.toml: {rpc.full_name} has two parameters for the field {listed.field!r}")
        if listed.field not in rpc.input_type.fields_by_name:
            raise SurfaceError(f"surface.toml: {rpc.input_type.full_name} has no field {listed.field!r}")
        if optional and not default:
            raise SurfaceError(f"surface.toml: {rpc.full_name} needs a default for {name!r}, as {optional!r} has one")
        optional = name if default else ""
        found[name] = listed
    return tuple(found.values())


def _leaves(table: Mapping[str, Any], scope: str) -> Iterator[Tuple[str, Entry]]:
    for name, value in table.items():
        full = f"{scope}.{name}" if scope else name
        if not isinstance(value, dict):
            raise SurfaceError(f"surface.toml: {full} stands outside the table of an RPC")
        if value and all(isinstance(inner, dict) for inner in value.values()):
            yield from _leaves(value, full)
        else:
            yield full, value


def _check(rpc: MethodDescriptor, entry: Entry) -> None:
    wrong = sorted(entry.keys() - _KEYS)
    if wrong:
        raise SurfaceError(f"surface.toml: {rpc.full_name} has {', '.join(wrong)}, which means nothing")
    if entry.get("retry", DEFAULT_POLICY) not in POLICIES:
        raise SurfaceError(f"surface.toml: {rpc.full_name} has no such retry class: {entry['retry']!r}")
    if "hand_written" in entry and "omitted" in entry:
        raise SurfaceError(f"surface.toml: {rpc.full_name} cannot be both hand_written and omitted")
    if not _is_name(entry.get("name", "method")):
        raise SurfaceError(f"surface.toml: {rpc.full_name} cannot be a method named {entry['name']!r}")
    if rpc.client_streaming and "params" in entry:
        raise SurfaceError(f"surface.toml: {rpc.full_name} takes a stream of requests, so it has no params")
    if rpc.server_streaming and "returns" in entry:
        raise SurfaceError(f"surface.toml: {rpc.full_name} returns a stream, so no field of it can be returned")


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)
