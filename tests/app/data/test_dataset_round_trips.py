"""Datasets that are exported, imported into another dataset, and exported again: the labels are the same."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import LabelsError
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
    boxes = {Path(row["image_path"]).stem: row["bounding_box_annotations"] for row in first}
    for row in second:
        # The part of the split is in the name, unless all images happen to be in one.
        part, _, name = Path(row["image_path"]).stem.rpartition("_")
        assert part in ("train", "val", "test", "")
        assert row["bounding_box_annotations"] == boxes.pop(name)
    assert boxes == {}


def test_another_format_of_a_folder_adds_the_labels_that_the_first_lacks(
    data: DataClient, sandbox: Sandbox, dataset_id: str, tmp_path: Path
) -> None:
    for format in ("yolo", "viam"):
        data.export_dataset(dataset_id, tmp_path / "first", format=format)
    part = sandbox.robot_part_id
    boxes = data.import_dataset(tmp_path / "first", format="yolo", name="again", part_id=part)
    both = data.import_dataset(tmp_path / "first", format="viam", name="again", part_id=part)
    assert (boxes.boxes_added, both.boxes_added, both.uploaded) == (4, 0, [])
    data.export_dataset(both.dataset_id, tmp_path / "second")
    labels = labels_in(tmp_path / "first")
    assert labels_in(tmp_path / "second")["dataset.jsonl"] == labels["dataset.jsonl"]


def test_coco_from_elsewhere_comes_back_as_it_was(data: DataClient, sandbox: Sandbox, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    folder = tmp_path / "elsewhere"
    labels: Dict[str, Any] = {
        "info": {"year": 2017},
        "licenses": [{"id": 1, "name": "CC BY"}],
        "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 7, "name": "cat"}],
        "images": [{"id": 900 - n, "file_name": f"{n:012}.png", "width": 97, "height": 61} for n in range(3)],
        "annotations": [
            {"id": 5, "image_id": 900, "category_id": 18, "bbox": [12.34, 0, 84.66, 61], "area": 5164.26, "iscrowd": 0},
            {"id": 6, "image_id": 898, "category_id": 7, "bbox": [0, 0.1, 97, 0.7], "segmentation": []},
            {"id": 7, "image_id": 900, "category_id": 7, "bbox": [1, 2, 3.3, 4], "score": 0.25},
        ],
    }
    (folder / "annotations").mkdir(parents=True)
    (folder / "val2017").mkdir()
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps(labels), encoding="utf-8")
    for image in labels["images"]:
        (folder / "val2017" / image["file_name"]).write_bytes(render_png(97, 61, (0, 0, 0), []))
    result = data.import_dataset(folder, format="coco", name="coco", part_id=sandbox.robot_part_id)
    assert result.complete
    back = tmp_path / "back"
    data.export_dataset(result.dataset_id, back, format="coco", classes=["dog", "cat"])
    exported = json.loads((back / "annotations" / "instances.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in exported["categories"]] == ["dog", "cat"]
    assert _by_name(exported) == _by_name(labels)
    assert list(_by_name(exported)) == [image["file_name"] for image in labels["images"]]


def _by_name(labels: Dict[str, Any]) -> Dict[str, Any]:
    """Return the size of each image, and its boxes with their categories and scores."""
    categories = {each["id"]: each["name"] for each in labels["categories"]}
    found = {each["id"]: (each["width"], each["height"], []) for each in labels["images"]}
    for each in labels["annotations"]:
        found[each["image_id"]][2].append((categories[each["category_id"]], each["bbox"], each.get("score")))
    return {each["file_name"]: found[each["id"]] for each in labels["images"]}


def test_what_viam_cannot_hold_is_named_and_nothing_is_sent(data: DataClient, sandbox: Sandbox, tmp_path: Path) -> None:
    triangle = [[1, 1, 5, 1, 5, 5]]
    annotation = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "segmentation": triangle}
    labels = {
        "categories": [{"id": 1, "name": "cat"}],
        "images": [{"id": 1, "file_name": "cat.png", "width": 97, "height": 61}],
        "annotations": [annotation, {**annotation, "id": 6, "iscrowd": 1}],
    }
    (tmp_path / "cat.png").write_bytes(render_png(97, 61, (0, 0, 0), []))
    (tmp_path / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    calls = sandbox.faults.fail("all", "UNAVAILABLE", times=None)
    with pytest.raises(
        LabelsError, match=r"labels\.json:1: Viam holds no 'segmentation' \(2 in all\); leave it out with ignore="
    ) as found:
        data.import_dataset(tmp_path, format="coco", name="coco", part_id=sandbox.robot_part_id)
    assert len(found.value.problems) == 2
    assert calls.met == 0


def test_what_is_ignored_is_left_out_and_the_boxes_come_back(
    data: DataClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    pytest.importorskip("PIL")
    extra = {"segmentation": [[1, 1, 5, 1, 5, 5]], "iscrowd": 1, "keypoints": [1, 1, 2], "track": 7, "area": 9}
    labels = {
        "categories": [{"id": 1, "name": "cat"}],
        "images": [{"id": 1, "file_name": "cat.png", "width": 97, "height": 61}],
        "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], **extra}],
    }
    (tmp_path / "cat.png").write_bytes(render_png(97, 61, (0, 0, 0), []))
    (tmp_path / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    arguments: Dict[str, Any] = {"format": "coco", "name": "coco", "part_id": sandbox.robot_part_id}
    with pytest.raises(LabelsError) as raised:
        data.import_dataset(tmp_path, **arguments, ignore=["segmentation", "iscrowd"])
    assert [problem.text.split()[3] for problem in raised.value.problems] == ["'keypoints'", "'track'"]
    calls = sandbox.faults.fail("all", "UNAVAILABLE", times=None)
    with pytest.raises(ValueError, match="ignore has 'tracks', which no label in the folder has; write it as"):
        data.import_dataset(tmp_path, **arguments, ignore=["segmentation", "iscrowd", "keypoints", "track", "tracks"])
    assert calls.met == 0
    sandbox.faults.clear()
    # Those that labels commonly have may be ignored wherever there are none.
    ignore = ["segmentation", "iscrowd", "keypoints", "track", "num_keypoints", "robndbox"]
    result = data.import_dataset(tmp_path, **arguments, ignore=ignore)
    assert (result.complete, result.boxes_added) == (True, 1)
    data.export_dataset(result.dataset_id, tmp_path / "back", format="coco")
    exported = json.loads((tmp_path / "back" / "annotations" / "instances.json").read_text(encoding="utf-8"))
    assert _by_name(exported) == _by_name(labels)
