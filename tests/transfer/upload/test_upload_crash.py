"""Uploads in a process of their own, which is killed or interrupted."""

import os
import random
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import grpc
import pytest
from child_transfers import ChildTransfers
from servers import FakeService

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")

KILLS = int(os.environ.get("VIAM_SYNC_KILLS", "10"))
KEY, KEY_ID = "secret", "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"


@pytest.fixture(scope="module")
def children() -> Iterator[ChildTransfers]:
    with ChildTransfers() as running:
        yield running


def make(folder: Path, source: random.Random) -> Dict[str, bytes]:
    """Fill a folder with small files, of which some have the same size, and return their contents."""
    folder.mkdir()
    sizes = [0, 1, 1, 100, 5_000, 70_000, 262_144, 262_145, 400_000, 600_000]
    files = {
        f"{number:02}.bin": bytes(source.getrandbits(8) for _ in range(100)) * (size // 100 + 1)
        for number, size in enumerate(sizes)
    }
    files = {name: contents[:size] for (name, contents), size in zip(files.items(), sizes)}
    for name, contents in files.items():
        (folder / name).write_bytes(contents)
    return files


def stored(data: DataClient, part: str) -> Dict[str, bytes]:
    """Return what is stored by its name; nothing may be there twice."""
    with data.iter_binary_data(create_filter(part_id=part), page_size=5) as files:
        found = [(file.metadata.file_name + file.metadata.file_ext, file.binary) for file in files]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_an_upload_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    sandbox: Sandbox, client: ViamClient, children: ChildTransfers, tmp_path: Path
) -> None:
    data, part, source = client.data_client, sandbox.robot_part_id, random.Random()
    killed = already_sent = 0
    duration = 0.0
    for turn in range(KILLS + 1):
        folder = tmp_path / str(turn)
        files = make(folder, source)
        arguments = {"paths": str(folder), "part_id": part}
        # The last one that was left alone shows how long it takes.
        limit = source.uniform(0, duration) if turn else 60
        was_killed, seconds = children.run(sandbox, "upload_files", arguments, limit)
        duration, killed = duration if was_killed else seconds, killed + was_killed
        assert stored(data, part).items() <= files.items()
        results = data.upload_files(**arguments)
        assert [result.error for result in results] == [None] * len(files)
        already_sent += sum(result.already_sent for result in results)
        assert stored(data, part) == files
        sandbox.reset()
    assert killed
    assert already_sent >= len(files)


class Hanging:
    """A service that takes some uploads, and leaves all others without an answer."""

    def __init__(self, service: FakeService, answered: int) -> None:
        self.service = service
        self.answered = answered
        self.lock = threading.Lock()
        self.left_hanging = threading.Semaphore(0)
        self.ended = threading.Event()
        service.upload["FileUpload"] = self.take
        nothing = data_pb.BinaryDataByFilterResponse().SerializeToString()
        service.unary["BinaryDataByFilter"] = lambda request, context: nothing

    def take(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        with self.lock:
            self.answered -= 1
            answers = self.answered >= 0
        with suppress(grpc.RpcError):
            for _ in requests:
                pass
        if not answers:
            over = threading.Event()
            if context.add_callback(over.set):
                self.left_hanging.release()
                over.wait(60)
            self.ended.set()
        return pb.FileUploadResponse(file_id="f").SerializeToString()


UPLOADS: Dict[str, Callable[[Path], Dict[str, Any]]] = {
    "upload_files": lambda folder: {"paths": str(folder), "part_id": "p", "workers": 2},
    "file_upload_from_path": lambda folder: {"filepath": str(folder / "08.bin"), "part_id": "p"},
}


@pytest.mark.parametrize("method", UPLOADS)
def test_ctrl_c_ends_an_upload_that_hangs(children: ChildTransfers, tmp_path: Path, method: str) -> None:
    folder = tmp_path / "folder"
    files = make(folder, random.Random(1))
    with FakeService() as service:
        hanging = Hanging(service, answered=3 if method == "upload_files" else 0)
        child = children.start(service.url, KEY, KEY_ID, method, UPLOADS[method](folder))
        for _ in range(2 if method == "upload_files" else 1):
            assert hanging.left_hanging.acquire(timeout=60)
        os.kill(child, signal.SIGINT)
        # Only the interrupt can end it: nobody answers.
        assert os.WEXITSTATUS(children.line()) == 130
        assert hanging.ended.wait(60)
        hanging.answered = len(files)
        with Channel(parse_address(service.url), 0) as channel:
            results = DataClient(channel, {}).upload_files(folder, "p")
    sent_before = 3 if method == "upload_files" else 0
    assert [result.already_sent for result in results].count(True) == sent_before
    assert all(result.id == "f" for result in results)
