"""Refresh the .proto files from the descriptors inside an installed viam-sdk.

Run ``python protos/import_schema.py 0.85.1`` to write the files and API_VERSION and to be told what
changed; with ``--check`` it writes nothing and fails when anything differs.

The generated modules of the SDK are parsed, never imported: only the serialized descriptors in
them are read. Custom options and HTTP annotations are left out. Comments of ours stay.
"""

import argparse
import ast
import importlib.metadata
import pathlib
import sys
from typing import Any, Dict, List

from compile import HERE, ROOTS, compile_protos, schema_names
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto
from proto_text import Comments, comments_of, default_json_name, elements, proto_text

#: The files that hold the services of the cloud and its other messages; what they import comes along.
WANTED = (
    "app/agent/v1/agent.proto",
    "app/cloudslam/v1/cloud_slam.proto",
    "app/data/v1/data.proto",
    "app/datapipelines/v1/data_pipelines.proto",
    "app/dataset/v1/dataset.proto",
    "app/datasync/v1/data_sync.proto",
    "app/mlinference/v1/ml_inference.proto",
    "app/mltraining/v1/ml_training.proto",
    "app/packages/v1/packages.proto",
    "app/v1/app.proto",
    "app/v1/billing.proto",
    "app/v1/end_user.proto",
    "app/v1/robot.proto",
    "proto/rpc/v1/auth.proto",
    "proto/rpc/webrtc/v1/grpc.proto",
    "proto/rpc/webrtc/v1/signaling.proto",
    "provisioning/v1/provisioning.proto",
)

#: These only declare custom options.
OPTION_FILES = ("google/api/annotations.proto", "google/protobuf/descriptor.proto", "tagger/v1/tagger.proto")

API_VERSION = HERE / "API_VERSION"


def read_installed(version: str) -> Dict[str, FileDescriptorProto]:
    """Return the files of the installed viam-sdk, by name, without options that are not ours to keep."""
    installed = importlib.metadata.version("viam-sdk")
    if installed != version:
        raise SystemExit(f"viam-sdk {installed} is installed, not {version}; run: pip install viam-sdk=={version}")
    files: Dict[str, FileDescriptorProto] = {}
    waiting = list(WANTED)
    while waiting:
        name = waiting.pop()
        if name in files or name.startswith("google/protobuf/"):
            continue
        file = _without_options(_read_descriptor(name))
        files[name] = file
        waiting += file.dependency
    return files


def _read_descriptor(name: str) -> FileDescriptorProto:
    module = name[: -len(".proto")] + "_pb2.py"
    if name.startswith("google/"):
        path = importlib.metadata.distribution("googleapis-common-protos").locate_file(module)
    else:
        path = importlib.metadata.distribution("viam-sdk").locate_file(f"viam/gen/{module}")
    tree = ast.parse(pathlib.Path(str(path)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
            return FileDescriptorProto.FromString(ast.literal_eval(node.args[0]))
    raise SystemExit(f"{path} holds no serialized descriptor")


def _without_options(file: FileDescriptorProto) -> FileDescriptorProto:
    for field in ("options", "extension"):
        file.ClearField(field)
    public = {file.dependency[index] for index in file.public_dependency}
    kept = [name for name in file.dependency if name not in OPTION_FILES]
    file.ClearField("dependency")
    file.ClearField("public_dependency")
    file.dependency.extend(kept)
    file.public_dependency.extend(index for index, name in enumerate(kept) if name in public)
    for service in file.service:
        service.ClearField("options")
        for method in service.method:
            _keep(method, "deprecated")
    for enum in file.enum_type:
        _clean_enum(enum)
    for message in file.message_type:
        _clean_message(message)
    return file


def _clean_message(message: DescriptorProto) -> None:
    _keep(message, "deprecated", "map_entry")
    message.ClearField("extension")
    for field in message.field:
        _keep(field, "deprecated", "packed")
        if field.json_name == default_json_name(field.name):
            field.ClearField("json_name")
    for oneof in message.oneof_decl:
        oneof.ClearField("options")
    for enum in message.enum_type:
        _clean_enum(enum)
    for nested in message.nested_type:
        _clean_message(nested)


def _clean_enum(enum: EnumDescriptorProto) -> None:
    _keep(enum, "deprecated", "allow_alias")
    for value in enum.value:
        _keep(value, "deprecated")


def _keep(element: Any, *names: str) -> None:
    kept = {name: getattr(element.options, name) for name in names if element.options.HasField(name)}
    element.ClearField("options")
    for name, value in kept.items():
        setattr(element.options, name, value)


def read_ours() -> Dict[str, FileDescriptorProto]:
    """Return the files of ``protos/``, by name, with their comments in the source info."""
    names = schema_names()
    if not names:
        return {}
    compiled = compile_protos(names, comments=True)
    return {file.name: file for file in compiled.file if file.name in names}


def differences(old: Dict[str, FileDescriptorProto], new: Dict[str, FileDescriptorProto]) -> List[str]:
    """Return a line for each element that was added, removed or changed, sorted by its full name."""
    before, after = ({name: text for file in files.values() for name, text in elements(file)} for files in (old, new))
    lines = []
    for name in sorted({*before, *after}):
        if name not in before:
            lines.append(f"added    {name}")
        elif name not in after:
            lines.append(f"removed  {name}")
        elif before[name] != after[name]:
            lines.append(f"changed  {name}")
    return lines


def write(files: Dict[str, FileDescriptorProto], comments: Dict[str, Comments]) -> None:
    """Write each file under the root it belongs to, and remove those that are no longer published."""
    for name in schema_names():
        if name not in files:
            _path(name).unlink()
    for name, file in files.items():
        path = _path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(proto_text(file, comments.get(name, {})), encoding="utf-8")


def _path(name: str) -> pathlib.Path:
    viam, root = ROOTS
    return (root if name.startswith(("google/", "proto/")) else viam) / name


def main() -> int:
    parser = argparse.ArgumentParser(description="Refresh the .proto files from an installed viam-sdk.")
    parser.add_argument("version", nargs="?", default=API_VERSION.read_text().strip() if API_VERSION.exists() else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when anything differs")
    arguments = parser.parse_args()
    if arguments.version is None:
        parser.error("name the version of viam-sdk to read")

    new, old = read_installed(arguments.version), read_ours()
    comments = {name: comments_of(file) for name, file in old.items()}
    for file in old.values():
        file.ClearField("source_code_info")
        _without_options(file)
    lines = differences(old, new)
    print("\n".join(lines) or f"equal to the schema of viam-sdk {arguments.version}")
    if arguments.check:
        return 1 if lines else 0
    write(new, comments)
    API_VERSION.write_text(arguments.version + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
