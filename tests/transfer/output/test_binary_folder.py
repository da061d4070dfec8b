import gzip
import os
from datetime import datetime
from pathlib import Path
from typing import Any, List

import pytest

from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.binary_folder import BinaryFolder
from viam_sync.transfer.output.names import UNFINISHED, clean_name

NOON = datetime(2024, 5, 1, 12)


def file(contents: bytes = b"x", **metadata: Any) -> pb.BinaryData:
    return pb.BinaryData(binary=contents, metadata=pb.BinaryMetadata(time_requested=NOON, **metadata))


def written(folder: Path) -> List[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_gzipped_files_are_written_unzipped(tmp_path: Path) -> None:
    contents = [gzip.compress(b"1"), gzip.compress(b"2")[:-4], b"3"]
    files = [file(each, id=f"f{number}", file_ext=".gz") for number, each in enumerate(contents)]
    BinaryFolder(tmp_path).write(files, None)
    found = [(tmp_path / "data" / f"2024-05-01T12_00_00Z_f{number}").read_bytes() for number in range(3)]
    assert found == [b"1", *contents[1:]]  # what is no whole gzip stays as it is


HOSTILE = [
    "/etc/passwd",
    "../../../outside.txt",
    "..\\..\\outside.txt",
    "a/../../outside.txt",
    "C:\\Windows\\win.ini",
    "\\\\server\\share\\x",
    "..",
    ".",
    "/",
    "a/",
    "...",
    "nul",
    "dir/con.txt",
    "x" * 5000,
    "é" * 300 + ".png",
    "d/" * 3000 + "deep",
    "a\x00b\nc",
    "a\u202eb/../c",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("field", ["file_name", "id", "file_ext"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str, field: str) -> None:
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    named: Any = {field: name}
    BinaryFolder(folder).write([file(**named)], None)
    found = written(tmp_path)
    assert len(found) == 2
    assert found[0].startswith("in/here/data/")
    assert found[1].startswith("in/here/metadata/")
    assert found[1].endswith(".json")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_clean_name_has_no_way_up(name: str) -> None:
    cleaned = clean_name(name)
    assert not cleaned.startswith("/")
    assert not {"", ".", ".."} & set(cleaned.split("/")) or cleaned == ""
    assert all(len(part.encode()) <= 200 for part in cleaned.split("/"))


def test_files_of_one_name_are_all_kept(tmp_path: Path) -> None:
    files = [file(b"1", file_name="a.txt"), file(b"2", file_name="a.txt"), file(b"3", file_name="a.txt", id="f3")]
    BinaryFolder(tmp_path).write(files, None)
    stem = "2024-05-01T12_00_00Z_a"
    contents = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    assert contents == {f"{stem}.txt": b"1", f"{stem}-2.txt": b"2", f"{stem}-3.txt": b"3"}
    assert len(list((tmp_path / "metadata").iterdir())) == 3


def test_a_file_that_comes_again_replaces_its_older_copy(tmp_path: Path) -> None:
    for contents in (b"old", b"new"):
        BinaryFolder(tmp_path).write([file(contents, id="f1", file_name="a.txt")], None)
    (path,) = (tmp_path / "data").iterdir()
    assert path.read_bytes() == b"new"


def test_a_file_that_comes_twice_in_a_response_is_there_once(tmp_path: Path) -> None:
    files = [file(b"1", id="f1", file_name="a.txt"), file(b"2", id="f2", file_name="a.txt")]
    BinaryFolder(tmp_path).write([*files, *files], None)
    assert len(written(tmp_path)) == 4


def test_names_that_differ_by_their_case_alone_get_numbers_as_in_an_export(tmp_path: Path) -> None:
    BinaryFolder(tmp_path).write([file(id="f1", file_name="d/cat"), file(id="f2", file_name="d/Cat")], None)
    BinaryFolder(tmp_path).write([file(id="f3", file_name="d/CAT")], None)
    assert written(tmp_path)[:3] == ["data/d/CAT-3", "data/d/Cat-2", "data/d/cat"]


def test_a_file_whose_labels_have_changed_is_written_anew(tmp_path: Path) -> None:
    for tag in ("old", "new"):
        BinaryFolder(tmp_path).write([file(id="f1", file_name="d/cat", capture_metadata={"tags": [tag]})], None)
    assert written(tmp_path) == ["data/d/cat", "metadata/d/cat.json"]
    assert '"new"' in (tmp_path / "metadata" / "d" / "cat.json").read_text(encoding="utf-8")


def test_the_unfinished_files_of_an_export_that_is_at_work_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"{UNFINISHED}0123456789abcdef.part").touch()
    BinaryFolder(tmp_path).write([file(id="f1", file_name="cat")], None)
    assert len(written(tmp_path)) == 3


def test_the_users_own_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    mine = tmp_path / "data" / "2024-05-01T12_00_00Z_a.txt"
    mine.write_bytes(b"mine")
    (tmp_path / "metadata").mkdir()
    BinaryFolder(tmp_path).write([file(b"theirs", id="f1", file_name="a.txt")], None)
    assert mine.read_bytes() == b"mine"
    assert (tmp_path / "data" / "2024-05-01T12_00_00Z_a-2.txt").read_bytes() == b"theirs"


def test_a_name_may_be_a_file_and_a_folder(tmp_path: Path) -> None:
    files = [file(b"1", file_name="d/a"), file(b"2", file_name="d/a/b"), file(b"3", file_name="d")]
    BinaryFolder(tmp_path).write(files, None)
    assert {path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()} == {b"1", b"2", b"3"}


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few users make links")
def test_links_are_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "in", tmp_path / "out"
    (folder / "data").mkdir(parents=True)
    outside.mkdir()
    (outside / "mine").write_bytes(b"mine")
    (folder / "data" / "link").symlink_to(outside)
    (folder / "data" / "a").mkdir()
    (folder / "data" / "a" / "mine").symlink_to(outside / "mine")
    BinaryFolder(folder).write([file(b"1", file_name="link/x"), file(b"2", file_name="a/mine")], None)
    assert written(outside) == ["mine"]
    assert (outside / "mine").read_bytes() == b"mine"


def test_the_ending_is_added_where_a_name_lacks_it(tmp_path: Path) -> None:
    BinaryFolder(tmp_path).write([file(file_name="cat", file_ext=".png")], None)
    assert written(tmp_path) == [
        "data/2024-05-01T12_00_00Z_cat.png",
        "metadata/2024-05-01T12_00_00Z_cat.json",
    ]


def test_metadata_without_a_form_in_json_is_an_error_with_the_result(tmp_path: Path) -> None:
    odd = pb.BinaryData(metadata=pb.BinaryMetadata())
    odd.metadata.time_requested.seconds = 2**60
    with pytest.raises(OSError, match="has no form in JSON") as caught:
        BinaryFolder(tmp_path).write([odd], "the result")
    assert caught.value.result == "the result"  # type: ignore[attr-defined]
    assert written(tmp_path) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_rejected(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="nothing may be written in it"):
        BinaryFolder(tmp_path)
