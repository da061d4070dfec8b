"""Mini schemas, one per oddity, and the files that the generator makes of them.

Run this file to write the expected texts anew; then read what changed.
"""

import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

tomllib = pytest.importorskip("tomllib", reason="the generator needs Python 3.11")
pytest.importorskip("grpc_tools", reason="the generator needs grpcio-tools")

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "protos"
CASES = Path(__file__).parent / "cases"
sys.path.insert(0, str(BENCH))

from compile import compile_protos, schema_names  # noqa: E402
from describe import load  # noqa: E402
from generate import formatted, message_files, service_files  # noqa: E402


def cases() -> List[str]:
    """Return the names of the mini schemas."""
    return sorted(path.name for path in CASES.iterdir())


def compiled(case: str) -> Any:
    """Return the descriptors of a mini schema."""
    roots = (CASES / case,)
    return compile_protos(schema_names(roots), roots, comments=True)


def generate(case: str, surface: str = "") -> Dict[str, bytes]:
    """Return the files made of a mini schema, by path below a package of its name.

    Args:
        case: The name of its folder.
        surface: The text of a surface table to take instead of its own.
    """
    path = CASES / case / "surface.toml"
    table = tomllib.loads(surface or (path.read_text(encoding="utf-8") if path.exists() else ""))
    pool, comments = load(compiled(case))
    files = [pool.FindFileByName(file.name) for file in compiled(case).file]
    services = [service for file in files for service in file.services_by_name.values()]

    def module(name: str) -> str:
        return f"{case}.google" if name.startswith("google/") else f"{case}.{name[: -len('.proto')].replace('/', '.')}"

    made = service_files(services, comments, table, module, case)
    return formatted({**message_files(files, module, comments), **made})


def expected(case: str, made: Dict[str, bytes]) -> Dict[Path, str]:
    """Return the files made of a mini schema, each by the path of its expected text."""
    service = next(text for path, text in made.items() if path.endswith("_service.py"))
    return {CASES / case / "expected.py": service.decode(), CASES / case / "expected.pyi": made["zoo.pyi"].decode()}


if __name__ == "__main__":
    for each in cases():
        for file, text in expected(each, generate(each)).items():
            file.write_text(text, encoding="utf-8")
