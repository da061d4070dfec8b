"""A row of the metadata of Hugging Face's image folders: an image with objects in it, and tags."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Tuple

from viam_sync.transfer.labels.decimals import exact_number
from viam_sync.transfer.labels.image_lookup import find_image, split_in_name
from viam_sync.transfer.labels.label_checks import WrongLabel, noted, require_label, require_list, require_number, shown
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import UNKNOWN_SIZE, Box, LabeledImage
from viam_sync.transfer.labels.pixel_boxes import box_of_pixels, size_in_file

#: The columns of labels, by the names that they have in datasets of the hub.
_LABELS = ("category", "categories", "label", "labels", "categories_names")
_TAGS = ("tags", "label", "labels")
_SCORES = ("confidence", "score", "scores")
#: What says nothing more than the rest of a row, or is no label.
_HELD = {"file_name", "objects", "image_id", "id", "width", "height", "area", "areas", *_TAGS}
_HELD_OF_OBJECTS = {"bbox", "bbox_id", "id", "area", "areas", *_LABELS, *_SCORES}


def image_of_row(
    folder: Path, above: str, row: Mapping[str, Any], problems: LabelProblems, file: Path, line: int
) -> LabeledImage:
    """Return the image of a row; each wrong label in it is noted, and left out.

    Args:
        folder: The folder of the dataset.
        above: The folder in it that the metadata is in.
        row: The columns of the row.
        problems: The problems of the folder.
        file: The file of metadata, for them.
        line: The line of the row.

    Raises:
        WrongLabel: If the row names no image.
    """
    for name in sorted(row.keys() - _HELD):
        if row[name] not in (None, "", [], {}):
            problems.add_not_held(file, line, name)
    path = posixpath.normpath(find_image(folder, require_label("file_name", row.get("file_name")), [above]))
    tags: List[str] = []
    boxes: List[Box] = []
    size = UNKNOWN_SIZE
    with noted(problems, file, line):
        tags = list(dict.fromkeys(_tags_of_row(row)))
    with noted(problems, file, line):
        objects = _objects(row.get("objects"))
        size = _size_of(folder / path, row, needed=bool(objects))
        for each in objects:
            with noted(problems, file, line):
                boxes.append(_box_of(each, size))
            for name in sorted(each.keys() - _HELD_OF_OBJECTS):
                if each[name]:
                    problems.add_not_held(file, line, name)
    split = next(filter(None, map(split_in_name, path.split("/")[:-1])), "")
    return LabeledImage(path, size, boxes, tags, split)


def _tags_of_row(row: Mapping[str, Any]) -> Iterator[str]:
    for name in _TAGS:
        value = row.get(name)
        several = value if isinstance(value, list) else [] if value is None else [value]
        # An empty text stands for the type of a column in which there is nothing else.
        for tag in several if several != [""] else []:
            yield require_label(name, tag)


def _objects(value: Any) -> List[Mapping[str, Any]]:
    """Return the objects in an image, which are a list, or an object of lists."""
    if value is None:
        return []
    objects = _objects_of_lists(value) if isinstance(value, dict) else require_list("objects", value)
    for each in objects:
        if not isinstance(each, dict):
            raise WrongLabel(f"an object is {shown(each)}, and has to have a bbox and a category")
    return objects


def _objects_of_lists(value: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    """Return the objects of which each list has a part; an empty list has none."""
    lists = {name: each for name, each in value.items() if require_list(f"objects.{name}", each)}
    if len({len(each) for each in lists.values()}) > 1:
        lengths = ", ".join(f"{name} has {len(each)}" for name, each in lists.items())
        raise WrongLabel(f"the lists in objects differ in their length: {lengths}")
    return [dict(zip(lists, each)) for each in zip(*lists.values())]


def _size_of(path: Path, row: Mapping[str, Any], needed: bool) -> Tuple[int, int]:
    """Return the size of an image, which is read from the image only if there are boxes in it."""
    if row.get("width") is not None and row.get("height") is not None:
        width, height = (exact_number(name, _plain(row[name])) for name in ("width", "height"))
        if width <= 0 or height <= 0 or width.denominator * height.denominator != 1:
            raise WrongLabel(f"width and height are {shown([row['width'], row['height']])}, and have to be pixels")
        return int(width), int(height)
    return size_in_file(path, "an image without a width") if needed else UNKNOWN_SIZE


def _plain(value: Any) -> Any:
    """Return a number of CSV as that of JSON."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _box_of(each: Mapping[str, Any], size: Tuple[int, int]) -> Box:
    label = require_label("category", _first(each, _LABELS))
    sides = require_list("bbox", each.get("bbox"))
    if len(sides) != 4:
        raise WrongLabel(f"bbox is {shown(sides)}, and has to be [left, top, width, height] in pixels")
    left, top, width, height = (exact_number("a number of bbox", side) for side in sides)
    confidence = _first(each, _SCORES)
    confidence = None if confidence is None else require_number("confidence", confidence)
    return box_of_pixels(label, [left, top, left + width, top + height], size, confidence)


def _first(each: Mapping[str, Any], names: Tuple[str, ...]) -> Optional[Any]:
    return next((each[name] for name in names if each.get(name) is not None), None)
