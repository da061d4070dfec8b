"""Conversion between dicts and BSON, in which the service takes stages of MQL and answers queries."""

from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Union

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.unknown_fields import UnknownFieldSet

from viam_sync.checks import wrong_type
from viam_sync.checks.advice import advice_for
from viam_sync.checks.descriptions import redact
from viam_sync.checks.numbers import plain_number
from viam_sync.messages.conversion import in_zone, struct_to_dict
from viam_sync.messages.precision import warn_if_rounded

#: The number and the wire type of the field in which an older service answers a query; the schema has it no more.
_STRUCTS = (1, 2)
_EPOCH = datetime(1970, 1, 1)
#: After this time, the calendar repeats itself.
_YEARS, _MILLISECONDS = 400, 146_097 * 24 * 3600 * 1000


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
    from bson.codec_options import CodecOptions, TypeRegistry
    from bson.errors import BSONError

    if isinstance(item, (bytes, bytearray, memoryview)):
        return _bytes(name, item)
    # A Struct is a mapping, too, but one that makes up a value for each key that it is asked for.
    if not isinstance(item, Mapping) or isinstance(item, Message):
        raise wrong_type(name, "BSON or a dict", item)

    def plain(value: Any) -> Any:
        number = plain_number(value)
        if number is value:  # the error of bson would write it out
            advice = advice_for(name, "a datetime", value) if isinstance(value, date) else ""
            raise TypeError(f"it holds {redact(value)}{advice and f'; {advice}'}")
        if isinstance(number, float):
            warn_if_rounded(name, value)
        return number

    try:
        # The registry gets what bson does not know, such as the numbers of NumPy.
        return bson.encode(item, codec_options=CodecOptions(type_registry=TypeRegistry(fallback_encoder=plain)))
    except (BSONError, OverflowError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} has no form in BSON: {error}") from error


def _bytes(name: str, item: Union[bytes, bytearray, memoryview]) -> bytes:
    try:
        return bytes(item)
    except ValueError as error:
        raise ValueError(f"{name} cannot be read: {error}") from error


def from_documents(response: Message, documents: Sequence[bytes], tz: Optional[tzinfo] = None) -> List[Dict[str, Any]]:
    """Return the rows that answer a query.

    Args:
        response: The answer; without documents in it, the Structs of an older service are looked for.
        documents: The BSON documents in it.
        tz: The time zone of the times in them; None for UTC without a time zone.

    Returns:
        The rows. Times are datetimes; one outside the years 1 to 9999 is a ``bson.datetime_ms.DatetimeMS``.

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

    options = _codec_options(tz)
    try:
        if documents:
            return [bson.decode(document, options) for document in documents]
        fields: Iterable[Any] = UnknownFieldSet(response)  # type: ignore[assignment]  # its stub lacks __iter__
        structs = [field.data for field in fields if (field.field_number, field.wire_type) == _STRUCTS]
        return [struct_to_dict(Struct.FromString(struct)) for struct in structs]
    except (BSONError, DecodeError) as error:
        raise ValueError(f"{response.DESCRIPTOR.name} holds a row that cannot be read: {error}") from error


def _codec_options(tz: Optional[tzinfo]) -> Any:
    from bson.codec_options import CodecOptions, DatetimeConversion, TypeDecoder, TypeRegistry

    # One odd value must not cost the other rows: a date that no datetime holds, or a text that is no UTF-8.
    options: Any = CodecOptions(
        datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="backslashreplace"
    )
    if tz is None:
        return options
    zone = tz

    # The option tzinfo of bson fails with time zones of pytz, and changes the type of times at the calendar's ends.
    class Zoned(TypeDecoder):
        @property
        def bson_type(self) -> Any:
            return datetime

        def transform_bson(self, value: datetime) -> datetime:
            return in_zone(value.replace(tzinfo=timezone.utc), zone)

    return options.with_options(type_registry=TypeRegistry([Zoned()]))


def bson_text(value: Any) -> str:
    """Return a value of BSON for which JSON has no form as text; a date that no datetime holds as ISO 8601 has it.

    Example:
        >>> from bson.datetime_ms import DatetimeMS
        >>> from viam_sync.messages.bson_documents import bson_text
        >>> bson_text(DatetimeMS(253402300800000))
        '+010000-01-01T00:00:00.000Z'
    """
    from bson.datetime_ms import DatetimeMS

    if not isinstance(value, DatetimeMS):
        return str(value)
    cycles, rest = divmod(int(value), _MILLISECONDS)
    moment = _EPOCH + timedelta(milliseconds=rest)
    return f"{moment.year + cycles * _YEARS:+07d}{moment.isoformat(timespec='milliseconds')[4:]}Z"
