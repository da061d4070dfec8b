"""YOLO: a text file of boxes for each image, and a ``data.yaml`` with the names of the classes."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from viam_sync.transfer.labels.data_yaml import DATA_YAML, DataYaml, data_yaml, read_data_yaml
from viam_sync.transfer.labels.image_files import walk_images
from viam_sync.transfer.labels.image_lookup import find_image
from viam_sync.transfer.labels.label_checks import noted, read_text
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_format import IMAGES, LabelFormat
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import UNKNOWN_SIZE, Box, LabeledImage
from viam_sync.transfer.labels.yolo_boxes import KEYPOINTS, POLYGON, read_yolo_row, yolo_row

_LABELS = "labels"
#: Texts that tools put among those of the images.
_NO_LABELS = ("classes.txt", "notes.txt", "readme.txt")


class YoloFormat(LabelFormat):
    r"""YOLO, as Ultralytics and supervision read it.

    Example:
        >>> from viam_sync.transfer.labels.label_files import LabelFiles
        >>> from viam_sync.transfer.labels.labeled_image import Box, LabeledImage
        >>> from viam_sync.transfer.labels.yolo_format import YoloFormat
        >>> image = LabeledImage("cat.png", (64, 48), [Box("cat", 0.1, 0.0, 0.5, 1.0)])
        >>> files = LabelFiles(folder, "yolo")
        >>> YoloFormat().write(files, [image], ["cat"])
        >>> files.finish()
        >>> (folder / "labels" / "cat.txt").read_text()
        '0 0.3 0.5 0.4 1\n'
    """

    name = "yolo"
    has_tags = False
    not_held = (POLYGON, KEYPOINTS)
    needs_sizes = False

    def write(self, files: LabelFiles, images: Iterable[LabeledImage], classes: Sequence[str]) -> None:
        """Write a text for each image, which is empty if there are no boxes in it, and ``data.yaml``."""
        numbers = {name: number for number, name in enumerate(classes)}
        splits: Set[str] = set()
        for image in images:
            splits.add(image.split)
            rows = (yolo_row(numbers[box.label], box) + "\n" for box in image.boxes)
            files.write_text(_labels_of(f"{IMAGES}/{image.path}"), "".join(rows))
        files.write_text(DATA_YAML, data_yaml(splits, classes))

    def read(self, folder: Path, problems: LabelProblems) -> Iterator[LabeledImage]:
        """Yield the images of the folders and lists that ``data.yaml`` names; one without a text has no boxes."""
        data = read_data_yaml(folder, problems)
        seen: Set[str] = set()
        unlabelled = 0
        for path, split in _images(folder, data.places if data else {}, problems):
            if data is None or path in seen:
                continue
            seen.add(path)
            labels = _find_labels(folder, path)
            unlabelled += labels is None
            boxes = [] if labels is None else list(_read_boxes(folder, labels, data, problems))
            yield LabeledImage(path, UNKNOWN_SIZE, boxes, [], split)
        if data and unlabelled == len(seen):
            problems.add(Path(_LABELS), None, f"of {unlabelled} images, none has a text of labels in this folder")


def _labels_of(image: str) -> str:
    """Return the path of the text of an image: that of the last folder ``images`` is the folder ``labels``."""
    above, found, below = f"/{image}".rpartition(f"/{IMAGES}/")
    path = f"{above}/{_LABELS}/{below}" if found else image
    return posixpath.splitext(path)[0].lstrip("/") + ".txt"


def _find_labels(folder: Path, image: str) -> Optional[str]:
    """Return the path of the text of an image, which some tools write beside it."""
    for path in (_labels_of(image), posixpath.splitext(image)[0] + ".txt"):
        if (folder / path).is_file():
            return path
    return None


def _read_boxes(folder: Path, path: str, data: DataYaml, problems: LabelProblems) -> Iterator[Box]:
    with noted(problems, Path(path), None):
        for line, row in enumerate(read_text(folder / path).splitlines(), start=1):
            if row.strip():
                with noted(problems, Path(path), line):
                    box, rest = read_yolo_row(row, data.names, data.has_keypoints)
                    if rest:
                        problems.add_not_held(Path(path), line, rest)
                    yield box


def _images(folder: Path, places: Mapping[str, List[str]], problems: LabelProblems) -> Iterator[Tuple[str, str]]:
    """Yield the paths of the images, with the part of the split that they belong to."""
    for place, split in _split_of(places).items():
        if (folder / place).is_file():
            for image in _listed(folder, place, problems):
                yield image, split
            continue
        for above, names in walk_images(folder, place):
            _note_unused(folder, above, names, problems)
            for name in names:
                yield posixpath.normpath(f"{above}/{name}"), split


def _split_of(places: Mapping[str, List[str]]) -> Dict[str, str]:
    """Return the split of each place; one that stands for several has none, but for that whose name it has."""
    splits: Dict[str, List[str]] = {}
    for split, several in places.items():
        for place in several:
            splits.setdefault(place, []).append(split)
    return {
        place: found[0] if len(found) == 1 else next((each for each in found if each in place.split("/")), "")
        for place, found in splits.items()
    }


def _listed(folder: Path, path: str, problems: LabelProblems) -> Iterator[str]:
    """Yield the images that a file lists, a path on each line."""
    with (folder / path).open(encoding="utf-8-sig", errors="surrogateescape") as lines:
        for line, text in enumerate(lines, start=1):
            if text.strip():
                with noted(problems, Path(path), line):
                    yield find_image(folder, posixpath.join(posixpath.dirname(path), text.strip()))


def _note_unused(folder: Path, images: str, names: Sequence[str], problems: LabelProblems) -> None:
    """Note the texts of labels for which there is no image in a folder of images."""
    labels = posixpath.dirname(_labels_of(f"{images}/x"))
    if labels == images or not (folder / labels).is_dir():
        return
    stems = {posixpath.splitext(name)[0] for name in names}
    for text in sorted((folder / labels).glob("*.txt")):
        if text.stem not in stems and text.name.lower() not in _NO_LABELS:
            problems.add(Path(labels) / text.name, None, f"there is no image for these labels in {images!r}")
