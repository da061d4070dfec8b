"""Hugging Face's image folders: metadata beside the images, or folders called like labels."""

import json
from pathlib import Path
from random import Random
from typing import Any, Dict, List

import pytest
from label_folders import read_labels, write_labels

from viam_sync.transfer.labels.labeled_image import Box, LabeledImage

CAT = Box("чай ☕", 0.1, 0.0, 1 / 3, 1.0)
IMAGES = [
    LabeledImage("train/a.png", (640, 480), [], [], "train"),
    LabeledImage("train/b's 1.png", (3, 7), [CAT, Box("dog", 1 / 3, 5e-324, 2 / 3, 1 - 2**-53)], ["sofa"], "train"),
    LabeledImage("val/c.png", (64, 48), [CAT], [], "val"),
]
BOX = {"bbox": [[8, 6.0, 16, 12]], "category": ["cat"]}
READ = Box("cat", 0.125, 0.125, 0.375, 0.375)


def rows(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def lay(folder: Path, metadata: str, *images: str, name: str = "metadata.jsonl") -> None:
    for image in images:
        (folder / image).parent.mkdir(parents=True, exist_ok=True)
        (folder / image).touch()
    (folder / name).write_text(metadata, "utf-8")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_labels(tmp_path, "imagefolder", IMAGES, [])
    found, problems = read_labels(tmp_path, "imagefolder")
    assert problems == []
    assert {image.path[7:]: (image.size, image.boxes, image.tags, image.split) for image in found} == {
        image.path: (image.size, image.boxes, image.tags, image.split) for image in IMAGES
    }


def test_the_columns_of_all_files_have_the_same_types_from_the_first_line_on(tmp_path: Path) -> None:
    write_labels(tmp_path, "imagefolder", IMAGES, [])
    first, second = rows(tmp_path / "images" / "train" / "metadata.jsonl")
    (third,) = rows(tmp_path / "images" / "val" / "metadata.jsonl")
    assert (first["file_name"], first["tags"]) == ("b's 1.png", ["sofa"])
    assert second == {
        "file_name": "a.png",
        "width": 640,
        "height": 480,
        "objects": {"bbox": [], "category": []},
        "tags": [],
    }
    assert third["tags"] == [""]
    assert {type(side) for row in (first, third) for box in row["objects"]["bbox"] for side in box} == {float}


def test_columns_that_no_image_needs_are_left_out(tmp_path: Path) -> None:
    write_labels(tmp_path, "imagefolder", [LabeledImage("a.png", (4, 3))], [])
    assert rows(tmp_path / "images" / "metadata.jsonl") == [{"file_name": "a.png", "width": 4, "height": 3}]


def test_every_box_comes_back_exactly(tmp_path: Path) -> None:
    random = Random(7)
    images = []
    for width in range(1, 400, 3):
        left, upper, right, lower = sorted(random.random() for _ in range(4))
        images.append(LabeledImage(f"{width}.png", (width, 7), [Box("cat", left, upper, right, lower)]))
    write_labels(tmp_path, "imagefolder", images)
    found, problems = read_labels(tmp_path, "imagefolder")
    assert problems == []
    assert {image.path[7:]: image.boxes for image in found} == {image.path: image.boxes for image in images}


@pytest.mark.parametrize(
    "objects",
    [
        BOX,
        {"bbox": [[8, 6, 16, 12]], "categories": ["cat"], "area": [192], "id": []},
        [{"bbox": [8, 6, 16, 12], "label": "cat", "iscrowd": 0}],
    ],
)
def test_objects_are_read_as_the_datasets_of_the_hub_have_them(objects: Any, tmp_path: Path) -> None:
    row = {"file_name": "train/a.png", "width": 64, "height": 48, "objects": objects, "label": "sofa", "image_id": 7}
    lay(tmp_path, json.dumps(row), "train/a.png")
    assert read_labels(tmp_path, "imagefolder") == (
        [LabeledImage("train/a.png", (64, 48), [READ], ["sofa"], "train")],
        [],
    )


def test_a_csv_is_read(tmp_path: Path) -> None:
    objects = json.dumps(BOX).replace('"', '""')
    table = f'file_name,width,height,label,objects\na.png,64,48,"red, ""ripe""","{objects}"\n'
    lay(tmp_path, table, "a.png", name="metadata.csv")
    assert read_labels(tmp_path, "imagefolder") == ([LabeledImage("a.png", (64, 48), [READ], ['red, "ripe"'])], [])


def test_without_a_width_the_size_is_that_of_the_image(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    lay(tmp_path, json.dumps({"file_name": "a.png", "objects": BOX}))
    pillow.new("RGB", (64, 48)).save(tmp_path / "a.png")
    assert read_labels(tmp_path, "imagefolder") == ([LabeledImage("a.png", (64, 48), [READ])], [])


def test_without_metadata_the_names_of_folders_are_tags(tmp_path: Path) -> None:
    lay(tmp_path, "", "train/cat/a.png", "train/dog/b.jpg", "validation/cat/c.png", "test/d.png", name="README.md")
    images, problems = read_labels(tmp_path, "imagefolder")
    assert problems == []
    assert [(image.path, image.tags, image.split) for image in images] == [
        ("test/d.png", [], "test"),
        ("train/cat/a.png", ["cat"], "train"),
        ("train/dog/b.jpg", ["dog"], "train"),
        ("validation/cat/c.png", ["cat"], "val"),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"file_name": None}, "file_name is None, and has to be a text"),
        ({"file_name": "b.png"}, "there is no image 'b.png' in the folder"),
        ({"objects": 7}, "objects is 7, and has to be a list"),
        ({"objects": [7]}, "an object is 7, and has to have a bbox and a category"),
        ({"objects": {"bbox": 7}}, "objects.bbox is 7, and has to be a list"),
        ({"objects": {**BOX, "category": ["cat", "dog"]}}, "the lists in objects differ in their length: bbox has 1, "),
        ({"objects": {**BOX, "category": [3]}}, "category is 3, and has to be a text"),
        ({"objects": {**BOX, "category": []}}, "category is None, and has to be a text"),
        ({"objects": {**BOX, "bbox": [[1, 2, 3]]}}, "bbox is [1, 2, 3], and has to be [left, top, width, height] in"),
        ({"objects": {**BOX, "bbox": [[60, 2, 30, 4]]}}, "the right edge of the box is at pixel 90, outside the image"),
        ({"objects": {**BOX, "mask": ["x"]}}, "Viam holds no 'mask' (1 in all); "),
        ({"objects": {**BOX, "iscrowd": [1]}}, "Viam holds no 'iscrowd' (1 in all); "),
        ({"objects": BOX, "width": 0}, "width and height are [0, 48], and have to be pixels"),
        ({"tags": [7]}, "tags is 7, and has to be a text"),
        ({"label": 3}, "label is 3, and has to be a text"),
        ({"text": "a cat on a sofa"}, "Viam holds no 'text' (1 in all); "),
    ],
)
def test_a_wrong_row_is_named(row: Dict[str, Any], problem: str, tmp_path: Path) -> None:
    good = {"file_name": "a.png", "width": 64, "height": 48}
    lay(tmp_path, json.dumps({"file_name": "c.png"}) + "\n" + json.dumps({**good, **row}), "a.png", "c.png")
    _, problems = read_labels(tmp_path, "imagefolder")
    assert problems[0].startswith(f"metadata.jsonl:2: {problem}")
    assert len(problems) == 1 or "no metadata lists" in problems[1]


def test_images_that_are_listed_twice_or_not_at_all_are_named(tmp_path: Path) -> None:
    lay(tmp_path, '{"file_name": "a.png"}\n{"file_name": "./a.png"}\n', "a.png", "more/b.png", "more/c.png")
    _, problems = read_labels(tmp_path, "imagefolder")
    assert problems == [
        "metadata.jsonl:2: image 'a.png' has labels in metadata.jsonl:1 already",
        "more: no metadata lists 2 of the images here, such as 'b.png'; add or remove them",
    ]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "metadata.csv",
            "file_name,label\na.png\n",
            "metadata.csv:2: this row has not the 2 columns of the first line",
        ),
        ("metadata.parquet", "", "metadata.parquet: Parquet is not read here; write it as metadata.jsonl"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(name: str, text: str, problem: str, tmp_path: Path) -> None:
    lay(tmp_path, text, "a.png", name=name)
    assert read_labels(tmp_path, "imagefolder")[1][0].startswith(problem)
