"""Make what is generated: the compiled schema, the modules of its messages, and the service classes.

    python protos/generate.py            writes what changed, removes what is no longer made
    python protos/generate.py --check    writes nothing, fails on a changed, missing or orphaned file
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import tomllib
from typing import Dict, List

from compile import HERE, compile_protos, schema_names
from describe import describe, load
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from render import module_text
from stubs import empty_module, lazy_module, stub

PACKAGE = HERE.parent / "viam_sync"
sys.path.insert(0, str(PACKAGE.parent))

from viam_sync.proto._modules import module_of  # noqa: E402

#: Where generated files live, and the hand-written ones that live there too.
FOLDERS = ("proto", "services")
BY_HAND = {"proto/__init__.py", "proto/_modules.py", "proto/_pool.py", "proto/_values.py", "services/__init__.py"}


def module_name(file: str) -> str:
    """Return the dotted name of the module that holds the messages of a .proto file."""
    return f"viam_sync.proto.{module_of(file)}"


def build() -> Dict[str, bytes]:
    """Return every generated file, by its path below the package."""
    compiled = compile_protos(schema_names(), comments=True)
    pool, comments = load(compiled)
    made: Dict[str, bytes] = {"proto/schema.bin": _shipped(compiled)}
    files = [pool.FindFileByName(file.name) for file in compiled.file]

    modules: Dict[str, list] = {}
    for file in files:
        modules.setdefault(module_name(file.name), []).append(file)
    packages = {name.rpartition(".")[0] for name in modules} - {"viam_sync.proto"}
    for name in sorted({*modules, *packages}):
        path = name.partition(".")[2].replace(".", "/") + ("/__init__" if name in packages else "")
        text = lazy_module(modules[name]) if name in modules else empty_module()
        made[f"{path}.py"] = text.encode()
        if name in modules:
            made[f"{path}.pyi"] = stub(modules[name], name, module_name, comments).encode()

    surface = tomllib.loads((HERE / "surface.toml").read_text(encoding="utf-8"))
    services = [service for file in files for service in file.services_by_name.values()]
    for service in describe(services, comments, surface, module_name):
        if service.methods:
            made[f"services/{service.module}.py"] = module_text(service).encode()
    return formatted(made)


def _shipped(compiled: FileDescriptorSet) -> bytes:
    """Return the schema as the package carries it: without comments."""
    bare = FileDescriptorSet()
    bare.CopyFrom(compiled)
    for file in bare.file:
        file.ClearField("source_code_info")
    return bare.SerializeToString(deterministic=True)


def formatted(made: Dict[str, bytes]) -> Dict[str, bytes]:
    """Return the files with their Python sorted and formatted by ruff, as the rest of the project is."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path, content in made.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for arguments in (["check", "--select=I,F401", "--fix"], ["format"]):
            command = [sys.executable, "-m", "ruff", *arguments, "--quiet", f"--config={HERE.parent / 'ruff.toml'}"]
            subprocess.run([*command, str(folder)], check=True)
        return {path: (folder / path).read_bytes() for path in made}


def present() -> Dict[str, bytes]:
    """Return every file that is in the folders of generated files, but those written by hand."""
    found = {}
    for folder in FOLDERS:
        for path in (PACKAGE / folder).rglob("*"):
            name = path.relative_to(PACKAGE).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and name not in BY_HAND:
                found[name] = path.read_bytes()
    return found


def differences(made: Dict[str, bytes], found: Dict[str, bytes]) -> List[str]:
    """Return a line for each file that is missing, orphaned or changed."""
    lines = [f"missing   {path}" for path in sorted(made.keys() - found.keys())]
    lines += [f"orphaned  {path}" for path in sorted(found.keys() - made.keys())]
    lines += [f"changed   {path}" for path in sorted(made.keys() & found.keys()) if made[path] != found[path]]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the generated files of viam_sync.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when anything differs")
    arguments = parser.parse_args()
    made, found = build(), present()
    lines = differences(made, found)
    print("\n".join(lines) or f"{len(made)} generated files are up to date")
    if arguments.check:
        return 1 if lines else 0
    for path in found.keys() - made.keys():
        (PACKAGE / path).unlink()
    for path, content in made.items():
        if found.get(path) != content:
            (PACKAGE / path).parent.mkdir(parents=True, exist_ok=True)
            (PACKAGE / path).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
