"""Images with labels, written into a folder, and read from one."""

from pathlib import Path
from typing import List, Sequence, Tuple

from viam_sync.transfer.labels.formats import FORMATS
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import Box, LabeledImage

#: An image with a box and a tag.
PETS = [LabeledImage("cat.png", (4, 3), [Box("cat", 0, 0, 1, 1)], ["cat"])]


def write_labels(folder: Path, format: str, images: Sequence[LabeledImage], classes: Sequence[str] = ()) -> None:
    """Write images, which are empty if they are not there yet, and their labels into a folder."""
    for image in images:
        place = folder / "images" / image.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    files = LabelFiles(folder, format)
    FORMATS[format].write(files, images, classes)
    files.finish()


def read_labels(folder: Path, format: str, ignore: Sequence[str] = ()) -> Tuple[List[LabeledImage], List[str]]:
    """Return the images of a folder, and the problems of their labels."""
    problems = LabelProblems(ignore)
    images = list(FORMATS[format].read(folder, problems))
    return images, [str(problem) for problem in problems.found]
