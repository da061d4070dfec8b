"""The compiled schema: where each of its .proto files is in it, found without a parse of them all."""

import functools
import pkgutil
from typing import Iterator, Mapping, NamedTuple, Tuple


class SchemaFile(NamedTuple):
    """A .proto file of the schema.

    Attributes:
        serialized: Its descriptor, as protoc has serialized it.
        package: Its package.
        imports: The names of the files that it imports.
    """

    serialized: bytes
    package: str
    imports: Tuple[str, ...]


@functools.lru_cache(maxsize=None)
def schema_index() -> Mapping[str, SchemaFile]:
    """Return the files of the schema by their names, each after those that it imports."""
    compiled = pkgutil.get_data("viam_sync.proto", "schema.bin")
    assert compiled is not None
    index = {}
    for _, serialized in _fields(compiled):
        # A FileDescriptorProto begins with its name, its package and its imports, numbers 1 to 3.
        head = list(_fields(serialized, last=3))
        texts = {number: tuple(text.decode() for each, text in head if each == number) for number in (1, 2, 3)}
        (name,), (package,) = texts[1], texts[2]
        index[name] = SchemaFile(serialized, package, texts[3])
    return index


def _fields(message: bytes, last: int = 15) -> Iterator[Tuple[int, bytes]]:
    """Yield the first fields of a serialized message, up to a number: each its number, and its bytes."""
    at = 0
    while at < len(message) and message[at] >> 3 <= last:
        size, start = _varint(message, at + 1)
        yield message[at] >> 3, message[start : start + size]
        at = start + size


def _varint(message: bytes, at: int) -> Tuple[int, int]:
    """Return the number that begins at a place, seven bits a byte, and the place after it."""
    number = shift = 0
    while True:
        number |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 0x80:
            return number, at
