"""Press Ctrl-C at random moments of calls, and print how many it ended: interrupted.py upload|stream COUNT."""

import os
import random
import signal
import sys
import threading
from typing import Any, Callable, Dict, List

import grpc
from servers import FakeService, connect

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as datasync_pb

PART = "4a3b2c1d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
POINT = data_pb.ExportTabularDataResponse(part_id=PART).SerializeToString()


def points(request: bytes, context: grpc.ServicerContext) -> Any:
    for _ in range(300):
        if not context.is_active():
            return
        yield POINT


def take(requests: Any, context: grpc.ServicerContext) -> bytes:
    return datasync_pb.FileUploadResponse(file_id=str(len(list(requests)))).SerializeToString()


CALLS: Dict[str, Callable[[DataClient], Any]] = {
    "upload": lambda data: data.file_upload(PART, bytes(4 << 20)),
    "stream": lambda data: data.export_tabular_data(PART, "air", "rdk:component:sensor", "Readings"),
}


#: The interrupts that Python has lost: it prints an exception of a callback of a weak reference, of which threading has
#: one for each thread, and goes on; its user presses Ctrl-C again.
LOST: List[object] = []


def take_note(unraisable: Any) -> None:
    if unraisable.exc_type is KeyboardInterrupt:
        LOST.append(unraisable.object)
    else:
        sys.__unraisablehook__(unraisable)


def main() -> None:
    call, count = CALLS[sys.argv[1]], int(sys.argv[2])
    sys.unraisablehook = take_note
    draw = random.Random(count)
    ended = 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with FakeService() as server:
        server.stream["ExportTabularData"] = points
        server.upload["FileUpload"] = take
        for _ in range(count):
            # Each has a connection of its own, as it is the closing of one that could hang.
            with connect(server) as client:
                data = client.data_client
                timer = threading.Timer(draw.uniform(0, 0.05), os.kill, (os.getpid(), signal.SIGINT))
                try:
                    timer.start()
                    while not LOST:
                        call(data)
                except KeyboardInterrupt:
                    pass
                LOST.clear()
                ended += 1
                timer.join()
                call(data)
    print(ended)


main()
