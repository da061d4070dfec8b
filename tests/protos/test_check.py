"""The check finds each generated file that was changed, is missing, or is no longer made."""

import shutil
import subprocess
import sys

import pytest

from .mini_schemas import BENCH, ROOT

pytest.importorskip("ruff", reason="the generator formats with ruff")


@pytest.fixture
def package(tmp_path):
    shutil.copytree(ROOT / "viam_sync", tmp_path / "viam_sync", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "viam_sync"


def run(package, *arguments):
    command = [sys.executable, str(BENCH / "generate.py"), f"--package={package}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_committed_files_are_those_that_the_generator_makes(package):
    done = run(package, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "generated files are up to date" in done.stdout


def test_the_check_tells_of_changed_missing_and_orphaned_files_and_mends_none(package):
    changed, missing = package / "services" / "app_service.py", package / "proto" / "app" / "data.pyi"
    orphaned = package / "proto" / "app" / "old.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    missing.unlink()
    orphaned.write_text("# left behind\n", encoding="utf-8")

    done = run(package, "--check")

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "missing   proto/app/data.pyi",
        "orphaned  proto/app/old.py",
        "changed   services/app_service.py",
    ]
    assert not missing.exists()
    assert orphaned.exists()


def test_without_the_check_all_is_mended(package):
    changed, missing = package / "proto" / "schema.bin", package / "services" / "app_service.py"
    orphaned = package / "services" / "old_service.py"
    changed.write_bytes(b"")
    missing.unlink()
    orphaned.write_text("# left behind\n", encoding="utf-8")

    assert run(package).returncode == 0

    assert changed.read_bytes() == (ROOT / "viam_sync" / "proto" / "schema.bin").read_bytes()
    assert missing.exists()
    assert not orphaned.exists()
    assert run(package, "--check").returncode == 0


def test_the_file_that_is_written_by_hand_is_left_alone(package):
    (package / "services" / "__init__.py").write_text("# by hand\n", encoding="utf-8")
    assert run(package).returncode == 0
    assert (package / "services" / "__init__.py").read_text(encoding="utf-8") == "# by hand\n"


def test_the_folder_of_the_messages_holds_nothing_by_hand(package):
    by_hand, package_file = package / "proto" / "pool.py", package / "proto" / "__init__.py"
    by_hand.write_text("# by hand\n", encoding="utf-8")
    package_file.write_text('"""By hand."""\n', encoding="utf-8")

    done = run(package, "--check")

    assert done.returncode == 1
    assert done.stdout.splitlines() == ["orphaned  proto/pool.py", "changed   proto/__init__.py"]
    package_file.unlink()
    assert "missing   proto/__init__.py" in run(package, "--check").stdout.splitlines()
