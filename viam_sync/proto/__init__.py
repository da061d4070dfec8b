"""The messages and enums of the wire, under the names that the official SDK gives them.

They live in a descriptor pool of their own, so any protobuf runtime from 4.22 on will do, and any
version of the official SDK can be used in the same process. A message of the official SDK, or one of
``google.protobuf``, is taken wherever one of ours with the same full name is: by constructors, by
``CopyFrom`` and by ``MergeFrom``. The containers of repeated fields are protobuf's own; their ``append``,
``extend`` and ``add`` take messages of ours only.

Example:
    >>> from viam_sync.proto.app import Organization
    >>> Organization(name="Lessons").name
    'Lessons'
"""
