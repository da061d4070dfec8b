"""COCO's JSON, as this package and as others write it."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_folders import read_labels, write_labels
from memory import measured_memory

from viam_sync.transfer.labels.coco_format import CocoFormat
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.labeled_image import Box, LabeledImage

INSTANCES = "annotations/instances.json"
BLANK = {"iscrowd": 0, "segmentation": []}
CAT = Box("cat", 0.1, 0.0, 0.5, 1.0)


def load(path: Path) -> Any:
    return json.loads(path.read_text("ascii"))


def write_coco(
    folder: Path, images: Sequence[Any] = (), annotations: Sequence[Any] = (), path: str = INSTANCES, **sections: Any
) -> None:
    """Write a file that has an image of 640 x 480 pixels in line 2, and what is given in the lines after."""
    (folder / "cat.png").touch()
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    cat = {"id": 1, "file_name": "cat.png", "width": 640, "height": 480}
    lists = {"images": [cat, *images], "annotations": annotations, "categories": [{"id": 9, "name": "cat"}], **sections}
    sections_text = [f'"{key}": [\n' + ",\n".join(map(json.dumps, values)) + "]" for key, values in lists.items()]
    (folder / path).write_text("{" + ",\n".join(sections_text) + "}")


def annotation(**changes: Any) -> Dict[str, Any]:
    return {"id": 1, "image_id": 1, "category_id": 9, "bbox": [64, 0, 256, 480], **changes}


def test_the_file_has_what_the_tools_of_coco_read(tmp_path: Path) -> None:
    images = [
        LabeledImage("cat.png", (640, 480), [CAT, Box("dog", 0.0, 0.0, 1.0, 0.25, 0.75)], ["sofa"]),
        LabeledImage("pets/nothing.png", (64, 48)),
    ]
    write_labels(tmp_path, "coco", images, ["dog", "cat"])
    assert load(tmp_path / INSTANCES) == {
        "info": {},
        "licenses": [],
        "categories": [{"id": 1, "name": "dog", "supercategory": ""}, {"id": 2, "name": "cat", "supercategory": ""}],
        "images": [
            {"id": 1, "file_name": "cat.png", "width": 640, "height": 480, "tags": ["sofa"]},
            {"id": 2, "file_name": "pets/nothing.png", "width": 64, "height": 48},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 2, "bbox": [64, 0, 256, 480], "area": 122880.0, **BLANK},
            {
                "id": 2,
                "image_id": 1,
                "category_id": 1,
                "bbox": [0, 0, 640, 120],
                "area": 76800.0,
                **BLANK,
                "score": 0.75,
            },
        ],
    }


SHARES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=2, unique=True).map(sorted)


@settings(max_examples=20, deadline=None)
@given(edges=st.lists(st.tuples(SHARES, SHARES), max_size=9), width=st.integers(1, 9999), height=st.integers(1, 9999))
def test_edges_are_read_as_they_were_written(
    edges: List[Any], width: int, height: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    boxes = [Box("чай\n", left, upper, right, lower, 0.3) for (left, right), (upper, lower) in edges]
    folder = tmp_path_factory.mktemp("coco")
    write_labels(folder, "coco", [LabeledImage("cat.png", (width, height), boxes, ["b", "a"])], ["чай\n"])
    found, problems = read_labels(folder, "coco")
    assert problems == []
    assert found == [LabeledImage("images/cat.png", (width, height), boxes, ["b", "a"])]
    for each in load(folder / INSTANCES)["annotations"]:
        left, top, box_width, box_height = each["bbox"]
        assert 0 <= left <= left + box_width <= width
        assert 0 <= top <= top + box_height <= height


def test_a_file_from_elsewhere_is_written_as_it_was(tmp_path: Path) -> None:
    numbers = [[0.01, 473.07, 395.7, 6.93], [204.01, 31.2, 1e-05, 0.25], [0.1, 0.2, 0.3, 479.8], [639.99, 0, 0.01, 480]]
    write_coco(tmp_path, annotations=[annotation(bbox=each) for each in numbers])
    images, problems = read_labels(tmp_path, "coco")
    assert problems == []
    write_labels(tmp_path / "out", "coco", images, ["cat"])
    assert [each["bbox"] for each in load(tmp_path / "out" / INSTANCES)["annotations"]] == numbers


def test_a_split_has_a_file_for_each_part_with_ids_of_its_own(tmp_path: Path) -> None:
    images = [
        LabeledImage(f"{split}/a/{n}.png", (8, 8), [CAT], split=split) for n in "12" for split in ("train", "val")
    ]
    write_labels(tmp_path, "coco", images, ["cat"])
    train, val = (load(tmp_path / "annotations" / f"instances_{split}.json") for split in ("train", "val"))
    assert [(image["id"], image["file_name"]) for image in train["images"]] == [(1, "a/1.png"), (3, "a/2.png")]
    assert [(image["id"], image["file_name"]) for image in val["images"]] == [(2, "a/1.png"), (4, "a/2.png")]
    assert [each["id"] for each in train["annotations"] + val["annotations"]] == [1, 3, 2, 4]
    found, problems = read_labels(tmp_path, "coco")
    assert problems == []
    assert [(image.path, image.split) for image in found] == [
        (f"images/{image.path}", image.split) for image in (images[0], images[2], images[1], images[3])
    ]


@pytest.mark.parametrize("split", ["", "train"])
def test_ids_of_images_stay_whoever_comes_or_goes(split: str, tmp_path: Path) -> None:
    def ids(*names: str) -> Dict[str, int]:
        path = f"{split}/" if split else ""
        write_labels(
            tmp_path, "coco", [LabeledImage(f"{path}{name}", (8, 8), [CAT], split=split) for name in names], ["cat"]
        )
        (file,) = (tmp_path / "annotations").iterdir()
        document = load(file)
        assert [each["image_id"] for each in document["annotations"]] == [image["id"] for image in document["images"]]
        return {image["file_name"]: image["id"] for image in document["images"]}

    assert ids("b.png", "c.png") == {"b.png": 1, "c.png": 2}
    assert ids("a.png", "c.png", "d.png") == {"a.png": 3, "c.png": 2, "d.png": 4}


def test_a_dataset_without_images_is_an_empty_file(tmp_path: Path) -> None:
    write_labels(tmp_path, "coco", [], [])
    assert load(tmp_path / INSTANCES)["images"] == []


def test_sparse_ids_in_any_order_and_annotations_before_images_are_read(tmp_path: Path) -> None:
    (tmp_path / "dog.png").touch()
    document = {
        "annotations": [annotation(image_id="b", category_id=90), annotation(category_id=7)],
        "images": [
            {"id": "b", "file_name": "dog.png", "width": 640, "height": 480},
            {"id": 1, "file_name": "cat.png", "width": 640, "height": 480},
        ],
        "categories": [{"id": 90, "name": "dog"}, {"id": 7, "name": "cat"}],
    }
    (tmp_path / "cat.png").touch()
    (tmp_path / "result.json").write_text(json.dumps(document))
    images, problems = read_labels(tmp_path, "coco")
    assert problems == []
    assert [(image.path, [box.label for box in image.boxes]) for image in images] == [
        ("dog.png", ["dog"]),
        ("cat.png", ["cat"]),
    ]


@pytest.mark.parametrize(
    ("labels", "file_name", "place", "split"),
    [
        ("annotations/instances_train2017.json", "1.jpg", "train2017/1.jpg", "train"),
        ("annotations/instances_val2017.json", "1.jpg", "images/val2017/1.jpg", "val"),
        ("annotations/instances_train.json", "1.jpg", "images/train/1.jpg", "train"),
        ("annotations/instances_default.json", "1.jpg", "images/1.jpg", ""),
        ("annotations/person.json", "a/1.jpg", "images/a/1.jpg", ""),
        ("valid/_annotations.coco.json", "1.jpg", "valid/1.jpg", "val"),
        ("_annotations.coco.json", "1.jpg", "1.jpg", ""),
        ("result.json", "images/1.jpg", "images/1.jpg", ""),
        ("result.json", r"images\1.jpg", "images/1.jpg", ""),
        ("result.json", "../../label-studio/data/media/upload/1/1.jpg", "images/1.jpg", ""),
        ("labels.json", "1.jpg", "data/1.jpg", ""),
        ("train.json", "/home/jo/cats/train2017/1.jpg", "train2017/1.jpg", "train"),
    ],
)
def test_images_are_found_where_others_put_them(
    labels: str, file_name: str, place: str, split: str, tmp_path: Path
) -> None:
    for path in (labels, place, "elsewhere/1.jpg"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    entry = {"id": 1, "file_name": file_name, "width": 640, "height": 480}
    (tmp_path / labels).write_text(json.dumps({"images": [entry], "annotations": []}))
    assert read_labels(tmp_path, "coco") == ([LabeledImage(place, (640, 480), split=split)], [])


def test_instances_are_read_and_not_the_captions_beside_them(tmp_path: Path) -> None:
    write_coco(tmp_path, annotations=[annotation()], path="annotations/instances_val2017.json")
    (tmp_path / "annotations" / "captions_val2017.json").write_text("{}")
    (tmp_path / "notes.json").write_text("[]")
    images, problems = read_labels(tmp_path, "coco")
    assert (len(images), problems) == (1, [])


def test_a_segmentation_that_is_the_box_and_what_says_nothing_are_no_problem(tmp_path: Path) -> None:
    corners = [64, 0, 320, 0, 320, 480, 64, 480]
    blank = {"iscrowd": 0, "attributes": {"occluded": False}, "keypoints": [], "caption": "", "area": 7}
    write_coco(
        tmp_path,
        annotations=[
            annotation(segmentation=[corners], **blank),
            annotation(segmentation=[[*corners[2:], *corners[:2], *corners[2:4]]]),
            annotation(segmentation=[[]]),
            annotation(segmentation=None),
        ],
    )
    images, problems = read_labels(tmp_path, "coco")
    assert problems == []
    assert images == [LabeledImage("cat.png", (640, 480), [CAT] * 4)]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"category_id": 7}, "category_id is 7, which is none of the 1 categories' id"),
        ({"category_id": "9"}, "category_id is '9', which is none of the 1 categories' id"),
        ({"category_id": None}, "category_id is None, and has to be a whole number or a text"),
        ({"image_id": 7}, "image_id is 7, which is no image's id"),
        ({"image_id": [1]}, "image_id is [1], and has to be a whole number or a text"),
        ({"bbox": None}, "bbox is [], and has to be [left, top, width, height] in pixels"),
        ({"bbox": [1, 2, 3]}, "bbox is [1, 2, 3], and has to be [left, top, width, height] in pixels"),
        ({"bbox": "0 0 1 1"}, "bbox is '0 0 1 1', and has to be a list"),
        ({"bbox": [0, "1", 2, 3]}, "a number of bbox is '1', and has to be a number"),
        ({"bbox": [0, True, 2, 3]}, "a number of bbox is True, and has to be a number"),
        ({"bbox": [0, float("nan"), 2, 3]}, "a number of bbox is nan, and has to be a number of pixels"),
        ({"bbox": [0, -float("inf"), 2, 3]}, "a number of bbox is -inf, and has to be a number of pixels"),
        (
            {"bbox": [600, 0, 40.5, 3]},
            "the right edge of the box is at pixel 640.5, outside the image, which ends at 640",
        ),
        ({"bbox": [0, -1, 2, 3]}, "the upper edge of the box is at pixel -1, outside the image, which ends at 480"),
        ({"bbox": [10, 20, 0, 3]}, "the box has no width: it goes from 0.015625 to 0.015625"),
        ({"bbox": [10, 20, 5, -3]}, "the box has no height: it goes from 0.0416667 to 0.0354167"),
        ({"score": 1.5}, "the confidence is 1.5, and has to be within 0 and 1"),
        ({"score": "high"}, "score is 'high', and has to be a number"),
        ({"iscrowd": 1}, "Viam holds no 'iscrowd' (1 in all); leave it out with ignore=['iscrowd'], or remove it"),
        (
            {"segmentation": [[1, 2, 3, 4, 5, 6]]},
            "Viam holds no 'segmentation' (1 in all); leave it out with ignore=['segmentation'], or remove it",
        ),
        (
            {"segmentation": {"counts": [7], "size": [1, 7]}},
            "Viam holds no 'segmentation' (1 in all); leave it out with ignore=['segmentation'], or remove it",
        ),
        (
            {"keypoints": [1, 2, 2]},
            "Viam holds no 'keypoints' (1 in all); leave it out with ignore=['keypoints'], or remove it",
        ),
    ],
)
def test_an_annotation_that_is_wrong_is_named_by_its_line(changes: Any, problem: str, tmp_path: Path) -> None:
    write_coco(tmp_path, annotations=[annotation(), annotation(**changes)])
    images, problems = read_labels(tmp_path, "coco")
    assert len(problems) == 1
    assert problems[0].startswith(f"{INSTANCES}:5: {problem}")
    assert images[0].boxes[:1] == [CAT]


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ([], "this is [], and has to be an object"),
        ({}, "id is None, and has to be a whole number or a text"),
        ({"id": 1.0}, "another image has the id 1.0 already"),
        ({"id": 2, "file_name": "dog.png"}, "there is no image 'dog.png' in the folder; put it there"),
        ({"id": 2, "file_name": "a.png"}, "no size is told of image 'a.png', and its size cannot be read"),
        ({"id": 2, "file_name": "a.png", "width": 640}, "height is None, and has to be a number"),
        (
            {"id": 2, "file_name": "a.png", "width": 0.5, "height": 480},
            "width is 0.5, and has to be a whole number of pixels",
        ),
        (
            {"id": 2, "file_name": "a.png", "width": 640, "height": 0},
            "height is 0, and has to be a whole number of pixels above 0",
        ),
        ({"id": 2}, "file_name is None, and has to be a text"),
        (
            {"id": 2, "width": 640, "height": 480, "file_name": "./cat.png"},
            "image 'cat.png' is in annotations/instances.json:2 already; keep one of them",
        ),
        (
            {"id": 2, "width": 640, "height": 480, "file_name": "cat.png", "tags": [7]},
            "a tag is 7, and has to be a text",
        ),
    ],
)
def test_an_image_that_is_wrong_is_named_by_its_line(image: Any, problem: str, tmp_path: Path) -> None:
    if "no size" in problem:
        pytest.importorskip("PIL.Image")
    (tmp_path / "a.png").touch()
    write_coco(tmp_path, images=[image])
    images, problems = read_labels(tmp_path, "coco")
    assert [found.path for found in images] == ["cat.png"]
    assert len(problems) == 1
    assert problems[0].startswith(f"{INSTANCES}:3: {problem}")


@pytest.mark.parametrize(
    ("categories", "problem"),
    [
        ([{"id": 9, "name": "cat"}, {"id": 9, "name": "dog"}], "category 'cat' has the id 9 already"),
        ([{"id": 9, "name": "cat"}, {"id": 8, "name": " "}], "name is empty"),
    ],
)
def test_a_category_that_is_wrong_is_named_by_its_line(categories: Any, problem: str, tmp_path: Path) -> None:
    write_coco(tmp_path, categories=categories)
    _, problems = read_labels(tmp_path, "coco")
    assert [found[: 30 + len(problem)] for found in problems] == [f"{INSTANCES}:7: {problem}"]


def test_two_categories_of_one_name_are_wrong_if_both_have_annotations(tmp_path: Path) -> None:
    cats = [{"id": 0, "name": "cat", "supercategory": "none"}, {"id": 9, "name": "cat", "supercategory": "cat"}]
    write_coco(tmp_path, categories=cats, annotations=[annotation()])
    images, problems = read_labels(tmp_path, "coco")
    assert ([box.label for box in images[0].boxes], problems) == (["cat"], [])
    write_coco(tmp_path, categories=cats, annotations=[annotation(), annotation(category_id=0)])
    assert read_labels(tmp_path, "coco")[1] == [
        f"{INSTANCES}:5: the categories 9 and 0 are both called 'cat'; in Viam they would be one"
    ]


def test_each_thing_that_cannot_be_held_is_one_problem_with_its_count(tmp_path: Path) -> None:
    mask = annotation(segmentation=[[1, 2, 3, 4, 5, 6]])
    write_coco(tmp_path, annotations=[annotation(), mask, {**mask, "iscrowd": 1}, mask])
    assert read_labels(tmp_path, "coco")[1] == [
        f"{INSTANCES}:{line}: Viam holds no '{name}' ({count} in all); leave it out with ignore=['{name}'], or remove it"  # noqa: E501
        for line, name, count in [(5, "segmentation", 3), (6, "iscrowd", 1)]
    ]


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ('{"images": [\n{]}', "2: this is no JSON: "),
        ("[]", "1: this is no JSON object"),
        ("{}", " there is no image in 'images'"),
    ],
)
def test_a_file_that_is_no_coco_is_named(contents: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(contents)
    images, problems = read_labels(tmp_path, "coco")
    assert images == []
    assert len(problems) == 1
    assert problems[0].startswith(f"result.json:{problem}")


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    (problem,) = read_labels(tmp_path, "coco")[1]
    assert problem == f"{INSTANCES}: there is no such file, nor another JSON of COCO; name the folder that it is in"


def test_edges_that_others_compute_in_doubles_are_those_of_the_image(tmp_path: Path) -> None:
    write_coco(tmp_path, annotations=[annotation(bbox=[-1e-13, 0.1, 640.0000000000001, 479.9 + 1e-13])])
    images, problems = read_labels(tmp_path, "coco")
    assert problems == []
    assert images[0].boxes == [Box("cat", 0.0, 0.1 / 480, 1.0, 1.0)]


def test_a_file_of_somebody_else_is_neither_used_nor_replaced(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    for contents in ('{"images": [7]}', "[", '{"images": [{"file_name": 7, "id": []}]}'):
        (tmp_path / INSTANCES).write_text(contents)
        with pytest.raises(FileExistsError, match="was not written by an export"):
            write_labels(tmp_path, "coco", [LabeledImage("cat.png", (8, 8))], [])
        assert (tmp_path / INSTANCES).read_text() == contents


def test_what_is_in_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    def most(count: int) -> int:
        peaks = []

        class Images:
            def __iter__(self) -> Iterator[LabeledImage]:
                for number in range(count):
                    yield LabeledImage(f"{number}.png", (640, 480), [CAT])
                peaks.append(memory.most)

        files = LabelFiles(tmp_path, "coco")
        with measured_memory() as memory:
            CocoFormat().write(files, Images(), ["cat"])
        files.finish()
        return peaks[-1]

    # The first run loads what is used.
    assert most(1)
    assert most(1000) - most(100) < 20_000
