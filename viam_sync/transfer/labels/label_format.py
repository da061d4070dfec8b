"""A format of labels: how it is written into a folder with images, and read from one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Collection, Iterable, Iterator, Sequence

from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import LabeledImage

#: The folder of the images in an exported dataset; labels stand beside it.
IMAGES = "images"


class LabelFormat(ABC):
    """A format of labels.

    Attributes:
        name: Its name, such as ``"coco"``.
        has_tags: Whether it keeps the labels of an image as a whole.
        needs_sizes: Whether it writes the sizes of images, or edges in pixels; otherwise they may be unknown.
        not_held: What its labels commonly have, and Viam does not hold; ``ignore`` takes these names.
    """

    name: str
    has_tags = True
    needs_sizes = True
    not_held: Collection[str] = ()

    @abstractmethod
    def write(self, files: LabelFiles, images: Iterable[LabeledImage], classes: Sequence[str]) -> None:
        """Write the labels of all images.

        Args:
            files: The label files of the folder, whose paths are relative to it.
            images: The images, which can be iterated over more than once, and are too many for memory.
            classes: The labels of all boxes, in the order in which numbers stand for them.
        """

    @abstractmethod
    def read(self, folder: Path, problems: LabelProblems) -> Iterator[LabeledImage]:
        """Yield the images of a folder with their labels, whoever wrote it; note what is wrong, and go on.

        An image's ``path`` is relative to the folder here.
        """
