"""Make what is generated: the compiled schema, the modules of its messages, and the service classes.

Run ``python protos/generate.py`` to write what changed and to remove what is no longer made; with
``--check`` it writes nothing and fails on a changed, missing or orphaned file.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Mapping

from pins import require_pins

if __name__ == "__main__":
    require_pins()  # first, as the imports below need them

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from compile import HERE, compile_protos, schema_names

PACKAGE = HERE.parent / "viam_sync"
sys.path.insert(0, str(PACKAGE.parent))  # modules beside this one import from the package, too

from describe import describe, load, rpcs
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from names import Modules
from reexports import reexports
from render import module_text, table_text
from stubs import empty_module, lazy_module, stub
from surface import SurfaceError

from viam_sync.messages.module_names import module_of

#: The folders of generated files, and the one file in them that is written by hand.
FOLDERS = ("proto", "services", "gen")
BY_HAND = {"services/__init__.py"}


def module_name(file: str) -> str:
    """Return the dotted name of the module that holds the messages of a .proto file."""
    return f"viam_sync.proto.{module_of(file)}"


def build() -> Dict[str, bytes]:
    """Return every generated file, by its path below the package."""
    compiled = compile_protos(schema_names(), comments=True)
    pool, comments = load(compiled)
    files = [pool.FindFileByName(file.name) for file in compiled.file]
    services = [service for file in files for service in file.services_by_name.values()]
    made = message_files(files, module_name, comments)
    made.update(service_files(services, comments, _surface(), module_name))
    made.update(reexports(files, module_name))
    return {"proto/schema.bin": _shipped(compiled), **formatted(made)}


def _surface() -> Mapping[str, Any]:
    try:
        return tomllib.loads((HERE / "surface.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SurfaceError(f"surface.toml: {error}") from None


def message_files(files: List[FileDescriptor], names: Modules, comments: Mapping[str, str]) -> Dict[str, bytes]:
    """Return the modules of the messages of ``files`` and their stubs, by path below the package.

    Args:
        files: The .proto files.
        names: The module of a .proto file, by the file's name.
        comments: The comment of each element of the schema, by full name.
    """
    modules: Dict[str, List[FileDescriptor]] = {}
    for file in files:
        modules.setdefault(names(file.name), []).append(file)
    packages = {
        ".".join(parts[:size]) for parts in (name.split(".") for name in modules) for size in range(1, len(parts))
    }
    packages -= {"viam_sync"}  # it is written by hand
    made = {}
    for name in sorted({*modules, *packages}):
        path = "/".join([*name.split(".")[1:], *(["__init__"] if name in packages else [])])
        text = lazy_module(modules[name]) if name in modules else empty_module(name)
        made[f"{path}.py"] = text.encode()
        if name in modules:
            made[f"{path}.pyi"] = stub(modules[name], name, names, comments).encode()
    return made


def service_files(
    services: List[ServiceDescriptor],
    comments: Mapping[str, str],
    surface: Mapping[str, Any],
    names: Modules,
    package: str = "viam_sync",
) -> Dict[str, bytes]:
    """Return the modules of the service classes and the table of their RPCs, by path below ``package``.

    Raises:
        SurfaceError: If the surface table does not fit the schema, or two services want the same module.
    """
    made: Dict[str, bytes] = {}
    for service in describe(services, comments, surface, names):
        path = f"services/{service.module}.py"
        if path in made:
            raise SurfaceError(f"{service.full_name} and another service would both be {path}")
        if service.methods:
            made[path] = module_text(service, f"{package}.services").encode()
    made["services/methods.py"] = table_text(rpcs(services, surface)).encode()
    return made


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
        for arguments in (["check", "--select=I,F401,F822,RUF100", "--fix"], ["format"]):
            command = [sys.executable, "-m", "ruff", *arguments, "--quiet", f"--config={HERE.parent / 'ruff.toml'}"]
            subprocess.run([*command, str(folder)], check=True)
        return {path: (folder / path).read_bytes() for path in made}


def present(package: pathlib.Path) -> Dict[str, bytes]:
    """Return every file that is in the folders of generated files, but those written by hand."""
    found = {}
    for folder in FOLDERS:
        for path in (package / folder).rglob("*"):
            name = path.relative_to(package).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and name not in BY_HAND:
                found[name] = path.read_bytes()
    return found


def differences(made: Dict[str, bytes], found: Dict[str, bytes]) -> List[str]:
    """Return a line for each file that is missing, orphaned or changed."""
    lines = [f"missing   {path}" for path in sorted(made.keys() - found.keys())]
    lines += [f"orphaned  {path}" for path in sorted(found.keys() - made.keys())]
    lines += [f"changed   {path}" for path in sorted(made.keys() & found.keys()) if made[path] != found[path]]
    return lines


def write(made: Mapping[str, bytes], package: pathlib.Path) -> None:
    """Bring the generated files of a package up to date: write what differs, remove what is no longer made."""
    found = present(package)
    for path in found.keys() - made.keys():
        (package / path).unlink()
    for path, content in made.items():
        if found.get(path) != content:
            (package / path).parent.mkdir(parents=True, exist_ok=True)
            (package / path).write_bytes(content)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the generated files of viam_sync.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when anything differs")
    parser.add_argument("--package", type=pathlib.Path, default=PACKAGE, help="the package to write to or to check")
    arguments = parser.parse_args()
    try:
        made = build()
    except SurfaceError as error:
        sys.exit(str(error))
    lines = differences(made, present(arguments.package))
    print("\n".join(lines) or f"{len(made)} generated files are up to date")
    if arguments.check:
        return 1 if lines else 0
    write(made, arguments.package)
    return 0


if __name__ == "__main__":
    sys.exit(main())
