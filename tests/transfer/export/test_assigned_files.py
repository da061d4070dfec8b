"""Files that another process has listed and named, fetched to where it says."""

from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from exported_files import MINE

from viam_sync.app._data.file_exports import fetch_listed
from viam_sync.app.data_client import DataClient
from viam_sync.errors import InternalError
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.export.assigned_files import assigned_folder
from viam_sync.transfer.output.export_paths import ExportPath
from viam_sync.transfer.output.remote import Location

Put = Callable[..., str]


@pytest.fixture(params=["disk", "memory", "s3"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "disk":
        return Location("url", str(tmp_path / "images"))
    if request.param == "memory":
        pytest.importorskip("fsspec")
        return Location("url", "memory://assigned/images")
    return Location("url", f"{request.getfixturevalue('bucket')}/images")


def listed(data: DataClient) -> Dict[str, Any]:
    with data.iter_binary_data(MINE, include_binary_data=False) as files:
        return {file.metadata.binary_data_id: file.metadata for file in files}


def test_files_go_where_they_are_told_and_are_fetched_though_they_are_there(
    data: DataClient, put: Put, location: Location
) -> None:
    contents = {put(bytes([number]), f"file-{number}"): bytes([number]) for number in range(3)}
    files = listed(data)
    paths = {id: ExportPath(f"data/{number}", f"metadata/{number}.json") for number, id in enumerate(files)}
    store = Location("url", location.url).connect()
    # One of them has the right size already, and other contents; the process that lists has its reasons.
    store.write(b"x", paths[next(iter(files))].data)
    # Any number of workers have the folder open.
    first, second = (assigned_folder(location, paths) for _ in range(2))
    first.close()
    results = fetch_listed(data, list(files.values()), second, 2, None)
    assert [(result.id, result.size, result.error) for result in results] == [(id, 1, None) for id in files]
    assert {id: store.read(path.data) for id, path in paths.items()} == contents
    assert set(store.sizes()) == {each for path in paths.values() for each in path}


def test_an_error_of_one_file_is_its_result(data: DataClient, put: Put, sandbox: Sandbox, tmp_path: Path) -> None:
    put(b"1", "file")
    sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    files = listed(data)
    folder = assigned_folder(
        Location("url", str(tmp_path)), {id: ExportPath("data/1", "metadata/1.json") for id in files}
    )
    (result,) = fetch_listed(data, list(files.values()), folder, 2, None)
    assert isinstance(result.error, InternalError)
    assert list(tmp_path.iterdir()) == []
