import os
import random
import unicodedata
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from viam_sync.proto.app.data import BinaryMetadata
from viam_sync.transfer.export import export_paths as module
from viam_sync.transfer.export.export_paths import ExportPath, ExportPaths
from viam_sync.transfer.output.binary_folder import UNFINISHED

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


def require_distinct_and_inside(given: List[ExportPath]) -> None:
    for room in (0, 1):
        paths = [place[room] for place in given]
        assert len({folded(path) for path in paths}) == len(paths)
        ways = {folded(path.rpartition("/")[0]) for path in paths}
        assert not ways & {folded(path) for path in paths}
        for path in paths:
            first, *rest = path.split("/")
            assert first == ("data", "metadata")[room]
            assert rest
            assert not {"", ".", ".."} & set(rest)
            assert all(len(part.encode()) < 255 for part in rest)
            assert not any(ord(letter) < 32 or letter in '\x7f:*?"<>|\\' for letter in path)
            assert not any(part.startswith(UNFINISHED) or part != part.rstrip(". ") for part in rest)


@pytest.mark.parametrize("seed", range(10))
def test_whatever_files_are_called_their_places_are_inside_and_distinct(tmp_path: Path, seed: int) -> None:
    places = ExportPaths(tmp_path, [])
    endings = ["", ".png", ".PNG", ".tar.gz", "/../x", "x" * 30, "\x00"]
    given = [
        places.of(file(number, name, file_ext=endings[number % len(endings)]))
        for number, name in enumerate(odd_names(seed, 400))
    ]
    require_distinct_and_inside(given)


@pytest.mark.skipif(os.name == "nt", reason="Windows takes no paths as long as these")
@pytest.mark.parametrize("seed", range(3))
def test_the_disk_takes_all_of_them_and_a_second_run_finds_each_where_it_was(tmp_path: Path, seed: int) -> None:
    names = list(odd_names(seed, 200))

    def written(places: ExportPaths) -> List[ExportPath]:
        given = []
        for number, name in enumerate(names):
            place = places.of(file(number, name))
            for path, contents in zip(place, ("", f'{{"binaryDataId": "o/l/f{number}", "id": "f{number}"}}')):
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(contents, encoding="utf-8")
            given.append(place)
        return given

    first = written(ExportPaths(tmp_path, []))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2 * len(names)
    assert written(ExportPaths(tmp_path, [])) == first
    names.reverse()
    again = {place.data: place for place in first}
    assert {place.data for place in written(ExportPaths(tmp_path, first))}.isdisjoint(again)


def test_a_name_that_many_files_have_costs_each_of_them_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    key = module._key
    monkeypatch.setattr(module, "_key", lambda path: looks.append(path) or key(path))
    places = ExportPaths(tmp_path, [])
    given = [places.of(file(number, "d/cat.png")).data for number in range(500)]
    assert given[:3] == ["data/d/cat.png", "data/d/cat-2.png", "data/d/cat-3.png"]
    assert len(looks) < 500 * 20


def test_a_place_that_is_known_is_given_to_nobody_else(tmp_path: Path) -> None:
    known = ExportPath("data/d/Cat", "metadata/d/Cat.json")
    assert ExportPaths(tmp_path, [known]).of(file(1, "d/cat")) == ExportPath("data/d/cat-2", "metadata/d/cat-2.json")


def test_a_name_that_is_a_file_and_a_folder_is_both(tmp_path: Path) -> None:
    places = ExportPaths(tmp_path, [])
    given = [places.of(file(number, name)) for number, name in enumerate(["d/a", "d/a/b", "x/D/a", "x/d"])]
    assert [place.data for place in given] == ["data/d/a", "data/d_a_b", "data/x/D/a", "data/x/d-2"]


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few users make links")
def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "in"
    (folder / "data" / "d").mkdir(parents=True)
    (folder / "data" / "link").symlink_to(outside)
    (folder / "data" / "d" / "cat").symlink_to(outside / "cat")
    places = ExportPaths(folder, [])
    assert places.of(file(1, "link/cat")).data == "data/link_cat"
    assert places.of(file(2, "d/cat")).data == "data/d/cat-2"


def test_what_an_export_left_unfinished_is_removed_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data" / "d"
    data.mkdir(parents=True)
    for name in (f"{UNFINISHED}0123456789abcdef.part", "mine.part", ".viam-x.part"):
        (data / name).touch()
    ExportPaths(tmp_path, []).of(file(1, "d/cat"))
    assert sorted(path.name for path in data.iterdir()) == [".viam-x.part", "mine.part"]


def test_a_path_that_is_too_long_for_the_system_becomes_a_short_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_PATH", len(os.fsencode(tmp_path)) + 100)
    places = ExportPaths(tmp_path, [])
    given = [places.of(file(number, "deep/" * 12 + "x" * 150 + ".png")) for number in range(3)]
    require_distinct_and_inside(given)
    for place in given:
        assert place.data.endswith(".png")
        assert all(len(path) <= 100 for path in place)
    assert places.of(file(4, "deep/short.png")).data == "data/deep/short.png"
