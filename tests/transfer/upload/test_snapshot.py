"""Snapshots of files: which changes they notice, and which are none."""

import io
import mmap
import os
from pathlib import Path
from typing import Callable, Dict, Iterator

import pytest

from viam_sync.transfer.upload.snapshot import Snapshot

#: A clock by which all files are old.
LATER = 4_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"old contents")
    return tmp_path / "file"


@pytest.fixture
def file(path: Path) -> Iterator[io.FileIO]:
    with io.FileIO(path) as opened:
        yield opened


def read(file: io.FileIO, snapshot: Snapshot) -> None:
    snapshot.add(file.read(4))
    snapshot.add(file.read())


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"new")


def rewrite_and_set_the_time_back(path: Path) -> None:
    status = path.stat()
    rewrite(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("now", [0, LATER])
@pytest.mark.parametrize("change", [rewrite, rewrite_and_set_the_time_back])
def test_a_file_that_was_rewritten_is_another(
    path: Path, file: io.FileIO, change: Callable[[Path], None], now: int
) -> None:
    snapshot = Snapshot(file, clock=lambda: now)
    read(file, snapshot)
    assert snapshot.is_current()
    os.utime(path, ns=(0, 10**18))
    snapshot = Snapshot(file, clock=lambda: now)
    file.seek(0)
    read(file, snapshot)
    change(path)
    assert not snapshot.is_current()


HARMLESS: Dict[str, Callable[[Path], object]] = {
    "renamed": lambda path: path.rename(path.with_name("other")),
    "deleted": Path.unlink,
    "replaced": lambda path: path.with_name("new").replace(path),
    "given another mode": lambda path: path.chmod(0o600),
    "given another name": lambda path: os.link(path, path.with_name("other")),
}


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the names of files that are open")
@pytest.mark.parametrize("now", [0, LATER])
@pytest.mark.parametrize("name", HARMLESS)
def test_a_file_is_the_same_where_only_its_name_or_mode_has_changed(
    path: Path, file: io.FileIO, name: str, now: int
) -> None:
    path.with_name("new").write_bytes(b"new")
    snapshot = Snapshot(file, clock=lambda: now)
    read(file, snapshot)
    HARMLESS[name](path)
    assert snapshot.is_current()


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows cannot read a second time")
def test_a_write_that_no_time_tells_of_is_found_in_a_file_that_was_changed_just_before(
    path: Path, file: io.FileIO
) -> None:
    with path.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as memory:
        memory[:3] = b"odd"  # from here on, the page is known to be changed, and the system takes note of no time
        snapshot = Snapshot(file)
        read(file, snapshot)
        before = path.stat()
        memory[:3] = b"new"
        assert (path.stat().st_mtime_ns, path.stat().st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)
        assert not snapshot.is_current()


def test_the_checksum_is_that_of_the_bytes_from_the_start_on(path: Path, file: io.FileIO) -> None:
    file.seek(4)
    snapshot = Snapshot(file, 4, in_doubt=True)
    assert snapshot.size == 8
    snapshot.add(file.read())
    assert snapshot.is_current()
