"""The command ``viam-sync migrate``, in a process of its own."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import viam_sync

ROOT = Path(viam_sync.__file__).parents[1]

SCRIPT = """\
#!/usr/bin/env python3
import asyncio

from viam.app.viam_client import ViamClient


async def main():
    client = await ViamClient.create_from_env_vars()
    print(await client.app_client.list_organizations())
    client.close()


asyncio.run(main())
"""
MIGRATED = """\
#!/usr/bin/env python3

from viam_sync.app.viam_client import ViamClient


def main():
    client = ViamClient.create_from_env_vars()
    print(client.app_client.list_organizations())
    client.close()


main()
"""
MACHINES = "from viam.robot.client import RobotClient\n"
LEFT = "viam.robot.client.RobotClient belongs to machines, which viam-sdk drives: its import stays"
REQUIRED = "viam-sdk is required here; the scripts need viam-sync now, and viam-sdk for machines alone"


def run(*arguments, module="viam_sync", cwd=None, stdout=subprocess.PIPE):
    """Run the command, and return its exit status, what it wrote, and the lines of its errors."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    path.chmod(0o754)
    return path


def test_a_script_is_migrated_in_its_place_and_the_second_time_nothing_changes(script):
    assert run("migrate", script) == (0, "", [f"{script}: migrated", "1 file: 1 migrated; no lines are left to you"])
    assert script.read_text(encoding="utf-8") == MIGRATED
    assert stat.S_IMODE(script.stat().st_mode) == 0o754
    assert [path.name for path in script.parent.iterdir()] == ["script.py"]
    before = script.stat()
    done = run(script, module="viam_sync.migrate")
    assert done == (0, "", ["1 file: 0 migrated; no lines are left to you"])
    assert script.stat() == before


def test_diff_prints_a_patch_and_writes_nothing(script):
    status, patch, errors = run("migrate", "--diff", "script.py", cwd=script.parent)
    assert (status, errors) == (0, ["1 file: 1 to migrate; no lines are left to you"])
    assert script.read_text(encoding="utf-8") == SCRIPT
    assert patch.startswith("--- script.py\n+++ script.py\n@@ -1,")
    assert "\n-asyncio.run(main())\n+main()\n" in patch


def test_a_reader_of_patches_that_has_seen_enough_ends_the_run(script):
    beginning = script.read_text(encoding="utf-8")
    script.write_text(beginning + "print(1)\n" * 9, encoding="utf-8")
    (script.parent / "other.py").write_text(SCRIPT, encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        status, _, errors = run("migrate", "--diff", script, script.parent / "other.py", stdout=writing)
    finally:
        os.close(writing)
    assert (status, errors) == (2, [])


def test_check_says_what_would_change_and_writes_nothing(script):
    assert run("migrate", "--check", script)[0] == 1
    assert script.read_text(encoding="utf-8") == SCRIPT
    script.write_text(MIGRATED, encoding="utf-8")
    assert run("migrate", "--check", script)[0] == 0


def test_a_folder_is_walked_and_each_file_that_is_refused_is_named(tmp_path, script):
    outside = tmp_path / "outside.py"
    script.rename(outside)
    folder = tmp_path / "lessons"
    files = {
        "a/bom.py": b"\xef\xbb\xbf# first\r\n" + SCRIPT.replace("\n", "\r\n").encode(),
        "a/latin.py": b"# coding: latin-1\nimport viam.app  # \xe9",
        "a/requirements.txt": b"pandas\nviam-sdk>=0.70\n",
        "bad.py": b"import viam  # \xff\n",
        "machines.py": MACHINES.encode(),
        "old.py": b'import viam\nprint "x"\n',
        "older.py": b'print "x"  # \xff\n',
        "pyproject.toml": b'dependencies = ["viam-sync"]',
        "notes.txt": b"import viam",
        ".hidden/x.py": b"import viam",
        "env/pyvenv.cfg": b"",
        "env/lib/x.py": b"import viam",
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "link.py").symlink_to(outside)
    status, output, errors = run("migrate", ".", "missing.py", cwd=folder)
    assert (status, output) == (2, "")
    assert [line.partition(" Python: ")[0] for line in errors] == [
        "missing.py: error: No such file or directory",
        "a/bom.py: migrated",
        "a/latin.py: migrated",
        "bad.py:1: error: invalid or missing encoding declaration",
        f"machines.py:1: {LEFT}",
        "old.py:2: error: this is not valid",
        f"a/requirements.txt:2: {REQUIRED}",
        "8 files: 2 migrated, 3 refused; 2 lines are left to you",
    ]
    after = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    assert after.pop("link.py") == SCRIPT.encode()
    assert after.pop("a/bom.py") == b"\xef\xbb\xbf# first\r\n" + MIGRATED.replace("\n", "\r\n").encode()
    assert after.pop("a/latin.py") == files["a/latin.py"].replace(b"viam", b"viam_sync")
    assert after.items() <= files.items()
    # A link that is named is followed, and stays a link.
    assert run("migrate", "link.py", cwd=folder)[0] == 0
    assert (folder / "link.py").is_symlink()
    assert outside.read_text(encoding="utf-8") == MIGRATED


def test_a_script_beside_it_that_imports_it_is_named(tmp_path):
    cloud = (
        "from viam.app.viam_client import ViamClient\n\nasync def connect():\n    return await ViamClient.create()\n"
    )
    (tmp_path / "cloud.py").write_text(cloud.replace("create()", "create_from_env_vars()"), encoding="utf-8")
    (tmp_path / "job.py").write_text("import asyncio\nfrom cloud import connect\n\nasyncio.run(connect())\n", "utf-8")
    (tmp_path / "other.py").write_text("import asyncio\n\nclouds = asyncio.run(sky())\n", "utf-8")
    named = "job.py:2: cloud.py is migrated, and not this file, which imports it"
    done = run("migrate", "--check", "cloud.py", cwd=tmp_path)
    assert done == (1, "", ["cloud.py: to migrate", named, "1 file: 1 to migrate; 1 line is left to you"])
    assert run("migrate", "cloud.py", "job.py", cwd=tmp_path)[2][-1] == "2 files: 2 migrated; no lines are left to you"
    assert (tmp_path / "job.py").read_text("utf-8") == "from cloud import connect\n\nconnect()\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_with_the_name_of_a_script_is_not_read(script):
    os.mkfifo(script.parent / "pipe.py")
    assert run("migrate", script.parent)[2][-1] == "1 file: 1 migrated; no lines are left to you"


def test_without_libcst_a_line_says_what_to_install(tmp_path, script):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['libcst'] = None", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "viam_sync", "migrate", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "viam-sync migrate needs libcst: pip install libcst\n"


def test_a_command_that_is_not_there_and_no_path_are_errors():
    assert run("fly")[0] == run()[0] == run("migrate")[0] == 2
    assert [line for line in run()[2] if line.split()[:2] == ["migrate", "Rewrite"]]
    assert run("--version")[:2] == (0, f"{viam_sync.__version__}\n")
    assert run("sandbox", "--port", "-1")[2][-1].endswith("--port takes a number from 0 to 65535")


def test_what_is_left_is_named_by_the_lines_of_the_migrated_file_though_nothing_of_viam_awaits_there_now(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, asyncio\n\nimport sys\n"
        "from viam.app.viam_client import ViamClient\n\n\n"
        "async def main(client: ViamClient):\n"
        "    await asyncio.gather(client.app_client.list_organizations(), client.app_client.list_locations())\n"
        "    async with asyncio.timeout(5):\n"
        "        await client.app_client.list_organizations()\n",
        encoding="utf-8",
    )
    status, _, errors = run("migrate", "--check", script)
    assert (status, errors[1]) == (1, f"{script}:9: `asyncio.timeout` has no counterpart in plain code")
    status, _, errors = run("migrate", script)
    lines = script.read_text(encoding="utf-8").splitlines()
    line = 1 + lines.index("    async with asyncio.timeout(5):")
    assert line != 9
    assert (status, errors[1]) == (1, f"{script}:{line}: `asyncio.timeout` has no counterpart in plain code")
