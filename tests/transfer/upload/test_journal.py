import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, List

import pytest
from waiting import until

from viam_sync.messages.file_id import FileID
from viam_sync.transfer.upload.journal import FileVersion, Journal, JournalError

CAT = FileVersion("pets/cat.png", 10, 1_700_000_000_123_456_789)
FILE_1 = FileID("file-1", "org/loc/file-1")
FILE_2 = FileID("file-2")
DOG = FileVersion("pets/dog\udcff.png", 0, -5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def written(path: Path) -> None:
    """Leave a cat that was acknowledged, and a dog that was not."""
    with Journal(path, "part") as journal:
        cat = journal.begin(CAT)
        journal.begin(DOG)
        journal.acknowledge(cat, FILE_1)


def test_the_next_run_knows_the_uploads_that_were_acknowledged_and_those_in_doubt(path: Path) -> None:
    written(path)
    with Journal(path, "part") as journal:
        assert journal.sent == {CAT: "file-1"}
        assert list(journal.doubtful) == [DOG]
        assert journal.doubtful[DOG].mark in path.read_text()
        journal.acknowledge(journal.doubtful[DOG], FILE_2)
    with Journal(path, "part") as journal:
        assert (journal.sent, journal.doubtful) == ({CAT: "file-1", DOG: "file-2"}, {})
        assert [id.binary_data_id for id in journal.sent.values()] == ["org/loc/file-1", None]


def test_the_journal_of_a_version_that_kept_one_form_of_the_id_is_read(path: Path) -> None:
    written(path)
    path.write_text(path.read_text().replace(', "binary_data_id": "org/loc/file-1"', ""))
    with Journal(path, "part") as journal:
        assert journal.sent == {CAT: "file-1"}
        assert journal.sent[CAT].binary_data_id is None


def test_the_line_of_an_upload_is_on_disk_before_it_begins_and_that_of_its_end_before_the_next_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: List[int] = []
    with Journal(path, "part") as journal:
        monkeypatch.setattr(os, "fsync", lambda file: flushed.append(path.read_bytes().count(b"\n")))
        intent = journal.begin(CAT)
        assert flushed == [2]
        journal.acknowledge(intent, FILE_1)
        intent = journal.begin(DOG)
        assert flushed == [2, 4]
        journal.acknowledge(intent, FILE_2)
        journal.flush()
        journal.flush()
        assert flushed == [2, 4, 5]


def test_each_line_is_json(path: Path) -> None:
    written(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [sorted(line) for line in lines] == [
        ["journal", "part_id", "version"],
        ["mark", "mtime_ns", "sending", "size", "time"],
        ["mark", "mtime_ns", "sending", "size", "time"],
        ["binary_data_id", "id", "sent"],
    ]


def test_an_upload_in_doubt_knows_the_one_that_was_acknowledged_last_before_it(path: Path) -> None:
    with Journal(path, "part") as journal:
        journal.begin(DOG)
        journal.acknowledge(journal.begin(CAT), FILE_1)
        journal.begin(CAT._replace(size=11))
    with Journal(path, "part") as journal:
        assert [intent.after for intent in journal.doubtful.values()] == [None, "file-1"]


def test_a_line_that_a_crash_has_cut_off_is_left_out(path: Path) -> None:
    written(path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for length in range(len(whole) - len(lines[-1]), len(whole)):
        path.write_bytes(whole[:length])
        with Journal(path, "part") as journal:
            assert (journal.sent, set(journal.doubtful)) == ({}, {CAT, DOG})
            journal.acknowledge(journal.doubtful[CAT], FILE_1)
        with Journal(path, "part") as journal:
            assert journal.sent == {CAT: "file-1"}


def test_a_first_line_that_a_crash_has_cut_off_is_written_again(path: Path) -> None:
    Journal(path, "part").close()
    header = path.read_bytes()
    for length in range(len(header)):
        path.write_bytes(header[:length])
        Journal(path, "part").close()
        assert path.read_bytes() == header


def test_zeros_that_a_crash_has_left_at_the_end_are_left_out(path: Path) -> None:
    written(path)
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(100))
    with Journal(path, "part") as journal:
        assert journal.sent == {CAT: "file-1"}
    assert path.read_bytes() == whole


def test_lines_after_zeros_that_a_crash_has_left_are_left_out_as_they_were_not_flushed(path: Path) -> None:
    written(path)
    whole = path.read_bytes()
    *before, last = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(before) + bytes(100) + last)
    with Journal(path, "part") as journal:
        assert (journal.sent, set(journal.doubtful)) == ({}, {CAT, DOG})
    assert path.read_bytes() == b"".join(before)


def test_threads_share_the_wait_for_the_disk_and_none_goes_on_before_its_line_is_flushed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: List[int] = []
    busy, go_on = threading.Event(), threading.Event()
    real = os.fsync

    def slow(file: int) -> None:
        size = os.fstat(file).st_size
        if not flushes:
            busy.set()
            assert go_on.wait(60)
        real(file)
        flushes.append(size)

    with Journal(path, "part") as journal, ThreadPoolExecutor(9) as threads:
        monkeypatch.setattr(os, "fsync", slow)
        first = threads.submit(journal.begin, CAT)
        assert busy.wait(60)
        others = [threads.submit(journal.begin, CAT._replace(size=size)) for size in range(8)]
        until(lambda: path.read_bytes().count(b"\n") == 10)
        assert not any(each.done() for each in (first, *others))
        go_on.set()
        for each in (first, *others):
            each.result(60)
    assert len(flushes) == 2
    assert flushes[-1] == path.stat().st_size


def test_a_disk_that_failed_to_flush_is_not_asked_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: List[int] = []

    def broken(file: int) -> None:
        asked.append(file)
        raise OSError(5, "Input/output error")

    with Journal(path, "part") as journal, monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(JournalError, match=r"Input/output error, in writing the journal: '.*jsonl'"):
            journal.begin(CAT)
        with pytest.raises(JournalError, match=r"the journal '.*jsonl' is closed"):
            journal.begin(DOG)
    assert len(asked) == 1


HEADER = '{"journal": "viam_sync.upload_files", "version": 1, "part_id": "part"}\n'
SENDING = '{"sending": "a", "size": 1, "mtime_ns": 1, "mark": "m", "time": 1.0}\n'


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        ("a photograph", "its first line is not that of one"),
        ("a photograph\n", "its first line is not that of one"),
        ("\0" * 100, "its first line is not that of one"),
        ("\0\n", "its first line is not that of one"),
        ("[]\n", "its first line is not that of one"),
        ("[" * 100_000 + "\n", "its first line is not that of one"),
        ("{}\n", "its first line is not that of one"),
        (HEADER.replace("1", "2"), "it is one of 'viam_sync.upload_files', version 2"),
        (HEADER.replace("upload_files", "export"), "it is one of 'viam_sync.export', version 1"),
        (HEADER + "\n", "its line 2 is none of one"),
        (HEADER + "[1]\n", "its line 2 is none of one"),
        (HEADER + SENDING + "\udcff\n" + SENDING, "its line 3 is none of one"),
        (HEADER + SENDING.replace('"size": 1, ', ""), "its line 2 is none of one"),
        (HEADER + '{"sent": "m", "id": "f"}\n', "its line 2 is none of one"),
        (HEADER + SENDING.replace('"size": 1', '"size": 1e999'), "its line 2 is none of one"),
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_stays_as_it_is(path: Path, contents: str, why: str) -> None:
    path.write_bytes(contents.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=f"journal.jsonl' is no journal of uploads: {why}. Name another file"):
        Journal(path, "part")
    assert path.read_bytes() == contents.encode("utf-8", "surrogateescape")


def test_a_journal_of_another_part_is_refused(path: Path) -> None:
    written(path)
    with pytest.raises(
        ValueError, match="is that of an upload to the part part, and this one is to other; name another"
    ):
        Journal(path, "other")


@pytest.mark.skipif(os.name != "posix", reason="files are locked on POSIX")
def test_a_journal_serves_one_upload_at_a_time(path: Path) -> None:
    with Journal(path, "part"), pytest.raises(
        BlockingIOError, match=r"another upload uses the journal '.*jsonl'; wait"
    ):
        Journal(path, "part")
    Journal(path, "part").close()


def test_a_journal_that_cannot_be_written_says_so_and_is_written_no_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path)

    write = os.write

    def full(file: int, line: Any) -> int:
        write(file, bytes(line[:5]))
        raise OSError(28, "No space left on device")

    with Journal(path, "part") as journal:
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(JournalError, match=r"No space left on device, in writing the journal: '.*jsonl'"):
                journal.begin(CAT)
        with pytest.raises(JournalError, match=r"the journal '.*jsonl' is closed"):
            journal.begin(CAT)
    with Journal(path, "part") as journal:
        assert journal.sent == {CAT: "file-1"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        Journal(tmp_path / "absent" / "journal.jsonl", "part")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_a_pipe_is_no_journal(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(OSError, match=f"it is no file, but a device or a pipe, and would keep no lines: '{path}'"):
        Journal(path, "part")
