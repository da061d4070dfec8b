"""Exported datasets, read by tools that others wrote: the same images, classes and boxes to a pixel's millionth."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from label_folders import write_labels

from viam_sync.transfer.labels.image_size import image_size
from viam_sync.transfer.labels.labeled_image import Box, LabeledImage

pillow = pytest.importorskip("PIL.Image")

CLASSES = ["dog", "cat"]
IMAGES = [
    LabeledImage(
        "train/edges.png",
        (64, 48),
        [
            Box("cat", 0, 0, 1, 1),
            Box("dog", 0, 0, 1 / 64, 1 / 48),
            Box("cat", 63 / 64, 47 / 48, 1, 1),
            Box("dog", 0.1 + 0.2, 1 / 3, 2 / 3, 0.9, 0.5),
        ],
        split="train",
    ),
    LabeledImage("train/nothing.png", (8, 6), tags=["sofa"], split="train"),
    LabeledImage("train/turned.jpg", (30, 40), [Box("cat", 0.5, 0.75, 1, 1)], split="train"),
    LabeledImage("val/cat.png", (64, 48), [Box("cat", 0.25, 0.25, 0.5, 0.5)], split="val"),
]
#: The boxes of each image in pixels, with their classes.
BOXES = {
    image.path: [
        (box.label, [box.x_min * width, box.y_min * height, box.x_max * width, box.y_max * height])
        for box in image.boxes
        for width, height in [image.size]
    ]
    for image in IMAGES
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a dataset whose images are there, one of them turned by its EXIF."""
    for image in IMAGES:
        path = tmp_path / "images" / image.path
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = pillow.Exif()
        size = image.size
        if "turned" in image.path:
            exif[0x112], size = 6, size[::-1]
        pillow.new("RGB", size, "red").save(path, exif=exif)
        assert image_size(path, pillow) == image.size
    return tmp_path


def boxes_in(dataset: Any, folder: Path) -> Dict[str, List[Tuple[str, Any]]]:
    """Return the boxes that supervision has read; an image is as large as they say."""
    found = {}
    sizes = {image.path: image.size for image in IMAGES}
    for path, image, detections in dataset:
        name = Path(path).relative_to(folder.resolve() / "images").as_posix()
        assert image.shape[1::-1] == sizes[name]
        edges = [pytest.approx(list(map(float, each)), abs=1e-5) for each in detections.xyxy]
        found[name] = [(dataset.classes[number], each) for number, each in zip(detections.class_id, edges)]
    return found


def of_split(split: str) -> Dict[str, Any]:
    return {path: boxes for path, boxes in BOXES.items() if path.startswith(split)}


@pytest.mark.parametrize("split", ["train", "val"])
def test_supervision_reads_coco(folder: Path, split: str) -> None:
    supervision = pytest.importorskip("supervision")
    write_labels(folder, "coco", IMAGES, CLASSES)
    dataset = supervision.DetectionDataset.from_coco(
        str(folder / "images" / split), str(folder / "annotations" / f"instances_{split}.json")
    )
    assert dataset.classes == CLASSES
    assert boxes_in(dataset, folder) == of_split(split)


@pytest.mark.parametrize("split", ["train", "val"])
def test_supervision_reads_voc(folder: Path, split: str) -> None:
    supervision = pytest.importorskip("supervision")
    write_labels(folder, "voc", IMAGES, CLASSES)
    dataset = supervision.DetectionDataset.from_pascal_voc(
        str(folder.resolve() / "images" / split), str(folder / "Annotations" / split)
    )
    assert boxes_in(dataset, folder) == of_split(split)


@pytest.mark.parametrize("split", ["train", "val"])
def test_supervision_reads_yolo(folder: Path, split: str) -> None:
    supervision = pytest.importorskip("supervision")
    write_labels(folder, "yolo", IMAGES, CLASSES)
    dataset = supervision.DetectionDataset.from_yolo(
        str(folder.resolve() / "images" / split), str(folder / "labels" / split), str(folder / "data.yaml")
    )
    assert dataset.classes == CLASSES
    assert boxes_in(dataset, folder) == of_split(split)


def test_pycocotools_reads_coco_and_its_own_results_are_right(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    evaluation_module = pytest.importorskip("pycocotools.cocoeval")
    write_labels(folder, "coco", IMAGES, CLASSES)
    coco = coco_module.COCO(str(folder / "annotations" / "instances_train.json"))
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == CLASSES
    found = {}
    for image in coco.loadImgs(coco.getImgIds()):
        annotations = coco.loadAnns(coco.getAnnIds(image["id"]))
        found[f"train/{image['file_name']}"] = [
            (coco.cats[each["category_id"]]["name"], pytest.approx([x, y, x + width, y + height], abs=1e-9))
            for each in annotations
            for x, y, width, height in [each["bbox"]]
        ]
    assert found == of_split("train")
    results = [{**each, "score": each.get("score", 1)} for each in coco.loadAnns(coco.getAnnIds())]
    evaluation = evaluation_module.COCOeval(coco, coco.loadRes(results), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)


def test_show_anns_of_pycocotools_shows_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    monkeypatch.setenv("MPLBACKEND", "agg")
    write_labels(folder, "coco", IMAGES, CLASSES)
    coco = coco_module.COCO(str(folder / "annotations" / "instances_val.json"))
    coco.showAnns(coco.loadAnns(coco.getAnnIds()), draw_bbox=True)


def test_hugging_face_reads_the_json_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    write_labels(folder, "viam", IMAGES, CLASSES)
    files = {split: str(folder / f"dataset_{split}.jsonl") for split in ("train", "val")}
    rows = datasets.load_dataset("json", data_files=files, cache_dir=str(folder / "cache"))
    assert [row["image_path"] for row in rows["train"]] == [f"images/{path}" for path in BOXES if "train" in path]
    (box,) = rows["val"][0]["bounding_box_annotations"]
    assert (box["annotation_label"], box["x_min_normalized"], box["y_max_normalized"]) == ("cat", 0.25, 0.5)


def test_hugging_face_reads_the_image_folder_with_its_splits(folder: Path) -> None:
    datasets = pytest.importorskip("datasets")
    write_labels(folder, "imagefolder", IMAGES, CLASSES)
    found = datasets.load_dataset("imagefolder", data_dir=str(folder / "images"), cache_dir=str(folder / "cache"))
    assert sorted(found) == ["train", "validation"]
    rows = [*found["train"], *found["validation"]]
    assert [row["image"].size for row in rows] == [IMAGES[number].size for number in (0, 1, 2, 3)]
    assert [row["tags"] for row in rows] == [[], ["sofa"], [], [""]]
    for row, image in zip(rows, IMAGES):
        edges = [[x, y, x + width, y + height] for x, y, width, height in row["objects"]["bbox"]]
        boxes = [(label, pytest.approx(each)) for label, each in zip(row["objects"]["category"], edges)]
        assert BOXES[image.path] == boxes


def test_hugging_face_reads_the_image_folder_without_a_split_whatever_its_images_are_called(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    images = [LabeledImage(f"{name}.png", (8, 6), [Box("cat", 0, 0, 1, 1)]) for name in ("a", "cat-test-1", "train_2")]
    write_labels(tmp_path, "imagefolder", images, CLASSES)
    for image in images:
        pillow.new("RGB", image.size).save(tmp_path / "images" / image.path)
    found = datasets.load_dataset("imagefolder", data_files=str(tmp_path / "images" / "**"), split="train")
    assert [row["objects"]["bbox"] for row in found] == [[[0, 0, 8, 6]]] * 3
