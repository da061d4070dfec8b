"""The metadata of uploads: their kind, and the part and the component that they come from."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from viam_sync.checks import dictionary, require, wrong_type
from viam_sync.messages.conversion import value_of
from viam_sync.proto.app import datasync as pb


def upload_metadata(
    kind: pb.DataType.ValueType,
    part_id: str,
    method_parameters: Optional[Mapping[str, Any]] = None,
    tags: Optional[Sequence[str]] = None,
    dataset_ids: Optional[Sequence[str]] = None,
    **described: Any,
) -> pb.UploadMetadata:
    """Return the metadata of an upload.

    Args:
        kind: The kind of data.
        part_id: ID of the part that it comes from, a UUID.
        method_parameters: Parameters that it was captured with: plain values, or messages.
        tags: Tags to store with it.
        dataset_ids: IDs of datasets to put it into.
        described: The other fields of the message; None for those to leave empty.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If the ID is none, or a parameter has no form in a message.
    """
    require(part_id=part_id)
    return pb.UploadMetadata(
        type=kind,
        part_id=part_id,
        method_parameters=_parameters(method_parameters),
        tags=tags,
        dataset_ids=dataset_ids,
        **described,
    )


def capture_metadata(
    kind: pb.DataType.ValueType, part_id: str, component_type: str, component_name: str, method_name: str, **others: Any
) -> pb.UploadMetadata:
    """Return the metadata of an upload that says which component it comes from.

    Raises:
        TypeError: If an argument is of the wrong type, or one of these is None.
        ValueError: If the ID is none, or a parameter has no form in a message.
    """
    others.update(component_type=component_type, component_name=component_name, method_name=method_name)
    require(component_type=component_type, component_name=component_name, method_name=method_name)
    return upload_metadata(kind, part_id, **others)


def with_dot(extension: str, name: str = "file_extension") -> str:
    """Return an extension with its dot; ``name`` is that of the parameter.

    Example:
        >>> from viam_sync.app._data.upload_metadata import with_dot
        >>> with_dot("png"), with_dot(".png"), with_dot("")
        ('.png', '.png', '')
    """
    if not isinstance(extension, str):
        raise wrong_type(name, "a str", extension)
    return extension if not extension or extension.startswith(".") else f".{extension}"


def _parameters(parameters: Optional[Mapping[str, Any]]) -> Optional[Dict[str, AnyMessage]]:
    if parameters is None:
        return None
    plain = dictionary("method_parameters", parameters)
    return {name: _packed(f"method_parameters[{name!r}]", value) for name, value in plain.items()}


def _packed(name: str, value: Any) -> AnyMessage:
    if isinstance(value, Message) and value.DESCRIPTOR.full_name == "google.protobuf.Any":
        return value  # type: ignore[return-value]  # perhaps of another pool; the constructor sees to it
    packed = AnyMessage()
    packed.Pack(value if isinstance(value, Message) else value_of(value, name))
    return packed


def as_utf8(name: str) -> str:
    """Return the name of a file as a message can hold it; names on disk may be in no encoding.

    Example:
        >>> from viam_sync.app._data.upload_metadata import as_utf8
        >>> as_utf8("cat")
        'cat'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
