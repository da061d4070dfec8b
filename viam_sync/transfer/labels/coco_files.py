"""Files of COCO's JSON in a folder, whoever wrote them: what they say of images, checked."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any, ContextManager, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from viam_sync.transfer.labels.decimals import exact_number
from viam_sync.transfer.labels.image_lookup import find_image, split_in_name
from viam_sync.transfer.labels.json_entries import decode, json_entries
from viam_sync.transfer.labels.label_checks import WrongLabel, noted, require_label, require_list, require_number, shown
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.label_spool import LabelSpool, Spooled, key_of
from viam_sync.transfer.labels.labeled_image import Box, LabeledImage
from viam_sync.transfer.labels.pixel_boxes import NOISE, box_of_pixels, size_in_file

#: The names of files; the first group counts of which there is one. COCO itself, CVAT and Datumaro have
#: ``annotations/instances_train2017.json``, Roboflow ``train/_annotations.coco.json``, Label Studio ``result.json`` and
#: FiftyOne ``labels.json``. Beside instances, COCO has keypoints and captions of the same images.
_PATTERNS = (
    ("annotations/instances*.json",),
    ("_annotations.coco.json", "*/_annotations.coco.json"),
    ("annotations/*.json",),
    ("*.json",),
)
#: The keys of an annotation that Viam holds, and the area, which follows from the box.
_HELD = {"id", "image_id", "category_id", "bbox", "score", "area"}


def coco_files(folder: Path) -> List[Path]:
    """Return the paths of the files with boxes in a folder, relative to it.

    Example:
        >>> from viam_sync.transfer.labels.coco_files import coco_files
        >>> (folder / "train").mkdir()
        >>> _ = (folder / "train" / "_annotations.coco.json").write_text("{}")
        >>> [path.as_posix() for path in coco_files(folder)]
        ['train/_annotations.coco.json']
    """
    for patterns in _PATTERNS:
        found = [path.relative_to(folder) for pattern in patterns for path in sorted(folder.glob(pattern))]
        if found:
            return found
    return []


class CocoFile:
    """A file of COCO's JSON, which is read once: into a spool, as annotations may come before what they refer to.

    Args:
        folder: The folder of the dataset.
        path: The path of the file in it.
        problems: The problems of the folder.
    """

    def __init__(self, folder: Path, path: Path, problems: LabelProblems) -> None:
        self._folder = folder
        self._path = path
        self._problems = problems
        self._split, self._places = _split_and_places(path)
        self._categories: Dict[str, str] = {}
        #: The ID of each category that has annotations, by its name.
        self._keys: Dict[str, str] = {}

    def images(self) -> Iterator[Tuple[LabeledImage, int]]:
        """Yield the images in their order, with their lines; note what is wrong."""
        with contextlib.closing(LabelSpool()) as spool, self._noted(None):
            self._fill(spool)
            for image, annotations in spool.images():
                with self._noted(image.line):
                    yield self._image(decode(image.text), annotations), image.line
            for line, text in spool.lost_annotations():
                with self._noted(line):
                    raise WrongLabel(f"image_id is {shown(decode(text)['image_id'])}, which is no image's id")

    def _noted(self, line: Optional[int]) -> ContextManager[None]:
        return noted(self._problems, self._path, line)

    def _fill(self, spool: LabelSpool) -> None:
        """Read the whole file."""
        found: Set[str] = set()
        for section, line, text, value in json_entries(self._folder / self._path):
            found.add(section)
            with self._noted(line):
                if section == "images":
                    spool.add_image(_object(value).get("id"), Spooled(line, text))
                elif section == "annotations":
                    spool.add_annotation(_object(value).get("image_id"), Spooled(line, text))
                elif section == "categories":
                    self._add_category(_object(value))
        if "images" not in found:
            raise WrongLabel("there is no image in 'images'; if this is no file of COCO, put it elsewhere")

    def _add_category(self, category: Mapping[str, Any]) -> None:
        key = key_of("id", category.get("id"))
        name = require_label("name", category.get("name"))
        if key in self._categories:
            raise WrongLabel(f"category {self._categories[key]!r} has the id {key} already")
        self._categories[key] = name

    def _image(self, image: Mapping[str, Any], annotations: Sequence[Spooled]) -> LabeledImage:
        path = find_image(self._folder, require_label("file_name", image.get("file_name")), self._places)
        size = self._size(image, path)
        boxes: List[Box] = []
        for line, text in annotations:
            with self._noted(line):
                boxes.append(self._box(decode(text), line, size))
        tags = [require_label("a tag", tag) for tag in require_list("tags", image.get("tags"))]
        return LabeledImage(path, size, boxes, tags, self._split)

    def _size(self, image: Mapping[str, Any], path: str) -> Tuple[int, int]:
        # The size that is told counts, whatever is in the file: a share is right, then, where images have been
        # scaled since, or the size was not turned as EXIF says (HumanSignal/label-studio#6608).
        if image.keys() & {"width", "height"}:
            return _pixels("width", image), _pixels("height", image)
        return size_in_file(self._folder / path, "an image of COCO without a width")

    def _box(self, annotation: Mapping[str, Any], line: int, size: Tuple[int, int]) -> Box:
        label = self._label_of(annotation.get("category_id"))
        sides = require_list("bbox", annotation.get("bbox"))
        if len(sides) != 4:
            raise WrongLabel(f"bbox is {shown(sides)}, and has to be [left, top, width, height] in pixels")
        left, top, width, height = (exact_number("a number of bbox", side) for side in sides)
        edges = [left, top, left + width, top + height]
        score = annotation.get("score")
        box = box_of_pixels(label, edges, size, None if score is None else require_number("score", score))
        self._note_not_held(annotation, line, edges)
        return box

    def _label_of(self, category: Any) -> str:
        key = key_of("category_id", category)
        label = self._categories.get(key)
        if label is None:
            known = len(self._categories)
            raise WrongLabel(f"category_id is {shown(category)}, which is none of the {known} categories' id")
        # Roboflow puts one in front that has no annotations, and may be called like another (roboflow/rf-detr#1303).
        other = self._keys.setdefault(label, key)
        if other != key:
            raise WrongLabel(f"the categories {other} and {key} are both called {label!r}; in Viam they would be one")
        return label

    def _note_not_held(self, annotation: Mapping[str, Any], line: int, edges: Sequence[Fraction]) -> None:
        for key in sorted(annotation.keys() - _HELD):
            if not _is_blank(annotation[key]) and not (key == "segmentation" and _is_box(annotation[key], edges)):
                self._problems.add_not_held(self._path, line, key)


def _split_and_places(path: Path) -> Tuple[str, List[str]]:
    """Return the part of a split that a file is of, and the folders in which its images may be."""
    beside = path.parent.as_posix()
    name = path.parent.name if path.name.startswith("_annotations") else path.stem
    if name.startswith("instances"):
        name = name[len("instances") :].lstrip("_")
    places = [beside, f"{beside}/images", f"images/{name}", name, "images", "data", ""]
    return split_in_name(name), list(dict.fromkeys(places))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WrongLabel(f"this is {shown(value)}, and has to be an object")
    return value


def _pixels(name: str, image: Mapping[str, Any]) -> int:
    number = exact_number(name, image.get(name))
    if number <= 0 or number.denominator != 1:
        raise WrongLabel(f"{name} is {shown(image[name])}, and has to be a whole number of pixels above 0")
    return int(number)


def _is_blank(value: Any) -> bool:
    """Tell whether a value says nothing, as "iscrowd": 0 and "segmentation": [[]] do."""
    if isinstance(value, (list, dict)):
        return all(map(_is_blank, value.values() if isinstance(value, dict) else value))
    return not value


def _is_box(segmentation: Any, edges: Sequence[Fraction]) -> bool:
    """Tell whether a segmentation is no more than the corners of the box, as some tools write it."""
    if not isinstance(segmentation, list) or len(segmentation) != 1 or not isinstance(segmentation[0], list):
        return False
    try:
        numbers = [exact_number("segmentation", number) for number in segmentation[0]]
    except WrongLabel:
        return False
    left, top, right, bottom = edges
    found = list(zip(numbers[::2], numbers[1::2]))
    return len(numbers) in (8, 10) and all(
        any(abs(x - corner_x) <= NOISE and abs(y - corner_y) <= NOISE for x, y in found)
        for corner_x in (left, right)
        for corner_y in (top, bottom)
    )
