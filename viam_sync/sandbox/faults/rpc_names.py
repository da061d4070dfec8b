"""The RPCs that a fault applies to, by their names in the schema."""

from __future__ import annotations

import difflib
import functools
import pkgutil
from typing import Any, Dict, FrozenSet, Sequence

from google.protobuf.descriptor_pb2 import FileDescriptorSet

#: Names every RPC.
ALL = "all"


def rpcs_matching(name: Any, streams_only: bool) -> FrozenSet[str]:
    """Return the full names of the RPCs that a name applies to.

    Args:
        name: A name such as "GetRobot" or "viam.app.v1.AppService/GetRobot", or "all".
        streams_only: Whether to leave out those that neither take nor return a stream.

    Raises:
        ValueError: If there is no such RPC.

    Example:
        >>> sorted(rpcs_matching("GetRobot", streams_only=False))
        ['viam.app.v1.AppService/GetRobot']
    """
    matching = [full for full in _streaming_by_rpc() if name in (ALL, full, full.rpartition("/")[2])]
    if not matching:
        known = [ALL, *(each for full in _streaming_by_rpc() for each in (full, full.rpartition("/")[2]))]
        raise ValueError(f"{name!r} is no RPC of the cloud{did_you_mean(str(name), known, 'GetRobot')}")
    found = frozenset(full for full in matching if not streams_only or _streaming_by_rpc()[full])
    if not found:
        raise ValueError(f"{name} has no stream, so it takes no after_messages; leave it out")
    return found


def did_you_mean(name: str, known: Sequence[str], example: str) -> str:
    """Return the end of an error message about an unknown name: the closest known ones, or else an example."""
    close = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else f"; give one such as {example}"


@functools.lru_cache(maxsize=1)
def _streaming_by_rpc() -> Dict[str, bool]:
    """Return the full name of every RPC, and whether it takes or returns a stream."""
    schema = pkgutil.get_data("viam_sync.proto", "schema.bin")
    assert schema is not None
    return {
        f"{file.package}.{service.name}/{method.name}": method.client_streaming or method.server_streaming
        for file in FileDescriptorSet.FromString(schema).file
        for service in file.service
        for method in service.method
    }
