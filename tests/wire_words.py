"""The words of the wire that no error has, as who reads it wrote Python."""

import re

#: Full names of messages, enums and fields, and modules of generated code.
FULL_NAME = re.compile(
    r"google\.protobuf|\bviam\.(?!com\b|cloud\b)|\bproto\.rpc\b|_pb2\b|\.v\d+\b|\b[\w.]+(?:Request|Response)\.\w|\bDESCRIPTOR\b"
)
