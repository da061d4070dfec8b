"""Exports of files on a cluster: real processes, of which some are killed."""

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List

import pytest
from clusters import PATIENCE, busy, kill, pids
from exported_files import MINE, contents_in
from waiting import until

from viam_sync.app.viam_client import ViamClient
from viam_sync.dask import binary_export, export_binary_data
from viam_sync.errors import InternalError
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.export.results import ExportResult

distributed = pytest.importorskip("distributed", reason="tox -e dask has it")
pytest.importorskip("fsspec", reason="tox -e dask has it")

RPC = "BinaryDataByIDs"
#: The number of times that workers are killed at some moment.
KILLS = 2


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a task fetch ten files, so that there are many of them."""
    monkeypatch.setattr(binary_export, "_TASK_FILES", 10)


def put(client: ViamClient, sandbox: Sandbox, contents: bytes, name: str) -> str:
    id = client.data_client.file_upload(
        sandbox.robot_part_id, contents, file_name=name, file_extension=".bin", tags=["mine"]
    )
    return id.binary_data_id


def fill(client: ViamClient, sandbox: Sandbox) -> Dict[str, bytes]:
    """Upload files of many sizes, of which each two have the same name; return their contents by ID."""
    files: Dict[str, bytes] = {}
    for number, size in enumerate([0, 1, 100, 5_000, 20_000, 50_000] * 10):
        contents = number.to_bytes(2, "big") * (size // 2)
        files[put(client, sandbox, contents, f"d/file-{number // 2}")] = contents
    large = bytes(range(256)) * (17 << 12)
    files[put(client, sandbox, large, "large")] = large
    return files


def paths_of(result: ExportResult) -> Dict[str, str]:
    """Return the paths of files in the folder, by their IDs."""
    return {file.id: str(file.path)[len(str(result.folder)) :] for file in result.files}


def test_the_folder_is_that_of_an_export_by_one_process(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    files = fill(client, sandbox)
    told: List[Any] = []
    result = export_binary_data(client, MINE, tmp_path / "many", progress=lambda *counts: told.append(counts))
    assert (result.complete, len(result.exported), told[-1]) == (True, 61, (61, 61, "files"))
    assert contents_in(tmp_path / "many") == files
    one = client.data_client.export_binary_data(MINE, tmp_path / "one")
    assert paths_of(result) == paths_of(one)
    lines = [sorted((tmp_path / name / "manifest.jsonl").read_bytes().splitlines()) for name in ("many", "one")]
    assert lines[0] == lines[1]
    # Both go on with each other's.
    refusal = sandbox.faults.fail(RPC, "PERMISSION_DENIED", times=None)
    assert len(export_binary_data(client, MINE, tmp_path / "one").already_there) == 61
    assert len(client.data_client.export_binary_data(MINE, tmp_path / "many").already_there) == 61
    assert refusal.met == 0


def test_what_has_changed_is_brought_up_to_date(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    files = {put(client, sandbox, bytes([number]), f"file-{number}"): bytes([number]) for number in range(25)}
    first, second, *_ = files
    assert export_binary_data(client, MINE, tmp_path).complete
    client.data_client.delete_binary_data_by_ids([first])
    client.data_client.add_tags_to_binary_data_by_ids(["seen"], [second])
    new = put(client, sandbox, b"new", "new")
    result = export_binary_data(client, MINE, tmp_path, remove_gone=True)
    assert ([file.id for file in result.exported], [file.id for file in result.updated]) == ([new], [second])
    assert [(file.id, file.removed) for file in result.gone] == [(first, True)]
    assert contents_in(tmp_path) == {**{id: files[id] for id in files if id != first}, new: b"new"}


def test_a_file_that_cannot_be_fetched_has_its_error_and_comes_with_the_next_run(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    files = [put(client, sandbox, bytes([number]), f"file-{number}") for number in range(3)]
    fault = sandbox.faults.fail(RPC, "INTERNAL", times=None)
    result = export_binary_data(client, MINE, tmp_path)
    assert fault.met > 0
    assert [file.id for file in result.failed] == [file.id for file in result.files]
    assert {file.id: type(file.error) for file in result.failed} == dict.fromkeys(files, InternalError)
    sandbox.faults.clear()
    assert export_binary_data(client, MINE, tmp_path).complete
    assert set(contents_in(tmp_path)) == set(files)


def test_two_workers_that_are_killed_while_they_fetch_cost_no_file(
    client: ViamClient, sandbox: Sandbox, background: ThreadPoolExecutor, doomed: Any, tmp_path: Path
) -> None:
    files = fill(client, sandbox)
    fault = sandbox.faults.delay(RPC, 3600, times=2)
    before = pids(doomed)
    result = background.submit(export_binary_data, client, MINE, tmp_path)
    until(lambda: fault.met == 2 and len(busy(doomed)) == 2, PATIENCE)
    for pid in before.values():
        kill(pid)
    assert result.result(PATIENCE).complete
    assert contents_in(tmp_path) == files
    assert not set(before.values()) & set(pids(doomed).values())


@pytest.mark.parametrize("turn", range(KILLS))
def test_workers_that_are_killed_at_any_moment_cost_no_file(
    client: ViamClient, sandbox: Sandbox, background: ThreadPoolExecutor, doomed: Any, tmp_path: Path, turn: int
) -> None:
    files = fill(client, sandbox)
    started = time.perf_counter()
    whole = export_binary_data(client, MINE, tmp_path / "whole")
    duration = time.perf_counter() - started
    victims = list(pids(doomed).values())
    result = background.submit(export_binary_data, client, MINE, tmp_path / "killed")
    for victim in victims:
        with suppress(NotDone):
            result.exception(random.uniform(0, duration / 2))
        kill(victim)
    assert result.result(PATIENCE).complete
    # What a killed worker left unfinished goes with the next run.
    again = export_binary_data(client, MINE, tmp_path / "killed")
    assert len(again.already_there) == 61
    assert contents_in(tmp_path / "killed") == files
    assert paths_of(again) == paths_of(whole)


#: A program that exports into a folder, with a cluster at an address.
PROGRAM = """
import sys
from distributed import Client
from exported_files import MINE
from viam_sync import ViamClient
from viam_sync.dask import binary_export, export_binary_data
binary_export._TASK_FILES = 10
with ViamClient.create_from_env_vars() as client, Client(sys.argv[1]):
    export_binary_data(client, MINE, sys.argv[2])
"""


def test_an_export_that_is_killed_goes_on_and_its_late_workers_write_over_no_other_file(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    files = {put(client, sandbox, bytes([number]), f"d/file-{number}"): bytes([number]) for number in range(40)}
    late = next(iter(files))
    # Both workers wait for the service, with ten files each, of which none is written.
    fault = sandbox.faults.delay(RPC, 5, times=2)
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, engine.scheduler.address, str(tmp_path / "images")]
    with subprocess.Popen(command, env={**os.environ, **sandbox.env_vars(), **paths}) as process:
        until(lambda: fault.met == 2 and len(list((tmp_path / "images").glob(".viam-dask/claim-*"))) >= 2, PATIENCE)
        process.kill()
    claims = [json.loads(path.read_bytes()) for path in (tmp_path / "images" / ".viam-dask").iterdir()]
    given = {id: path for claim in claims for id, path in claim.items()}
    assert late in given
    # A newer file of the same name is listed before it, and must not get its place.
    files[put(client, sandbox, b"newer", "d/file-0")] = b"newer"
    result = export_binary_data(client, MINE, tmp_path / "images")
    assert result.complete
    assert {id: path for id, path in paths_of(result).items() if id in given} == {
        id: f"/{path[0]}" for id, path in given.items()
    }
    # The workers of the program that was killed have written what they had, wherever they were.
    until(lambda: not busy(engine), PATIENCE)
    assert contents_in(tmp_path / "images") == files
    assert not (tmp_path / "images" / ".viam-dask").exists()


def test_a_bucket_has_the_files_once(client: ViamClient, sandbox: Sandbox, remote_folder: str) -> None:
    files = {put(client, sandbox, bytes([number]), f"file-{number // 2}"): bytes([number]) for number in range(25)}
    # The memory is that of one process, so the workers are threads here.
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0"):
        assert export_binary_data(client, MINE, remote_folder).complete
    refusal = sandbox.faults.fail(RPC, "PERMISSION_DENIED", times=None)
    again = client.data_client.export_binary_data(MINE, remote_folder)
    assert (len(again.already_there), refusal.met) == (25, 0)
    store, root = pytest.importorskip("fsspec").core.url_to_fs(remote_folder)
    store.invalidate_cache()
    assert len(store.find(root)) == 2 * 25 + 1
    assert {file.id: store.cat_file(str(file.path)) for file in again.files} == files
