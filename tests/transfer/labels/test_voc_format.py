"""Pascal VOC's XML, as this package and as others write it."""

from pathlib import Path
from typing import Any, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_folders import read_labels, write_labels

from viam_sync.transfer.labels.labeled_image import Box, LabeledImage

CAT = Box("cat", 0.1, 0.0, 0.5, 1.0)
OBJECT = """<object>
<name>cat</name>
<bndbox>
<xmin>65</xmin>
<ymin>1</ymin>
<xmax>320</xmax>
<ymax>480</ymax>
</bndbox>
</object>"""
SIZE = "<size><width>640</width><height>480</height></size>"


def write_voc(
    folder: Path,
    rest: str = OBJECT,
    *,
    path: str = "Annotations/cat.xml",
    image: str = "JPEGImages/cat.jpg",
    size: str = SIZE,
) -> None:
    for file in (path, image):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / image).touch()
    (folder / path).write_text(f"<annotation>{size}\n{rest}\n</annotation>", "utf-8")


def test_the_file_has_what_loaders_of_voc_read(tmp_path: Path) -> None:
    boxes = [CAT, Box("a < b", 0.0, 0.25, 1.0, 0.3, 0.75)]
    write_labels(
        tmp_path, "voc", [LabeledImage("train/cat.png", (640, 480), boxes, ["sofa"], "train")], ["cat", "a < b"]
    )
    assert (
        (tmp_path / "Annotations" / "train" / "cat.xml").read_text()
        == """<annotation>
  <folder>images/train</folder>
  <filename>cat.png</filename>
  <source><database>Viam</database></source>
  <size><width>640</width><height>480</height><depth>3</depth></size>
  <segmented>0</segmented>
  <tag>sofa</tag>
  <object>
    <name>cat</name>
    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
    <bndbox><xmin>65</xmin><ymin>1</ymin><xmax>320</xmax><ymax>480</ymax></bndbox>
  </object>
  <object>
    <name>a &lt; b</name>
    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
    <bndbox><xmin>1</xmin><ymin>121</ymin><xmax>640</xmax><ymax>144</ymax></bndbox>
    <confidence>0.75</confidence>
  </object>
</annotation>
"""
    )
    assert (tmp_path / "ImageSets" / "Main" / "train.txt").read_text() == "train/cat\n"


SHARES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=2, unique=True).map(sorted)
LABELS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"), min_size=1
).filter(str.strip)


@settings(max_examples=20, deadline=None)
@given(
    edges=st.lists(st.tuples(SHARES, SHARES), max_size=9),
    label=LABELS | st.sampled_from(["a\r\nb\t", " c "]),
    width=st.integers(1, 9999),
    height=st.integers(1, 9999),
)
def test_labels_are_read_as_they_were_written(
    edges: List[Any], label: str, width: int, height: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    boxes = [Box(label, left, upper, right, lower, 0.3) for (left, right), (upper, lower) in edges]
    folder = tmp_path_factory.mktemp("voc")
    write_labels(folder, "voc", [LabeledImage("a&b.png", (width, height), boxes, [label])], [label])
    found, problems = read_labels(folder, "voc")
    assert problems == []
    assert found == [LabeledImage("images/a&b.png", (width, height), boxes, [label])]


def test_lists_name_all_images_of_a_part_and_those_without_boxes_are_files_too(tmp_path: Path) -> None:
    images = [LabeledImage(f"{split}/a/{n}.png", (8, 8), split=split) for n in "12" for split in ("train", "val")]
    write_labels(tmp_path, "voc", images)
    lists = {path.name: path.read_text() for path in (tmp_path / "ImageSets" / "Main").iterdir()}
    assert lists == {"train.txt": "train/a/1\ntrain/a/2\n", "val.txt": "val/a/1\nval/a/2\n"}
    found, problems = read_labels(tmp_path, "voc")
    assert problems == []
    assert [image.path for image in found] == [f"images/{image.path}" for image in sorted(images, key=lambda i: i.path)]
    write_labels(tmp_path, "voc", [])
    assert [path.name for path in tmp_path.rglob("*.*ml")] == []
    assert (tmp_path / "ImageSets" / "Main" / "trainval.txt").read_text() == ""


def test_a_label_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^'a\\x01b' has a character that XML cannot hold; rename it in Viam"):
        write_labels(tmp_path, "voc", [LabeledImage("cat.png", (8, 8), [CAT._replace(label="a\x01b")])], ["a\x01b"])


@pytest.mark.parametrize(
    ("path", "image", "rest"),
    [
        ("Annotations/cat.xml", "JPEGImages/cat.jpg", "<folder>VOC2012</folder><filename>cat.jpg</filename>"),
        (
            "VOCdevkit/VOC2012/Annotations/cat.xml",
            "VOCdevkit/VOC2012/JPEGImages/cat.jpg",
            "<filename>cat.jpg</filename>",
        ),
        ("annotations/xmls/cat.xml", "images/cat.png", "<filename>cat.png</filename>"),
        ("annotations/cat.xml", "images/cat.PNG", "<filename>/home/jo/cats/cat.PNG</filename>"),
        ("train/cat_jpg.rf.1.xml", "train/cat_jpg.rf.1.jpg", "<filename>cat_jpg.rf.1.jpg</filename>"),
        ("cat.xml", "cat.jpg", "<filename>renamed.jpg</filename>"),
        ("cat.xml", "renamed.jpg", "<filename>renamed.jpg</filename>"),
        ("cat.xml", "cat.jpeg", ""),
        ("Annotations/cat.xml", "JPEGImages/cat.jpg", "<filename>cat</filename>"),
    ],
)
def test_images_are_found_where_others_put_them(path: str, image: str, rest: str, tmp_path: Path) -> None:
    write_voc(tmp_path, rest + OBJECT, path=path, image=image)
    images, problems = read_labels(tmp_path, "voc")
    assert problems == []
    assert [(found.path, found.boxes) for found in images] == [(image, [CAT])]


def test_flags_are_passed_over_and_boxes_between_pixels_are_read(tmp_path: Path) -> None:
    flags = "<pose>Left</pose><truncated>1</truncated><occluded>1</occluded><difficult>1</difficult><score>0.5</score>"
    rest = OBJECT.replace("<bndbox>", flags + "<bndbox>").replace(">320<", "> 320.5 <")
    write_voc(tmp_path, rest)
    images, problems = read_labels(tmp_path, "voc")
    assert problems == []
    assert images[0].boxes == [CAT._replace(x_max=320.5 / 640, confidence=0.5)]


@pytest.mark.parametrize("size", ["", "<size><width>0</width><height>0</height><depth>3</depth></size>"])
def test_a_size_that_is_not_told_is_that_of_the_image_as_it_is_shown(size: str, tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    write_voc(tmp_path, size=size)
    _, problems = read_labels(tmp_path, "voc")
    assert len(problems) == 1
    assert problems[0].startswith("Annotations/cat.xml: no size is told of image 'cat.jpg', and its size cannot")
    exif = pillow.Exif()
    exif[0x112] = 6
    pillow.new("L", (480, 640)).save(tmp_path / "JPEGImages" / "cat.jpg", exif=exif)
    assert read_labels(tmp_path, "voc") == ([LabeledImage("JPEGImages/cat.jpg", (640, 480), [CAT])], [])


def test_an_image_without_a_file_beside_those_that_have_one_has_no_boxes(tmp_path: Path) -> None:
    write_voc(tmp_path)
    (tmp_path / "JPEGImages" / "nothing.jpg").touch()
    (tmp_path / "elsewhere.jpg").touch()
    images, problems = read_labels(tmp_path, "voc")
    assert problems == []
    assert [(image.path, image.boxes) for image in images] == [
        ("JPEGImages/cat.jpg", [CAT]),
        ("JPEGImages/nothing.jpg", []),
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<name>cat</name>", "", "2: name is None, and has to be a text"),
        ("<name>cat</name>", "<name> </name>", "2: name is empty"),
        ("<xmin>65</xmin>", "", "4: <bndbox> has no <xmin>"),
        ("<xmin>65</xmin>", "<xmin>left</xmin>", "5: xmin is 'left', and has to be a number"),
        ("<xmin>65</xmin>", "<xmin>1,5</xmin>", "5: xmin is '1,5', and has to be a number"),
        ("<xmin>65</xmin>", "<xmin>NaN</xmin>", "5: xmin is 'NaN', and has to be a number"),
        (
            "<xmin>65</xmin>",
            "<xmin>0</xmin>",
            "4: pixels of VOC are counted from 1, and these from 0; add",
        ),
        (
            "<xmax>320</xmax>",
            "<xmax>641</xmax>",
            "2: the right edge of the box is at pixel 641, outside the",
        ),
        ("<xmax>320</xmax>", "<xmax>64</xmax>", "2: the box has no width: it goes from 0.1 to 0.1"),
        ("<ymax>480</ymax>", "<ymax>1e99</ymax>", "2: ymax is 1E+99, and has to be a number of pixels"),
        (
            "<ymax>480</ymax>",
            f"<ymax>{'9' * 5000}</ymax>",
            f"2: ymax is {'9' * 57}..., and has to be a number of pixels",
        ),
        ("<bndbox>", "<box>", "9: this is no XML: mismatched tag"),
        ("<bndbox>", "<part><name>head</name>\n</part><bndbox>", "4: Viam holds no 'part' (1 in all); "),
        ("<bndbox>", "<polygon><x1>1</x1></polygon><bndbox>", "4: Viam holds no 'polygon' (1 in all); "),
        ("<bndbox>", "<confidence>high</confidence><bndbox>", "4: confidence is 'high', and has to be a number"),
        ("<object>", "<tag/>\n<object>", "2: tag is empty"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(old: str, new: str, problem: str, tmp_path: Path) -> None:
    write_voc(tmp_path, OBJECT.replace(old, new))
    _, problems = read_labels(tmp_path, "voc")
    assert len(problems) == 1
    assert problems[0].startswith(f"Annotations/cat.xml:{problem}")


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ("", "1: this is no XML: no element found"),
        ("<annotations/>", "1: a file of VOC begins with <annotation>, and this one with <annotations>"),
        (
            '<?xml version="1.0" encoding="klingon"?>\n<annotation/>',
            "1: this is no XML that can be read: unknown encoding: klingon",
        ),
        ('<!DOCTYPE a [\n<!ENTITY x "y">]><annotation/>', "2: this XML declares an entity, which is not read"),
        ('<!DOCTYPE a [\n<!ENTITY x SYSTEM "cat.jpg">]><annotation/>', "2: this XML declares an entity"),
        ("<annotation>\n&x;</annotation>", "2: this is no XML: undefined entity"),
        ("<annotation><size>\n<width>640</width></size></annotation>", "1: <size> has no <height>"),
        ("<annotation><size><width>640</width><height>4.5</height></size></annotation>", "1: width and height have to"),
    ],
)
def test_a_file_that_is_no_voc_is_named(contents: str, problem: str, tmp_path: Path) -> None:
    write_voc(tmp_path)
    (tmp_path / "Annotations" / "cat.xml").write_text(contents)
    _, problems = read_labels(tmp_path, "voc")
    assert len(problems) == 1
    assert problems[0].startswith(f"Annotations/cat.xml:{problem}")


def test_entities_of_a_document_type_elsewhere_are_not_fetched(tmp_path: Path) -> None:
    write_voc(tmp_path, OBJECT)
    path = tmp_path / "Annotations" / "cat.xml"
    path.write_text(f'<!DOCTYPE annotation SYSTEM "{tmp_path / "cat.dtd"}">' + path.read_text())
    (tmp_path / "cat.dtd").write_text("<!ENTITY x 'y'>")
    assert read_labels(tmp_path, "voc")[1] == []


def test_an_image_with_two_files_is_named(tmp_path: Path) -> None:
    write_voc(tmp_path)
    write_voc(tmp_path, path="Annotations/more/dog.xml", rest="<filename>cat.jpg</filename>" + OBJECT)
    assert read_labels(tmp_path, "voc")[1] == [
        "Annotations/more/dog.xml: image 'JPEGImages/cat.jpg' has labels in Annotations/cat.xml already; keep one"
    ]


def test_a_missing_image_and_a_folder_without_labels_are_named(tmp_path: Path) -> None:
    assert read_labels(tmp_path, "voc")[1] == [
        "Annotations: there is no XML of VOC; name the folder that Annotations is in"
    ]
    write_voc(tmp_path)
    (tmp_path / "JPEGImages" / "cat.jpg").unlink()
    (problem,) = read_labels(tmp_path, "voc")[1]
    assert problem == "Annotations/cat.xml: there is no image 'cat' in the folder; put it there, or remove its labels"
