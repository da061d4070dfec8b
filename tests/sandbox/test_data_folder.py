"""The folders of a sandbox: whose files they hold, and who else can read them."""

import contextlib
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys

import pytest

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

from .calls import entered
from .commands import ROOT, Printed, data_of, failed, process

ID = "1" * 64
LOCK = ".viam-sandbox-lock"

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights, signals and locks")


def snapshot(folder):
    """Return everything in a folder: paths, rights, times of change, and contents."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        contents = path.read_bytes() if path.is_file() else None
        found[path] = (status.st_mode, status.st_mtime_ns, contents)
    return found


def rights(path):
    return stat.S_IMODE(path.stat().st_mode)


def foreign_database(path, sql="CREATE TABLE settings (name TEXT)"):
    with contextlib.closing(sqlite3.connect(str(path))) as database:
        database.execute(sql)
        database.commit()


def put(sandbox):
    """Upload a file."""
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        client.data_client.file_upload(sandbox.robot_part_id, b"contents")


def write(name, contents=b"precious"):
    """Return a function that writes a file below a folder."""

    def act(folder):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)

    return act


FOREIGN = {
    "a photo among blobs": write("blobs/photo.jpg"),
    "a blob": write(f"blobs/{ID}"),
    "a draft of a certificate": write("tls.part/key.pem"),
    "a hidden file": write(".profile"),
    "a folder": lambda folder: (folder / "blobs").mkdir(),
    "a database of another program": lambda folder: foreign_database(folder / "sandbox.db"),
    "a text instead of a database": write("sandbox.db", b"something else " * 100),
    "a view of another program": lambda folder: foreign_database(folder / "sandbox.db", "CREATE VIEW mine AS SELECT 1"),
    "a log without a database": write("sandbox.db-wal"),
    "a journal without a database": write("sandbox.db-journal"),
    "a folder instead of a database": lambda folder: (folder / "sandbox.db").mkdir(),
    "an empty database and a file": lambda folder: (write("sandbox.db", b"")(folder), write("notes.txt")(folder)),
}


@pytest.mark.parametrize("fill", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("port_is_taken", [False, True])
def test_a_folder_that_no_sandbox_made_is_refused_by_name_and_stays_as_it_is(tmp_path, fill, port_is_taken):
    fill(tmp_path)
    before = snapshot(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if port_is_taken else 0
        status, errors = failed("--data", str(tmp_path), "--tls", "--port", str(port))
    assert (status, errors.count("\n")) == (1, 1)
    assert str(tmp_path) in errors
    assert "give another folder" in errors
    assert snapshot(tmp_path) == before


@posix
def test_a_pipe_instead_of_a_database_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "sandbox.db")
    status, errors = failed("--data", str(tmp_path))
    assert (status, "it is no file" in errors) == (1, True)


def test_an_empty_folder_and_an_empty_database_become_a_world(tmp_path):
    (tmp_path / "sandbox.db").touch()
    with process("--data", str(tmp_path)) as (_, settings), entered(Printed(settings)) as owner:
        assert owner.ListOrganizations().organizations


def test_a_world_of_an_older_version_that_was_killed_at_once_is_still_a_world(tmp_path):
    with process("--data", str(tmp_path)) as (run, settings):
        run.kill()
    # Before its first checkpoint, all tables are in the log; no version before had a list of left-over blobs.
    with contextlib.closing(sqlite3.connect(str(tmp_path / "sandbox.db"))) as database:
        triggers = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for trigger in triggers:
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DROP TABLE leftover_blobs")
    assert triggers
    with process("--data", str(tmp_path)) as (run, again):
        assert again["VIAM_API_KEY"] == settings["VIAM_API_KEY"]
        run.kill()
    with process("--data", str(tmp_path)) as (_, again):
        assert again["VIAM_API_KEY"] == settings["VIAM_API_KEY"]


def test_files_of_others_in_the_folder_of_a_sandbox_stay(tmp_path):
    with Sandbox(tmp_path):
        pass
    kept = ("notes.txt", "blobs/photo.jpg", f"blobs/{ID}", f"blobs/{ID[:-1]}2.part", "blobs/album/1.jpg")
    for name in (*kept, "tls.part/key.pem", "viam-sandbox-mine/lock.txt"):
        write(name)(tmp_path)
    for tls in (False, True, False):
        with Sandbox(tmp_path, tls=tls) as sandbox:
            put(sandbox)
            sandbox.reset()
    for name in (*kept, "tls.part/key.pem", "viam-sandbox-mine/lock.txt"):
        assert (tmp_path / name).read_bytes() == b"precious"


def test_a_relative_folder_stays_the_same_when_the_program_changes_its_own(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Sandbox("world") as sandbox:
        before = blobs(tmp_path / "world")
        monkeypatch.chdir("elsewhere")
        put(sandbox)
        assert len(blobs(tmp_path / "world")) == len(before) + 1
    assert list((tmp_path / "elsewhere").iterdir()) == []


def blobs(folder):
    return {path.name for path in (folder / "blobs").iterdir()}


def half_an_upload(data):
    """Begin an upload, and return the call when its first contents are stored."""
    rest = iter(lambda: {"file_contents": {"data": bytes(100_000)}}, None)
    first = {"metadata": data.metadata(3)}
    return data.begin("FileUpload", (each for part in ([first], rest) for each in part))


def test_what_a_killed_sandbox_was_storing_is_deleted_by_the_next_one_and_nothing_else(tmp_path):
    with process("--data", str(tmp_path)) as (run, settings):
        before = blobs(tmp_path)
        with entered(Printed(settings)) as owner:
            call = half_an_upload(data_of(owner))
            while blobs(tmp_path) == before:
                assert not call.done()
            run.kill()
            run.wait()
            call.cancel()
    (left,) = blobs(tmp_path) - before
    assert left.endswith(".part")
    write(f"blobs/{ID}")(tmp_path)
    with process("--data", str(tmp_path)):
        assert blobs(tmp_path) == before | {ID}


@posix
def test_a_folder_is_readable_by_its_owner_alone(tmp_path):
    folder, empty = tmp_path / "new" / "world", tmp_path / "empty"
    empty.mkdir(0o755)
    for each in (folder, empty):
        with Sandbox(each, tls=True) as sandbox:
            put(sandbox)
            assert {rights(path) for path in [each, *each.rglob("*")] if path.is_dir()} == {0o700}
            assert {rights(path) for path in each.rglob("*") if path.is_file()} == {0o600}
    assert rights(tmp_path / "new") != 0o700


@posix
def test_a_folder_of_an_older_version_is_made_private(tmp_path):
    with Sandbox(tmp_path):
        pass
    for path in tmp_path.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    tmp_path.chmod(0o755)
    write("blobs/mine.jpg")(tmp_path)
    (tmp_path / "blobs" / "mine.jpg").chmod(0o644)
    with process("--data", str(tmp_path)):
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "mine.jpg"]
        assert {rights(path) for path in files} == {0o600}
        assert (rights(tmp_path), rights(tmp_path / "blobs")) == (0o700, 0o700)
        assert rights(tmp_path / "blobs" / "mine.jpg") == 0o644


@posix
def test_temporary_folders_of_a_killed_sandbox_are_deleted_by_the_next_one_and_no_others(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    (tmp_path / "viam-sandbox-of-somebody").mkdir()
    write("viam-sandbox-of-somebody-else/lock")(tmp_path)
    before = set(tmp_path.iterdir())
    with process("--tls", env=environment) as (alive, _), process("--tls", env=environment) as (run, _):
        folders = set(tmp_path.iterdir()) - before
        assert {rights(folder) for folder in folders} == {0o700}
        assert len([folder for folder in folders if (folder / "tls" / "key.pem").exists()]) == 2
        run.kill()
        run.wait()
        assert set(tmp_path.iterdir()) - before == folders
        with process(env=environment) as (third, _):
            left = set(tmp_path.iterdir()) - before
            assert len(left & folders) == 2
            assert len([folder for folder in left if (folder / "tls" / "key.pem").exists()]) == 1
            third.send_signal(signal.SIGTERM)
            assert third.wait(20) == 0
        assert set(tmp_path.iterdir()) - before == left & folders
        alive.send_signal(signal.SIGHUP)
        assert alive.communicate(timeout=20)[1] == ""
    assert set(tmp_path.iterdir()) == before


@posix
def test_a_forked_process_leaves_the_temporary_folder_to_its_parent():
    code = """
import os, sys
from viam_sync.sandbox.core.private_files import TemporaryFolder
folders = [TemporaryFolder(), TemporaryFolder()]
child = os.fork()
if child == 0:
    folders[0].close()
    sys.exit()
os.waitpid(child, 0)
print([folder.path.exists() for folder in folders])
folders[0].close()
print(*[folder.path for folder in folders])
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=True, stdout=subprocess.PIPE)
    there, paths = run.stdout.decode().splitlines()
    assert there == "[True, True]"
    assert not any(map(os.path.exists, paths.split()))


@posix
def test_a_link_to_a_temporary_folder_is_not_followed(tmp_path):
    write(f"elsewhere/{LOCK}")(tmp_path)
    (tmp_path / "viam-sandbox-link").symlink_to(tmp_path / "elsewhere")
    write("viam-sandbox-dir/precious.txt")(tmp_path)
    (tmp_path / "viam-sandbox-dir" / LOCK).symlink_to(tmp_path / "elsewhere" / LOCK)
    before = snapshot(tmp_path)
    code = "from viam_sync.sandbox import Sandbox; Sandbox().start().stop()"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=60, check=True)
    after = snapshot(tmp_path)
    assert {path: after[path] for path in after if path != tmp_path} == {
        path: before[path] for path in before if path != tmp_path
    }
