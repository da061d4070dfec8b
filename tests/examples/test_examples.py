"""Each example, run as a beginner would run it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, Optional

import pytest

from viam_sync.lessons.course import scripts, solution_of
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.sample.tomato_images import render_png

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(
    name: str, variables: Dict[str, str], *, folder: Optional[Path] = None, warnings: str = "error"
) -> "subprocess.CompletedProcess[str]":
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("VIAM_")}
    return subprocess.run(
        [sys.executable, "-W", warnings, str(EXAMPLES / name)],
        env={**inherited, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_first_call_shows_the_sandbox_where_there_is_no_account() -> None:
    done = run("01_first_call.py", {})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "VIAM_API_KEY is not set, so this is the sandbox:"
    assert lines[1].startswith("Lesson Robotics (")
    assert sum(line.startswith("    ") for line in lines) == 3


def test_the_first_call_shows_the_cloud_that_the_variables_name(sandbox: Sandbox) -> None:
    done = run("01_first_call.py", sandbox.env_vars())
    assert done.returncode == 0, done.stderr
    assert f"Lesson Robotics ({sandbox.organization_id})" in done.stdout
    assert sandbox.robot_id in done.stdout


@pytest.mark.parametrize("cloud", [False, True])
def test_pictures_become_a_dataset_that_hugging_face_loads(sandbox: Sandbox, tmp_path: Path, cloud: bool) -> None:
    datasets = pytest.importorskip("datasets")
    variables = {}
    if cloud:
        variables = sandbox.env_vars()
        for number in range(24):
            path = tmp_path / "pictures" / ("ripe", "unripe")[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(render_png(8, 6, (number, 0, 0), []))
    done = run("pictures/pictures_to_dataset.py", variables, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "24 images: 24 uploaded, 0 already there, 0 failed; 0 boxes added, complete)\n" in done.stdout
    assert "24 images, 24 labelled, 2 labels, 0 problems)\n" in done.stdout
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "dataset" / "images"), cache_dir=str(tmp_path / "cache")
    )
    tags = [tags for part in loaded.values() for tags in part["tags"]]
    assert sorted(tags) == [["ripe"]] * 12 + [["unripe"]] * 12


def test_the_export_with_dask_adds_to_the_days_that_are_there(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="tox -e dask has it")
    pytest.importorskip("dask.dataframe", reason="tox -e dask has it")
    # The warnings are those of pandas, about what Dask calls.
    done = run("dask/export_with_dask.py", {}, folder=tmp_path, warnings="default")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "VIAM_API_KEY is not set, so this is the sandbox:"
    assert lines[1].endswith(" readings are in the folder readings")
    assert int(lines[1].partition(" ")[0]) > 700
    days = [path.name for path in sorted((tmp_path / "readings").iterdir())]
    assert [f"day={line.partition(' ')[0]}" for line in lines if line.startswith("20")] == days


def test_every_example_is_tested() -> None:
    here = Path(__file__).parent
    paths = [*here.glob("test_*.py"), here.parent / "django_app" / "test_fleet_example.py"]
    tests = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert [path.name for path in EXAMPLES.glob("*/*.py") if path.stem not in tests] == []
    lessons = {path for script in scripts().values() for path in (script, solution_of(script))}
    assert {path.name for path in EXAMPLES.glob("*.py")} == {path.name for path in lessons}


@pytest.mark.parametrize("variables", [{"VIAM_API_KEY": "x"}])
def test_a_missing_key_id_is_one_clear_error(variables: Dict[str, str]) -> None:
    done = run("01_first_call.py", variables)
    assert done.returncode == 1
    assert "ValueError: the environment variable VIAM_API_KEY_ID is missing; set it to" in done.stderr
