"""Structs of one layout, such as the rows of a table: each is taken apart by one call, not value by value."""

from __future__ import annotations

import struct as packing
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from google.protobuf.struct_pb2 import Struct

from viam_sync.messages.conversion import struct_to_dict

#: The number of Structs of one size that are read value by value before their layout is worth learning.
_WORTH_LEARNING = 8
#: The most layouts that are known at a time: of all sizes, and of one.
_MOST_LAYOUTS, _MOST_OF_A_SIZE = 64, 4
#: The most values and levels of a Struct that has a layout.
_MOST_VALUES, _DEEPEST = 200, 20
#: The number of Structs without a known layout after which they must not be more than the others.
_PATIENCE = 100

_FIELD, _KEY, _VALUE = 0x0A, 0x0A, 0x12
_NULL, _NUMBER, _TEXT, _BOOL, _STRUCT, _LIST = 0x08, 0x11, 0x1A, 0x20, 0x2A, 0x32


class _Layout(NamedTuple):
    """The layout of a Struct on the wire: the places of its values, and all the bytes between them.

    Attributes:
        unpack: Takes bytes of the size apart: those before the first value, the first value, and so on.
        between: The bytes between the values.
        build: Takes the values, and returns the dict.
    """

    unpack: Callable[[bytes], Tuple[Any, ...]]
    between: Tuple[bytes, ...]
    build: Callable[..., Dict[str, Any]]


class StructReader:
    """Reads Structs as `struct_to_dict` does, and faster where many resemble each other.

    Structs with the same keys, kinds of values and lengths of texts differ on the wire in the bytes of their values
    alone. So once some of a size have been seen, the layout of the next is remembered; where all bytes between the
    values are the same again, one call takes a Struct apart. All others are read value by value. Several threads may
    share a reader.

    Example:
        >>> from viam_sync.messages.struct_layouts import StructReader
        >>> from viam_sync.utils import dict_to_struct
        >>> StructReader().read(dict_to_struct({"speed": 1}))
        {'speed': 1.0}
    """

    def __init__(self) -> None:
        self._layouts: Dict[int, List[_Layout]] = {}
        self._seen: Dict[int, int] = {}
        self._hits = self._misses = self._learned = 0
        self._given_up = False

    def read(self, struct: Struct) -> Dict[str, Any]:
        """Return a Struct as a dict, of which no other one has a part.

        Raises:
            ValueError: If it has a key that is no UTF-8.
        """
        if self._given_up:
            return struct_to_dict(struct)
        data = struct.SerializeToString()
        for unpack, between, build in self._layouts.get(len(data), ()):
            parts = unpack(data)
            if parts[::2] == between:
                self._hits += 1
                try:
                    return build(*parts[1::2])
                except UnicodeDecodeError:  # a text that protobuf 4.22 lets pass, until it is asked for
                    break
        self._misses += 1
        self._given_up = self._misses > max(_PATIENCE, self._hits)
        read = struct_to_dict(struct)
        self._learn(data, read)
        return read

    def _learn(self, data: bytes, read: Dict[str, Any]) -> None:
        """Remember the layout of a Struct, if many have its size."""
        size = len(data)
        self._seen[size] = seen = self._seen.get(size, 0) + 1
        known = self._layouts.get(size, [])
        if seen % _WORTH_LEARNING or self._learned >= _MOST_LAYOUTS or len(known) >= _MOST_OF_A_SIZE:
            return
        self._learned += 1
        try:
            self._layouts[size] = [*known, _Sketch(data).layout(read)]
        except (_Irregular, LookupError, UnicodeDecodeError):
            return


class _Irregular(Exception):
    """Something that no layout has, such as a field that the schema does not know."""


class _Sketch:
    """The layout of a Struct while it is learned.

    The bytes are those that protobuf itself has serialized, so they are in order; the sketch refuses what it does not
    expect. A match of a later Struct then means the same structure, as the bytes of a value have no influence on it.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        #: The place of each value, and how it is unpacked.
        self._values: List[Tuple[int, str]] = []
        self._keys: Dict[str, str] = {}

    def layout(self, read: Dict[str, Any]) -> _Layout:
        """Return the layout, given the same Struct as a dict, whose keys are in the order of all others."""
        code = self._struct(0, len(self._data), read, _DEEPEST)
        form, at = "<", 0
        for place, kind in self._values:
            form += f"{place - at}s{kind}"
            at = place + packing.calcsize("<" + kind)
        unpack = packing.Struct(f"{form}{len(self._data) - at}s").unpack
        names = ", ".join(f"v{number}" for number in range(len(self._values)))
        # The code has names of our own alone; keys are what the names stand for.
        build = eval(f"lambda {names}: {code}", {name: key for key, name in self._keys.items()})
        return _Layout(unpack, unpack(self._data)[::2], build)

    def _struct(self, at: int, end: int, read: Dict[str, Any], room: int) -> str:
        """Return the code that builds a Struct."""
        fields: Dict[str, str] = {}
        while at < end:
            at, field_end = self._span(_FIELD, at, end)
            key_at, key_end = self._span(_KEY, at, field_end)
            value_at, at = self._span(_VALUE, key_end, field_end)
            key = self._data[key_at:key_end].decode()
            name = self._keys.setdefault(key, f"k{len(self._keys)}")
            fields[key] = f"{name}: {self._value(value_at, at, read[key], room)}"
            if at != field_end:
                raise _Irregular
        return f"{{{', '.join(fields[key] for key in read)}}}"

    def _value(self, at: int, end: int, read: Any, room: int) -> str:
        """Return the code that builds a Value."""
        if at == end:
            return "None"
        kind, size = self._data[at], end - at
        if (kind, size) == (_NULL, 2):
            return "None"
        if (kind, size) == (_NUMBER, 9):
            return self._slot(at + 1, "d")
        if (kind, size) == (_BOOL, 2):
            return self._slot(at + 1, "?")
        inner, inner_end = self._span(kind, at, end)
        if inner_end != end or not room:
            raise _Irregular
        if kind == _TEXT:
            return self._slot(inner, f"{end - inner}s") + ".decode()"
        if kind == _STRUCT:
            return self._struct(inner, end, read, room - 1)
        if kind == _LIST:
            return self._list(inner, end, read, room - 1)
        raise _Irregular

    def _list(self, at: int, end: int, read: List[Any], room: int) -> str:
        """Return the code that builds a ListValue."""
        items: List[str] = []
        while at < end:
            item_at, at = self._span(_FIELD, at, end)
            items.append(self._value(item_at, at, read[len(items)], room))
        return f"[{', '.join(items)}]"

    def _slot(self, place: int, kind: str) -> str:
        """Note the place of a value, and return its name in the code."""
        if len(self._values) == _MOST_VALUES:
            raise _Irregular
        self._values.append((place, kind))
        return f"v{len(self._values) - 1}"

    def _span(self, tag: int, at: int, end: int) -> Tuple[int, int]:
        """Return where the content of a field begins and ends that has its length before it."""
        if self._data[at] != tag:
            raise _Irregular
        size = shift = 0
        more = True
        while more:
            at += 1
            size |= (self._data[at] & 0x7F) << shift
            shift += 7
            more = self._data[at] > 0x7F
        if at + 1 + size > end:
            raise _Irregular
        return at + 1, at + 1 + size
