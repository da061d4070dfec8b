"""Messages and values as rows: objects that JSON can hold, whatever the service has put into them."""

from __future__ import annotations

import base64
import math
from collections import abc
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Generic, Mapping, TypeVar

from google.protobuf.json_format import Error as JsonFormatError
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from viam_sync.messages.bson_documents import bson_text
from viam_sync.messages.pool import pool
from viam_sync.proto.app import data as pb

T = TypeVar("T")

Row = Mapping[str, Any]

#: The metadata of captures that are kept at a time.
_MOST_CAPTURES = 1000

#: The errors that protobuf raises for a value without a form in JSON, such as a time that no calendar has.
NO_JSON = (JsonFormatError, OverflowError, TypeError, ValueError)


def message_to_row(message: Message) -> Dict[str, Any]:
    """Return a message as JSON has it: lowerCamelCase names, bytes as base64, times as RFC 3339.

    Example:
        >>> from viam_sync.transfer.output.rows import message_to_row
        >>> message_to_row(pb.Robot(name="rover", location="shed"))
        {'name': 'rover', 'location': 'shed'}
    """
    row: Dict[str, Any] = MessageToDict(message, descriptor_pool=pool())
    return row


def json_value(value: Any) -> Any:
    """Return a plain value in a form that JSON can hold.

    Numbers that JSON does not know become their names, times RFC 3339, bytes base64, and other things their text.

    Example:
        >>> from viam_sync.transfer.output.rows import json_value
        >>> json_value({"speeds": [1.5, float("inf")], "raw": b"abc"})
        {'speeds': [1.5, 'Infinity'], 'raw': 'YWJj'}
    """
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, (str, int, type(None))):
        return value
    # To ask the alias of typing takes three times as long.
    if isinstance(value, abc.Mapping):
        return {name: json_value(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, datetime):
        return time_row(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else bson_text(value)


def in_utc(moment: datetime) -> datetime:
    """Return a time in UTC, without a time zone; one that has none is UTC already."""
    return moment if moment.tzinfo is None else moment.astimezone(timezone.utc).replace(tzinfo=None)


def time_row(moment: datetime) -> str:
    """Return a time as RFC 3339 has it, in UTC; one without a time zone is UTC already.

    Example:
        >>> from datetime import datetime, timezone
        >>> from viam_sync.transfer.output.rows import time_row
        >>> time_row(datetime(2024, 1, 1))
        '2024-01-01T00:00:00Z'
    """
    return in_utc(moment).isoformat() + "Z"


def capture_metadata_row(metadata: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return the metadata of a capture as JSON has it; parameters of an unknown type keep their bytes, as base64."""
    bare = pb.CaptureMetadata()
    bare.CopyFrom(metadata)
    bare.ClearField("method_parameters")
    row = message_to_row(bare)
    if metadata.method_parameters:
        parameters = {name: _any_row(value) for name, value in metadata.method_parameters.items()}
        row["methodParameters"] = _in_order(parameters)
    return row


class CaptureCache(Generic[T]):
    """What is made of the metadata of captures: once for each contents, as many files and readings share them.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[pb.CaptureMetadata], T]) -> None:
        self._make = make
        self._made: Dict[bytes, T] = {}

    def of(self, metadata: pb.CaptureMetadata) -> T:
        """Return what is made of some metadata."""
        contents = metadata.SerializeToString(deterministic=True)
        made = self._made.get(contents)
        if made is None:
            if len(self._made) >= _MOST_CAPTURES:
                self._made.clear()
            made = self._made[contents] = self._make(metadata)
        return made


def binary_metadata_row(
    metadata: pb.BinaryMetadata,
    capture_row: Callable[[pb.CaptureMetadata], object] = capture_metadata_row,
) -> Dict[str, Any]:
    """Return the metadata of a file as JSON has it.

    Args:
        metadata: The metadata.
        capture_row: Returns what stands for the metadata of a capture, such as its row.
    """
    bare = pb.BinaryMetadata()
    bare.CopyFrom(metadata)
    bare.ClearField("capture_metadata")
    row = message_to_row(bare)
    if metadata.HasField("capture_metadata"):
        row["captureMetadata"] = capture_row(metadata.capture_metadata)
    return row


def binary_row(item: pb.BinaryData) -> Dict[str, Any]:
    """Return a file and its metadata as JSON has them, the contents as base64."""
    row: Dict[str, Any] = {"binary": base64.b64encode(item.binary).decode()} if item.binary else {}
    if item.HasField("metadata"):
        row["metadata"] = binary_metadata_row(item.metadata)
    return row


def _in_order(value: Any) -> Any:
    """Return a value with the keys of its objects sorted; a map of protobuf has them in a random order."""
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(item) for item in value] if isinstance(value, list) else value


def _any_row(value: Message) -> Dict[str, Any]:
    try:
        return message_to_row(value)
    except NO_JSON:
        return {"@type": value.type_url, "value": base64.b64encode(value.value).decode()}  # type: ignore[attr-defined]
