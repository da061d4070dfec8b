"""YOLO: texts of boxes and ``data.yaml``, as Ultralytics, supervision, Roboflow and labelImg have them."""

from pathlib import Path
from typing import List

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from label_folders import read_labels, write_labels

from viam_sync.transfer.labels.labeled_image import Box, LabeledImage
from viam_sync.transfer.labels.yolo_boxes import read_yolo_row, yolo_row

yaml = pytest.importorskip("yaml")

EDGES = st.floats(0, 1, allow_subnormal=True)
NAMES = [
    "cat",
    'so-called: "dog" #1',
    "it's",
    "чай ☕ 😀",
    "no",
    "1.0",
    "back\\slash",
    " lead",
    "tab\there",
    "{",
    "- x",
]


def lay(folder: Path, **texts: str) -> None:
    """Write files, whose paths have double underscores for slashes and single ones for dots."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def paths(images: List[LabeledImage]) -> List[str]:
    return [f"{image.split}:{image.path}" for image in images]


@given(EDGES, EDGES, EDGES, EDGES)
@example(0.0, 1.0, 5e-324, 1.0 - 2**-53)
@example(0.1, 0.30000000000000004, 1 / 3, 2 / 3)
def test_every_box_comes_back_exactly(left: float, right: float, upper: float, lower: float) -> None:
    if left < right and upper < lower:
        box = Box("cat", left, upper, right, lower)
        assert read_yolo_row(yolo_row(3, box), {3: "cat"}) == (box, None)


@given(EDGES, EDGES)
def test_no_edge_lies_outside_of_the_image_for_those_who_compute_with_floats(left: float, right: float) -> None:
    if left < right:
        _, centre, _, width, _ = map(float, yolo_row(0, Box("cat", left, 0.0, right, 1.0)).split())
        assert 0 <= centre - width / 2 <= centre + width / 2 <= 1


def test_decimals_are_short_where_the_box_is_simple() -> None:
    assert yolo_row(0, Box("cat", 0.1, 0.0, 0.4, 1.0)) == "0 0.25 0.5 0.3 1"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    images = [
        LabeledImage("train/a.b.png", (1, 1), [Box(name, 0.1, 0.0, 1 / 3, 1.0) for name in NAMES], [], "train"),
        LabeledImage("val/dog's 1.png", (1, 1), [], [], "val"),
    ]
    write_labels(tmp_path, "yolo", images, NAMES)
    found, problems = read_labels(tmp_path, "yolo")
    assert problems == []
    assert paths(found) == ["train:images/train/a.b.png", "val:images/val/dog's 1.png"]
    assert [image.boxes for image in found] == [image.boxes for image in images]
    assert (tmp_path / "labels" / "val" / "dog's 1.txt").read_bytes() == b""


def test_the_data_yaml_is_ascii_and_any_yaml_reader_finds_the_names_in_it(tmp_path: Path) -> None:
    write_labels(tmp_path, "yolo", [LabeledImage("test/a.png", (1, 1), split="test")], NAMES)
    contents = yaml.safe_load((tmp_path / "data.yaml").read_bytes().decode("ascii"))
    place = "images/test"
    assert contents == {"train": place, "val": place, "test": place, "nc": len(NAMES), "names": NAMES}


def test_without_a_split_train_and_val_are_the_same_images_which_have_no_split(tmp_path: Path) -> None:
    write_labels(tmp_path, "yolo", [LabeledImage("a.png", (1, 1))])
    contents = yaml.safe_load((tmp_path / "data.yaml").read_text("ascii"))
    assert contents == {"train": "images", "val": "images", "nc": 0, "names": []}
    assert paths(read_labels(tmp_path, "yolo")[0]) == [":images/a.png"]


def test_two_images_that_would_share_a_text_of_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match=r"cat\.txt.* two images"):
        write_labels(tmp_path, "yolo", [LabeledImage("cat.png", (1, 1)), LabeledImage("cat.jpg", (1, 1))])


@pytest.mark.parametrize(
    "data",
    [
        "path: .\ntrain: [train/images]\nval: valid/images\nnames: {0: cat}",
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnc: 1\nnames: ['cat']",
        "path: ../datasets/cats\ntrain: train/images\nvalid: valid/images\nnames: [cat]",
        "path: /content/cats\ntrain: train/images\nvalidation: valid/images\nnames: [cat]",
        "train: /content/cats/train/images\nval: 'C:\\cats\\valid\\images'\ntest:\nnames: [cat]",
        "path: train\ntrain: images\nval: valid/images\nnames: [cat]",
    ],
)
def test_the_places_of_images_are_found_wherever_the_folder_was(data: str, tmp_path: Path) -> None:
    lay(tmp_path, data_yaml=data, train__images__a_jpg="", train__labels__a_txt="0 .5 .5 1 1", valid__images__b_JPG="")
    images, problems = read_labels(tmp_path, "yolo")
    assert problems == []
    assert paths(images) == ["train:train/images/a.jpg", "val:valid/images/b.JPG"]
    assert images[0].boxes == [Box("cat", 0.0, 0.0, 1.0, 1.0)]


def test_images_may_be_listed_in_a_file(tmp_path: Path) -> None:
    listed = ".\\images\\a.png\n\n/somewhere/images/b.png\nimages/c.png\n"
    lay(tmp_path, data_yaml="train: train.txt\nnames: [cat]", train_txt=listed, images__a_png="", images__b_png="")
    lay(tmp_path, labels__a_txt="0 .5 .5 1 1")
    images, problems = read_labels(tmp_path, "yolo")
    assert paths(images) == ["train:images/a.png", "train:images/b.png"]
    assert problems == [
        "train.txt:4: there is no image 'images/c.png' in the folder; put it there, or remove its labels"
    ]


def test_labels_beside_the_images_and_names_in_a_text_are_read(tmp_path: Path) -> None:
    lay(tmp_path, classes_txt="cat\ndog\n", images__a_png="", images__a_txt="\ufeff1.0 .5 .5 1 1 0.25\n")
    images, problems = read_labels(tmp_path, "yolo")
    assert (paths(images), problems) == ([":images/a.png"], [])
    assert images[0].boxes == [Box("dog", 0.0, 0.0, 1.0, 1.0, 0.25)]


def test_an_edge_that_is_rounded_beyond_the_image_is_that_of_the_image() -> None:
    box, _ = read_yolo_row("0 0.333333 0.5 0.666667 1.000001", {0: "cat"})
    assert box == Box("cat", 0.0, 0.0, 0.6666665, 1.0)


@pytest.mark.parametrize(
    ("shape", "row", "name"),
    [
        ("", "0 .1 .2 .9 .2 .5 1", "segmentation"),
        ("", "0 .1 .2 .9 .2 .9 1 .1 1", "segmentation"),
        ("", "0 .1 .2 .9 .2 .9 1.00004 .1 1 .1 .2", "segmentation"),
        ("kpt_shape: [1, 3]", "0 .5 .6 .8 .8 .5 .5 2", "keypoints"),
        ("kpt_shape: [2, 2]", "0 .5 .6 .8 .8 .5 .5 .1 .2", "keypoints"),
    ],
)
def test_polygons_and_keypoints_are_named_or_left_out(shape: str, row: str, name: str, tmp_path: Path) -> None:
    lay(tmp_path, data_yaml=f"train: images\nnames: [cat]\n{shape}", images__a_png="", labels__a_txt=f"{row}\n{row}\n")
    problem = f"Viam holds no {name!r} (2 in all); leave it out with ignore=[{name!r}], or remove it"
    assert read_labels(tmp_path, "yolo")[1] == [f"labels/a.txt:1: {problem}"]
    images, problems = read_labels(tmp_path, "yolo", [name])
    assert (images[0].boxes, problems) == ([Box("cat", 0.1, 0.2, 0.9, 1.0)] * 2, [])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("2 .5 .5 1 1", "class 2 is not one of the 2 of data.yaml"),
        ("-1 .5 .5 1 1", "class -1 is not one of the 2 of data.yaml"),
        ("cat .5 .5 1 1", "the class is 'cat', and has to be a number"),
        ("0 .5 .5 1", "there are 4 columns instead of 5"),
        ("0 .1 .1 .9 .1 .9 .9 .9", "there are 8 columns instead of 5"),
        ("0 .5 nan 1 1", "the y of the centre is 'nan', and has to be finite"),
        ("0 .5 1e999999999 1 1", "the y of the centre is '1e999999999', and has to be finite"),
        ("0 .5 1e-999999999 1 1", "the upper edge of the box is at -0.5 of the image"),
        ("0 320 240 64 48", "the left edge of the box is at 288 of the image, and has to be within 0 and 1"),
        ("0 .5 .5 0 1", "the box has no width: it goes from 0.5 to 0.5"),
        ("0 .5 .5 1 -1", "the upper edge of the box is at 1, "),
        ("0 .5 .5 1 1 2", "the confidence is 2, and has to be within 0 and 1"),
    ],
)
def test_a_wrong_row_is_named_and_the_others_are_read(row: str, problem: str, tmp_path: Path) -> None:
    lay(tmp_path, data_yaml="train: images\nnames: [cat, dog]", images__a_png="")
    lay(tmp_path, labels__a_txt=f"1 .5 .5 1 1\n\n{row}\n")
    images, problems = read_labels(tmp_path, "yolo")
    assert [len(image.boxes) for image in images] == [1]
    assert len(problems) == 1
    assert problems[0].startswith(f"labels/a.txt:3: {problem}") or (row.endswith("-1") and "no height" in problems[0])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("names: [cat", "this file is no YAML: while parsing a flow sequence"),
        ("cat", "this file is 'cat', and has to be a mapping with names"),
        ("train: images", "names is None, and has to be a list of the classes, or a mapping"),
        ("names: [[cat]]", "names[0] is ['cat'], and has to be a text"),
        ("names: {cat: 0}", "a key of names is 'cat', and has to be a number"),
        ("names: [cat, dog, cat]", "names[2] and names[0] are both 'cat'; Viam knows classes by name alone"),
        ("names: [cat]\nnc: 2", "nc is 2, and names has 1 classes"),
        ("names: [cat]\ntrain: pictures", "train is 'pictures', and there is no such folder or list of images in this"),
        ("names: [cat]\ntrain: ../../etc", "train is '../../etc', and there is no such folder or list of images in"),
        ("names: [cat]\nval: {a: b}", "val is {'a': 'b'}, and has to be a folder, a list of images, or several"),
    ],
)
def test_a_wrong_data_yaml_is_named(data: str, problem: str, tmp_path: Path) -> None:
    lay(tmp_path, data_yaml=data, images__a_png="", labels__a_txt="0 .5 .5 1 1")
    images, problems = read_labels(tmp_path, "yolo")
    assert images == []
    assert len(problems) == 1
    assert problems[0].startswith(f"data.yaml: {problem}")


@pytest.mark.parametrize("key", ["names", "train", "nc"])
def test_a_short_yaml_that_stands_for_a_billion_parts_is_named(key: str, tmp_path: Path) -> None:
    lists = [f"a{depth}: &a{depth} [{', '.join([f'*a{depth - 1}'] * 10)}]\n" for depth in range(1, 10)]
    names = "" if key == "names" else "names: [cat]\n"
    lay(tmp_path, data_yaml=f"{names}a0: &a0 [x]\n{''.join(lists)}{key}: *a9", images__a_png="")
    (problem,) = read_labels(tmp_path, "yolo")[1]
    assert problem.startswith(f"data.yaml: {key}")
    assert len(problem) < 200


def test_labels_without_an_image_and_images_without_any_labels_are_named(tmp_path: Path) -> None:
    lay(tmp_path, data_yaml="train: images\nnames: [cat]", images__a_png="", labels__b_txt="", labels__classes_txt="")
    _, problems = read_labels(tmp_path, "yolo")
    assert problems == [
        "labels/b.txt: there is no image for these labels in 'images'",
        "labels: of 1 images, none has a text of labels in this folder",
    ]


def test_a_text_in_another_encoding_is_named(tmp_path: Path) -> None:
    lay(tmp_path, data_yaml="train: images\nnames: [cat]", images__a_png="", labels__a_txt="")
    (tmp_path / "labels" / "a.txt").write_bytes(b"\xff\xfe0\x00")
    assert read_labels(tmp_path, "yolo")[1] == ["labels/a.txt: this file is not UTF-8: invalid start byte at byte 0"]


def test_a_folder_without_any_data_yaml_is_named(tmp_path: Path) -> None:
    assert read_labels(tmp_path, "yolo")[1] == ["data.yaml: there is no such file; name the folder that it is in"]
