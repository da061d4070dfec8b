"""The result of the export of a dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, NamedTuple

from viam_sync.transfer.export.results import ExportResult


class LeftOutFile(NamedTuple):
    """A file of a dataset that is not in its labels.

    Attributes:
        id: Its ID, ``"organization/location/file"``.
        name: The name that it was uploaded with, ``""`` if it had none; of an image, its path in the folder.
        reason: Why it is left out.
    """

    id: str
    name: str
    reason: str


@dataclass
class DatasetExportResult:
    """The result of the export of a dataset.

    Attributes:
        format: The format of the labels.
        images: The results for the images, as ``export_binary_data`` gives them.
        classes: The labels of boxes, in the order in which numbers stand for them.
        left_out: The files that are not in the labels: those that are no images, which are not exported either, and
            images that cannot be read.

    Example:
        >>> from viam_sync.app.data_client import ExportResult
        >>> from viam_sync.app.data_client import DatasetExportResult
        >>> result = DatasetExportResult("coco", ExportResult("pets", listed=True), classes=["cat", "dog"])
        >>> result.complete, result.classes.index("dog")
        (True, 1)
    """

    format: str
    images: ExportResult
    classes: List[str] = field(default_factory=list)
    left_out: List[LeftOutFile] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all images of the dataset are in the folder."""
        return self.images.complete
