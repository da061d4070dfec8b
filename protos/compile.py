"""Compile the .proto files into descriptors, with protoc."""

import pathlib
import subprocess
import sys
import tempfile
from typing import List, Sequence

from google.protobuf.descriptor_pb2 import FileDescriptorSet

HERE = pathlib.Path(__file__).resolve().parent

#: The Viam API keeps its files under ``viam/`` but imports them without that folder.
ROOTS = (HERE / "viam", HERE)


def schema_names(roots: Sequence[pathlib.Path] = ROOTS) -> List[str]:
    """Return the names under which the .proto files of ``roots`` import each other, sorted."""
    names = set()
    taken: List[pathlib.Path] = []
    for root in roots:
        for path in root.rglob("*.proto"):
            if not any(earlier in path.parents for earlier in taken):
                names.add(path.relative_to(root).as_posix())
        taken.append(root)
    return sorted(names)


def compile_protos(
    names: Sequence[str], roots: Sequence[pathlib.Path] = ROOTS, comments: bool = False
) -> FileDescriptorSet:
    """Return the descriptors of ``names`` and of all they import, each file after its imports."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "schema.bin"
        command = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports", f"--descriptor_set_out={out}"]
        command += [f"-I{root}" for root in roots]
        if comments:
            command.append("--include_source_info")
        done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"protoc refused the schema:\n{done.stderr}")
        return FileDescriptorSet.FromString(out.read_bytes())
