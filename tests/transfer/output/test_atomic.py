import os
import stat
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest

from viam_sync.transfer.export.manifest import Entry, Manifest
from viam_sync.transfer.output.atomic import AtomicFile, AtomicOutput
from viam_sync.transfer.output.export_paths import ExportPath
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.table_file import TableFile


def test_the_file_holds_the_bytes_that_were_written(tmp_path: Path) -> None:
    AtomicOutput(tmp_path / "config.json").write(b"{}", result=None)
    assert (tmp_path / "config.json").read_bytes() == b"{}"
    assert list(tmp_path.iterdir()) == [tmp_path / "config.json"]


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"old and longer")
    AtomicOutput(str(tmp_path / "config.json")).write(b"new", result=None)
    assert (tmp_path / "config.json").read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize(("secret", "mode"), [(True, 0o600), (False, 0o644)])
def test_only_the_owner_can_read_a_secret(tmp_path: Path, secret: bool, mode: int) -> None:
    before = os.umask(0o022)
    try:
        AtomicOutput(tmp_path / "config.json", secret=secret).write(b"{}", result=None)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "config.json").stat().st_mode) == mode


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        AtomicOutput(tmp_path / "absent" / "config.json")


def test_a_folder_is_no_destination(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        AtomicOutput(tmp_path)


def test_an_argument_that_is_no_path_is_rejected() -> None:
    with pytest.raises(TypeError):
        AtomicOutput(7)  # type: ignore[arg-type]


def test_a_write_that_fails_keeps_the_old_file_and_hands_back_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_bytes(b"old")
    destination = AtomicOutput(tmp_path / "config.json")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}/config.json'") as caught:
        destination.write(b"new", result="the part")
    assert caught.value.result == "the part"  # type: ignore[attr-defined]
    assert (tmp_path / "config.json").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "config.json"]


def test_an_ending_that_cannot_be_written_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be written as \.csv; use \.json"):
        AtomicOutput(tmp_path / "config.CSV", rejected=(".csv",))


def test_a_long_name_still_has_room_for_the_temporary_one(tmp_path: Path) -> None:
    AtomicOutput(tmp_path / ("x" * 255)).write(b"{}", result=None)
    assert (tmp_path / ("x" * 255)).read_bytes() == b"{}"


def add_many(path: Path) -> None:
    with Manifest(path.parent) as manifest:
        manifest.add([Entry(f"f{number}", ExportPath("data/cat", "metadata/cat"), 5) for number in range(1000)])


ROWS = [{"text": "x" * 1000}] * 100
WRITERS: Dict[str, Callable[[Path], Any]] = {
    "config.json": lambda path: AtomicOutput(path).write(bytes(100_000), result=None),
    "rows.jsonl": lambda path: TableFile(path).write(ROWS, Progress(None)),
    "rows.csv": lambda path: TableFile(path).write(ROWS, Progress(None)),
    "rows.parquet": lambda path: TableFile(path).write(ROWS, Progress(None)),
    "manifest.jsonl": add_many,
}


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_that_is_full_names_the_file_in_the_callers_words(tmp_path: Path, name: str) -> None:
    if name == "rows.parquet":
        pytest.importorskip("pyarrow")
    with pytest.raises(OSError, match=rf"\[Errno 27\] File too large: '{tmp_path}/{name}'"):
        WRITERS[name](tmp_path / name)


def test_a_file_that_cannot_be_made_or_replaced_is_named_and_not_the_temporary_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        AtomicFile(tmp_path / "nowhere" / "cat")
    assert str(caught.value) == f"[Errno 2] No such file or directory: '{tmp_path}/nowhere/cat'"
    atomic = AtomicFile(tmp_path / "cat")
    (tmp_path / "cat").mkdir()
    with pytest.raises(OSError) as also:
        atomic.commit()
    atomic.rollback()
    assert (also.value.filename, also.value.filename2) == (str(tmp_path / "cat"), None)
    assert ".part" not in str(also.value)


def test_an_error_of_the_callers_own_is_not_said_to_be_of_the_file(tmp_path: Path) -> None:
    def rows() -> Iterator[Dict[str, int]]:
        yield {"speed": 1}
        raise TimeoutError(110, "Connection timed out")

    with pytest.raises(TimeoutError) as caught:
        TableFile(tmp_path / "rows.csv").write(rows(), Progress(None))
    assert caught.value.filename is None
