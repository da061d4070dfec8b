"""The results of the import of a dataset: one for each image, and one for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional

from viam_sync.messages.file_id import FileID


@dataclass(frozen=True)
class ImportedImage:
    """The result for one image of an import.

    Attributes:
        path: Its path on disk.
        id: Its ID in the cloud, a `FileID`; None if it is not there.
        boxes_added: The number of boxes that this run has added to it.
        error: The reason why it or one of its labels is not there; None if all of them are.
        already_there: Whether an earlier run has uploaded it, so that this one has not.
        other_boxes: The number of boxes that it had before and its labels do not have, such as one that has been moved
            in them since an earlier run. They stay.
    """

    path: Path
    id: Optional[FileID] = None
    boxes_added: int = 0
    error: Optional[Exception] = None
    already_there: bool = False
    other_boxes: int = 0


@dataclass(repr=False)
class DatasetImportResult:
    """The result of the import of a dataset.

    Attributes:
        dataset_id: ID of the dataset.
        images: One result for each image, in the order of the labels.

    Example:
        >>> from pathlib import Path
        >>> from viam_sync.app.data_client import FileID
        >>> from viam_sync.app.data_client import DatasetImportResult, ImportedImage
        >>> cat, dog = ImportedImage(Path("cat.png"), FileID("f-1"), 2), ImportedImage(Path("dog.png"))
        >>> DatasetImportResult("d-1", [cat, dog])
        DatasetImportResult('d-1', 2 images: 1 uploaded, 0 already there, 0 failed; 2 boxes added, not complete)
    """

    dataset_id: str
    images: List[ImportedImage] = field(default_factory=list)

    @property
    def uploaded(self) -> List[ImportedImage]:
        """The images that this run has uploaded."""
        return [image for image in self.images if image.id is not None and not image.already_there]

    @property
    def already_there(self) -> List[ImportedImage]:
        """The images that an earlier run has uploaded."""
        return [image for image in self.images if image.already_there]

    @property
    def failed(self) -> List[ImportedImage]:
        """The images of which something is not there, each with its error."""
        return [image for image in self.images if image.error is not None]

    @property
    def boxes_added(self) -> int:
        """The number of boxes that this run has added."""
        return sum(image.boxes_added for image in self.images)

    @property
    def other_boxes(self) -> int:
        """The number of boxes that the images had before and the labels do not have; they stay."""
        return sum(image.other_boxes for image in self.images)

    @property
    def complete(self) -> bool:
        """Whether all images are in the dataset, with all of their labels."""
        return all(image.id is not None and image.error is None for image in self.images)

    def __repr__(self) -> str:
        counts = f"{len(self.uploaded)} uploaded, {len(self.already_there)} already there, {len(self.failed)} failed"
        boxes = f"{self.boxes_added} boxes added" + f", {self.other_boxes} others stay" * bool(self.other_boxes)
        end = "complete" if self.complete else "not complete"
        return f"DatasetImportResult({self.dataset_id!r}, {len(self.images)} images: {counts}; {boxes}, {end})"
