"""The source distribution holds what a clone holds, the wheel holds the package, and an index can show the README."""

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Set

import pytest

import viam_sync

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

#: Files that tools leave in a working tree.
LEFT_BY_TOOLS = shutil.ignore_patterns(
    *(".git", ".tox", ".venv", ".*_cache", ".hypothesis", "__pycache__", "build", "dist", "*.egg-info", "PKG-INFO")
)

#: Files that setuptools makes for every source distribution.
MADE = re.compile(r"PKG-INFO|viam_sync\.egg-info/.*")

with_build = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("twine", "build", "readme_renderer", "setuptools"))),
    reason="build, readme_renderer, setuptools and twine are not installed",
)


def files(folder: Path) -> Set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run(*arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def copied(to: Path) -> Path:
    return Path(shutil.copytree(ROOT, to, ignore=LEFT_BY_TOOLS))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions where modules of older builds lie, and return the folder of the project."""
    project = copied(tmp_path_factory.mktemp("built") / "project")
    for stale in ("viam_sync/removed.py", "viam_sync/sandbox/removed.py", "removed_package/__init__.py"):
        path = project / "build" / "lib" / stale
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    printed = run("build", "--no-isolation", "--sdist", "--wheel", folder=project)
    assert re.findall(r"DeprecationWarning|are deprecated", printed) == []
    return project


def wheel_files(project: Path) -> Set[str]:
    (wheel,) = project.glob("dist/*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def unpacked(project: Path, folder: Path) -> Path:
    (archive,) = project.glob("dist/*.tar.gz")
    run("tarfile", "-e", str(archive), str(folder), folder=project)
    (found,) = folder.iterdir()
    return found


@with_build
def test_the_source_distribution_holds_every_file_of_the_project(built: Path, tmp_path: Path) -> None:
    held = {name for name in files(unpacked(built, tmp_path)) if not MADE.fullmatch(name)}
    assert held == files(copied(tmp_path / "project"))


@with_build
def test_the_wheel_holds_the_package_and_nothing_of_an_older_build(built: Path) -> None:
    held = {name for name in wheel_files(built) if ".dist-info/" not in name}
    lessons = {f"viam_sync/lessons/course/{path.name}" for path in (built / "examples").iterdir() if path.is_file()}
    assert held == {f"viam_sync/{name}" for name in files(built / "viam_sync")} | lessons
    assert {"viam_sync/py.typed", "viam_sync/proto/schema.bin", "viam_sync/sandbox/http/page/index.html"} <= held


@with_build
def test_a_wheel_from_the_source_distribution_is_the_same(built: Path, tmp_path: Path) -> None:
    source = unpacked(built, tmp_path)
    run("build", "--no-isolation", "--wheel", folder=source)
    assert wheel_files(source) == wheel_files(built)


@with_build
def test_a_package_index_takes_both_distributions(built: Path) -> None:
    names = [str(path) for path in sorted((built / "dist").iterdir())]
    assert len(names) == 2
    assert all(viam_sync.__version__ in Path(name).name for name in names)
    run("twine", "check", "--strict", *names, folder=built)


@with_build
def test_a_package_index_renders_the_readme() -> None:
    markdown = importlib.import_module("readme_renderer.markdown")
    html = markdown.render(README)  # with warnings as errors; None where it cannot
    assert re.findall(r'href="(?!#|https?://)[^"]*"', html) == []
    assert html.count("<pre") == README.count("```") // 2


def test_the_readme_has_no_link_that_is_dead_on_a_package_index() -> None:
    assert re.findall(r"\]\((?!https?://)[^)]*\)", README) == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+\.md|LICENSE|NOTICE)`", README))))
def test_the_readme_names_a_file_that_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


def test_a_version_that_is_released_has_a_date_in_the_changelog() -> None:
    version = viam_sync.__version__
    assert version.endswith(".dev0") or re.search(rf"(?m)^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", CHANGELOG)
    assert CHANGELOG.index("## [Unreleased]") < CHANGELOG.index("## [0.1.0] - 2026-11-22")
