"""Viam's JSON lines, as the official command line writes them and training scripts read them."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from label_folders import read_labels, write_labels

from viam_sync.transfer.labels.labeled_image import Box, LabeledImage

METADATA = {
    "binaryDataId": "org/loc/f1",
    "timeRequested": "2024-05-01T10:20:30.500Z",
    "captureMetadata": {
        "organizationId": "org",
        "locationId": "loc",
        "robotId": "robot",
        "partId": "part",
        "componentName": "camera",
    },
}
BOX = {
    "annotation_label": "cat",
    "x_min_normalized": 0.1,
    "x_max_normalized": 0.5,
    "y_min_normalized": 0,
    "y_max_normalized": 1,
}


def lines(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def write_lines(folder: Path, *rows: Any) -> None:
    (folder / "cat.png").touch()
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    (folder / "dataset.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))


def test_a_line_has_the_keys_of_the_official_command_line_in_their_order(tmp_path: Path) -> None:
    box = Box("cat", 0.1, 0.0, 0.5, 1.0)
    write_labels(tmp_path, "viam", [LabeledImage("cat.png", (64, 48), [box], ["sofa"], metadata=METADATA)], ["cat"])
    (line,) = lines(tmp_path / "dataset.jsonl")
    assert list(line.items()) == [
        ("image_path", "images/cat.png"),
        ("classification_annotations", [{"annotation_label": "sofa"}]),
        ("bounding_box_annotations", [BOX]),
        ("binary_data_id", "org/loc/f1"),
        ("timestamp", "2024-05-01 10:20:30.5 +0000 UTC"),
        ("robot_id", "robot"),
        ("part_id", "part"),
        ("component_name", "camera"),
        ("organization_id", "org"),
        ("location_id", "loc"),
    ]


@pytest.mark.parametrize(("there", "named"), [("\u00e9.png", "e\u0301.png"), ("e\u0301.png", "\u00e9.png")])
def test_an_image_is_found_whether_its_accents_are_apart_or_not(there: str, named: str, tmp_path: Path) -> None:
    (tmp_path / there).touch()
    write_lines(tmp_path, {"image_path": f"images/{named}"})
    images, problems = read_labels(tmp_path, "viam")
    assert ([image.path for image in images], problems) == ([there], [])


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    boxes = [Box("чай ☕", 0.1, 0.0, 1 / 3, 1.0, 0.25), Box("a\nb", 5e-324, 0.2, 1 - 2**-53, 0.3)]
    images = [
        LabeledImage("train/cat.png", (0, 0), boxes, ["sofa"], "train"),
        LabeledImage("val/dog's.png", (0, 0), [], [], "val"),
        LabeledImage("train/fox.png", (0, 0), [boxes[0]], [], "train"),
    ]
    write_labels(tmp_path, "viam", images, [])
    found, problems = read_labels(tmp_path, "viam")
    assert problems == []
    assert [(image.path[7:], image.boxes, image.tags, image.split) for image in found] == [
        (image.path, image.boxes, image.tags, image.split) for image in (images[0], images[2], images[1])
    ]


def test_a_split_has_a_file_for_each_part_and_a_later_run_without_one_removes_them(tmp_path: Path) -> None:
    write_labels(tmp_path, "viam", [LabeledImage(f"{split}/a.png", (1, 1), split=split) for split in ("train", "test")])
    assert [path.name for path in sorted(tmp_path.glob("*.jsonl"))] == ["dataset_test.jsonl", "dataset_train.jsonl"]
    write_labels(tmp_path, "viam", [])
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["dataset.jsonl"]
    assert (tmp_path / "dataset.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    "given", ["data/cat.png", "./sets/cats/data/cat.png", "/home/jo/data/cat.png", r"C:\x\data\cat.png"]
)
def test_images_are_found_wherever_the_command_line_was_run(given: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cat.png").touch()
    write_lines(tmp_path, {"image_path": given})
    images, problems = read_labels(tmp_path, "viam")
    assert [image.path for image in images] == ["data/cat.png"]
    assert problems == []


def test_lists_that_are_null_or_left_out_are_empty(tmp_path: Path) -> None:
    write_lines(tmp_path, {"image_path": "cat.png", "bounding_box_annotations": None})
    assert read_labels(tmp_path, "viam") == ([LabeledImage("cat.png", (0, 0))], [])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{\n", "1: this line is no JSON: Expecting property name enclosed in double quotes"),
        ("[1]\n", "1: this line is [1], and has to be an object"),
        ("\udcff\n", "1: this line is not UTF-8: invalid start byte at byte 0"),
        ({}, "1: image_path is None, and has to be a text"),
        ({"image_path": "dog.png"}, "1: there is no image 'dog.png' in the folder"),
        ({"image_path": "../cat.png/.."}, "1: there is no image '../cat.png/..' in the folder"),
        ({"image_path": "a\0b"}, "1: there is no image 'a\\x00b' in the folder"),
        ({"bounding_box_annotations": {}}, "1: bounding_box_annotations is {}, and has to be a list"),
        ({"bounding_box_annotations": [7]}, "1: an annotation is 7, and has to be an object"),
        ({"bounding_box_annotations": [{**BOX, "annotation_label": " "}]}, "1: annotation_label is empty"),
        ({"bounding_box_annotations": [{**BOX, "x_min_normalized": 0.5}]}, "1: the box has no width: it goes from 0.5"),
        ({"bounding_box_annotations": [{**BOX, "y_max_normalized": 1.5}]}, "1: the lower edge of the box is at 1.5"),
        ({"bounding_box_annotations": [{**BOX, "y_max_normalized": "1"}]}, "1: y_max_normalized is '1', and has"),
        ({"bounding_box_annotations": [{**BOX, "y_max_normalized": 10**400}]}, "1: y_max_normalized is 1000"),
        ({"bounding_box_annotations": [{**BOX, "y_max_normalized": float("nan")}]}, "1: y_max_normalized is nan"),
        ({"bounding_box_annotations": [{**BOX, "confidence": 2}]}, "1: the confidence is 2, and has to be within 0"),
        ({"classification_annotations": [{"annotation_label": 7}]}, "1: annotation_label is 7, and has to be a text"),
    ],
)
def test_a_wrong_line_is_named(row: Any, problem: str, tmp_path: Path) -> None:
    write_lines(tmp_path, {"image_path": "cat.png", **row} if isinstance(row, dict) and row else row)
    _, problems = read_labels(tmp_path, "viam")
    assert len(problems) == 1
    assert problems[0].startswith(f"dataset.jsonl:{problem}")


def test_every_wrong_label_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    first = {"image_path": "cat.png", "bounding_box_annotations": [7, BOX, 8], "classification_annotations": [9]}
    write_lines(tmp_path, first, "\n", {"image_path": "./cat.png"})
    images, problems = read_labels(tmp_path, "viam")
    assert [image.boxes for image in images] == [[Box("cat", 0.1, 0.0, 0.5, 1.0)]]
    assert [problem[:27] for problem in problems[:3]] == ["dataset.jsonl:1: an annotat"] * 3
    assert problems[3:] == [
        "dataset.jsonl:3: image 'cat.png' has labels in dataset.jsonl:1 already; keep one of the lines"
    ]


def test_a_folder_without_the_file_is_named(tmp_path: Path) -> None:
    assert read_labels(tmp_path, "viam") == (
        [],
        ["dataset.jsonl: there is no such file; name the folder that it is in"],
    )
