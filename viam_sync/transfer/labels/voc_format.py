"""Pascal VOC's XML: a file of boxes in pixels for each image, and lists of the images."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Dict, Iterable, Iterator, Mapping, Sequence, Tuple
from xml.sax.saxutils import escape

from viam_sync.transfer.labels.decimals import shortest_decimal
from viam_sync.transfer.labels.image_files import walk_images
from viam_sync.transfer.labels.image_lookup import split_in_name
from viam_sync.transfer.labels.label_checks import noted
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_format import IMAGES, LabelFormat
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import UNKNOWN_SIZE, Box, LabeledImage
from viam_sync.transfer.labels.pixel_boxes import pixel_interval
from viam_sync.transfer.labels.voc_files import ANNOTATIONS, NOT_HELD, read_voc_file, voc_files

#: The characters that XML cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class VocFormat(LabelFormat):
    """Pascal VOC's XML.

    Pixels are counted from 1, and those at both ends are in the box: a box over all of an image of 640 pixels has the
    ``xmin`` 1 and the ``xmax`` 640. Coordinates that are between pixels are decimals, as some of VOC's own are.
    ``confidence`` of an object and ``tag`` of an image are Viam's.

    Of what is read, images, sizes, boxes, names, confidences and tags count; ``pose``, ``truncated``, ``occluded`` and
    ``difficult`` do not. Parts, polygons, masks and turned boxes are problems, unless they are ignored.

    Example:
        >>> from viam_sync.transfer.labels.label_files import LabelFiles
        >>> from viam_sync.transfer.labels.labeled_image import Box, LabeledImage
        >>> from viam_sync.transfer.labels.voc_format import VocFormat
        >>> cat = LabeledImage("cat.png", (640, 480), [Box("cat", 0.1, 0, 0.5, 1)])
        >>> files = LabelFiles(folder, "voc")
        >>> VocFormat().write(files, [cat], ["cat"])
        >>> files.finish()
        >>> (folder / "Annotations" / "cat.xml").read_text().splitlines()[9].strip()
        '<bndbox><xmin>65</xmin><ymin>1</ymin><xmax>320</xmax><ymax>480</ymax></bndbox>'
    """

    name = "voc"
    not_held = NOT_HELD

    def write(self, files: LabelFiles, images: Iterable[LabeledImage], classes: Sequence[str]) -> None:
        """Write an XML for each image, and the lists ``ImageSets/Main/train.txt`` and so on; ``trainval.txt`` for all.

        Raises:
            ValueError: If XML cannot hold the characters of a label.
        """
        with contextlib.ExitStack() as stack:
            lists: Dict[str, BinaryIO] = {}
            for image in images:
                if image.split not in lists:
                    lists[image.split] = stack.enter_context(files.open(_list_of(image.split)))
                name = PurePosixPath(image.path).with_suffix("").as_posix()
                files.write_text(f"{ANNOTATIONS}/{name}.xml", _xml(image))
                lists[image.split].write(f"{name}\n".encode())
            if not lists:
                files.write_text(_list_of(""), "")

    def read(self, folder: Path, problems: LabelProblems) -> Iterator[LabeledImage]:
        """Yield the images of all XML files; then those beside them that have none, without boxes."""
        sources: Dict[str, str] = {}
        path = ""
        for path in voc_files(folder):
            with noted(problems, Path(path), None):
                image = read_voc_file(folder, path, problems)
                first = sources.setdefault(image.path, path)
                if first == path:
                    yield image
                else:
                    problems.add(Path(path), None, f"image {image.path!r} has labels in {first} already; keep one")
        if not path:
            problems.add(Path(ANNOTATIONS), None, "there is no XML of VOC; name the folder that Annotations is in")
        yield from _without_file(folder, sources)


def _list_of(split: str) -> str:
    # VOC calls all images that one may learn from "trainval".
    return f"ImageSets/Main/{split or 'trainval'}.txt"


def _xml(image: LabeledImage) -> str:
    """Return the XML of an image."""
    path = PurePosixPath(IMAGES, image.path)
    lines = [
        "<annotation>",
        f"  <folder>{_escaped(str(path.parent))}</folder>",
        f"  <filename>{_escaped(path.name)}</filename>",
        "  <source><database>Viam</database></source>",
        # Loaders decode images to three colours, whatever is in the file.
        f"  <size><width>{image.size[0]}</width><height>{image.size[1]}</height><depth>3</depth></size>",
        "  <segmented>0</segmented>",
        *(f"  <tag>{_escaped(tag)}</tag>" for tag in image.tags),
        *(_object(box, image) for box in image.boxes),
        "</annotation>",
    ]
    return "\n".join(lines) + "\n"


def _object(box: Box, image: LabeledImage) -> str:
    """Return the XML of a box, whose coordinates are the shortest numbers that are read as its edges."""
    (left, right), (upper, lower) = (
        _bounds(start, end, length)
        for start, end, length in zip((box.x_min, box.y_min), (box.x_max, box.y_max), image.size)
    )
    bounds = f"<xmin>{left}</xmin><ymin>{upper}</ymin><xmax>{right}</xmax><ymax>{lower}</ymax>"
    lines = [
        "  <object>",
        f"    <name>{_escaped(box.label)}</name>",
        # Loaders of VOC itself ask for these.
        "    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>",
        f"    <bndbox>{bounds}</bndbox>",
        *([] if box.confidence is None else [f"    <confidence>{box.confidence!r}</confidence>"]),
        "  </object>",
    ]
    return "\n".join(lines)


def _bounds(start: float, end: float, length: int) -> Tuple[str, str]:
    """Return the first pixel of a box and the last one.

    The devkit of VOC counts pixels from 1, and both are in the box: the first begins one below its number, and the last
    ends at its number. detectron2 and supervision 0.31 read it so (roboflow/supervision#144 tells of the times before);
    torchvision gives out the numbers as they are, and py-faster-rcnn and its heirs take 1 from the last, too. All that
    are kept up read decimals (roboflow/supervision#2568). Of a box that is thinner than a pixel, the last one may be
    less than the first.
    """
    low, high = pixel_interval(start, length)
    return shortest_decimal(low + 1, high + 1), shortest_decimal(*pixel_interval(end, length))


def _escaped(text: str) -> str:
    if _NO_XML.search(text):
        raise ValueError(f"{text!r} has a character that XML cannot hold; rename it in Viam, or take another format")
    # A parser reads a bare carriage return as a new line.
    return escape(text, {"\r": "&#13;"})


def _without_file(folder: Path, sources: Mapping[str, str]) -> Iterator[LabeledImage]:
    """Yield the images without an XML in the folders in which others have one, as supervision does."""
    for place in sorted({str(PurePosixPath(image).parent) for image in sources}):
        for name in next(walk_images(folder, place))[1]:
            path = PurePosixPath(place, name)
            if str(path) not in sources:
                yield LabeledImage(str(path), UNKNOWN_SIZE, split=split_in_name(path.parent.name))
