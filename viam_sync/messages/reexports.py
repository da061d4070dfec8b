"""Modules that hand on the messages and enums of other modules, each loaded when it is first named."""

import importlib
import sys
from typing import Any, Callable, Mapping

from viam_sync.messages.module_names import module_of
from viam_sync.messages.pool import schema_file
from viam_sync.viam_sdk import missing_attribute


def attribute_of_file(module: str, file_name: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module that has all of a .proto file, as the ``_pb2`` modules of protoc do."""

    def __getattr__(name: str) -> Any:
        held = sys.modules[module]
        if name not in held.__all__:
            raise missing_attribute(module, name)
        value = _in_file(file_name, name)
        setattr(held, name, value)
        return value

    return __getattr__


def _in_file(file_name: str, name: str) -> Any:
    file = schema_file(file_name)
    if name == "DESCRIPTOR":
        return file
    for enum in file.enum_types_by_name.values():
        if name in enum.values_by_name:
            return enum.values_by_name[name].number
    return getattr(importlib.import_module(f"viam_sync.proto.{module_of(file_name)}"), name)


def attribute_of_homes(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module that hands on single messages and enums.

    Args:
        module: Its name.
        homes: What it hands on, as "module.Name" below ``viam_sync.proto``, by the name that it has there.
    """

    def __getattr__(name: str) -> Any:
        if name not in homes:
            raise missing_attribute(module, name)
        home, _, original = homes[name].rpartition(".")
        return getattr(importlib.import_module(f"viam_sync.proto.{home}"), original)

    return __getattr__
