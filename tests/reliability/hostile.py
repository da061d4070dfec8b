"""A server that answers every call, and never as it should."""

import math
import random
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Sequence, Tuple

import grpc
from google.protobuf.descriptor import FieldDescriptor
from messages.schema_walk import example, streaming
from parity.recording import rpcs
from sandbox.wire.fuzz import Fuzzer

from viam_sync.messages.pool import message
from viam_sync.proto import google as google_pb

#: No call of the client has a reason for more requests than this.
MOST_REQUESTS = 300
MANY = 100_000
_DEEPEST = 28  # deeper, protobuf refuses to read it

TEXTS = ("", "\x00", "a\x00b", "../../etc/passwd", "💥" * 40, "\u202e", "x" * 20_000, "%s", "{", "1e999", "[" * 50_000)
_CURSORS = ("last", "next_page_token")


class Reply(NamedTuple):
    """The reply to a call."""

    messages: Sequence[bytes] = ()
    status: grpc.StatusCode = grpc.StatusCode.OK
    details: object = ""
    trailing: Tuple[Tuple[str, object], ...] = ()


class HostileServer(grpc.GenericRpcHandler):
    """Answers each RPC of the schema with what ``attack`` returns.

    Attributes:
        attack: Takes the RPC and the number of the request, and returns the reply.
        requests: How many have come since the attack was set.
        endless: Whether there were more of them than any call needs; they are refused from then on.
    """

    def __init__(self):
        self._rpcs = rpcs()
        self._lock = threading.Lock()
        self.begin(lambda rpc, number: Reply())
        self._pool = ThreadPoolExecutor(8)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        self.url = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def begin(self, attack):
        with self._lock:
            self.attack, self.requests, self.endless = attack, 0, False

    def service(self, details):
        rpc = self._rpcs[details.method.rpartition("/")[2]]
        return grpc.stream_stream_rpc_method_handler(lambda requests, context: self._answer(rpc, requests, context))

    def _answer(self, rpc, requests, context):
        for _ in requests:
            pass
        with self._lock:
            attack, number = self.attack, self.requests
            self.requests += 1
            self.endless = self.endless or number >= MOST_REQUESTS
        if self.endless:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "more requests than there is a reason for")
        reply = attack(rpc, number)
        context.set_trailing_metadata(reply.trailing)
        context.set_code(reply.status)
        context.set_details(reply.details)
        yield from reply.messages

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *error):
        self._server.stop(0).wait()
        self._pool.shutdown()


def full(rpc):
    """Return a message with something in every field."""
    return example(message(rpc.output_type), 4)


def wire(filled):
    return filled.SerializePartialToString()


def nothing(rpc, number):
    return Reply()


def empty(rpc, number):
    return Reply([b""])


def everything(rpc, number):
    return Reply([wire(_without_cursors(full(rpc)))])


def many_messages(rpc, number):
    # To a call that wants a single one, two are an answer that never ends; that has a test of its own.
    return Reply([b""] * (1000 if is_stream(rpc) else 1))


def is_stream(rpc):
    return streaming(rpc)[1]


def many_items(rpc, number):
    return Reply([b"".join(_long(field) for field in rpc.output_type.fields if type(field.default_value) is list)])


def same_cursor(rpc, number):
    filled = full(rpc)
    for name in _cursors(filled):
        setattr(filled, name, "again")
    return Reply([wire(filled)])


def cursors_in_a_circle(rpc, number):
    filled = full(rpc)
    for name in _cursors(filled):
        setattr(filled, name, f"page-{number % 7}")
    return Reply([wire(filled)])


def endless_empty_pages(rpc, number):
    filled = message(rpc.output_type)()
    for name in _cursors(filled):
        setattr(filled, name, f"page-{number}")
    return Reply([wire(filled)])


def no_message_of_any_kind(rpc, number):
    return Reply([b"\xff" * 40])


def cut_off(rpc, number):
    data = wire(full(rpc))
    return Reply([data[: len(data) * 2 // 3]])


def nested_without_end(rpc, number):
    return Reply([b"\x7b" * 50_000])


def nested_as_deep_as_can_be_read(rpc, number):
    filled = _without_cursors(full(rpc))
    _nest(filled)
    return Reply([wire(filled)])


def text_that_is_no_utf8(rpc, number):
    return Reply([wire(full(rpc)).replace(b"text", b"t\xff\xfet")])


def a_message_of_another_kind(rpc, number):
    return Reply([wire(google_pb.Status(code=5, message="another", details=[google_pb.Any(type_url="x", value=b"y")]))])


def bson_that_is_odd(rpc, number):
    filled = _without_cursors(full(rpc))
    _put_bson(filled, ODD_BSON)
    return Reply([wire(filled)])


def _refusal(status, details, *trailing):
    return lambda rpc, number: Reply([], status, details, trailing)


REFUSALS = {
    "rich_error_that_is_none": _refusal(
        grpc.StatusCode.INTERNAL, "no", ("grpc-status-details-bin", b"\xff\xff"), ("odd-bin", b"\x00\xff"), ("odd", "")
    ),
    "rich_error_of_an_unknown_kind": _refusal(
        grpc.StatusCode.NOT_FOUND,
        "no",
        (
            "grpc-status-details-bin",
            google_pb.Status(code=99, details=[google_pb.Any(type_url="x", value=b"\xff")]).SerializeToString(),
        ),
    ),
    "error_whose_text_is_no_utf8": _refusal(grpc.StatusCode.UNKNOWN, b"\xff\xfe\x00"),
    "error_of_odd_characters": _refusal(grpc.StatusCode.DATA_LOSS, "\x00\u202e%s{0}💥" * 50),
    "wait_that_is_no_number": _refusal(grpc.StatusCode.UNAVAILABLE, "no", ("grpc-retry-pushback-ms", "soon")),
    "wait_of_a_million_years": _refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "", ("grpc-retry-pushback-ms", "9" * 30)),
    "wait_of_less_than_nothing": _refusal(grpc.StatusCode.UNAVAILABLE, "", ("grpc-retry-pushback-ms", "-1")),
    "end_that_nobody_asked_for": _refusal(grpc.StatusCode.CANCELLED, "no"),
}
ATTACKS = {
    attack.__name__: attack
    for attack in (
        *(nothing, empty, everything, many_messages, many_items),
        *(same_cursor, cursors_in_a_circle, endless_empty_pages),
        *(no_message_of_any_kind, cut_off, nested_without_end, nested_as_deep_as_can_be_read),
        *(text_that_is_no_utf8, a_message_of_another_kind, bson_that_is_odd),
    )
}


def at_random(seed):
    """Return an attack with odd values in any of the fields; the same seed gives the same ones."""

    def attack(rpc, number):
        source = random.Random(f"{seed}/{rpc.full_name}/{number}")
        made = Fuzzer(source, {"name": TEXTS}).message(rpc.output_type, 5)
        if source.random() < 0.5:
            _put_bson(made, [source.choice(ODD_BSON)])
        return Reply([wire(made)] * (source.choice((0, 1, 3)) if is_stream(rpc) else 1))

    attack.__name__ = f"at_random({seed})"
    return attack


def _cursors(filled):
    texts = [field.name for field in filled.DESCRIPTOR.fields if field.cpp_type == FieldDescriptor.CPPTYPE_STRING]
    return [name for name in texts if name in _CURSORS]


def _without_cursors(filled):
    for name in _cursors(filled):
        filled.ClearField(name)
    return filled


def _long(field):
    """Return a field with very many things in it, as it travels."""
    packed = field.cpp_type not in (FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_MESSAGE)
    if not packed:
        return (_varint(field.number << 3 | 2) + b"\x00") * MANY
    return _varint(field.number << 3 | 2) + _varint(MANY) + b"\x00" * MANY


def _varint(number):
    text = bytearray()
    while number > 127:
        text.append(number & 127 | 128)
        number >>= 7
    return bytes([*text, number])


def _nest(filled):
    for field, value in filled.ListFields():
        kind = field.message_type
        if kind is None or kind.GetOptions().map_entry:
            continue
        for each in value if type(field.default_value) is list else [value]:
            if kind.full_name == "google.protobuf.Struct":
                each.Clear()
                for _ in range(_DEEPEST):
                    each.fields["list"].list_value.values.add().number_value = math.nan
                    each = each.fields["deep"].struct_value
            else:
                _nest(each)


def _put_bson(filled, documents):
    for name in ("raw_data", "mql_binary"):
        if name in filled.DESCRIPTOR.fields_by_name:
            getattr(filled, name)[:] = documents
    for field, value in filled.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in value if type(field.default_value) is list else [value]:
                _put_bson(each, documents)


def _document(*elements):
    body = b"".join(elements)
    return struct.pack("<i", len(body) + 5) + body + b"\x00"


def _text(value):
    return struct.pack("<i", len(value) + 1) + value + b"\x00"


def _deep_document(depth):
    document = _document()
    for _ in range(depth):
        document = _document(b"\x03a\x00" + document)
    return document


#: Documents of BSON, one as odd as the other.
ODD_BSON = (
    b"",
    b"\x05\x00\x00\x00",
    b"\xff" * 20,
    b"\xff\xff\xff\x7f\x00",
    _document(b"\x02a\x00" + _text(b"\xff\xfe")),  # no UTF-8
    _document(b"\x02\xff\x00" + _text(b"a")),  # nor is this name
    _document(b"\x02a\x00\xff\xff\xff\x7fa\x00"),  # a text that is longer than all
    _document(b"\x09a\x00" + struct.pack("<q", 2**63 - 1)),  # a time that no calendar has
    _document(b"\x09a\x00" + struct.pack("<q", -(2**63))),
    _document(b"\x05a\x00" + struct.pack("<i", 3) + b"\x04abc"),  # a UUID of three bytes
    _document(b"\x05a\x00" + struct.pack("<i", 3) + b"\x02abc"),
    _document(b"\x0ba\x00(\x00xyz\x00"),  # an expression that is none
    _document(b"\x0ba\x00\xff\x00\xff\x00"),
    _document(b"\x03a\x00" + _document(b"\x10$ref\x00" + bytes(4), b"\x10$id\x00" + bytes(4))),  # a reference to 0
    _document(b"\x03a\x00" + _document(b"\x02$ref\x00" + _text(b"c"), b"\x10$id\x00" + bytes(4), b"\x0a$db\x00")),
    _document(b"\x0fa\x00" + struct.pack("<i", 19) + _text(b"") + _document()),  # code
    _document(b"\x13a\x00" + b"\xff" * 16),  # a decimal that is no number
    _document(b"\x11a\x00" + b"\xff" * 8),  # a timestamp
    _document(b"\x0ca\x00" + _text(b"db") + bytes(12)),
    _document(b"\x20a\x00"),  # a kind that there is not
    _document(b"\xffa\x00", b"\x7fb\x00", b"\x06c\x00"),
    _document(b"\x01a\x00" + struct.pack("<d", math.nan), b"\x01a\x00" + struct.pack("<d", math.inf)),
    _document(b"\x04a\x00" + _document(b"\x08x\x00\x07")),  # a list without numbers, and a bool that is neither
    _deep_document(50),
    _deep_document(5_000),
)
