"""What a message of a stream costs: in the main thread, in another, and on a bare stub, in one run."""

import threading
from collections import deque
from typing import Any, Callable, Iterator

import grpc
from figures import Figure, Taken, in_turns, milliseconds, ratio, server

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as pb
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.services import methods

ROUNDS = 15


def read(open: Callable[[], Any]) -> None:
    deque(open(), maxlen=0)


def read_in_another_thread(open: Callable[[], Any]) -> None:
    thread = threading.Thread(target=read, args=(open,))
    thread.start()
    thread.join()


def rounds(port: str) -> Taken:
    request = pb.ExportTabularDataRequest()
    method = methods.EXPORT_TABULAR_DATA
    serialize, deserialize = pb.ExportTabularDataRequest.SerializeToString, pb.ExportTabularDataResponse.FromString
    address = f"127.0.0.1:{port}"
    with Channel(parse_address(f"http://{address}"), 3) as ours, grpc.insecure_channel(address) as channel:
        data, stub = DataClient(ours, {}), channel.unary_stream(method.path, serialize, deserialize)
        acts = {
            "main": lambda: read(lambda: data._unary_stream(method, request, None)),
            "other": lambda: read_in_another_thread(lambda: data._unary_stream(method, request, None)),
            "bare": lambda: read_in_another_thread(lambda: stub(request)),
        }
        return in_turns(acts, ROUNDS)


def figures() -> Iterator[Figure]:
    with server("streams_server.py") as port:
        taken = rounds(port)
    yield Figure(
        work="the messages of a stream, read in the main thread",
        ours=milliseconds(taken["main"]),
        peers={"ours in another thread": milliseconds(taken["other"])},
        ratio=ratio(taken, "main", "other"),
        of="of the time in another thread",
        goal="≤ 1.2",
        bounded_by="a thread that reads ahead",
    )
    yield Figure(
        work="the messages of a stream, read in another thread",
        ours=milliseconds(taken["other"]),
        peers={"a bare stub": milliseconds(taken["bare"])},
        ratio=ratio(taken, "other", "bare"),
        of="of a bare stub's time",
        goal="",
        bounded_by="grpcio, which hands each message from thread to thread",
    )
