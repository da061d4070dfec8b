"""The rooms of the sandbox: which of them may import which, and no circle of files."""

import ast
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

import pytest

import viam_sync.sandbox

SANDBOX = Path(viam_sync.sandbox.__file__).parent
PREFIX = "viam_sync.sandbox."

#: For each room, the rooms that it imports. A module beside the rooms is a room of its own.
SANDBOX_ROOMS: Dict[str, Set[str]] = {
    "core": set(),
    "faults": {"core"},
    "fleet": {"core"},
    "data": {"core"},
    "billing": {"core"},
    "provisioning": {"core"},
    "registry": {"core", "fleet"},
    "queries": {"core", "data"},
    "wire": {"core", "faults", "fleet"},
    "training": {"core", "registry"},
    "http": {"core", "data", "wire"},
    "sample": {"billing", "core", "data", "fleet", "registry"},
    "servicers": {"billing", "core", "data", "fleet", "provisioning", "queries", "registry", "training"},
    "server": {"core", "faults", "fleet", "http", "sample", "servicers", "training", "wire"},
    "__init__": {"server"},
    "__main__": {"faults", "server"},
    "pytest_plugin": {"server"},
}


def name_of(path: Path) -> str:
    """Return the name of a module below viam_sync.sandbox; the package itself is named "__init__"."""
    parts = path.relative_to(SANDBOX).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in SANDBOX.rglob("*.py")}


def imports_of(name: str) -> Iterator[str]:
    """Yield the modules of the sandbox that a module imports, also within functions."""
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.ImportFrom):
            imported = [f"{node.module}.{each.name}" for each in node.names]
        elif isinstance(node, ast.Import):
            imported = [each.name for each in node.names]
        else:
            continue
        for full in imported:
            if full.startswith(PREFIX):
                below = full[len(PREFIX) :]
                yield below if below in MODULES else below.rpartition(".")[0] or "__init__"


def room_of(name: str) -> str:
    return name.partition(".")[0]


def arrows() -> Set[Tuple[str, str]]:
    """Return the pairs of rooms of which the first imports the second."""
    pairs = {(room_of(name), room_of(other)) for name in MODULES for other in imports_of(name)}
    return {(room, other) for room, other in pairs if room != other}


def test_every_module_is_in_a_room() -> None:
    assert {room_of(name) for name in MODULES} == set(SANDBOX_ROOMS)


def test_the_arrows_between_rooms_are_those_that_are_drawn() -> None:
    assert arrows() == {(room, other) for room, others in SANDBOX_ROOMS.items() for other in others}


def test_the_rooms_are_on_seven_floors() -> None:
    floors: Dict[str, int] = {}
    while len(floors) < len(SANDBOX_ROOMS):
        ready = [room for room, below in SANDBOX_ROOMS.items() if room not in floors and below <= floors.keys()]
        assert ready, f"a circle of rooms among {sorted(SANDBOX_ROOMS.keys() - floors)}"
        floors.update({room: 1 + max((floors[other] for other in SANDBOX_ROOMS[room]), default=0) for room in ready})
    assert max(floors.values()) <= 7


@pytest.mark.parametrize("start", sorted(MODULES))
def test_no_module_imports_itself_through_others(start: str) -> None:
    seen: Set[str] = set()
    left: List[str] = [start]
    while left:
        for other in imports_of(left.pop()):
            assert other != start, f"a circle of modules through {start}: {sorted(seen)}"
            if other not in seen:
                seen.add(other)
                left.append(other)
