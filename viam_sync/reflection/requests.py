"""Requests as JSON has them, made messages; an error names the place of what does not fit, or near names."""

import json
import re
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from viam_sync.checks import wrong_value
from viam_sync.checks.descriptions import is_text
from viam_sync.checks.near_names import any_of, near_first
from viam_sync.display.shown_fields import inner_message, is_well_known
from viam_sync.messages.conversion import without_packages
from viam_sync.messages.explain import UNFIT, is_list, is_map, kind_of, missing_field
from viam_sync.messages.pool import message, pool
from viam_sync.messages.secret_fields import HIDDEN, is_secret

_SPACE = re.compile(r"\s*")
#: With either alphabet, and with what fills it up or without.
_BASE64 = re.compile(r"(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?", re.ASCII)
_KINDS = {
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_STRING: "a text",
}
_KINDS_OF_MESSAGES = {
    "google.protobuf.Duration": 'seconds such as "1.5s"',
    "google.protobuf.FieldMask": "names of fields, with commas between them",
    "google.protobuf.ListValue": "a list",
    "google.protobuf.Timestamp": 'a time such as "2024-01-31T12:00:00Z"',
}


class _Leaf(NamedTuple):
    """A value of a request, and the one-field request that it makes."""

    place: str
    field: FieldDescriptor
    value: Any
    holder: Descriptor
    alone: Dict[str, Any]


def request_from(descriptor: Descriptor, fields: Mapping[str, Any], place: str = "") -> Message:
    """Return a message of its fields, as proto JSON has them; names may be those of the schema, too.

    Args:
        descriptor: Describes the message.
        fields: Its fields.
        place: Where it is, for errors.

    Raises:
        ValueError: If there is no such field, or a value does not fit one, or is the mark of a hidden secret.

    Example:
        >>> from viam_sync.reflection.requests import request_from
        >>> request_from(pb.GetRobotRequest.DESCRIPTOR, {"id": "r-1"}).id
        'r-1'
        >>> request_from(pb.GetRobotRequest.DESCRIPTOR, {"robotId": "r-1"})
        Traceback (most recent call last):
        ValueError: GetRobotRequest has no field 'robotId'; it has id
    """
    leaves = list(_leaves(descriptor, fields, place))
    for leaf in leaves:
        _refuse(leaf)
    try:
        return _parsed(descriptor, fields)
    except (ParseError, *UNFIT) as error:
        failure = error
    for leaf in leaves:
        try:
            _parsed(leaf.holder, leaf.alone)
        except (ParseError, *UNFIT):
            raise _misfit_error(leaf) from None
    raise ValueError(f"{place or 'request'} is no {descriptor.name}: {without_packages(str(failure))}") from None


def _refuse(leaf: _Leaf) -> None:
    """Refuse what the parser of protobuf would take."""
    if leaf.value == HIDDEN and is_secret(leaf.field):
        raise ValueError(f"{leaf.place} is {HIDDEN}, which stands for a secret that was not printed")
    if not _is_text_throughout(leaf.value):
        raise ValueError(f"{leaf.place} has half a character in it")
    is_bytes = leaf.field.type == FieldDescriptor.TYPE_BYTES
    if is_bytes and isinstance(leaf.value, str) and not _BASE64.fullmatch(leaf.value):
        raise _misfit_error(leaf)
    inner = inner_message(leaf.field)
    if inner is not None and not is_well_known(inner) and leaf.value is not None:
        raise _misfit_error(leaf)


def _misfit_error(leaf: _Leaf) -> ValueError:
    kind = _kind(leaf.field, leaf.value)
    if leaf.alone[leaf.field.json_name] is leaf.value:
        kind = "an object" if is_map(leaf.field) else f"a list, each item {kind}" if is_list(leaf.field) else kind
    return wrong_value(leaf.place, kind, leaf.value)


def _parsed(descriptor: Descriptor, fields: Mapping[str, Any]) -> Message:
    made: Message = message(descriptor)()
    return ParseDict(dict(fields), made, descriptor_pool=pool())


def _leaves(holder: Descriptor, fields: Mapping[str, Any], place: str) -> Iterator[_Leaf]:
    """Yield the values of a request, those of messages in it, too."""
    known = {name: field for field in holder.fields for name in (field.name, field.json_name)}
    for name, value in fields.items():
        if name not in known:
            raise ValueError(f"{place and f'{place}: '}{missing_field(holder, name)}")
        field = known[name]
        inner = inner_message(field)
        for suffix, item, alone in _items(field, value):
            here = f"{place and f'{place}.'}{name}{suffix}"
            if inner is not None and not is_well_known(inner) and isinstance(item, Mapping):
                yield from _leaves(inner, item, here)
            else:
                yield _Leaf(here, field, item, holder, {field.json_name: alone})


def _items(field: FieldDescriptor, value: Any) -> Sequence[Tuple[str, Any, Any]]:
    """Return the items of a list or map, or the one value of another field: its place, itself, and it alone."""
    if is_map(field) and isinstance(value, Mapping):
        return [(f"[{key!r}]", item, {key: item}) for key, item in value.items()]
    if is_list(field) and isinstance(value, list):
        return [(f"[{index}]", item, [item]) for index, item in enumerate(value)]
    return [("", value, value)]


def _kind(field: FieldDescriptor, value: Any) -> str:
    """Return what a field takes, or each item of a list or map, in the words of JSON."""
    inner = inner_message(field)
    if inner is not None:
        return _KINDS_OF_MESSAGES.get(inner.full_name, "an object")
    kind: Any = field.message_type
    if kind is not None:  # a map of plain values
        return _kind(kind.fields_by_name["value"], value)
    if field.enum_type is not None:
        names = [each.name for each in field.enum_type.values]
        return any_of(near_first(value, names) if isinstance(value, str) else names)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return "bytes as base64"
    return _KINDS.get(field.cpp_type) or kind_of(field)


def _is_text_throughout(value: Any) -> bool:
    """Tell whether no text in a value has half a character, at which the fastest runtime of protobuf crashes."""
    if isinstance(value, Mapping):
        return all(is_text(str(key)) and _is_text_throughout(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_text_throughout, value))
    return not isinstance(value, str) or is_text(value)


def objects_in(text: str) -> List[Dict[str, Any]]:
    r"""Return the JSON objects in a text, one after the other, with any white space between them.

    Raises:
        ValueError: If something in it is no JSON, or no object; or an object has a name twice.

    Example:
        >>> from viam_sync.reflection.requests import objects_in
        >>> objects_in('{"id": "a"}\n{"id": "b"}')
        [{'id': 'a'}, {'id': 'b'}]
    """
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
    found: List[Dict[str, Any]] = []
    end = _end_of_space(text, 0)
    while end < len(text):
        try:
            value, end = decoder.raw_decode(text, end)
        except json.JSONDecodeError as error:
            raise ValueError(f"request is no JSON: {error}") from None
        except RecursionError:
            raise ValueError("request has too many objects and lists within each other") from None
        if not isinstance(value, dict):
            raise ValueError("request is no JSON object, which begins with {")
        found.append(value)
        end = _end_of_space(text, end)
    return found


def _end_of_space(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    assert found is not None
    return found.end()


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"request has {twice!r} twice in one object")
    return made


def _no_constant(word: str) -> Any:
    raise ValueError(f'request is no JSON: {word} is written "{word}"')
