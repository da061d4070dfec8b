"""The results of an export as the prompt of Python and a log show them."""

from pathlib import Path

from viam_sync.transfer.export.results import ExportedFile, ExportResult, GoneFile


def test_a_result_is_one_line_with_counts_however_many_files_there_are() -> None:
    there = [ExportedFile(f"o/l/{number}", Path(f"pets/{number}"), 5, already_there=True) for number in range(4)]
    new = [ExportedFile(f"o/l/new-{number}", Path(f"pets/new-{number}"), 5) for number in range(20)]
    result = ExportResult(Path("pets"), [*there, *new], listed=True)
    text = "ExportResult(folder='pets', 24 files: 20 exported, 4 already there, 0 failed, complete)"
    assert (repr(result), str(result), f"{result}") == (text, text, text)


def test_a_result_that_is_not_complete_says_so_and_names_the_other_counts_where_there_are_some() -> None:
    failed = ExportedFile("f1", error=ValueError("odd"))
    updated = ExportedFile("f2", Path("pets/f2"), 1, already_there=True, metadata_updated=True)
    result = ExportResult(Path("pets"), [failed, updated], listed=True, gone=[GoneFile("f3", Path("pets/f3"))])
    assert repr(result) == (
        "ExportResult(folder='pets', 2 files: 0 exported, 1 already there, 1 failed, 1 updated, 1 gone, not complete)"
    )


def test_results_of_single_files_show_all_but_the_password_of_a_url() -> None:
    file = ExportedFile("f1", "sftp://me:h1dden@host/pets/f1", 5)
    assert repr(file) == (
        "ExportedFile(id='f1', path='sftp://me:***@host/pets/f1', size=5, error=None, already_there=False,"
        " metadata_updated=False)"
    )
    gone = GoneFile("f1", "sftp://me:h1dden@host/pets/f1", removed=True)
    assert repr(gone) == "GoneFile(id='f1', path='sftp://me:***@host/pets/f1', removed=True, error=None)"
