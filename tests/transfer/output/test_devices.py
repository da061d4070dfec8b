"""Destinations that are no plain files: whatever is there stays what it is."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.output.atomic import AtomicFile, AtomicOutput
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.table_file import TableFile

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither devices nor pipes in its folders")


class Reader:
    """Reads a pipe to its end, in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._contents: List[bytes] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        self._contents.append(self._path.read_bytes())

    def contents(self) -> bytes:
        self._thread.join(30)
        (found,) = self._contents
        return found


@pytest.fixture
def terminal() -> Iterator["tuple[int, str]"]:
    master, slave = os.openpty()
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def make_device(path: Path, kind: int, major: int, minor: int) -> Path:
    try:
        os.mknod(path, kind | 0o666, os.makedev(major, minor))
    except PermissionError:
        pytest.skip("only root makes devices")
    return path


def test_a_device_gets_the_bytes_and_stays_a_device(tmp_path: Path) -> None:
    null = make_device(tmp_path / "null.json", stat.S_IFCHR, 1, 3)
    AtomicOutput(null).write(b"{}", result=None)
    assert stat.S_ISCHR(null.lstat().st_mode)
    assert list(tmp_path.iterdir()) == [null]


def test_a_device_that_is_full_is_named_and_stays_a_device(tmp_path: Path) -> None:
    full = make_device(tmp_path / "full.csv", stat.S_IFCHR, 1, 7)
    with pytest.raises(OSError, match=rf"\[Errno 28\] No space left on device: '{full}'") as caught:
        AtomicOutput(full).write(b"{}", result="the part")
    assert caught.value.result == "the part"  # type: ignore[attr-defined]
    with pytest.raises(OSError, match=rf"\[Errno 28\] No space left on device: '{full}'"):
        TableFile(full).write([{"speed": 1}], Progress(None))
    assert stat.S_ISCHR(full.lstat().st_mode)


def test_a_terminal_shows_what_is_written(terminal: "tuple[int, str]") -> None:
    master, name = terminal
    AtomicOutput(name).write(b"{}\n", result=None)
    assert os.read(master, 100) == b"{}\r\n"


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = Reader(tmp_path / "pipe")
    AtomicOutput(tmp_path / "pipe").write(bytes(1_000_000), result=None)
    assert reader.contents() == bytes(1_000_000)
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)


def test_a_pipe_gets_nothing_of_an_output_that_fails(tmp_path: Path) -> None:
    def rows() -> Iterator[Dict[str, Any]]:
        yield {"speed": 1}
        raise RuntimeError("enough")

    os.mkfifo(tmp_path / "rows.jsonl")
    with os.fdopen(os.open(tmp_path / "rows.jsonl", os.O_RDWR | os.O_NONBLOCK), "rb", 0) as both_ends:
        with pytest.raises(RuntimeError, match="enough"):
            TableFile(tmp_path / "rows.jsonl").write(rows(), Progress(None))
        assert both_ends.read(1) is None


def test_a_disk_and_a_socket_are_refused(tmp_path: Path) -> None:
    disk = make_device(tmp_path / "disk", stat.S_IFBLK, 7, 255)
    with pytest.raises(OSError, match=r"dest is '.*disk', a disk, on which a file would have no end; name a file"):
        AtomicOutput(disk)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match=r"dest is '.*socket', a socket; name a file"):
            AtomicOutput(tmp_path / "socket")


def test_a_link_is_followed_to_the_file_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "monday.csv").write_bytes(b"old")
    (tmp_path / "latest").symlink_to("deep/monday.csv")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "latest")
    inode = (tmp_path / "deep" / "monday.csv").stat().st_ino
    TableFile(tmp_path / "link.jsonl").write([{"speed": 1}], Progress(None))
    assert (tmp_path / "deep" / "monday.csv").read_bytes() == b'{"speed": 1}\n'
    assert os.readlink(tmp_path / "latest") == "deep/monday.csv"
    # The file is still written whole or not at all: another one has taken its place.
    assert (tmp_path / "deep" / "monday.csv").stat().st_ino != inode
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["monday.csv"]


def test_a_link_to_a_file_that_is_not_there_makes_it(tmp_path: Path) -> None:
    (tmp_path / "latest.csv").symlink_to("monday.csv")
    AtomicOutput(tmp_path / "latest.csv").write(b"new", result=None)
    assert (tmp_path / "monday.csv").read_bytes() == b"new"
    assert (tmp_path / "latest.csv").is_symlink()


def test_a_link_into_a_folder_that_is_not_there_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "latest.csv").symlink_to("away/monday.csv")
    with pytest.raises(FileNotFoundError, match=r"dest is .*latest\.csv', but there is no folder '.*away'"):
        AtomicOutput(tmp_path / "latest.csv")


def test_links_in_a_circle_are_named(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OSError, match=rf"Too many levels of symbolic links: '{tmp_path}/one'"):
        AtomicOutput(tmp_path / "one")


def test_the_other_names_of_a_file_keep_what_it_held(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_bytes(b"old")
    os.link(tmp_path / "rows.json", tmp_path / "other.json")
    AtomicOutput(tmp_path / "rows.json").write(b"new", result=None)
    assert (tmp_path / "rows.json").read_bytes() == b"new"
    assert (tmp_path / "other.json").read_bytes() == b"old"


PRINTING = """
from viam_sync.transfer.output.atomic import AtomicOutput
print("before", flush=True)
AtomicOutput("/dev/stdout").write(b"between\\n", result=None)
print("after")
"""


@pytest.mark.parametrize("link", ["/dev/stdout", "out.txt"])
def test_the_standard_output_of_a_shell_keeps_its_file(tmp_path: Path, link: str) -> None:
    (tmp_path / "out.txt").symlink_to("/dev/stdout")
    code = PRINTING.replace("/dev/stdout", str(tmp_path / link))
    with (tmp_path / "log").open("wb") as log:
        inode = (tmp_path / "log").stat().st_ino
        subprocess.run([sys.executable, "-c", code], stdout=log, check=True, timeout=60)
    assert (tmp_path / "log").read_bytes() == b"before\nbetween\nafter\n"
    assert (tmp_path / "log").stat().st_ino == inode
    piped = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, timeout=60)
    assert piped.stdout == b"before\nbetween\nafter\n"


def test_a_descriptor_that_is_not_open_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="dest is '/dev/fd/4000', a descriptor that is not open"):
        AtomicOutput("/dev/fd/4000")


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb"):
        lengths: List[int] = []
        thread = threading.Thread(target=lambda: lengths.append(len(reader.read(1_000_000))))
        thread.start()
        AtomicOutput(f"/dev/fd/{writing}").write(bytes(1_000_000), result=None)
        thread.join(30)
    assert lengths == [1_000_000]


def test_a_reader_that_goes_away_is_an_error_that_names_the_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb"), pytest.raises(BrokenPipeError, match=f"Broken pipe: '/proc/.*/fd/{writing}'"):
        AtomicOutput(f"/dev/fd/{writing}").write(b"{}", result=None)


def test_a_file_that_is_mounted_alone_is_written_over(tmp_path: Path) -> None:
    mounted, elsewhere = tmp_path / "config.json", tmp_path / "elsewhere"
    mounted.touch()
    elsewhere.write_bytes(b"old and longer")
    if subprocess.run(["mount", "--bind", elsewhere, mounted], check=False, capture_output=True).returncode:
        pytest.skip("only root mounts")
    try:
        AtomicOutput(mounted).write(b"new", result=None)
    finally:
        subprocess.run(["umount", mounted], check=True)
    assert elsewhere.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "elsewhere"]


def test_an_unfinished_file_takes_the_place_of_files_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("file")
    for name in ("pipe", "link"):
        with pytest.raises(FileExistsError, match=f"which is not replaced: '{tmp_path}/{name}'"):
            AtomicFile(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


#: Every method that writes a file for its caller, with an ending that it takes.
WRITERS: Dict[str, Callable[[ViamClient, Sandbox, str], Any]] = {
    "page.json": lambda client, sandbox, dest: client.data_client.tabular_data_by_filter(dest=dest),
    "page.jsonl": lambda client, sandbox, dest: client.data_client.tabular_data_by_filter(dest=dest),
    "page.csv": lambda client, sandbox, dest: client.data_client.tabular_data_by_filter(dest=dest),
    "files.json": lambda client, sandbox, dest: client.data_client.binary_data_by_filter(limit=2, dest=dest),
    "files.jsonl": lambda client, sandbox, dest: client.data_client.binary_data_by_ids(
        [client.data_client.binary_data_by_filter(limit=1)[0][0].metadata.binary_data_id], dest
    ),
    "part.json": lambda client, sandbox, dest: client.app_client.get_robot_part(sandbox.robot_part_id, dest),
    "log.jsonl": lambda client, sandbox, dest: client.app_client.get_robot_part_logs(
        sandbox.robot_part_id, dest=dest, num_log_entries=5
    ),
    "invoice.pdf": lambda client, sandbox, dest: client.billing_client.get_invoice_pdf(
        client.billing_client.get_invoices_summary(sandbox.organization_id).invoices[0].id,
        sandbox.organization_id,
        dest,
    ),
    "rows.jsonl": lambda client, sandbox, dest: client.data_client.export_tabular_data_to(None, dest),
    "rows.csv": lambda client, sandbox, dest: client.data_client.export_tabular_data_to(None, dest),
    "rows.parquet": lambda client, sandbox, dest: client.data_client.export_tabular_data_to(None, dest),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_method_writes_through_a_pipe_and_follows_a_link(
    client: ViamClient, sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    if name == "rows.parquet":
        pytest.importorskip("pyarrow")
    write, pipe, link = WRITERS[name], tmp_path / name, tmp_path / f"link-{name}"
    link.symlink_to("file")
    write(client, sandbox, str(link))
    os.mkfifo(pipe)
    reader = Reader(pipe)
    write(client, sandbox, str(pipe))
    assert reader.contents() == (tmp_path / "file").read_bytes()
    assert (stat.S_ISFIFO(pipe.lstat().st_mode), os.readlink(link)) == (True, "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["file", link.name, name])


def test_an_export_replaces_no_link(client: ViamClient, tmp_path: Path) -> None:
    data = client.data_client
    (first, *_) = data.export_binary_data(None, tmp_path / "export").exported
    assert first.path is not None
    first.path.rename(tmp_path / "moved")
    first.path.symlink_to(tmp_path / "moved")
    result = data.export_binary_data(None, tmp_path / "export")
    assert [str(file.error) for file in result.failed] == [
        f"[Errno 17] there is a link, a device or a pipe, which is not replaced: '{first.path}'"
    ]
    assert (first.path.is_symlink(), len(result.already_there)) == (True, 23)


def test_an_empty_text_is_no_path(
    client: ViamClient, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, part = client.data_client, sandbox.robot_part_id
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    calls: Dict[str, Callable[[], object]] = {
        "dest": lambda: data.binary_data_by_filter(limit=1, dest=""),
        "path": lambda: data.export_tabular_data_to(None, ""),
        "folder": lambda: data.export_binary_data(None, ""),
        "filepath": lambda: data.file_upload_from_path("", part),
        "paths": lambda: data.upload_files("", part),
        "paths[0]": lambda: data.upload_files([""], part),
        "journal": lambda: data.upload_files(tmp_path, part, journal=""),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"^{re.escape(name)} is an empty string; it takes a path$"):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_tilde_is_the_folder_of_the_user(
    client: ViamClient, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, part = client.data_client, sandbox.robot_part_id
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "out").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    data.tabular_data_by_filter(limit=1, dest="~/page.json")
    data.binary_data_by_filter(limit=1, dest="~/out")
    data.export_tabular_data_to(None, Path("~/rows.csv"))
    data.export_binary_data(None, "~/export")
    data.file_upload_from_path("~/page.json", part)
    data.file_upload(part, Path("~/page.json"))
    data.upload_files(["~/page.json"], part, journal="~/journal")
    data.upload_files("~/out", part)
    with Sandbox("~/world"):
        pass
    assert list((tmp_path / "work").iterdir()) == []
    names = sorted(path.name for path in (tmp_path / "home").iterdir())
    assert names == ["export", "journal", "out", "page.json", "rows.csv", "world"]
    assert json.loads((tmp_path / "home" / "page.json").read_text())
