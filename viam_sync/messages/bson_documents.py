"""Conversion between dicts and BSON, in which the service takes stages of MQL and answers queries."""

from typing import Any, Dict, Iterable, List, Mapping, Sequence, Union

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.unknown_fields import UnknownFieldSet

from viam_sync.checks import wrong_type
from viam_sync.messages.conversion import struct_to_dict

#: The number and the wire type of the field in which an older service answers a query; the schema has it no more.
_STRUCTS = (1, 2)


def to_documents(name: str, items: Sequence[Union[bytes, Mapping[str, Any]]]) -> List[bytes]:
    """Return stages of MQL as BSON documents.

    Args:
        name: The name of the parameter.
        items: The stages, as BSON or as dicts.

    Raises:
        TypeError: If it is no list, or something in it is neither.
        ValueError: If a dict has no form in BSON.

    Example:
        >>> from viam_sync.messages.bson_documents import to_documents
        >>> len(to_documents("mql_binary", [{"$limit": 5}])[0])
        17
    """
    if not isinstance(items, (list, tuple)):
        raise wrong_type(name, "a list of stages, each BSON or a dict", items)
    return [to_document(f"{name}[{index}]", item) for index, item in enumerate(items)]


def to_document(name: str, item: Union[bytes, Mapping[str, Any]]) -> bytes:
    """Return BSON, or a dict as BSON.

    Args:
        name: The name of the parameter.
        item: The BSON or the dict.

    Raises:
        TypeError: If it is neither.
        ValueError: If a dict has no form in BSON.
    """
    import bson
    from bson.errors import BSONError

    if isinstance(item, (bytes, bytearray, memoryview)):
        return _bytes(name, item)
    if not isinstance(item, Mapping):
        raise wrong_type(name, "BSON or a dict", item)
    try:
        return bson.encode(item)
    except (BSONError, OverflowError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} has no form in BSON: {error}") from error


def _bytes(name: str, item: Union[bytes, bytearray, memoryview]) -> bytes:
    try:
        return bytes(item)
    except ValueError as error:
        raise ValueError(f"{name} cannot be read: {error}") from error


def from_documents(response: Message, documents: Sequence[bytes]) -> List[Dict[str, Any]]:
    """Return the rows that answer a query.

    Args:
        response: The answer; without documents in it, the Structs of an older service are looked for.
        documents: The BSON documents in it.

    Returns:
        The rows. Times are datetimes in UTC without a time zone.

    Raises:
        ValueError: If the service has sent what is neither.

    Example:
        >>> from viam_sync.proto.app.data import TabularDataBySQLResponse
        >>> from viam_sync.messages.bson_documents import from_documents, to_documents
        >>> response = TabularDataBySQLResponse(raw_data=to_documents("rows", [{"speed": 1}]))
        >>> from_documents(response, response.raw_data)
        [{'speed': 1}]
    """
    import bson
    from bson.errors import BSONError
    from google.protobuf.message import DecodeError

    try:
        if documents:
            return [bson.decode(document) for document in documents]
        fields: Iterable[Any] = UnknownFieldSet(response)  # type: ignore[assignment]  # its stub lacks __iter__
        structs = [field.data for field in fields if (field.field_number, field.wire_type) == _STRUCTS]
        return [struct_to_dict(Struct.FromString(struct)) for struct in structs]
    except (BSONError, DecodeError) as error:
        raise ValueError(f"{response.DESCRIPTOR.name} holds a row that cannot be read: {error}") from error
