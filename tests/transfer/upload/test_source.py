import gzip
import io
import os
import tempfile
import threading
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, List, Optional, cast

import pytest

from viam_sync.transfer.upload.reader import CHUNK, Reader
from viam_sync.transfer.upload.source import FileSource, UploadSource, upload_source

CONTENTS = bytes(range(256)) * 4


def as_open_file(contents: bytes, path: Path) -> BinaryIO:
    path.write_bytes(contents)
    return path.open("rb")


def as_temporary_file(contents: bytes, path: Path) -> Any:
    file = tempfile.NamedTemporaryFile(dir=path.parent)  # noqa: SIM115 (the test closes it)
    file.write(contents)
    file.seek(0)
    return file


def as_packed_file(contents: bytes, path: Path) -> Any:
    path.write_bytes(gzip.compress(contents))
    return gzip.open(path)


def as_path(contents: bytes, path: Path) -> Path:
    path.write_bytes(contents)
    return path


#: Ways to give contents, and whether it is known how many there are.
GIVEN: Dict[str, Any] = {
    "bytes": (lambda contents, path: contents, True),
    "bytearray": (lambda contents, path: bytearray(contents), True),
    "memoryview": (lambda contents, path: memoryview(contents), True),
    "path": (as_path, True),
    "open file": (as_open_file, True),
    "bytes io": (lambda contents, path: io.BytesIO(contents), True),
    "temporary file": (as_temporary_file, True),
    "packed file": (as_packed_file, False),
    "buffered packed file": (lambda contents, path: io.BufferedReader(as_packed_file(contents, path)), False),
}


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1])
@pytest.mark.parametrize("way", GIVEN)
def test_contents_are_cut_the_same_wherever_they_come_from(tmp_path: Path, way: str, size: int) -> None:
    make, known = GIVEN[way]
    contents = (CONTENTS * (size // len(CONTENTS) + 1))[:size]
    given = make(contents, tmp_path / "file")
    with upload_source("data", given) as opened:
        assert opened.size == (size if known else None)
        chunks = list(opened)
    assert b"".join(chunks) == contents
    assert [len(chunk) for chunk in chunks] == ([CHUNK, 1] if size > CHUNK else [size])
    if hasattr(given, "close"):
        assert not given.closed
        given.close()


def test_an_open_file_is_read_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENTS)
    for file in ((tmp_path / "file").open("rb"), io.BytesIO(CONTENTS)):
        file.seek(1000)
        with upload_source("data", file) as contents:
            assert contents.size == 24
            assert list(contents) == [CONTENTS[1000:]]
        file.close()


def test_a_pipe_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as writer:
        writer.write(b"hello")
    with os.fdopen(reading, "rb") as reader, upload_source("data", reader) as contents:
        assert contents.size is None
        assert list(contents) == [b"hello"]


def test_views_of_other_items_are_counted_in_bytes() -> None:
    with upload_source("data", memoryview(b"12345678").cast("q")) as contents:
        assert contents.size == 8


def test_a_view_with_gaps_is_read_without_the_gaps() -> None:
    with upload_source("data", memoryview(b"12345678")[::2]) as contents:
        assert list(contents) == [b"1357"]


def test_a_bytearray_can_grow_again_when_it_was_read() -> None:
    contents = bytearray(CONTENTS)
    with upload_source("data", contents) as opened:
        list(opened)
        with pytest.raises(BufferError):
            contents.append(0)
    contents.append(0)


def test_a_file_is_read_only_as_far_as_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 2 * CHUNK)
    with FileSource(path) as file:
        chunks = iter(file)
        assert next(chunks) == b"a" * CHUNK
        path.write_bytes(b"b" * 2 * CHUNK)
        assert next(chunks)[-1:] == b"b"


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def cut(path: Path) -> None:
    os.truncate(path, CHUNK + 5)


GROWN = "file has grown while it was uploaded: it had 524,288 bytes at first, and there is more by now. Nothing was"
SHRUNK = "file has shrunk while it was uploaded: it had 524,288 bytes at first, and there are only 262,149 by now."


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize(("change", "text"), [(append, GROWN), (cut, SHRUNK)])
def test_a_file_that_changes_its_size_breaks_off(
    tmp_path: Path, change: Callable[[Path], None], text: str, is_open: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(2 * CHUNK))
    given: Any = path.open("rb") if is_open else path
    with upload_source("data", given) as contents:
        chunks = iter(contents)
        next(chunks)
        change(path)
        with pytest.raises(OSError, match=f"{tmp_path}/{text}"):
            list(chunks)
    if is_open:
        given.close()


def test_a_file_that_is_deleted_while_it_is_read_is_still_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENTS)
    with upload_source("data", path) as contents:
        if os.name == "posix":
            path.unlink()
        assert list(contents) == [CONTENTS]


class Failing:
    """A file whose chunks are given, and which fails after them."""

    def __init__(self, chunks: List[Any], failure: Optional[Exception] = None) -> None:
        self.chunks = chunks
        self.failure = failure

    def read(self, count: int) -> Any:
        if self.failure is not None and not self.chunks:
            raise self.failure
        return self.chunks.pop(0)


def failing(chunks: List[Any], failure: Optional[Exception] = None) -> UploadSource:
    return upload_source("data", cast(BinaryIO, Failing(chunks, failure)))


def test_an_error_in_reading_names_the_file_and_how_far_it_came() -> None:
    chunks = iter(failing([b"12345"], PermissionError(13, "Permission denied")))
    next(chunks)
    text = r"\[Errno 13\] Permission denied, after 5 bytes; nothing was uploaded: 'data'"
    with pytest.raises(PermissionError, match=text):
        next(chunks)


@pytest.mark.parametrize("failure", [OSError("out of paper"), LookupError("lost")])
def test_another_error_of_a_file_comes_out_as_it_is(failure: Exception) -> None:
    with pytest.raises(type(failure)) as caught:
        list(failing([], failure))
    assert caught.value is failure


def test_chunks_may_be_any_bytes() -> None:
    chunks = [bytearray(b"12"), memoryview(b"34"), memoryview(b"5678").cast("H"), b""]
    assert list(failing(cast(List[Any], chunks))) == [b"12", b"34", b"5678"]


def test_a_file_of_which_some_was_read_before_it_was_rewritten_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old" * 100)
    with path.open("rb") as file:
        assert file.read(3) == b"old"
        path.write_bytes(b"new" * 100)
        # The file object still has the old contents in its buffer.
        with upload_source("data", file) as contents, pytest.raises(OSError, match="file was changed while it was"):
            list(contents)


def test_a_file_that_another_has_replaced_is_not_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with FileSource(path) as contents:
        assert list(contents) == list(contents) == [b"old"]
        (tmp_path / "new").write_bytes(b"new")
        os.utime(tmp_path / "new", ns=(0, path.stat().st_mtime_ns))
        (tmp_path / "new").replace(path)
        with pytest.raises(OSError, match="file was changed while it was uploaded, so it cannot be sent again"):
            list(contents)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_closing_ends_a_thread_that_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    failures: List[BaseException] = []

    def read(contents: UploadSource) -> None:
        try:
            list(contents)
        except ValueError as error:
            failures.append(error)

    with FileSource(tmp_path / "pipe") as contents:
        reader = threading.Thread(target=read, args=(contents,))
        reader.start()
    reader.join(30)
    assert [str(error) for error in failures] == [f"{tmp_path}/pipe was closed before all of it was read"]
    with pytest.raises(OSError, match="No such device or address"):
        os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)


def test_text_and_other_objects_are_rejected(tmp_path: Path) -> None:
    for given in ("path", 5, None, [b"x"]):
        with pytest.raises(
            TypeError, match=r"data takes bytes, a path such as pathlib\.Path, or a file opened in binary"
        ):
            upload_source("data", cast(BinaryIO, given))
    (tmp_path / "file").write_bytes(b"")
    with (tmp_path / "file").open() as text, pytest.raises(TypeError, match="got one opened as text"):
        upload_source("data", cast(BinaryIO, text))
    with pytest.raises(TypeError, match="data takes a file opened in binary mode; reading it gave a str"):
        list(failing(["text"]))


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        upload_source("data", tmp_path / "absent")
    with pytest.raises((IsADirectoryError, PermissionError)):
        upload_source("data", tmp_path)


def test_a_file_that_is_closed_is_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a" * 2 * CHUNK)
    with FileSource(tmp_path / "file") as file:
        chunks = iter(file)
        next(chunks)
    with pytest.raises(ValueError, match="file was closed before all of it was read"):
        next(chunks)


def test_closing_does_not_wait_for_a_read_that_hangs() -> None:
    reading, closed = threading.Event(), threading.Event()

    class Hanging:
        closed = False

        def read(self, count: int) -> bytes:
            reading.set()
            closed.wait(30)
            return b""

        def close(self) -> None:
            self.closed = True

    file = Hanging()
    contents = UploadSource(Reader(file, "file", None, owned=True))
    reader = threading.Thread(target=lambda: list(contents))
    with contents:
        reader.start()
        assert reading.wait(30)
    assert not file.closed
    closed.set()
    reader.join(30)
    assert file.closed
