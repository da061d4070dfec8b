"""Finds values in a JSON text and replaces them, while the rest of the text stays as it is."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class JsonValue(NamedTuple):
    """A value in a JSON text, and where it begins and ends."""

    value: Any
    start: int
    end: int


def members(text: str, start: int) -> Dict[str, JsonValue]:
    """Return the members of the JSON object that begins at an index of a valid text."""
    found: Dict[str, JsonValue] = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key = _value(text, at)
        found[key.value] = _value(text, _skip(text, _skip(text, key.end) + 1))
        at = _next(text, found[key.value].end)
    return found


def elements(text: str, start: int) -> List[JsonValue]:
    """Return the elements of the JSON array that begins at an index of a valid text."""
    found: List[JsonValue] = []
    at = _skip(text, start + 1)
    while text[at] != "]":
        found.append(_value(text, at))
        at = _next(text, found[-1].end)
    return found


def replaced(text: str, changes: Sequence[Tuple[JsonValue, Any]]) -> str:
    """Return a JSON text with other strings, or lists of strings, in the place of some; they look like those before."""
    parts: List[str] = []
    at = 0
    for span, value in sorted(changes, key=lambda change: change[0].start):
        parts += [text[at : span.start], _rendered(text, span, value)]
        at = span.end
    return "".join([*parts, text[at:]])


def _rendered(text: str, span: JsonValue, value: Any) -> str:
    before = elements(text, span.start) if isinstance(value, list) else []
    known = {each.value: text[each.start : each.end] for each in before}
    lines = [known.get(line) or json.dumps(line, ensure_ascii=text.isascii()) for line in _listed(value)]
    if not isinstance(value, list):
        return lines[0]
    if not before or not lines:
        return json.dumps(value)
    opening, closing = text[span.start : before[0].start], text[before[-1].end : span.end]
    between = text[before[0].end : before[1].start] if len(before) > 1 else f",{opening[1:]}"
    return f"{opening}{between.join(lines)}{closing}"


def _listed(value: Any) -> List[str]:
    return value if isinstance(value, list) else [value]


def _value(text: str, start: int) -> JsonValue:
    value, end = _DECODER.raw_decode(text, start)
    return JsonValue(value, start, end)


def _next(text: str, end: int) -> int:
    """Return the index of what follows a value: the next one, or the end of the object or array."""
    at = _skip(text, end)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    """Return the index behind white space."""
    space = _SPACE.match(text, at)
    return space.end() if space else at
