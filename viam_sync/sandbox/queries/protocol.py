"""The protocol between an engine and its worker process, which exchange messages of BSON documents.

A message is its length in eight bytes and the documents. The engine sends the query and whether readings follow; these
are the origins of the readings, an empty document, and the readings, and take the place of those that the worker has.
The worker answers with an empty document and the rows of the result, or with one document that is an error.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Dict, Iterator, List, NamedTuple

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

#: Decodes dates outside the years 1 to 9999 as ``DatetimeMS``, as the cloud has them, too.
CODEC: Any = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
Document = Dict[str, Any]

_LENGTH = 8
#: The document after the origins.
_END = bson.encode({})


class Refused(Exception):
    """A query cannot be run.

    Args:
        kind: "invalid", "unimplemented" or "exhausted".
        text: The problem and a remedy.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


class Readings(NamedTuple):
    """Readings, and the origins that they name by their index.

    Attributes:
        origins: The fields that the readings of a capture have in common.
        encoded: The readings, as BSON.
    """

    origins: List[Document]
    encoded: List[bytes]

    def to_documents(self) -> List[bytes]:
        """Return them as a message has them."""
        return [*map(bson.encode, self.origins), _END, *self.encoded]

    @classmethod
    def among(cls, documents: List[bytes]) -> Readings:
        """Return the readings in documents of a message."""
        end = documents.index(_END)
        return cls([bson.decode(origin, CODEC) for origin in documents[:end]], documents[end + 1 :])

    def decoded(self) -> Iterator[Document]:
        """Return an iterator of the readings as documents."""
        return (bson.decode(reading, CODEC) for reading in self.encoded)


def write_message(file: Any, documents: bytes) -> None:
    """Write a message to a pipe, which may have no buffer.

    Raises:
        OSError: If nobody reads it any more.
    """
    left = memoryview(len(documents).to_bytes(_LENGTH, "little") + documents)
    while left:
        left = left[file.write(left) :]


def read_message(file: BinaryIO) -> bytes:
    """Read a message from a buffered pipe.

    Raises:
        EOFError: If the other side ended before the end of the message.
    """
    length = int.from_bytes(_read(file, _LENGTH), "little")
    return _read(file, length)


def _read(file: BinaryIO, size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise EOFError
    return found


def split_documents(contents: bytes) -> List[bytes]:
    """Return the documents in concatenated BSON."""
    found = []
    offset = 0
    while offset < len(contents):
        length = int.from_bytes(contents[offset : offset + 4], "little")
        found.append(contents[offset : offset + length])
        offset += length
    return found
