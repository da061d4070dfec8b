"""Fuzzed requests for every RPC: odd values in any of the fields, and malformed bytes."""

import math
import struct
import uuid

from google.protobuf.descriptor import FieldDescriptor
from messages.schema_walk import streaming

from viam_sync.messages.pool import message, pool
from viam_sync.sandbox.servicers import SERVICERS

ODD_TEXTS = (
    "",
    " ",
    "a",
    "\x00",
    "a\x00b",
    "💥" * 40,
    "\u202e\ufeff",
    "x" * 20_000,
    "../../../etc/passwd",
    "'; DROP TABLE robots; --",
    "%s%n{0}",
    "a:b:c",
    "$where",
    "SELECT 1",
    "SELECT * FROM readings; SELECT 2",
    "10h",
    "ada@example.com",
    "-1",
    "f" * 24,
)
ODD_NUMBERS = (0, 1, 2, 3, 7, -1, 50, 100, 101, 10**6, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 2**64 - 1)
ODD_FLOATS = (0.0, 1.0, 0.5, -0.0, -1.0, 1e308, math.nan, math.inf, -math.inf)
_DEPTH = 5


def methods():
    """Return every RPC of the services that the sandbox has, and whether it takes and sends streams."""
    found = []
    for service in (*SERVICERS, "proto.rpc.v1.AuthService"):
        for method in pool().FindServiceByName(service).methods:
            found.append((method, *streaming(method)))
    return found


class Fuzzer:
    """A generator of requests.

    Args:
        source: The source of random numbers.
        ids: The IDs of existing resources by their kind, so that requests pass the first checks.
    """

    def __init__(self, source, ids):
        self.source = source
        self.ids = ids

    def request(self, method):
        """Return the bytes of a request: mostly a valid message, sometimes truncated, changed or random bytes."""
        data = self.message(method.input_type, _DEPTH).SerializePartialToString()
        chance = self.source.random()
        if chance < 0.05:
            return data[: self.source.randrange(len(data) + 1)]
        if chance < 0.10:
            return self.source.getrandbits(8 * 40).to_bytes(40, "big")
        if chance < 0.15 and data:
            changed = bytearray(data)
            changed[self.source.randrange(len(changed))] ^= 1 << self.source.randrange(8)
            return bytes(changed)
        return data

    def message(self, descriptor, depth):
        made = message(descriptor)()
        if depth == 0:
            return made
        for field in descriptor.fields:
            if self.source.random() < 0.25:
                continue
            if type(field.default_value) is list:
                self.fill(made, field, depth)
            elif field.message_type is not None:
                getattr(made, field.name).CopyFrom(self.message(field.message_type, depth - 1))
            else:
                setattr(made, field.name, self.value(field))
        return made

    def fill(self, made, field, depth):
        for _ in range(self.source.choice((0, 1, 1, 2, 5))):
            if field.message_type is None:
                getattr(made, field.name).append(self.value(field))
            elif field.message_type.GetOptions().map_entry:
                key, value = field.message_type.fields
                held = getattr(made, field.name)
                if value.message_type is None:
                    held[self.value(key)] = self.value(value)
                else:
                    held[self.value(key)].CopyFrom(self.message(value.message_type, depth - 1))
            else:
                getattr(made, field.name).add().CopyFrom(self.message(field.message_type, depth - 1))

    def value(self, field):
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self.source.random() < 0.5
        if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            value = self.source.choice(ODD_FLOATS)
            return (
                value
                if kind == FieldDescriptor.CPPTYPE_DOUBLE
                else struct.unpack("f", struct.pack("f", min(value, 1e30)))[0]
            )
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            return self.source.choice([each.number for each in field.enum_type.values] + [99])
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self.source.getrandbits(64).to_bytes(8, "big") * self.source.choice((0, 1, 100))
        if kind == FieldDescriptor.CPPTYPE_STRING:
            return self.text(field)
        return self.number(kind)

    def text(self, field):
        chance = self.source.random()
        if chance < 0.75:
            fitting = [kind for kind in self.ids if kind in f"{field.containing_type.name}.{field.name}".lower()]
            # The name of the field is more specific than that of its message.
            named = [kind for kind in fitting if kind in field.name]
            kinds = named or (field.name in ("id", "ids", "resource_id") and fitting) or ["name"]
            return self.source.choice(self.ids[self.source.choice(kinds)])
        if chance < 0.8:
            return self.source.choice(self.ids[self.source.choice(list(self.ids))])
        return self.source.choice(ODD_TEXTS) if chance < 0.97 else str(uuid.UUID(int=self.source.getrandbits(128)))

    def number(self, kind):
        least, most = {
            FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
            FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
            FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
            FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
        }[kind]
        if self.source.random() < 0.6:
            return self.source.randrange(4)
        return self.source.choice([number for number in ODD_NUMBERS if least <= number <= most])
