"""Keys travel to the workers of a cluster, and are shown by none of what Dask shows or logs."""

import pickle
from pathlib import Path
from typing import Any, List

import pytest
from clusters import RANGE, RPC, fill

from viam_sync.app.viam_client import ViamClient
from viam_sync.dask import export_binary_data, export_tabular_data, read_tabular_data
from viam_sync.errors import PermissionDeniedError
from viam_sync.sandbox import Sandbox

pytest.importorskip("distributed", reason="tox -e dask has it")
pytest.importorskip("dask.dataframe", reason="tox -e dask has it")

SECRET = "s3cr3t-0f-the-st0re-wh1ch-n0b0dy-sees"


def logs_of(engine: Any) -> str:
    """Return what the scheduler and the workers have logged, and the events and the keys of all tasks."""
    events = engine.get_events()
    return f"{engine.get_scheduler_logs()} {engine.get_worker_logs()} {events} {engine.who_has()} {engine.processing()}"


def test_a_task_that_fails_shows_no_key(client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path) -> None:
    fill(client, sandbox)
    sandbox.faults.fail(RPC, "PERMISSION_DENIED", times=None)
    schema = {"data.number": float, "data.name": str}
    frame = read_tabular_data(client, RANGE, partitions=2, schema=schema)
    with pytest.raises(PermissionDeniedError):
        frame.compute()
    with pytest.raises(PermissionDeniedError):
        export_tabular_data(client, RANGE, tmp_path / "readings", partitions=2)
    shown = logs_of(engine)
    assert "Compute Failed" in shown
    for text in (shown, repr(frame), str(frame.dask), repr(dict(frame.dask)), frame._repr_html_()):
        assert sandbox.api_key not in text
    # What is sent holds the key, as nothing could be fetched without.
    assert sandbox.api_key.encode() in pickle.dumps(client)


def test_the_options_of_a_store_are_shown_by_no_error_and_no_log(client: ViamClient, engine: Any) -> None:
    pytest.importorskip("s3fs", reason="tox -e dask has it")
    options = {"key": "k3y-0f-the-st0re", "secret": SECRET, "endpoint_url": "http://127.0.0.1:9"}
    texts: List[str] = []
    for export in (export_tabular_data, export_binary_data):
        with pytest.raises(OSError, match=r"url is 's3://bucket/.*, which cannot be opened") as caught:
            export(client, RANGE, "s3://bucket/folder", storage_options=options)
        texts += [str(caught.value), repr(caught.value)]
    assert not [text for text in [*texts, logs_of(engine)] if SECRET in text]


def test_the_tasks_of_an_export_do_not_show_the_options_of_a_store(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    sandbox.faults.fail(RPC, "PERMISSION_DENIED", times=None)
    # The memory of a worker is not that of this process, so the tasks have all they need to fail.
    with pytest.raises(PermissionDeniedError):
        export_tabular_data(client, RANGE, "memory://bucket/secrets", storage_options={"unused": SECRET}, partitions=2)
    shown = logs_of(engine)
    assert "fetch_part" in shown
    assert SECRET not in shown
