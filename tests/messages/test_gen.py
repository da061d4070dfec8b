"""The modules of ``viam_sync.gen`` have all of their .proto files, and clients hand on what the official ones do."""

import ast
import importlib
import pickle
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from viam_sync.messages.module_names import module_of

from .schema_walk import schema

FILES = [file.name for file in schema().file if not file.name.startswith("google/")]
CLIENTS = ["app.app_client", "app.billing_client", "app.data_client", "app.ml_training_client"]
CLIENTS += ["app.provisioning_client", "utils"]


def pb2(file: str) -> str:
    return f"viam_sync.gen.{file[: -len('.proto')].replace('/', '.')}_pb2"


@pytest.mark.parametrize("file", FILES)
def test_a_module_has_the_messages_enums_and_values_of_its_file(file: str) -> None:
    module, home = importlib.import_module(pb2(file)), importlib.import_module(f"viam_sync.proto.{module_of(file)}")
    (described,) = (each for each in schema().file if each.name == file)
    for element in [*described.message_type, *described.enum_type]:
        assert getattr(module, element.name) is getattr(home, element.name)
    for enum in described.enum_type:
        for value in enum.value:
            assert getattr(module, value.name) == value.number
    assert module.DESCRIPTOR.name == file
    values = [value for enum in described.enum_type for value in enum.value]
    named = [*described.message_type, *described.enum_type, *values]
    assert dir(module) == sorted(["DESCRIPTOR", *(each.name for each in named)]) == module.__all__


@pytest.mark.parametrize("file", FILES)
def test_a_module_can_be_imported_with_a_star(file: str) -> None:
    names: dict = {}  # type: ignore[type-arg]
    exec(f"from {pb2(file)} import *", names)
    assert {*importlib.import_module(pb2(file)).__all__} <= names.keys()


def test_an_unknown_name_is_an_ordinary_error() -> None:
    module = importlib.import_module("viam_sync.gen.app.v1.app_pb2")
    with pytest.raises(AttributeError, match=r"module 'viam_sync\.gen\.app\.v1\.app_pb2' has no attribute 'Robots'"):
        module.Robots  # noqa: B018


def stub(module: str) -> List[str]:
    path = importlib.import_module(module).__file__
    assert path is not None
    tree = ast.parse(Path(path).with_suffix(".pyi").read_text(encoding="utf-8"), feature_version=(3, 8))
    imports = [alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    values = [
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    return sorted([name for name in imports if name is not None] + values)


@pytest.mark.parametrize("file", FILES)
def test_a_stub_has_the_names_of_its_module(file: str) -> None:
    assert stub(pb2(file)) == importlib.import_module(pb2(file)).__all__


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_hands_on_what_its_stub_has(client: str) -> None:
    module = importlib.import_module(f"viam_sync.{client}")
    names = stub(f"viam_sync.gen.reexports.{client.rpartition('.')[2]}")
    assert names
    for name in names:
        found = getattr(module, name)
        assert found.__module__.startswith("viam_sync.proto.")
        assert pickle.loads(pickle.dumps(found)) is found


def test_a_class_of_the_client_comes_before_a_message_of_its_name() -> None:
    from viam_sync.app import app_client, data_client
    from viam_sync.proto import app
    from viam_sync.proto.app import datapipelines

    assert app_client.RobotPart is not app.RobotPart
    assert app_client.RobotPartPB is app.RobotPart
    assert data_client.ProtoDataPipeline is datapipelines.DataPipeline


def test_importing_any_of_them_builds_no_message() -> None:
    modules = [*map(pb2, FILES), *(f"viam_sync.gen.reexports.{client.rpartition('.')[2]}" for client in CLIENTS)]
    script = f"import {', '.join(modules)}\nfrom viam_sync.messages import pool\nprint(len(pool._ours))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0"]
