"""Label files: written anew by each run, and nothing else is touched."""

from pathlib import Path

import pytest

from viam_sync.transfer.labels.label_files import LabelFiles


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


def test_a_run_after_one_that_was_killed_goes_on(tmp_path: Path) -> None:
    files = LabelFiles(tmp_path, "yolo")
    files.write_text("labels/a.txt", "one\n")
    # The file is there, and its state is no more than what was noted before.
    state = tmp_path / ".viam-labels" / "yolo.jsonl"
    state.write_text(state.read_text() + '["labels/b.txt", "12')
    write(tmp_path, "a.txt", text="two\n")
    assert (tmp_path / "labels" / "a.txt").read_text() == "two\n"
