"""Label files: written anew by each run, and nothing else is touched."""

import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Dict

import pytest

from viam_sync.transfer.labels.label_files import LabelFiles

#: A run that ends, as if it were killed, at the nth call that changes something on the disk.
KILLED = """
import os, sys
from pathlib import Path
from viam_sync.transfer.labels.label_files import LabelFiles

left = int(sys.argv[2])

def count(event, arguments):
    global left
    writes = event == "open" and (arguments[2] or 0) & os.O_CREAT
    if writes or event in ("os.rename", "os.remove", "sqlite3.connect", "sqlite3.connect/handle"):
        left -= 1
        if not left:
            os._exit(9)

files = LabelFiles(Path(sys.argv[1]), "yolo", batch=2)
sys.addaudithook(count)
for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt"):
    files.write_text("labels/" + name, "killed\\n")
with files.open("data.yaml") as file:
    file.write(b"names: []")
files.finish()
"""


def contents(folder: Path) -> Dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted((folder / "labels").iterdir())}


def write(folder: Path, *names: str, text: str = "0 0.5 0.5 1 1\n") -> None:
    files = LabelFiles(folder, "yolo")
    for name in names:
        files.write_text(f"labels/{name}", text)
    files.finish()


def test_a_run_replaces_the_files_of_the_run_before_and_removes_the_rest(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.txt")
    write(tmp_path, "b.txt", "c.txt", text="new\n")
    assert sorted(path.name for path in (tmp_path / "labels").iterdir()) == ["b.txt", "c.txt"]
    assert (tmp_path / "labels" / "b.txt").read_text() == "new\n"


@pytest.mark.parametrize("kept", [("a.txt",), ()])
def test_a_file_that_was_changed_since_is_neither_replaced_nor_removed(tmp_path: Path, kept: "tuple[str, ...]") -> None:
    write(tmp_path, "a.txt")
    (tmp_path / "labels" / "a.txt").write_text("by hand\n")
    with pytest.raises(FileExistsError, match=r"a\.txt' has been changed"):
        write(tmp_path, *kept)
    assert (tmp_path / "labels" / "a.txt").read_text() == "by hand\n"


def test_a_file_from_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("mine\n")
    with pytest.raises(FileExistsError, match="was not written by an export"):
        write(tmp_path, "a.txt")
    assert (tmp_path / "labels" / "a.txt").read_text() == "mine\n"


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_a_run_after_one_that_was_killed_goes_on(batch: int, tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.txt", "d.txt")
    files = LabelFiles(tmp_path, "yolo", batch=batch)
    for name in ("a.txt", "b.txt", "c.txt"):
        files.write_text(f"labels/{name}", "killed\n")
    # It was killed, so what it has not written does not matter to the next one.
    write(tmp_path, "b.txt", "e.txt", text="two\n")
    assert contents(tmp_path) == {"b.txt": "two\n", "e.txt": "two\n"}


@pytest.mark.parametrize("calls", range(1, 40, 3))
def test_a_run_may_be_killed_between_any_two_calls_of_the_system(calls: int, tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.txt", "gone.txt")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(calls)], check=False)
    assert killed.returncode in (0, 9)
    write(tmp_path, "b.txt", "c.txt", text="two\n")
    assert contents(tmp_path) == {"b.txt": "two\n", "c.txt": "two\n"}


def test_the_second_text_of_a_run_for_one_path_is_refused(tmp_path: Path) -> None:
    files = LabelFiles(tmp_path, "yolo", batch=1)
    files.write_text("labels/cat.txt", "one\n")
    with pytest.raises(FileExistsError, match=r"'labels/CAT\.txt' would hold the labels of two images"):
        files.write_text("labels/CAT.txt", "two\n")


def test_a_file_whose_name_is_spelled_anew_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write(tmp_path, "Cafe\u0301.txt")
    write(tmp_path, "CAF\u00c9.txt")
    assert [unicodedata.normalize("NFC", name) for name in contents(tmp_path)] == ["CAF\u00c9.txt"]


def test_what_stays_the_same_is_not_written_again(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    before = (tmp_path / "labels" / "a.txt").stat()
    write(tmp_path, "a.txt")
    after = (tmp_path / "labels" / "a.txt").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_many_files_are_written_in_batches_and_none_is_left_unfinished(tmp_path: Path) -> None:
    files = LabelFiles(tmp_path, "yolo", batch=110)
    for number in range(120):
        files.write_text(f"labels/{number}.txt", f"{number}\n")
    assert len(contents(tmp_path)) == 110
    files.finish()
    assert contents(tmp_path) == {f"{number}.txt": f"{number}\n" for number in range(120)}
    write(tmp_path)
    assert contents(tmp_path) == {}


def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").symlink_to(tmp_path / "nowhere.txt")
    with pytest.raises(FileExistsError, match="there is a link"):
        write(tmp_path, "a.txt")
    assert not (tmp_path / "nowhere.txt").exists()


def test_a_text_that_cannot_be_written_leaves_nothing_of_its_batch(tmp_path: Path) -> None:
    files = LabelFiles(tmp_path, "yolo")
    files.write_text("labels/a.txt", "one\n")
    files.write_text(f"labels/{'b' * 300}.txt", "two\n")
    with pytest.raises(OSError, match="name too long"):
        files.finish()
    assert contents(tmp_path) == {}


def test_a_state_that_is_damaged_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    (tmp_path / ".viam-labels" / "yolo.db").write_bytes(b"damaged" * 1000)
    with pytest.raises(OSError, match=r"yolo\.db'.* cannot be used: file is not a database"):
        write(tmp_path, "a.txt")


def test_what_a_killed_run_left_in_the_hidden_folder_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".viam-labels" / ".viam-labels-0123456789abcdef.part"
    left.parent.mkdir()
    left.write_bytes(b"{")
    LabelFiles(tmp_path, "yolo")
    assert not left.exists()
