"""COCO's JSON: boxes in pixels, one file for all images, as ``pycocotools`` and most trainers read it."""

from __future__ import annotations

import contextlib
import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Dict, Iterable, Iterator, Mapping, Sequence, Tuple

from viam_sync.transfer.labels.coco_files import CocoFile, coco_files
from viam_sync.transfer.labels.decimals import exact_number
from viam_sync.transfer.labels.json_entries import json_entries
from viam_sync.transfer.labels.label_checks import WrongLabel, require_label
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_format import LabelFormat
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.label_spool import ImageIds
from viam_sync.transfer.labels.labeled_image import SPLITS, Box, LabeledImage
from viam_sync.transfer.labels.pixel_boxes import side_in_pixels


class CocoFormat(LabelFormat):
    """COCO's JSON.

    The paths of images are relative to the folder of all images or, with a split, to that of the part: a loader gets
    ``images/train`` and ``annotations/instances_train.json``. IDs of images stay from run to run, and new images get
    higher ones; those of categories are 1 and up. ``tags`` of an image and ``score`` of an annotation are Viam's.

    Of what is read, images, sizes, order, boxes, categories, scores and tags count; supercategories, licenses and other
    descriptions do not. Polygons, crowds, keypoints and whatever else an annotation says are problems, unless they are
    ignored.

    Example:
        >>> from viam_sync.transfer.labels.coco_format import CocoFormat
        >>> from viam_sync.transfer.labels.label_files import LabelFiles
        >>> from viam_sync.transfer.labels.labeled_image import Box, LabeledImage
        >>> cat = LabeledImage("cat.png", (640, 480), [Box("cat", 0.1, 0, 0.5, 1)])
        >>> CocoFormat().write(LabelFiles(folder, "coco"), [cat], ["cat"])
        >>> (folder / "annotations" / "instances.json").read_text().splitlines()[-1][:70]
        '{"id": 1, "image_id": 1, "category_id": 1, "bbox": [64, 0, 256, 480], '
    """

    name = "coco"
    not_held = ("segmentation", "iscrowd", "keypoints", "num_keypoints", "attributes")

    def write(self, files: LabelFiles, images: Iterable[LabeledImage], classes: Sequence[str]) -> None:
        """Write ``annotations/instances.json`` or, with a split, ``annotations/instances_train.json`` and so on."""
        categories = {label: number for number, label in enumerate(classes, start=1)}
        with contextlib.ExitStack() as stack:
            ids = stack.enter_context(contextlib.closing(ImageIds(_earlier_ids(files.folder))))
            outputs: Dict[str, _Output] = {}
            for image in images:
                if image.split not in outputs:
                    file = stack.enter_context(files.open(_file_of(image.split)))
                    outputs[image.split] = _Output(file, categories)
                outputs[image.split].add(_image_json(image, ids.of(image.path)))
            if not outputs:
                outputs[""] = _Output(stack.enter_context(files.open(_file_of(""))), categories)
            for output in outputs.values():
                output.begin("annotations")
            numbers = itertools.count(1)
            for image in images:
                image_id = ids.of(image.path)
                for box in image.boxes:
                    outputs[image.split].add(_box_json(next(numbers), image_id, categories[box.label], box, image.size))
            for output in outputs.values():
                output.end()

    def read(self, folder: Path, problems: LabelProblems) -> Iterator[LabeledImage]:
        """Yield the images of all files of a folder, in their order."""
        paths = coco_files(folder)
        if not paths:
            text = "there is no such file, nor another JSON of COCO; name the folder that it is in"
            problems.add(Path(_file_of("")), None, text)
        lines: Dict[str, str] = {}
        for path in paths:
            for image, line in CocoFile(folder, path, problems).images():
                place = f"{path.as_posix()}:{line}"
                first = lines.setdefault(image.path, place)
                if first == place:
                    yield image
                else:
                    problems.add(path, line, f"image {image.path!r} is in {first} already; keep one of them")


def _file_of(split: str) -> str:
    return f"annotations/instances_{split}.json" if split else "annotations/instances.json"


class _Output:
    """A file, an entry a line, so that problems and differences have lines."""

    def __init__(self, file: BinaryIO, categories: Mapping[str, int]) -> None:
        self._file = file
        self._file.write(b'{"info": {}, "licenses": [')
        self.begin("categories")
        for label, number in categories.items():
            self.add(json.dumps({"id": number, "name": label, "supercategory": ""}))
        self.begin("images")

    def begin(self, section: str) -> None:
        """Begin the next list."""
        self._file.write(f'],\n"{section}": ['.encode("ascii"))
        self._separator = "\n"

    def add(self, entry: str) -> None:
        """Add an entry to the list."""
        self._file.write(f"{self._separator}{entry}".encode("ascii"))
        self._separator = ",\n"

    def end(self) -> None:
        self._file.write(b"]}\n")


def _earlier_ids(folder: Path) -> Iterator[Tuple[str, int]]:
    """Yield the paths and the IDs of images in the files of an earlier run: predictions name images by IDs."""
    for split in ("", *SPLITS):
        path = folder / _file_of(split)
        # A file that somebody has changed is refused when it is about to be replaced.
        with contextlib.suppress(FileNotFoundError, LookupError, TypeError, WrongLabel):
            for entry in json_entries(path):
                if entry.section == "images":
                    name = require_label("file_name", entry.value["file_name"])
                    yield f"{split}/{name}" if split else name, int(exact_number("id", entry.value["id"]))


def _image_json(image: LabeledImage, id: int) -> str:
    name = image.path[len(image.split) + 1 :] if image.split else image.path
    entry = {"id": id, "file_name": name, "width": image.size[0], "height": image.size[1]}
    return json.dumps({**entry, "tags": image.tags} if image.tags else entry)


def _box_json(id: int, image_id: int, category: int, box: Box, size: Tuple[int, int]) -> str:
    left, width = side_in_pixels(box.x_min, box.x_max, size[0])
    top, height = side_in_pixels(box.y_min, box.y_max, size[1])
    score = "" if box.confidence is None else f', "score": {json.dumps(box.confidence)}'
    return (
        f'{{"id": {id}, "image_id": {image_id}, "category_id": {category}, "bbox": [{left}, {top}, {width}, {height}], '
        # Without "segmentation", showAnns of pycocotools raises, and so do loaders that were made for masks.
        f'"area": {float(Fraction(width) * Fraction(height))}, "iscrowd": 0, "segmentation": []{score}}}'
    )
