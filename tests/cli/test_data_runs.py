"""Long commands for data that are interrupted or fail in part: how they end, and that the same command goes on."""

import json
from pathlib import Path
from typing import Dict, List

import pytest
from command_line import Ended, Terminal, in_pipe

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")

#: Seconds that a call of the sandbox takes, for a key to come first.
_LONG = 600


def interrupted(words: List[str], settings: Dict[str, str], seen: str) -> Ended:
    """Run a command in a terminal, and end it with Ctrl-C once it shows something."""
    with Terminal(["data", *words], settings) as terminal:
        terminal.read_until(seen)
        terminal.type("\x03")
        ended = terminal.end()
    assert ended.status == 130
    assert "Traceback" not in ended.out
    return ended


def test_an_export_of_files_goes_on_after_control_c(sandbox: Sandbox, settings: Dict[str, str], tmp_path: Path) -> None:
    words = ["export", "binary", "-d", str(tmp_path / "images")]
    assert in_pipe(["data", *words, "--tag", "ripe"], settings).status == 0
    sandbox.faults.delay("BinaryDataByIDs", _LONG)
    ended = interrupted(words, settings, "12 of 24 files")
    assert "Interrupted. The same command goes on where this one stopped." in ended.out
    sandbox.faults.clear()
    found = json.loads(in_pipe(["data", *words, "--json"], settings).out)
    assert (found["exported"], found["already_there"], found["complete"]) == (12, 12, True)


@pytest.mark.parametrize("option", [[], ["--no-durable"]])
def test_files_are_flushed_unless_an_option_says_otherwise(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str], tmp_path: Path, option: List[str]
) -> None:
    (name,) = [each.name for each in client.data_client.list_dataset_by_ids([sandbox.dataset_id])]
    for number, words in enumerate((["data", "export", "binary", "-d"], ["dataset", "export", name])):
        folder = tmp_path / str(number)
        assert in_pipe([*words, str(folder), *option], settings).status == 0
        assert ("checksums" in (folder / "manifest.jsonl").read_text(encoding="utf-8")) == bool(option)


def test_an_export_of_readings_that_is_interrupted_leaves_the_file_as_it_was(
    sandbox: Sandbox, settings: Dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "air.csv"
    path.write_text("before")
    sandbox.faults.delay("TabularDataByFilter", _LONG)
    ended = interrupted(["export", "tabular", "-d", str(path), "--yes"], settings, "exporting")
    assert "Interrupted. Nothing was written; the same command begins anew" in ended.out
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir() if "air" in each.name] == ["air.csv"]


def test_an_upload_goes_on_after_control_c_and_sends_nothing_twice(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text(name)
    words = ["upload", str(folder), "--part", "rover", "--tag", "up"]
    assert in_pipe(["data", *words, "--pattern", "a.*"], settings).status == 0
    sandbox.faults.delay("FileUpload", _LONG)
    interrupted(words, settings, "of 10 bytes")
    sandbox.faults.clear()
    ended = in_pipe(["data", *words, "--json"], settings)
    assert [json.loads(line)["state"] for line in ended.out.splitlines()] == ["already there", "uploaded", "uploaded"]
    assert client.data_client.binary_data_by_filter(create_filter(tags=["up"]), count_only=True)[1] == 3


def test_a_mirror_goes_on_after_control_c(sandbox: Sandbox, settings: Dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    words = ["mirror", str(tmp_path / "days")]
    sandbox.faults.delay("TabularDataByFilter", _LONG)
    assert "goes on where this one stopped" in interrupted(words, settings, "mirroring").out
    sandbox.faults.clear()
    assert json.loads(in_pipe(["data", *words, "--json"], settings).out)["rows"] == 1008


def test_a_deletion_and_tags_go_on_after_control_c(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    for words, rpc in (
        (["tag", "add", "seen", "--all"], "AddTagsToBinaryDataByIDs"),
        (["tag", "remove", "ripe", "--all", "--yes"], "RemoveTagsFromBinaryDataByIDs"),
        (["delete", "binary", "--all", "--yes"], "DeleteBinaryDataByIDs"),
    ):
        sandbox.faults.delay(rpc, _LONG)
        interrupted(words, settings, "0 of 24 files")
        sandbox.faults.clear()
        assert in_pipe(["data", *words], settings).status == 0
    assert client.data_client.binary_data_by_filter(count_only=True)[1] == 0


def test_files_that_cannot_be_exported_are_named_and_the_status_says_so(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str], tmp_path: Path
) -> None:
    words = ["data", "export", "binary", "-d", str(tmp_path / "images"), "--json"]
    sandbox.faults.fail("BinaryDataByIDs", "DATA_LOSS", times=None)
    ended = in_pipe(words, settings)
    assert ended.status == 1
    found = json.loads(ended.out)
    assert (found["exported"], found["failed"], found["complete"]) == (0, 24, False)
    files, _, _ = client.data_client.binary_data_by_filter(include_binary_data=False)
    named = {line.split(": ")[1] for line in ended.errors.splitlines()}
    assert named == {file.metadata.binary_data_id for file in files}
    assert all("DATA_LOSS" in line for line in ended.errors.splitlines())
    sandbox.faults.clear()
    assert json.loads(in_pipe(words, settings).out)["complete"]


def test_files_that_cannot_be_uploaded_are_named_and_sent_by_the_next_command(
    sandbox: Sandbox, settings: Dict[str, str], tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path in paths:
        path.write_text(path.name)
    words = ["data", "upload", *map(str, paths), "--part", "rover", "--parallel", "1"]
    sandbox.faults.fill_disk(times=1)
    ended = in_pipe(words, settings)
    assert ended.status == 1
    assert ended.errors.startswith(f"error: {paths[0]}: ")
    assert ended.errors.count("\n") == 1
    states = [json.loads(line)["state"] for line in in_pipe([*words, "--json"], settings).out.splitlines()]
    assert states == ["uploaded", "already there"]
