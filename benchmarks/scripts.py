"""What a script costs that makes one call and ends, and what importing the client costs: whole processes."""

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Iterator

from figures import Figure, Taken, in_turns, milliseconds, ratio, server
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from viam_sync.messages.pool import schema_file

ROUNDS = 12
ONE_CALL = Path(__file__).with_name("one_call")
#: The .proto files of the call and of its token.
NEEDED = ("app/v1/app.proto", "proto/rpc/v1/auth.proto")
MODULE = "app.viam_client"


def processor_time() -> float:
    """Return the seconds, those of the system included, of all processes that this one has run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def program(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], check=True)


@contextlib.contextmanager
def bytecode_kept() -> Iterator[None]:
    """Let Python keep what it compiles, as it does by default: in a folder of this benchmark, until the block ends."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def write_needed(path: Path) -> None:
    """Write the needed .proto files and what they import, each after its imports."""
    files = FileDescriptorSet()

    def add(name: str) -> None:
        descriptor = schema_file(name)
        for each in descriptor.dependencies:
            add(each.name)
        if name not in [file.name for file in files.file]:
            descriptor.CopyToProto(files.file.add())

    for name in NEEDED:
        add(name)
    path.write_bytes(files.SerializeToString())


def rounds(port: str, schema: Path) -> Taken:
    acts: Dict[str, Callable[[], object]] = {
        "nothing": program("-c", "pass"),
        "import of grpc": program("-c", "import grpc"),
        "bare": program(str(ONE_CALL / "bare.py"), port, str(schema)),
        "ours": program(str(ONE_CALL / "ours.py"), port),
        "official": program(str(ONE_CALL / "official.py"), port),
        "our import": program("-c", f"import viam_sync.{MODULE}"),
        "official import": program("-c", f"import viam.{MODULE}"),
    }
    with bytecode_kept():
        for act in acts.values():
            act()
        return in_turns(acts, ROUNDS, processor_time)


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, server("calls_server.py") as port:
        schema = Path(folder, "needed.bin")
        write_needed(schema)
        taken = rounds(port, schema)
    peers = {
        "the official SDK": milliseconds(taken["official"]),
        "grpcio and protobuf alone": milliseconds(taken["bare"]),
        "import grpc": milliseconds(taken["import of grpc"]),
        "an empty script": milliseconds(taken["nothing"]),
    }
    for peer, of, goal in (
        ("official", "of the official SDK's processor time", "≤ 0.62"),
        ("bare", "of the processor time on grpcio and protobuf alone", "≤ 1.35"),
    ):
        yield Figure(
            work="a script that makes one call and ends, whole process",
            ours=milliseconds(taken["ours"]),
            peers=peers,
            ratio=ratio(taken, "ours", peer),
            of=of,
            goal=goal,
            bounded_by="two thirds are the imports of grpc and protobuf; the rest is mostly 91 modules of the client",
        )
    yield Figure(
        work=f"import {MODULE}, whole process",
        ours=milliseconds(taken["our import"]),
        peers={
            "the official SDK": milliseconds(taken["official import"]),
            "import grpc": milliseconds(taken["import of grpc"]),
        },
        ratio=ratio(taken, "our import", "official import"),
        of="of the official SDK's processor time",
        goal="≤ 0.5",
        bounded_by="the import of grpc, which is five sixths of it",
    )
