"""The stubs list exactly the messages, enums and fields that there are."""

import ast
import importlib
import keyword
from pathlib import Path
from typing import Dict, List, Set

import pytest

from .schema_walk import enums, full_name, messages, modules

OF_MESSAGES = {"__init__", "HasField", "ClearField", "WhichOneof"}


def tree(module: str) -> ast.Module:
    path = Path(importlib.import_module(module).__file__).with_suffix(".pyi")
    return ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


STUBS = {module: tree(module) for module in modules()}


def body_of(cls) -> List[ast.stmt]:
    body = STUBS[cls.__module__].body
    for name in cls.__qualname__.split("."):
        (found,) = (node for node in body if isinstance(node, ast.ClassDef) and node.name == name)
        body = found.body
    return body


def names_in(body: List[ast.stmt]) -> Set[str]:
    names = {node.target.id for node in body if isinstance(node, ast.AnnAssign)}
    return names | {node.name for node in body if isinstance(node, ast.FunctionDef)}


def literals(body: List[ast.stmt], method: str) -> Set[str]:
    functions = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == method]
    constants = [node for each in functions for node in ast.walk(each.args) if isinstance(node, ast.Constant)]
    return {node.value for node in constants if isinstance(node.value, str)}


OURS = [cls for cls in messages() if cls.DESCRIPTOR.file.package != "google.protobuf"]


@pytest.mark.parametrize("module", modules())
def test_the_messages_have_their_fields_in(module):
    for cls in OURS:
        if cls.__module__ == module:
            check_fields(cls)
            check_names_of_fields(cls)


def check_fields(cls):
    body = body_of(cls)
    fields = {name for name in cls.DESCRIPTOR.fields_by_name if not keyword.iskeyword(name)}
    values = {value for enum in cls.DESCRIPTOR.enum_types for value in enum.values_by_name}
    assert names_in(body) - OF_MESSAGES == fields | values
    (init,) = (node for node in body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    assert [argument.arg for argument in init.args.kwonlyargs] == [field.name for field in cls.DESCRIPTOR.fields]


def check_names_of_fields(cls):
    message, body = cls(), body_of(cls)
    for name in literals(body, "HasField"):
        assert message.HasField(name) is False
    for name in literals(body, "ClearField"):
        message.ClearField(name)
    for name in literals(body, "WhichOneof"):
        assert message.WhichOneof(name) is None
    assert set(cls.DESCRIPTOR.fields_by_name) <= literals(body, "ClearField")


@pytest.mark.parametrize("cls", [each for each in enums() if each.__qualname__ != "NullValue"], ids=full_name)
def test_an_enum_has_its_values(cls):
    assert names_in(body_of(cls)) == set(cls.keys())


@pytest.mark.parametrize("module", modules())
def test_a_stub_has_what_the_module_has(module):
    shown: Dict[str, ast.stmt] = {}
    for node in STUBS[module].body:
        if isinstance(node, ast.ClassDef):
            shown[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            shown.update({alias.name: node for alias in node.names if alias.asname == alias.name})
    assert {name for name in shown if not name.startswith("_")} == set(importlib.import_module(module).__all__)
