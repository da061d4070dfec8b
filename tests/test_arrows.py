"""Who may import whom, and who may do what."""

import ast
import functools
import subprocess
import sys
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple, Union

import pytest

import viam_sync

PACKAGE = Path(viam_sync.__file__).parent

#: The folders that are divided into rooms; their files beside the rooms are a room themselves.
DIVIDED = ("app", "transfer", "sandbox")

#: For each room, the rooms that it imports, from the ground up.
ALLOWED: Dict[str, Set[str]] = {
    "__pyinstaller": set(),
    "checks": set(),
    "clock": set(),
    "error_details": set(),
    "errors": {"error_details"},
    "shown": {"checks"},
    "transfer": set(),
    "viam_sdk": set(),
    "logging": {"errors", "viam_sdk"},
    "messages": {"checks", "shown", "viam_sdk"},
    "proto": {"messages"},
    "gen": {"messages", "proto"},
    "rpc": {"checks", "clock", "errors", "messages", "proto"},
    "profiles": {"checks", "rpc"},
    "sandbox/core": {"proto"},
    "transfer/output": {"checks", "messages", "proto"},
    "sandbox/billing": {"proto", "sandbox/core"},
    "sandbox/data": {"proto", "sandbox/core"},
    "sandbox/faults": {"sandbox/core"},
    "sandbox/fleet": {"proto", "sandbox/core"},
    "sandbox/provisioning": {"proto", "sandbox/core"},
    "robot": {"rpc", "viam_sdk"},
    "services": {"checks", "messages", "proto", "rpc"},
    "transfer/concurrency": {"clock", "errors", "rpc"},
    "sandbox/queries": {"proto", "sandbox/core", "sandbox/data"},
    "sandbox/registry": {"proto", "sandbox/core", "sandbox/fleet"},
    "sandbox/wire": {"clock", "messages", "proto", "sandbox/core", "sandbox/faults", "sandbox/fleet"},
    "transfer/export": {
        "checks",
        "clock",
        "errors",
        "proto",
        "rpc",
        "shown",
        "transfer/concurrency",
        "transfer/output",
    },
    "display": {"checks", "messages", "shown", "transfer/output", "transfer/paging"},
    "transfer/labels": {"checks", "errors", "messages", "proto", "transfer/export", "transfer/output"},
    "transfer/mirror": {"checks", "errors", "shown", "transfer/output"},
    "transfer/paging": {"checks", "clock", "errors", "proto", "rpc", "transfer/concurrency"},
    "transfer/upload": {
        "checks",
        "clock",
        "errors",
        "messages",
        "rpc",
        "shown",
        "transfer/concurrency",
        "transfer/output",
    },
    "app/_data": {
        "checks",
        "errors",
        "messages",
        "proto",
        "rpc",
        "services",
        "shown",
        "transfer/concurrency",
        "transfer/export",
        "transfer/labels",
        "transfer/mirror",
        "transfer/output",
        "transfer/paging",
        "transfer/upload",
    },
    "app/_fleet": {
        "checks",
        "clock",
        "errors",
        "messages",
        "proto",
        "rpc",
        "services",
        "shown",
        "transfer/output",
        "transfer/paging",
        "transfer/upload",
    },
    "sandbox/http": {"proto", "sandbox/core", "sandbox/data", "sandbox/training", "sandbox/wire"},
    "sandbox/sample": {"proto", "sandbox/billing", "sandbox/core", "sandbox/data", "sandbox/fleet", "sandbox/registry"},
    "sandbox/training": {"proto", "sandbox/core", "sandbox/registry"},
    "reflection": {"checks", "display", "messages", "rpc", "services"},
    "app": {
        "app/_data",
        "app/_fleet",
        "checks",
        "errors",
        "gen",
        "messages",
        "profiles",
        "proto",
        "reflection",
        "rpc",
        "services",
        "transfer/export",
        "transfer/labels",
        "transfer/mirror",
        "transfer/output",
        "transfer/paging",
        "transfer/upload",
        "viam_sdk",
    },
    "sandbox": {
        "sandbox/billing",
        "sandbox/core",
        "sandbox/data",
        "sandbox/faults",
        "sandbox/fleet",
        "sandbox/http",
        "sandbox/provisioning",
        "sandbox/queries",
        "sandbox/registry",
        "sandbox/sample",
        "sandbox/training",
        "sandbox/wire",
    },
    "migrate": {"app", "exit_status", "transfer/output", "viam_sdk"},
    "dask": {
        "app",
        "app/_data",
        "checks",
        "proto",
        "rpc",
        "transfer/concurrency",
        "transfer/export",
        "transfer/output",
    },
    "django": {"__init__", "app/_data", "checks", "display", "exit_status", "proto", "rpc", "sandbox", "utils"},
    "tabular": {"app/_data", "checks", "transfer/output"},
    "utils": {"app/_data", "gen", "messages", "viam_sdk"},
    "__init__": {"app", "display", "errors", "messages", "rpc", "transfer/paging", "viam_sdk"},
    "exit_status": {"errors"},
    "checkup": {"__init__", "app", "checks", "errors", "profiles", "rpc"},
    "cli": {
        "__init__",
        "app",
        "checks",
        "checkup",
        "display",
        "errors",
        "exit_status",
        "messages",
        "profiles",
        "reflection",
    },
    "__main__": {"__init__", "cli", "exit_status"},
    "lessons": {"__init__", "app", "sandbox", "utils"},
}
#: The ways out of the sandbox: the options that a lesson connects with, and the client that tests are given.
SANCTIONED = {
    ("sandbox/server.py", "viam_sync.rpc.dial"),
    ("sandbox/pytest_plugin.py", "viam_sync.ViamClient"),
    ("sandbox/testing.py", "viam_sync.ViamClient"),
}


#: The files but the lessons, scripts of users, which a build copies to lessons/course/.
FILES = [
    path.relative_to(PACKAGE).as_posix()
    for path in sorted(PACKAGE.rglob("*.py*"))
    if path.suffix in (".py", ".pyi") and path.parent.name != "course"
]


class Facts(NamedTuple):
    """What is asked about a file: its imports, and the attributes that it calls, and names without a call."""

    imports: FrozenSet[str]
    called: FrozenSet[str]
    named: FrozenSet[str]


@functools.lru_cache(maxsize=None)
def facts(path: str) -> Facts:
    """Read a file, once."""
    nodes = list(ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))))
    functions = {node.func for node in nodes if isinstance(node, ast.Call)}
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    return Facts(
        frozenset(name for node in nodes for name in imported(node)),
        frozenset(node.attr for node in attributes if node in functions),
        frozenset(node.attr for node in attributes if node not in functions),
    )


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.lru_cache(maxsize=None)
def file_of(name: str) -> Optional[str]:
    """Return the file of this package that an import leads to; None for one of another package."""
    parts = name.split(".")
    if parts[0] != "viam_sync":
        return None
    while parts:
        path = "/".join(parts[1:])
        for file in (f"{path}.py", f"{path}/__init__.py".lstrip("/")):
            if file in FILES:
                return file
        parts.pop()
    return None


def room_of(path: str) -> str:
    first, *others = path.split("/")
    if first in DIVIDED and len(others) > 1:
        return f"{first}/{others[0]}"
    return first.partition(".")[0]


@functools.lru_cache(maxsize=None)
def targets(path: str) -> Set[str]:
    """Return the files that a file imports, by its statements and not by their packages' ``__init__``."""
    found = {(name, file_of(name)) for name in facts(path).imports}
    return {
        file
        for name, file in found
        if file is not None
        and file != path
        and not any(path == at and name.startswith(what) for at, what in SANCTIONED)
    }


@pytest.mark.parametrize("path", FILES)
def test_nothing_imports_what_is_not_drawn(path: str) -> None:
    room = room_of(path)
    assert [file for file in targets(path) if room_of(file) not in {room, *ALLOWED[room]}] == []


def test_every_arrow_that_is_drawn_is_there() -> None:
    drawn = {(room, other) for room, others in ALLOWED.items() for other in others}
    assert drawn - {(room_of(path), room_of(file)) for path in FILES for file in targets(path)} == set()


def test_no_room_stands_on_itself() -> None:
    assert circles({room: ALLOWED[room] for room in ALLOWED}) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles({path: targets(path) for path in FILES}) == []


def circles(arrows: Mapping[str, Set[str]]) -> List[str]:
    """Return what is left of a graph when everything that stands on nothing left is taken away, again and again."""
    left = dict(arrows)
    while True:
        free = [name for name, others in left.items() if not (others & left.keys())]
        if not free:
            return sorted(left)
        for name in free:
            del left[name]


def test_the_sanctioned_ways_out_are_still_used() -> None:
    used = {(path, what) for path, what in SANCTIONED if any(n.startswith(what) for n in facts(path).imports)}
    assert used == SANCTIONED


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("tenacity", "rpc/retry.py"),
        ("dask", "dask/"),
        ("distributed", "dask/"),
        ("django", "django/"),
        ("urllib3", "rpc/http_pool.py"),
        ("fsspec", "transfer/output/remote.py"),
        ("libcst", "migrate/"),
        ("click", "cli/"),
        ("rich", "cli/"),
        ("sqlite3", ("sandbox/", "transfer/labels/")),
    ],
)
def test_a_library_is_used_in_one_room(library: str, only: Union[str, Tuple[str, ...]]) -> None:
    users = {path for path in FILES if any(name.split(".")[0] == library for name in facts(path).imports)}
    assert users
    assert all(path.startswith(only) for path in users)


@pytest.mark.parametrize(
    ("functions", "only"),
    [
        ({"secure_channel", "insecure_channel"}, "rpc/dial.py"),
        ({"unary_unary", "unary_stream", "stream_unary", "stream_stream"}, "rpc/channel.py"),
    ],
)
def test_channels_are_opened_in_one_place(functions: Set[str], only: str) -> None:
    doors = {path for path in FILES if functions & facts(path).called}
    assert doors == {only}


def test_waits_have_one_clock_which_no_test_stops() -> None:
    readers = {path for path in FILES if {"monotonic", "perf_counter"} & (facts(path).called | facts(path).named)}
    # The log of calls only tells how long each took.
    assert readers == {"clock.py", "sandbox/wire/call_log.py"}


def test_stubs_are_made_in_one_place() -> None:
    # Who makes one passes the method on instead of calling it.
    makers = {path for path in FILES if "SerializeToString" in facts(path).named}
    assert {path for path in makers if not path.startswith(("sandbox/", "proto/"))} == {"rpc/service.py"}


def loaded_by(statement: str) -> Set[str]:
    script = f"{statement}\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["viam_sync", "viam_sync.sandbox", "viam_sync.sandbox.pytest_plugin"])
def test_importing_the_package_loads_neither_grpc_nor_protobuf(module: str) -> None:
    late = {"grpc", "google.protobuf", "tenacity", "bson", "urllib3", "IPython", "PIL", "viam_sync.display"}
    assert late & loaded_by(f"import {module}") == set()


def test_the_client_does_not_load_the_sandbox() -> None:
    loaded = loaded_by("import viam_sync.app.viam_client")
    assert not {name for name in loaded if name.startswith("viam_sync.sandbox") or name == "sqlite3"}


@pytest.mark.parametrize("name", viam_sync.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(viam_sync, name) is not None
    assert name in dir(viam_sync)


def test_help_on_the_package_fits_on_two_screens() -> None:
    script = "import viam_sync; viam_sync.ViamClient; help(viam_sync)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) <= 80
    assert "viam_sync.show(robots)" in done.stdout
    assert max(map(len, lines[:50])) <= 120


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'viam_sync' has no attribute 'Robot'"):
        viam_sync.Robot  # noqa: B018


def test_every_module_by_hand_is_small_and_opens_with_a_sentence() -> None:
    for path in FILES:
        text = (PACKAGE / path).read_text(encoding="utf-8")
        if not text.startswith("# Generated by"):
            tree = ast.parse(text)
            assert ast.get_docstring(tree), path
            assert text.count("\n") < 400, path
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    assert node.end_lineno is not None
                    doc = len((ast.get_docstring(node) or "").splitlines())
                    assert node.end_lineno - node.lineno - doc <= 40, f"{path}: {node.name}"
