"""Hugging Face's image folder: images with a ``metadata.jsonl`` beside them, or in folders called like their labels."""

from __future__ import annotations

import itertools
import json
import posixpath
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

from viam_sync.transfer.labels.image_files import walk_images
from viam_sync.transfer.labels.image_lookup import split_in_name
from viam_sync.transfer.labels.imagefolder_rows import image_of_row
from viam_sync.transfer.labels.json_lines import write_json_lines
from viam_sync.transfer.labels.label_checks import noted
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_format import IMAGES, LabelFormat
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import UNKNOWN_SIZE, Box, LabeledImage
from viam_sync.transfer.labels.metadata_tables import METADATA_NAMES, read_table
from viam_sync.transfer.labels.pixel_boxes import side_in_pixels


class ImageFolderFormat(LabelFormat):
    r"""Hugging Face's image folder, which ``datasets.load_dataset("imagefolder", data_dir="…/images")`` loads.

    Example:
        >>> from viam_sync.transfer.labels.imagefolder_format import ImageFolderFormat
        >>> from viam_sync.transfer.labels.label_files import LabelFiles
        >>> from viam_sync.transfer.labels.labeled_image import LabeledImage
        >>> image = LabeledImage("cat.png", (64, 48), tags=["cat"])
        >>> ImageFolderFormat().write(LabelFiles(folder, "imagefolder"), [image], [])
        >>> (folder / "images" / "metadata.jsonl").read_text()
        '{"file_name": "cat.png", "width": 64, "height": 48, "tags": ["cat"]}\n'
    """

    name = "imagefolder"
    not_held = ("iscrowd", "mask", "segmentation", "text")

    def write(self, files: LabelFiles, images: Iterable[LabeledImage], classes: Sequence[str]) -> None:
        """Write ``images/metadata.jsonl`` or, with a split, ``images/train/metadata.jsonl`` and so on.

        ``datasets`` infers the types of columns from the first lines of each file, and refuses files that differ. So an
        image that has boxes comes first, and one that has tags; a column that no image needs is left out. In a part of
        a split without any tag, the first image has an empty one. Nothing would stand for the type of boxes: a part
        without any has to be loaded by itself.
        """
        write_json_lines(files, _file_of, _lines(images, _first_with(images)))

    def read(self, folder: Path, problems: LabelProblems) -> Iterator[LabeledImage]:
        """Yield the images that metadata lists or, without any, all images with the names of their folders as tags."""
        if any(_metadata_in(folder, above) for above, _ in walk_images(folder, ".")):
            yield from _with_metadata(folder, problems)
        else:
            for above, names in walk_images(folder, "."):
                tags = _tags_of(above)
                for name in names:
                    yield LabeledImage(posixpath.normpath(f"{above}/{name}"), UNKNOWN_SIZE, [], tags, _split_of(above))


def _file_of(split: str) -> str:
    return "/".join(filter(None, [IMAGES, split, "metadata.jsonl"]))


def _first_with(images: Iterable[LabeledImage]) -> Dict[Tuple[str, str], LabeledImage]:
    """Return, for each split, the first image with boxes and the first with tags."""
    first: Dict[Tuple[str, str], LabeledImage] = {}
    for image in images:
        if image.boxes:
            first.setdefault((image.split, "boxes"), image)
        if image.tags:
            first.setdefault((image.split, "tags"), image)
    return first


def _lines(images: Iterable[LabeledImage], first: Mapping[Tuple[str, str], LabeledImage]) -> Iterator[Tuple[str, str]]:
    """Yield the split and the line of each image, those in ``first`` before the others."""
    kinds = {kind for _, kind in first}
    leading = {image.path: image for image in first.values()}
    begun = {split for split, kind in first if kind == "tags"}
    for image in itertools.chain(leading.values(), (image for image in images if image.path not in leading)):
        columns = _columns(image)
        if "boxes" in kinds:
            columns.append(_objects_column(image))
        if "tags" in kinds:
            tags = image.tags if image.split in begun else [""]
            columns.append(f'"tags": {json.dumps(tags)}')
        begun.add(image.split)
        yield image.split, f"{{{', '.join(columns)}}}"


def _columns(image: LabeledImage) -> List[str]:
    name = image.path[len(image.split) + 1 :] if image.split else image.path
    return [f'"file_name": {json.dumps(name)}', f'"width": {image.size[0]}', f'"height": {image.size[1]}']


def _objects_column(image: LabeledImage) -> str:
    boxes = ", ".join(f"[{', '.join(_sides(box, image.size))}]" for box in image.boxes)
    return f'"objects": {{"bbox": [{boxes}], "category": {json.dumps([box.label for box in image.boxes])}}}'


def _sides(box: Box, size: Tuple[int, int]) -> List[str]:
    """Return the left and upper edge, the width and the height in pixels; integers would be another type."""
    left, width = side_in_pixels(box.x_min, box.x_max, size[0])
    top, height = side_in_pixels(box.y_min, box.y_max, size[1])
    return [side if "." in side else f"{side}.0" for side in (left, top, width, height)]


def _metadata_in(folder: Path, above: str) -> List[str]:
    """Return the paths of the files of metadata in a folder."""
    paths = (posixpath.normpath(f"{above}/{name}") for name in METADATA_NAMES)
    return [path for path in paths if (folder / path).is_file()]


def _with_metadata(folder: Path, problems: LabelProblems) -> Iterator[LabeledImage]:
    """Yield the images of all files of metadata; note those that none lists."""
    listed: Dict[str, str] = {}
    for above, _ in walk_images(folder, "."):
        for path in _metadata_in(folder, above):
            for line, image in _listed_in(folder, above, path, problems):
                first = listed.setdefault(image.path, f"{path}:{line}")
                if first == f"{path}:{line}":
                    yield image
                else:
                    problems.add(Path(path), line, f"image {image.path!r} has labels in {first} already")
    for above, names in walk_images(folder, "."):
        missing = [name for name in names if posixpath.normpath(f"{above}/{name}") not in listed]
        if missing:
            text = f"no metadata lists {len(missing)} of the images here, such as {missing[0]!r}; add or remove them"
            problems.add(Path(above), None, text)


def _listed_in(folder: Path, above: str, path: str, problems: LabelProblems) -> Iterator[Tuple[int, LabeledImage]]:
    """Yield the line and the image of each row."""
    for line, row in read_table(folder, path, problems):
        with noted(problems, Path(path), line):
            yield line, image_of_row(folder, above, row, problems, Path(path), line)


def _split_of(path: str) -> str:
    """Return the split that the folders of a path tell."""
    return next(filter(None, map(split_in_name, path.split("/"))), "")


def _tags_of(above: str) -> List[str]:
    """Return the label that a folder stands for: its name, but for those that are parts of a split."""
    name = posixpath.basename(above)
    return [] if name in ("", ".", IMAGES, "data") or split_in_name(name) == name or name == "valid" else [name]
