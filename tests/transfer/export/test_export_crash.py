"""Exports in a process of their own, which is killed."""

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest
from child_transfers import ChildTransfers
from exported_files import contents_in

from viam_sync.app.data_client import DataClient
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.output.names import UNFINISHED

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")

KILLS = int(os.environ.get("VIAM_SYNC_KILLS", "10"))


@pytest.fixture
def children() -> Iterator[ChildTransfers]:
    with ChildTransfers() as running:
        yield running


def fill(data: DataClient, part: str) -> Dict[str, bytes]:
    """Upload files of many sizes, of which each two have the same name; return their contents by ID."""
    files: Dict[str, bytes] = {}
    for number, size in enumerate([0, 1, 100, 5_000, 20_000, 50_000, 300_000] * 20):
        contents = number.to_bytes(2, "big") * (size // 2)
        id = data.file_upload(part, contents, file_name=f"d/file-{number // 2}", file_extension=".bin")
        files[id.rpartition("/")[2]] = contents
    large = bytes(range(256)) * (17 << 12)
    files[data.file_upload(part, large, file_name="large").rpartition("/")[2]] = large
    return files


def whole_files(folder: Path) -> Dict[str, bytes]:
    """Return the contents of files by their IDs; files without metadata, or in the making, are an error here."""
    found = {}
    for path in (folder / "metadata").rglob("*.json"):
        known = json.loads(path.read_text(encoding="utf-8"))
        name = path.relative_to(folder / "metadata").as_posix()[: -len(".json")]
        for data in {folder / "data" / name, folder / "data" / f"{name}{known.get('fileExt', '')}"}:
            if data.is_file():
                assert known["id"] not in found
                found[known["id"]] = data.read_bytes()
    return found


@pytest.mark.parametrize("durable", [True, False])
def test_an_export_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    sandbox: Sandbox, data: DataClient, children: ChildTransfers, tmp_path: Path, durable: bool
) -> None:
    data.delete_binary_data_by_filter(None)
    files = fill(data, sandbox.robot_part_id)
    source = random.Random()
    killed = already_there = 0
    duration = 0.0
    for turn in range(KILLS + 1):
        folder = tmp_path / str(turn)
        arguments = {"filter": None, "folder": str(folder), "durable": durable}
        # The last one that was left alone shows how long it takes.
        limit = source.uniform(0, duration) if turn else 60
        was_killed, seconds = children.run(sandbox, "export_binary_data", arguments, limit)
        duration, killed = duration if was_killed else seconds, killed + was_killed
        before = whole_files(folder)
        # Whatever has its name is whole.
        assert before.items() <= files.items()
        paths = [path for path in (folder / "data").rglob("*") if path.is_file()]
        assert len([path for path in paths if not path.name.startswith(UNFINISHED)]) == len(before)
        result = data.export_binary_data(None, folder)
        assert result.complete
        known = {file.id.rpartition("/")[2] for file in result.already_there}
        # Of files that were not flushed, those that have no line yet are not trusted.
        assert known == set(before) if durable else known <= set(before)
        already_there += len(known)
        assert whole_files(folder) == files
        paths = [path for path in folder.rglob("*") if path.is_file()]
        assert len(paths) == 2 * len(files) + 1
    assert killed
    assert already_there >= len(files)


def test_a_run_that_is_killed_while_labels_change_and_files_go_leaves_the_next_one_right(
    sandbox: Sandbox, data: DataClient, put: Any, children: ChildTransfers, tmp_path: Path
) -> None:
    data.delete_binary_data_by_filter(None)
    kept = [put(b"kept", f"d/kept-{number}") for number in range(60)]
    gone = [put(b"gone", f"d/gone-{number}") for number in range(60)]
    assert data.export_binary_data(None, tmp_path / "before").complete
    data.delete_binary_data_by_ids(gone)
    data.add_tags_to_binary_data_by_ids(["new"], kept)
    source = random.Random()
    killed = 0
    duration = 0.0
    for turn in range(KILLS + 1):
        folder = tmp_path / str(turn)
        shutil.copytree(tmp_path / "before", folder)
        arguments = {"filter": None, "folder": str(folder), "remove_gone": True, "workers": 2}
        limit = source.uniform(0, duration) if turn else 60
        was_killed, seconds = children.run(sandbox, "export_binary_data", arguments, limit)
        duration, killed = duration if was_killed else seconds, killed + was_killed
        assert len([path for path in (folder / "data").rglob("kept-*") if path.read_bytes() == b"kept"]) == len(kept)
        assert data.export_binary_data(None, folder, remove_gone=True).complete
        assert contents_in(folder) == dict.fromkeys(kept, b"kept")
        for path in (folder / "metadata").rglob("*.json"):
            assert "new" in json.loads(path.read_text(encoding="utf-8"))["captureMetadata"]["tags"]
    assert killed
