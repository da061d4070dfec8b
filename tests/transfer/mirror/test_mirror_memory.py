import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")
pytest.importorskip("resource")

#: The minutes of a year.
YEAR = 365 * 24 * 60


def memory_of(dest: Path, count: int) -> int:
    """Return the memory that a run over readings takes at most, in units of the system."""
    tests = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, str(tests / "child_mirrors.py"), str(dest), str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=300, check=True, env=environment)
    added, most = map(int, done.stdout.split())
    assert added == count
    return most


@pytest.mark.parametrize("name", ["readings.duckdb", "readings"])
def test_a_year_of_readings_takes_the_memory_of_some_weeks(tmp_path: Path, name: str) -> None:
    weeks = memory_of(tmp_path / f"weeks-{name}", YEAR // 10)
    # DuckDB keeps up to a row group of 122,880 rows in memory; the rows of a year would take ten times more.
    assert memory_of(tmp_path / f"year-{name}", YEAR) < 1.5 * weeks
