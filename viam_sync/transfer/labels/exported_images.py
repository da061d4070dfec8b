"""The images of an exported dataset with their labels, as the metadata beside them tells these."""

from __future__ import annotations

import contextlib
from typing import Any, Collection, Dict, Iterator, List, Mapping, Set, Tuple

from viam_sync.transfer.export.exported_metadata import read_metadata
from viam_sync.transfer.export.local_folder import LocalFolder
from viam_sync.transfer.export.manifest import Entry
from viam_sync.transfer.labels.dataset_results import LeftOutFile
from viam_sync.transfer.labels.image_size import image_size
from viam_sync.transfer.labels.labeled_image import DATASET_TAG, UNKNOWN_SIZE, Box, LabeledImage
from viam_sync.transfer.output.exclusive import NO_LINE


class ExportedImages:
    """The images that are in a folder, in the order of their paths; one at a time is in memory.

    Args:
        folder: The folder.
        ids: The IDs of the images that are in the dataset.
        pillow: The module that reads their sizes; None to leave these unknown.
    """

    def __init__(self, folder: LocalFolder, ids: Collection[str], pillow: Any) -> None:
        self._folder = folder
        self._pillow = pillow
        listed = (entry for id, entry in folder.manifest.entries.items() if id in ids)
        there = (entry for entry in listed if folder.size_of(entry.path.data) == entry.size)
        self._entries = sorted(there, key=lambda entry: entry.path)
        self._unreadable: Dict[str, LeftOutFile] = {}

    def __iter__(self) -> Iterator[LabeledImage]:
        return self._images(self._pillow)

    def classes(self) -> Set[str]:
        """Return the labels of all boxes."""
        return {box.label for image in self._images(None) for box in image.boxes}

    def unreadable(self) -> List[LeftOutFile]:
        """Return the images that cannot be read, once all were gone through."""
        return list(self._unreadable.values())

    def _images(self, pillow: Any) -> Iterator[LabeledImage]:
        for entry in self._entries:
            try:
                image = self._image(entry, pillow)
            except ValueError as error:
                self._unreadable[entry.id] = LeftOutFile(entry.id, entry.path.data, str(error))
            else:
                yield image

    def _image(self, entry: Entry, pillow: Any) -> LabeledImage:
        """Return an image with its labels.

        Raises:
            ValueError: If it cannot be read; the text says why.
        """
        place = self._folder.place(entry.path.data)
        size = UNKNOWN_SIZE if pillow is None else image_size(place, pillow)
        row = read_metadata(self._folder.read(entry.path.metadata))
        if entry.id in (row.get("binaryDataId"), row.get("id")):
            with contextlib.suppress(AttributeError, *NO_LINE):
                return labeled_image(row, entry.path.data.partition("/")[2], size)
        raise ValueError(f"{entry.path.metadata!r} has been changed; remove it, and run the export again")


def labeled_image(row: Mapping[str, Any], path: str, size: Tuple[int, int]) -> LabeledImage:
    """Return an image with the labels that its metadata has.

    Args:
        row: The metadata, as JSON has it.
        path: The path of the image in the folder of images.
        size: Its width and height in pixels.

    Example:
        >>> from viam_sync.transfer.labels.exported_images import labeled_image
        >>> labeled_image({"captureMetadata": {"tags": ["ripe", "VIAM_DATASET_5f0c0ffee"]}}, "cat.png", (4, 3)).tags
        ['ripe']
    """
    annotations = row.get("annotations", {})
    tags = [tag for tag in row.get("captureMetadata", {}).get("tags", ()) if not tag.startswith(DATASET_TAG)]
    tags += [each["label"] for each in annotations.get("classifications", ())]
    part, slash, _ = path.partition("/")
    return LabeledImage(
        path,
        size,
        boxes=[_box(each) for each in annotations.get("bboxes", ())],
        tags=list(dict.fromkeys(tags)),
        split=part if slash else "",
        metadata=row,
    )


def _box(row: Mapping[str, Any]) -> Box:
    """Return a box; JSON leaves out an edge at 0."""
    left, upper, right, lower = (float(row.get(f"{edge}Normalized", 0)) for edge in ("xMin", "yMin", "xMax", "yMax"))
    confidence = row.get("confidence")
    return Box(row.get("label", ""), left, upper, right, lower, None if confidence is None else float(confidence))
