"""The modules of ``viam_sync/gen``: messages and enums under further addresses that the official SDK has for them."""

from typing import Dict, Iterable, Mapping, NamedTuple, Sequence, Tuple

from google.protobuf.descriptor import FileDescriptor
from names import Modules
from words import header

PB2 = '''\
{header}
# ruff: noqa: F822 (the names come into being when they are asked for)

"""The messages, the enums and their values of ``{file}``."""

from viam_sync.messages.reexports import attribute_of_file

__all__ = [
{names}
]

__getattr__ = attribute_of_file(__name__, "{file}")


def __dir__() -> "list[str]":
    return __all__
'''

PB2_STUB = '''\
{header}
"""The messages, the enums and their values of ``{file}``."""

from google.protobuf.descriptor import FileDescriptor

{imports}

DESCRIPTOR: FileDescriptor
{values}
'''

CLIENT = '''\
{header}
"""The messages and enums that ``viam_sync.{client}`` hands on, as the official module does."""

from viam_sync.messages.reexports import attribute_of_homes

__getattr__ = attribute_of_homes(
    "viam_sync.{client}",
    {{
{homes}
    }},
)
'''

CLIENT_STUB = '''\
{header}
"""The messages and enums that ``viam_sync.{client}`` hands on, as the official module does."""

{imports}

__all__ = [
{names}
]
'''

PACKAGE = '''\
{header}
"""{doc}"""
'''

_ROOT_DOC = """\
The further addresses of the messages and enums of ``viam_sync.proto``.

The modules whose names end in ``_pb2`` are those of the official SDK's ``viam.gen``; it has all that is in one .proto
file. They hold the same classes as ``viam_sync.proto``, and load each when it is first named. There is none whose name
ends in ``_grpc``: those of the official SDK hold stubs for asyncio.

Example:
    >>> from viam_sync.gen.app.data.v1.data_pb2 import ORDER_ASCENDING, Filter
    >>> Filter(robot_id="r").robot_id, ORDER_ASCENDING
    ('r', 2)
"""


class Handed(NamedTuple):
    """The messages that a module of the client hands on.

    Attributes:
        whole: The modules below ``viam_sync.proto`` all of whose messages and enums it has, but those that it renames.
        single: Those that it has under another name, or has of another module, as "module.Name" by that name.
    """

    whole: Tuple[str, ...]
    single: Mapping[str, str]


#: By the module of the client. The official modules import the messages that they use; a rule that gives a client all
#: messages of its services needs no list.
HANDED_ON = {
    "app.app_client": Handed(
        ("app",),
        {
            "FragmentHistoryEntryPB": "app.FragmentHistoryEntry",
            "FragmentPB": "app.Fragment",
            "FragmentVisibilityPB": "app.FragmentVisibility",
            "LogEntryPB": "common.LogEntry",
            "PackageType": "app.packages.PackageType",
            "RobotPartHistoryEntryPB": "app.RobotPartHistoryEntry",
            "RobotPartPB": "app.RobotPart",
        },
    ),
    "app.billing_client": Handed(("app.billing",), {}),
    "app.data_client": Handed(
        ("app.data", "app.datapipelines", "app.dataset", "app.datasync"),
        {
            "ProtoDataPipeline": "app.datapipelines.DataPipeline",
            "ProtoDataPipelineRun": "app.datapipelines.DataPipelineRun",
        },
    ),
    "app.ml_training_client": Handed(("app.mltraining",), {}),
    "app.provisioning_client": Handed(("provisioning",), {}),
    "utils": Handed(
        (),
        {
            "CaptureInterval": "app.data.CaptureInterval",
            "Filter": "app.data.Filter",
            "GeoPoint": "common.GeoPoint",
            "Geometry": "common.Geometry",
            "GetGeometriesRequest": "common.GetGeometriesRequest",
            "GetGeometriesResponse": "common.GetGeometriesResponse",
            "Orientation": "common.Orientation",
            "ResourceName": "common.ResourceName",
            "TagsFilter": "app.data.TagsFilter",
            "Vector3": "common.Vector3",
        },
    ),
}


def reexports(files: Sequence[FileDescriptor], modules: Modules) -> Dict[str, bytes]:
    """Return the modules below ``gen`` and their stubs, by path below the package.

    Args:
        files: The .proto files.
        modules: The module that holds the messages of a .proto file, by the file's name.
    """
    made = {}
    for file in files:
        if not file.name.startswith("google/"):
            path = f"gen/{file.name[: -len('.proto')]}_pb2"
            made[f"{path}.py"], made[f"{path}.pyi"] = _pb2(file, modules(file.name))
    for client, handed in HANDED_ON.items():
        path = f"gen/reexports/{client.rpartition('.')[2]}"
        made[f"{path}.py"], made[f"{path}.pyi"] = _client(client, _homes(handed, files, modules))
    for folder in {"/".join(path.split("/")[:size]) for path in made for size in range(1, path.count("/") + 1)}:
        made[f"{folder}/__init__.py"] = _package(folder)
    return {path: text.encode() for path, text in made.items()}


def _pb2(file: FileDescriptor, home: str) -> Tuple[str, str]:
    top = header([file.name], "the schema")
    enums = file.enum_types_by_name.values()
    values = {value.name: enum.name for enum in enums for value in enum.values}
    classes = [*file.message_types_by_name, *file.enum_types_by_name]
    lines = "\n".join(f"{name}: {enum}.ValueType" for name, enum in values.items())
    imports = _imports({name: f"{home}.{name}" for name in classes})
    return (
        PB2.format(header=top, file=file.name, names=_listed(["DESCRIPTOR", *classes, *values])),
        PB2_STUB.format(header=top, file=file.name, imports=imports, values=lines),
    )


def _homes(handed: Handed, files: Sequence[FileDescriptor], modules: Modules) -> Dict[str, str]:
    """Return what a client hands on, as "module.Name", by the name that it has there."""
    homes = dict(handed.single)
    for module in handed.whole:
        for file in files:
            if modules(file.name) == f"viam_sync.proto.{module}":
                for name in [*file.message_types_by_name, *file.enum_types_by_name]:
                    if f"{module}.{name}" not in handed.single.values():
                        homes.setdefault(name, f"{module}.{name}")
    return homes


def _client(client: str, homes: Mapping[str, str]) -> Tuple[str, str]:
    top = header(["the .proto files"], "protos/reexports.py")
    rows = "\n".join(f'        "{name}": "{home}",' for name, home in sorted(homes.items()))
    imports = _imports({name: f"viam_sync.proto.{home}" for name, home in homes.items()})
    return (
        CLIENT.format(header=top, client=client, homes=rows),
        CLIENT_STUB.format(header=top, client=client, imports=imports, names=_listed(homes)),
    )


def _package(folder: str) -> str:
    doc = _ROOT_DOC if folder == "gen" else "Modules of messages and enums; see the names below this one."
    return PACKAGE.format(header=header(["the folders of protos/"], "protos/reexports.py"), doc=doc)


def _listed(names: Iterable[str]) -> str:
    return "\n".join(f'    "{name}",' for name in sorted(names))


def _imports(homes: Mapping[str, str]) -> str:
    parts = {name: home.rpartition(".") for name, home in homes.items()}
    return "\n".join(f"from {module} import {original} as {name}" for name, (module, _, original) in parts.items())
