import os
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from viam_sync.proto.app.data import BinaryMetadata
from viam_sync.transfer.output.export_paths import ExportPath, ExportPaths
from viam_sync.transfer.output.names import UNFINISHED

PIECES = [
    *("a", "B", "cat", "Cat", "..", ".", "", " ", "con", "NUL.txt", "\x00", "\n", "\u202e", "é", "e\u0301", "ß", "SS"),
    *(
        "İ",
        "x" * 300,
        "é" * 150,
        "-2",
        "cat-2",
        ".png",
        "C:",
        "*?",
        "\\",
        "//",
        "~",
        "$HOME",
        "%2e%2e",
        ".viam-export-",
    ),
    *("manifest.jsonl", ".part", "\U0001f600", "\ufeff", "a.", "a ", "\ud7ff", "K", "ﬁ"),
]


def odd_names(seed: int, count: int) -> Iterator[str]:
    source = random.Random(seed)
    for _ in range(count):
        pieces = [source.choice(PIECES) for _ in range(source.randint(1, 8))]
        yield source.choice(["", "/", "../", "\\"]) + source.choice(["", "/"]).join(pieces)


def file(number: int, name: str, **metadata: Any) -> BinaryMetadata:
    return BinaryMetadata(binary_data_id=f"o/l/f{number}", id=f"f{number}", file_name=name, **metadata)


def folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def require_distinct_and_inside(allocated: List[ExportPath]) -> None:
    for index, top in enumerate(ExportPath._fields):
        paths = [path[index] for path in allocated]
        assert len({folded(path) for path in paths}) == len(paths)
        folders = {folded(path.rpartition("/")[0]) for path in paths}
        assert not folders & {folded(path) for path in paths}
        for path in paths:
            first, *rest = path.split("/")
            assert first == top
            assert rest
            assert not {"", ".", ".."} & set(rest)
            assert all(len(part.encode()) < 255 for part in rest)
            assert not any(ord(letter) < 32 or letter in '\x7f:*?"<>|\\' for letter in path)
            assert not any(part.startswith(UNFINISHED) or part != part.rstrip(". ") for part in rest)


@pytest.mark.parametrize("seed", range(10))
def test_whatever_files_are_called_their_paths_are_inside_the_folder_and_distinct(tmp_path: Path, seed: int) -> None:
    paths = ExportPaths(tmp_path, [])
    endings = ["", ".png", ".PNG", ".tar.gz", "/../x", "x" * 30, "\x00"]
    allocated = [
        paths.allocate(file(number, name, file_ext=endings[number % len(endings)]))
        for number, name in enumerate(odd_names(seed, 400))
    ]
    require_distinct_and_inside(allocated)


@pytest.mark.skipif(os.name == "nt", reason="Windows takes no paths as long as these")
@pytest.mark.parametrize("seed", range(3))
def test_the_disk_takes_all_of_them_and_a_second_run_finds_each_where_it_was(tmp_path: Path, seed: int) -> None:
    names = list(odd_names(seed, 200))

    def written(paths: ExportPaths) -> List[ExportPath]:
        allocated = []
        for number, name in enumerate(names):
            export_path = paths.allocate(file(number, name))
            for path, contents in zip(export_path, ("", f'{{"binaryDataId": "o/l/f{number}", "id": "f{number}"}}')):
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(contents, encoding="utf-8")
            allocated.append(export_path)
        return allocated

    first = written(ExportPaths(tmp_path, []))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2 * len(names)
    assert written(ExportPaths(tmp_path, [])) == first
    names.reverse()
    again = {path.data: path for path in first}
    assert {path.data for path in written(ExportPaths(tmp_path, first))}.isdisjoint(again)


def test_a_name_that_many_files_have_costs_each_of_them_the_same(tmp_path: Path) -> None:
    paths = ExportPaths(tmp_path, [])
    calls: List[str] = []
    allocated: List[str] = []
    profile = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    try:
        for number in range(500):
            allocated.append(paths.allocate(file(number, "d/cat.png")).data)
            if number == 99:
                first = len(calls)
    finally:
        sys.setprofile(profile)
    assert allocated[:3] == ["data/d/cat.png", "data/d/cat-2.png", "data/d/cat-3.png"]
    assert len(calls) < 6 * first


def test_a_path_that_is_taken_is_allocated_to_no_other_file(tmp_path: Path) -> None:
    known = ExportPath("data/d/Cat", "metadata/d/Cat.json")
    assert ExportPaths(tmp_path, [known]).allocate(file(1, "d/cat")) == ExportPath(
        "data/d/cat-2", "metadata/d/cat-2.json"
    )


def test_a_name_that_is_a_file_and_a_folder_is_both(tmp_path: Path) -> None:
    paths = ExportPaths(tmp_path, [])
    allocated = [paths.allocate(file(number, name)) for number, name in enumerate(["d/a", "d/a/b", "x/D/a", "x/d"])]
    assert [path.data for path in allocated] == ["data/d/a", "data/d_a_b", "data/x/D/a", "data/x/d-2"]


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few users make links")
def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "in"
    (folder / "data" / "d").mkdir(parents=True)
    (folder / "data" / "link").symlink_to(outside)
    (folder / "data" / "d" / "cat").symlink_to(outside / "cat")
    paths = ExportPaths(folder, [])
    assert paths.allocate(file(1, "link/cat")).data == "data/link_cat"
    assert paths.allocate(file(2, "d/cat")).data == "data/d/cat-2"


def test_the_files_that_an_export_left_unfinished_are_removed_by_the_next_export_and_no_others(tmp_path: Path) -> None:
    data = tmp_path / "data" / "d"
    data.mkdir(parents=True)
    for name in (f"{UNFINISHED}0123456789abcdef.part", "mine.part", ".viam-x.part"):
        (data / name).touch()
    ExportPaths(tmp_path, []).allocate(file(1, "d/cat"))
    assert len(list(data.iterdir())) == 3
    ExportPaths(tmp_path, [], remove_unfinished=True).allocate(file(1, "d/cat"))
    assert sorted(path.name for path in data.iterdir()) == [".viam-x.part", "mine.part"]


def test_a_path_that_is_too_long_for_the_system_becomes_a_short_name(tmp_path: Path) -> None:
    paths = ExportPaths(tmp_path, [], longest_path=len(os.fsencode(tmp_path)) + 100)
    allocated = [paths.allocate(file(number, "deep/" * 12 + "x" * 150 + ".png")) for number in range(3)]
    require_distinct_and_inside(allocated)
    for path in allocated:
        assert path.data.endswith(".png")
        assert all(len(path) <= 100 for path in path)
    assert paths.allocate(file(4, "deep/short.png")).data == "data/deep/short.png"


def test_a_path_that_is_kept_for_a_file_goes_to_no_other(tmp_path: Path) -> None:
    paths = ExportPaths(tmp_path, [])
    kept = ExportPath("data/pets/cat", "metadata/pets/cat.json")
    paths.reserve("f1", kept)
    assert paths.allocate(BinaryMetadata(id="f2", file_name="pets/Cat")).data == "data/pets/Cat-2"
    assert paths.allocate(BinaryMetadata(id="f1", file_name="pets/cat")) == kept
