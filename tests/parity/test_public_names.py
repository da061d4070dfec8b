"""Each public name of the official SDK is here, under the same address, or is one of a few kinds that have a reason."""

import importlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest

from viam_sync.viam_sdk import MACHINES, why_missing

from .public_names import described

INSTALLED = [found for found in importlib.metadata.distributions() if found.metadata["Name"] == "viam-sdk"]
NEWEST = (Path(__file__).parents[2] / "protos" / "API_VERSION").read_text(encoding="utf-8").strip()

pytestmark = pytest.mark.skipif(not INSTALLED, reason="viam-sdk is not installed; there are no names to compare")

#: By the name of a module, why it and what is below it are missing, besides what `why_missing` knows.
NO_MODULES = {
    "viam.gen.proto.rpc.examples": "examples of Viam's library for RPC",
    "viam.proto.rpc.examples": "examples of Viam's library for RPC",
    "viam.rpc.libviam_rust_utils": "a library in Rust, which is no module of Python",
    "viam.version_metadata": "the versions of the official SDK",
}

#: By the name of a module that is here, why its names need not be.
OTHER_MEANING = {
    "viam.robot.client": "the client of a machine; scripts of the cloud import DialOptions from there",
    "viam.rpc.tracing": "the official SDK sets up spans of its own; ours are in docs/watching.md",
}

#: Single names that are missing, and why.
NO_NAMES = {
    "viam.gen.common.v1.common_pb2.SAFETY_HEARTBEAT_MONITORED_FIELD_NUMBER": "an option of methods of machines",
    "viam.rpc.dial.API_VERSION": "a version of the official SDK",
    "viam.rpc.dial.AuthenticateRequest": "how dialling authenticates; viam_sync.proto.rpc.auth has it",
    "viam.rpc.dial.AuthenticatedChannel": "a channel of grpclib",
    "viam.rpc.dial.PBCredentials": "how dialling authenticates; viam_sync.proto.rpc.auth has it",
    "viam.rpc.dial.SDK_VERSION": "a version of the official SDK",
    "viam.rpc.dial.ViamChannel": "a channel of grpclib",
    "viam.rpc.dial.dial_direct": "a channel of grpclib",
    "viam.rpc.dial.inject_trace_context": "part of viam.rpc.tracing",
}


#: Single names that only older versions have.
NO_LONGER = {
    "viam.rpc.dial.to_thread": "a function of asyncio, for old versions of Python",
    "viam.utils.to_thread": "a function of asyncio, for old versions of Python",
}

#: The modules that are here although others of their package are of machines: those of DialOptions and of tensors.
AMONG_MACHINES = {
    "viam.robot",
    "viam.robot.client",
    "viam.gen.service",
    "viam.gen.service.mlmodel",
    "viam.gen.service.mlmodel.v1",
    "viam.gen.service.mlmodel.v1.mlmodel_pb2",
    "viam.proto.service",
    "viam.proto.service.mlmodel",
}


def from_python(kind: str, home: str) -> bool:
    return home.split(".")[0] in sys.stdlib_module_names


def from_a_library(kind: str, home: str) -> bool:
    return home.startswith(("bson", "google.", "grpclib", "typing_extensions", "viam._native"))


def a_stub(kind: str, home: str) -> bool:
    return home.startswith("viam.gen.") and home.endswith("_grpc")


def of_machines(kind: str, home: str) -> bool:
    module = home[len("viam.") :] if home.startswith("viam.") else home
    return why_missing(module) == MACHINES or why_missing(f"proto.{module}") == MACHINES


def an_import(kind: str, home: str) -> bool:
    return kind == "module"


#: The kinds of names that modules hand on by accident, or that only machines need.
KINDS = {
    "what a module has imported of Python's own": from_python,
    "what a module has imported of a library, which is imported from there": from_a_library,
    "a module that a module has imported": an_import,
    "a stub of grpclib, for asyncio": a_stub,
    "of machines, in a module of the cloud": of_machines,
}


@pytest.fixture(scope="module")
def official() -> Dict[str, Dict[str, Tuple[str, str]]]:
    script = Path(__file__).with_name("public_names.py")
    done = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    found: Dict[str, Dict[str, Tuple[str, str]]] = json.loads(done.stdout)
    assert len(found) > 400
    return found


def ours(module: str) -> str:
    return "viam_sync" + module[len("viam") :]


def in_a_list(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in NO_MODULES)


def of_the_cloud(official: Dict[str, Any]) -> List[str]:
    """Return the modules whose names must be here."""
    listed = [module for module in official if not in_a_list(module) and module not in OTHER_MEANING]
    return [module for module in listed if not of_viam_sdk(module)]


def of_viam_sdk(module: str) -> str:
    """Return why a module is missing; an empty text for those that are here."""
    return "" if module in AMONG_MACHINES else why_missing(module[len("viam.") :])


def test_each_module_of_the_official_sdk_is_here_or_says_where_it_is(official: Dict[str, Any]) -> None:
    cloud = of_the_cloud(official)
    assert {"viam.app.app_client", "viam.gen.app.v1.app_pb2", "viam.errors", "viam.logging", "viam.utils"} <= {*cloud}
    for module in [*cloud, *OTHER_MEANING]:
        importlib.import_module(ours(module))
    for module in official:
        reason = of_viam_sdk(module)
        if reason and not in_a_list(module):
            with pytest.raises(ModuleNotFoundError) as raised:
                importlib.import_module(ours(module))
            assert str(raised.value).endswith(reason)


def missing_names(official: Dict[str, Any]) -> Iterator[Tuple[str, str, str]]:
    """Yield each name of a module of the cloud that is not here, with its kind and where it comes from."""
    for module in of_the_cloud(official):
        held = importlib.import_module(ours(module))
        for name, (kind, home) in official[module].items():
            try:
                getattr(held, name)
            except (AttributeError, ImportError) as error:
                if not str(error).endswith(MACHINES):
                    yield f"{module}.{name}", kind, home


def test_the_options_of_a_connection_are_where_the_client_of_a_machine_is(official: Dict[str, Any]) -> None:
    from viam_sync.rpc.dial import DialOptions

    assert {"DialOptions", "RobotClient"} <= official["viam.robot.client"].keys()
    client = importlib.import_module("viam_sync.robot.client")
    assert client.DialOptions is DialOptions
    with pytest.raises(ImportError, match="viam-sdk"):
        client.RobotClient  # noqa: B018


def kinds_of(name: str, kind: str, home: str) -> Set[str]:
    found = {reason for reason, belongs in KINDS.items() if belongs(kind, home)}
    single = {**NO_NAMES, **NO_LONGER}
    return found | {single[name]} if name in single else found


def test_each_name_is_here_or_has_a_reason(official: Dict[str, Any]) -> None:
    assert [(name, kind, home) for name, kind, home in missing_names(official) if not kinds_of(name, kind, home)] == []


def test_each_reason_is_needed(official: Dict[str, Any]) -> None:
    missing = list(missing_names(official))
    used = {reason for each in missing for reason in kinds_of(*each)}
    assert used >= {*KINDS}
    if INSTALLED[0].version == NEWEST:
        assert {name for name, _, _ in missing} >= {*NO_NAMES}
        assert {*official} >= {*NO_MODULES, *OTHER_MEANING}


def test_what_is_here_is_of_the_same_kind_and_value(official: Dict[str, Any]) -> None:
    compared = 0
    for module in of_the_cloud(official):
        held = importlib.import_module(ours(module))
        for name, (kind, detail) in official[module].items():
            if kind in ("message", "enum", "number") and not detail.startswith("google."):
                found = getattr(held, name, None)
                if found is not None:
                    assert described(found) == (kind, detail), f"{module}.{name}"
                    compared += 1
    assert compared > 1500
