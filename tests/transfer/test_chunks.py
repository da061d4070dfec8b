import threading
from pathlib import Path
from typing import List

import pytest

from viam_sync.transfer.chunks import CHUNK, FileContents, as_view, chunks_of


@pytest.mark.parametrize(("size", "sizes"), [(0, [0]), (1, [1]), (CHUNK, [CHUNK]), (CHUNK + 1, [CHUNK, 1])])
def test_contents_are_cut_the_same_from_memory_and_from_a_file(tmp_path: Path, size: int, sizes: List[int]) -> None:
    contents = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "file").write_bytes(contents)
    with FileContents(tmp_path / "file") as file:
        from_file = list(file)
    assert from_file == list(chunks_of(memoryview(contents)))
    assert [len(chunk) for chunk in from_file] == sizes


def test_a_file_is_read_only_as_far_as_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 2 * CHUNK)
    with FileContents(path) as file:
        chunks = iter(file)
        assert next(chunks) == b"a" * CHUNK
        path.write_bytes(b"b" * 2 * CHUNK)
        assert next(chunks)[-1:] == b"b"


def test_a_file_that_is_closed_ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a" * 2 * CHUNK)
    with FileContents(tmp_path / "file") as file:
        chunks = iter(file)
        next(chunks)
    rest: List[bytes] = []
    reader = threading.Thread(target=lambda: rest.extend(chunks))
    reader.start()
    reader.join(30)
    assert rest == []


def test_views_of_other_items_are_counted_in_bytes() -> None:
    assert len(as_view("data", memoryview(b"12345678").cast("q"))) == 8
