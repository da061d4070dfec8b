import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from viam_sync.transfer.export.local_folder import LocalFolder
from viam_sync.transfer.export.manifest import Entry, Manifest
from viam_sync.transfer.output.export_paths import ExportPath

CAT = Entry("f1", ExportPath("data/cat", "metadata/cat.json"), 3)
DOG = Entry("f2", ExportPath("data/d/dog", "metadata/d/dog.json"), 0)


def lines(folder: Path) -> str:
    return (folder / "manifest.jsonl").read_text(encoding="utf-8")


def test_the_next_run_reads_the_entries_that_were_added(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.add([CAT])
        manifest.add([DOG])
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f1": CAT, "f2": DOG}


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_line_that_was_cut_off_is_removed(tmp_path: Path, kept: int) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.add([CAT])
        whole = lines(tmp_path)
        manifest.add([DOG])
    (tmp_path / "manifest.jsonl").write_text(whole + lines(tmp_path)[len(whole) :][:kept], encoding="utf-8")
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f1": CAT}
        manifest.add([DOG])
    assert [json.loads(line)["id"] for line in lines(tmp_path).splitlines()] == ["f1", "f2"]


ODD = [
    "[" * 100_000,
    *("", "[]", "null", "{}", '"x"', "{", "\ufffd"),
    '{"id": "x", "path": "data/../../x", "metadata": "metadata/x", "size": 1}',
    '{"id": "x", "path": "/etc/passwd", "metadata": "metadata/x", "size": 1}',
    '{"id": "x", "path": "data/x", "metadata": "data/x", "size": 1}',
    '{"id": "x", "path": "data//x", "metadata": "metadata/x", "size": 1}',
    '{"id": "x", "path": "data/a\\\\..\\\\x", "metadata": "metadata/x", "size": 1}',
    '{"id": "x", "path": "data/\\u0000", "metadata": "metadata/x", "size": 1}',
    '{"id": "x", "path": 7, "metadata": "metadata/x", "size": 1}',
    '{"id": "x", "path": "data/x", "metadata": "metadata/x", "size": "many"}',
    '{"id": "x", "path": "data/x", "metadata": "metadata/x", "size": 1e999}',
    '{"id": "x", "path": "data/.viam-export-1.part", "metadata": "metadata/x", "size": 1}',
    '{"id": "x", "path": "data/\\ud800", "metadata": "metadata/x", "size": 1}',
]


@pytest.mark.parametrize("line", ODD)
def test_a_line_that_is_no_entry_is_passed_over(tmp_path: Path, line: str) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.add([CAT])
    (tmp_path / "manifest.jsonl").write_text(f"{line}\n{lines(tmp_path)}", encoding="utf-8")
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f1": CAT}


@pytest.mark.parametrize(
    "place", [CAT.path, ExportPath("data/CAT", "metadata/x"), ExportPath("data/x", CAT.path.metadata)]
)
def test_entries_of_two_files_that_name_one_place_do_not_count(tmp_path: Path, place: ExportPath) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.add([CAT, DOG, Entry("f3", place, 3)])
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f2": DOG}
        assert manifest.disputed == {"f1", "f3"}
        moved = Entry("f3", ExportPath("data/new", "metadata/new.json"), 3)
        manifest.add([CAT, moved])
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f1": CAT, "f2": DOG, "f3": moved}


def test_a_manifest_that_is_tidied_has_one_line_for_each_file(tmp_path: Path) -> None:
    newer = CAT._replace(size=7, source_size=7, digest="d1")
    with Manifest(tmp_path) as manifest:
        manifest.add([CAT, DOG])
        manifest.add([newer])
        manifest.remove(["f2"])
        assert len(lines(tmp_path).splitlines()) == 3
        manifest.tidy()
        assert len(lines(tmp_path).splitlines()) == 1
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f1": newer}


def test_a_manifest_that_cannot_be_tidied_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Manifest(tmp_path) as manifest:
        manifest.add([CAT, DOG])
        manifest.remove(["f2"])
        before = lines(tmp_path)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left.*manifest.jsonl"):
            manifest.tidy()
        monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.jsonl"]
    assert lines(tmp_path) == before


def test_what_a_killed_export_left_beside_its_manifest_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".viam-export-0123456789abcdef.part").touch()
    (tmp_path / "mine.part").touch()
    LocalFolder(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.jsonl", "mine.part"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other locks")
def test_the_manifest_is_opened_again_that_another_export_has_replaced_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.add([CAT, DOG])
    open_file, opened = os.open, []

    def replaced(path: Any, *arguments: Any) -> int:
        file = open_file(path, *arguments)
        if not opened:
            opened.append(path)
            (tmp_path / "new").write_text(lines(tmp_path).splitlines()[0] + "\n", encoding="utf-8")
            (tmp_path / "new").replace(tmp_path / "manifest.jsonl")
        return file

    monkeypatch.setattr(os, "open", replaced)
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f1": CAT}
        monkeypatch.undo()
        with pytest.raises(BlockingIOError):
            Manifest(tmp_path)


def test_two_at_a_time_are_refused(tmp_path: Path) -> None:
    with Manifest(tmp_path), pytest.raises(BlockingIOError, match="another export into this folder is running"):
        Manifest(tmp_path)
    with Manifest(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few users make links")
def test_a_link_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    (tmp_path / "manifest.jsonl").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match=r"it is a link, which is not followed: '.*manifest.jsonl'"):
        Manifest(tmp_path)


def test_no_line_is_added_after_one_that_could_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def full(file: int, contents: bytes) -> int:
        if len(contents) < 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, contents[:10])

    with Manifest(tmp_path) as manifest:
        manifest.add([CAT])
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            manifest.add([DOG])
        monkeypatch.undo()
        with pytest.raises(OSError):
            manifest.add([DOG])
    with Manifest(tmp_path) as manifest:
        assert manifest.entries == {"f1": CAT}
