"""Datasets that are exported, imported into another dataset, and exported again: the labels are the same."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.sample.tomato_images import render_png
from viam_sync.transfer.labels.formats import FORMATS

#: The fields of a line of Viam's format that tell of the file at the service.
_OF_THE_FILE = ("binary_data_id", "timestamp")


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


@pytest.fixture
def dataset_id(data: DataClient, sandbox: Sandbox) -> str:
    """A dataset of images of several kinds and sizes, with boxes at all edges and with shares that no pixel has."""
    id = data.create_dataset("pets", sandbox.organization_id)
    images = {
        "cats.png": ([("cat", 0, 0, 1, 1), ("dog", 1 / 3, 0.1, 2 / 3, 0.3), ("cat", 0.1 + 0.2, 0.7, 0.9, 1)], ["calm"]),
        "été 1.png": ([("chat é", 0.5, 0.25, 0.75, 0.5)], []),
        "only tags.png": ([], ["calm", "zebra"]),
        "nothing.PNG": ([], []),
    }
    for number, (name, (boxes, tags)) in enumerate(images.items()):
        path = Path(name)
        contents = render_png(7 + number, 5 + number, (number, 0, 0), [])
        image = data.file_upload(
            sandbox.robot_part_id,
            contents,
            file_name=path.stem,
            file_extension=path.suffix,
            mime_type="image/png",
            tags=tags,
            dataset_ids=[id],
        )
        for box in boxes:
            data.add_bounding_box_to_image_by_id(image, *box)
    return id


def labels_in(folder: Path) -> Dict[str, Any]:
    """Return the contents of the files of an export, without the IDs and times of files at the service."""
    found: Dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith((".", "metadata/")) and name != "manifest.jsonl":
            found[name] = path.read_bytes()
    for name in found:
        if name.startswith("dataset"):
            rows = [json.loads(line) for line in found[name].splitlines()]
            found[name] = [{key: row[key] for key in row if key not in _OF_THE_FILE} for row in rows]
    return found


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if FORMATS[name].needs_sizes:
        pytest.importorskip("PIL")
    return name


def test_a_dataset_comes_back_as_it_was(
    data: DataClient, sandbox: Sandbox, dataset_id: str, tmp_path: Path, format: str
) -> None:
    data.export_dataset(dataset_id, tmp_path / "first", format=format)
    result = data.import_dataset(tmp_path / "first", format=format, name="again", part_id=sandbox.robot_part_id)
    assert result.complete
    data.export_dataset(result.dataset_id, tmp_path / "second", format=format)
    assert labels_in(tmp_path / "second") == labels_in(tmp_path / "first")
    assert len(labels_in(tmp_path / "first")) > 4


def test_a_dataset_with_a_split_comes_back_with_all_of_its_labels(
    data: DataClient, sandbox: Sandbox, dataset_id: str, tmp_path: Path, format: str
) -> None:
    data.export_dataset(dataset_id, tmp_path / "split", format=format, split=(0.5, 0.25, 0.25))
    result = data.import_dataset(tmp_path / "split", format=format, name="again", part_id=sandbox.robot_part_id)
    assert result.complete
    data.export_dataset(dataset_id, tmp_path / "first")
    data.export_dataset(result.dataset_id, tmp_path / "second")
    first, second = (labels_in(tmp_path / name)["dataset.jsonl"] for name in ("first", "second"))
    boxes = {Path(row["image_path"]).name: row["bounding_box_annotations"] for row in first}
    for row in second:
        part, _, name = Path(row["image_path"]).name.partition("_")
        assert part in ("train", "val", "test")
        assert row["bounding_box_annotations"] == boxes.pop(name)
    assert boxes == {}
