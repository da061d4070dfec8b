"""Calls that stream: uploads of files, and tails of logs."""

from viam_sync.messages.pool import message, pool

from .calls import APP
from .data_calls import FILE, SYNC


def upload(sandbox, owner, chunks=(b"a", b"b")):
    """Upload a file as a stream, and return the response."""
    request = message(pool().FindMethodByName(f"{SYNC}.FileUpload").input_type)
    send = owner.channel.stream_unary(
        f"/{SYNC}/FileUpload",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message(pool().FindMethodByName(f"{SYNC}.FileUpload").output_type).FromString,
    )
    first = request(metadata={"part_id": sandbox.robot_part_id, "type": FILE, "file_name": "notes.txt"})
    rest = (request(file_contents={"data": chunk}) for chunk in chunks)
    return send(iter([first, *rest]), metadata=owner.metadata, timeout=10)


def follow(sandbox, owner, **filters):
    """Follow the log of the part, and return the open call."""
    method = pool().FindMethodByName(f"{APP}.TailRobotPartLogs")
    send = owner.channel.unary_stream(
        f"/{APP}/TailRobotPartLogs", response_deserializer=message(method.output_type).FromString
    )
    request = message(method.input_type)(id=sandbox.robot_part_id, **filters)
    return send(request.SerializeToString(), metadata=owner.metadata, timeout=10)
