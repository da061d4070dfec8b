"""Files of Pascal VOC's XML in a folder, whoever wrote them: what each says of its image, checked."""

from __future__ import annotations

import contextlib
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import ContextManager, Iterator, List, Optional, Tuple

from viam_sync.transfer.labels.decimals import exact_number, read_decimal
from viam_sync.transfer.labels.image_lookup import find_image, split_in_name
from viam_sync.transfer.labels.label_checks import WrongLabel, noted, require_label, shown
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import UNKNOWN_SIZE, Box, LabeledImage
from viam_sync.transfer.labels.pixel_boxes import box_of_pixels, size_in_file
from viam_sync.transfer.labels.xml_nodes import XmlNode, parse_xml

#: The folder of labels, which some write in small letters, and the folders of images beside it.
ANNOTATIONS = "Annotations"
_BESIDE = ("JPEGImages", "images", "")
#: The endings of images that are tried where the XML names none that is called like itself.
_ENDINGS = (".jpg", ".png", ".jpeg", ".JPG", ".webp", ".bmp", ".tif", ".tiff", ".gif")
#: What an object may have besides its box, and Viam does not hold.
NOT_HELD = ("part", "polygon", "mask", "robndbox", "keypoints", "actions")


def voc_files(folder: Path) -> Iterator[str]:
    """Yield the paths of the XML files in a folder, in their order: those in ``Annotations``, where there is one.

    Example:
        >>> from viam_sync.transfer.labels.voc_files import voc_files
        >>> _ = (folder / "cat.xml").write_text("<annotation/>")
        >>> list(voc_files(folder))
        ['cat.xml']
    """
    start = next((name for name in (ANNOTATIONS, ANNOTATIONS.lower()) if (folder / name).is_dir()), "")
    for place, folders, names in os.walk(folder / start, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(".xml") and not name.startswith("."):
                yield (Path(place) / name).relative_to(folder).as_posix()


def read_voc_file(folder: Path, path: str, problems: LabelProblems) -> LabeledImage:
    """Return the image of a file, with the labels that are right; the others are noted.

    Args:
        folder: The folder of the dataset.
        path: The path of the file in it, with slashes.
        problems: The problems of the folder.

    Raises:
        WrongLabel: If the file is no XML of VOC, or its image cannot be told.
    """

    def noted_at(node: XmlNode) -> ContextManager[None]:
        return noted(problems, Path(path), node.line)

    root = parse_xml((folder / path).read_bytes())
    if root.tag != "annotation":
        raise WrongLabel(f"a file of VOC begins with <annotation>, and this one with <{root.tag}>", root.line)
    image = _find_image(folder, path, root)
    objects = root.find_all("object")
    size = _size(root) or (size_in_file(folder / image, "a file of VOC without <size>") if objects else UNKNOWN_SIZE)
    boxes: List[Box] = []
    for node in objects:
        with noted_at(node):
            boxes.append(_box(node, size))
        for rest in node.nodes:
            if rest.tag in NOT_HELD:
                problems.add_not_held(Path(path), rest.line, rest.tag)
    tags: List[str] = []
    for node in root.find_all("tag"):
        with noted_at(node):
            tags.append(require_label("tag", node.text))
    return LabeledImage(image, size, boxes, tags, split_in_name(PurePosixPath(path).parent.name))


def _find_image(folder: Path, path: str, root: XmlNode) -> str:
    """Return the path of the image: of the same name as the XML, as loaders look for it, or of that in the XML."""
    above, below = _around(PurePosixPath(path).parent)
    places = [str(PurePosixPath(path).parent), *(f"{above}/{name}/{below}" for name in _BESIDE), f"{above}/{below}"]
    places += [f"{above}/{name}" for name in _BESIDE]
    stem = PurePosixPath(path).stem
    named = _text(root, "filename") or ""
    names = [f"{stem}{ending}" for ending in _ENDINGS]
    if named:
        names.insert(0 if PurePosixPath(named).stem == stem else len(names), named)
    for name in names:
        with contextlib.suppress(WrongLabel):
            return find_image(folder, name, list(dict.fromkeys(places)))
    raise WrongLabel(f"there is no image {named or stem!r} in the folder; put it there, or remove its labels")


def _around(place: PurePosixPath) -> Tuple[str, str]:
    """Return the folders above and below that of the labels; without one, that of the XML is the one above."""
    for at, part in enumerate(place.parts):
        if part in (ANNOTATIONS, ANNOTATIONS.lower()):
            return "/".join(place.parts[:at]) or ".", "/".join(place.parts[at + 1 :])
    return str(place), ""


def _size(root: XmlNode) -> Optional[Tuple[int, int]]:
    """Return the size that a file tells; some tools leave it out, or write 0."""
    node = root.find("size")
    if node is None:
        return None
    width, height = _number(node, "width"), _number(node, "height")
    if min(width, height) < 0 or width.denominator != 1 or height.denominator != 1:
        raise WrongLabel("width and height have to be whole numbers of pixels", node.line)
    return (int(width), int(height)) if width and height else None


def _box(node: XmlNode, size: Tuple[int, int]) -> Box:
    label = require_label("name", _text(node, "name"))
    bounds = node.find("bndbox")
    if bounds is None:
        raise WrongLabel("this object has no <bndbox>")
    left, upper, right, lower = (_number(bounds, tag) for tag in ("xmin", "ymin", "xmax", "ymax"))
    if left < 1 or upper < 1:
        text = "pixels of VOC are counted from 1, and these from 0; add 1 to each xmin and ymin of these files"
        raise WrongLabel(text, bounds.line)
    score = node.find("confidence") or node.find("score")
    confidence = None if score is None else float(_decimal(score))
    return box_of_pixels(label, [left - 1, upper - 1, right, lower], size, confidence)


def _number(node: XmlNode, tag: str) -> Fraction:
    found = node.find(tag)
    if found is None:
        raise WrongLabel(f"<{node.tag}> has no <{tag}>", node.line)
    return exact_number(tag, _decimal(found))


def _decimal(node: XmlNode) -> Decimal:
    number = read_decimal(node.text)
    if not number.is_finite():
        raise WrongLabel(f"{node.tag} is {shown(node.text)}, and has to be a number", node.line)
    return number


def _text(node: XmlNode, tag: str) -> Optional[str]:
    found = node.find(tag)
    return None if found is None else found.text
