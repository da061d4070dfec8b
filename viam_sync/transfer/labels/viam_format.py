"""Viam's JSON lines: the ``dataset.jsonl`` that ``viam dataset export`` writes and training scripts read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence

from viam_sync.transfer.labels.image_lookup import find_image
from viam_sync.transfer.labels.json_lines import read_json_lines, write_json_lines
from viam_sync.transfer.labels.label_checks import (
    WrongLabel,
    noted,
    require_box,
    require_label,
    require_list,
    require_number,
    shown,
)
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_format import IMAGES, LabelFormat
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import SPLITS, UNKNOWN_SIZE, Box, LabeledImage

#: The keys of the edges of a box, in the order of ``Box``.
_EDGES = ("x_min_normalized", "y_min_normalized", "x_max_normalized", "y_max_normalized")


class ViamFormat(LabelFormat):
    """Viam's JSON lines.

    The paths of images are relative to the folder: ``viam training-script test-local`` runs a script there.

    Example:
        >>> from viam_sync.transfer.labels.label_files import LabelFiles
        >>> from viam_sync.transfer.labels.labeled_image import LabeledImage
        >>> from viam_sync.transfer.labels.viam_format import ViamFormat
        >>> ViamFormat().write(LabelFiles(folder, "viam"), [LabeledImage("cat.png", (64, 48), tags=["cat"])], [])
        >>> (folder / "dataset.jsonl").read_text()[:60]
        '{"image_path": "images/cat.png", "classification_annotations'
    """

    name = "viam"
    needs_sizes = False

    def write(self, files: LabelFiles, images: Iterable[LabeledImage], classes: Sequence[str]) -> None:
        """Write ``dataset.jsonl`` or, with a split, ``dataset_train.jsonl`` and those of the other parts."""
        write_json_lines(files, _file_of, ((image.split, json.dumps(_row(image))) for image in images))

    def read(self, folder: Path, problems: LabelProblems) -> Iterator[LabeledImage]:
        """Yield the images that ``dataset.jsonl`` and the files of a split list."""
        splits = [split for split in ("", *SPLITS) if (folder / _file_of(split)).is_file()]
        if not splits:
            problems.add(Path(_file_of("")), None, "there is no such file; name the folder that it is in")
        lines: Dict[str, str] = {}
        for split in splits:
            for number, row in read_json_lines(folder, _file_of(split), problems):
                with noted(problems, Path(_file_of(split)), number):
                    path = find_image(folder, require_label("image_path", row.get("image_path")))
                    first = lines.setdefault(path, f"{_file_of(split)}:{number}")
                    if first != f"{_file_of(split)}:{number}":
                        raise WrongLabel(f"image {path!r} has labels in {first} already; keep one of the lines")
                    yield _image(path, split, row, problems, number)


def _file_of(split: str) -> str:
    return f"dataset_{split}.jsonl" if split else "dataset.jsonl"


def _row(image: LabeledImage) -> Dict[str, Any]:
    """Return the object of an image, whose keys are those of ``viam dataset export``, in the same order."""
    capture = image.metadata.get("captureMetadata", {})
    row = {
        "image_path": f"{IMAGES}/{image.path}",
        "classification_annotations": [{"annotation_label": tag} for tag in image.tags],
        "bounding_box_annotations": [_box_row(box) for box in image.boxes],
        "binary_data_id": image.metadata.get("binaryDataId"),
        "timestamp": _go_time(image.metadata.get("timeRequested", "1970-01-01T00:00:00Z")),
        "robot_id": capture.get("robotId"),
        "part_id": capture.get("partId", ""),
        "component_name": capture.get("componentName", ""),
        "organization_id": capture.get("organizationId"),
        "location_id": capture.get("locationId"),
    }
    return {key: value for key, value in row.items() if value is not None}


def _box_row(box: Box) -> Dict[str, Any]:
    row = {
        "annotation_label": box.label,
        "x_min_normalized": box.x_min,
        "x_max_normalized": box.x_max,
        "y_min_normalized": box.y_min,
        "y_max_normalized": box.y_max,
    }
    # The command line leaves it out, and scripts pass over it; without it, an import would lose it.
    return row if box.confidence is None else {**row, "confidence": box.confidence}


def _go_time(moment: str) -> str:
    """Return a time of proto JSON as Go prints it, such as ``2024-05-01 10:20:30.5 +0000 UTC``."""
    seconds, _, fraction = moment.rstrip("Z").replace("T", " ").partition(".")
    return ".".join(filter(None, [seconds, fraction.rstrip("0")])) + " +0000 UTC"


def _image(path: str, split: str, row: Mapping[str, Any], problems: LabelProblems, line: int) -> LabeledImage:
    """Return the image of a line; each wrong label in it is noted, and left out."""
    boxes: List[Box] = []
    tags: List[str] = []
    file = Path(_file_of(split))
    with noted(problems, file, line):
        for each in require_list("bounding_box_annotations", row.get("bounding_box_annotations")):
            with noted(problems, file, line):
                boxes.append(_box(each))
    with noted(problems, file, line):
        for each in require_list("classification_annotations", row.get("classification_annotations")):
            with noted(problems, file, line):
                tags.append(_label(each))
    return LabeledImage(path, UNKNOWN_SIZE, boxes, tags, split)


def _box(each: Any) -> Box:
    label = _label(each)
    left, upper, right, lower = (require_number(name, each.get(name)) for name in _EDGES)
    confidence = each.get("confidence")
    if confidence is not None:
        confidence = require_number("confidence", confidence)
    return require_box(Box(label, left, upper, right, lower, confidence))


def _label(annotation: Any) -> str:
    if not isinstance(annotation, dict):
        raise WrongLabel(f"an annotation is {shown(annotation)}, and has to be an object")
    return require_label("annotation_label", annotation.get("annotation_label"))
