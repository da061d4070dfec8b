"""The images of a folder with their labels, read and checked as a whole before anything is done with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Sequence

from viam_sync.errors import LabelsError
from viam_sync.transfer.labels.formats import FORMATS
from viam_sync.transfer.labels.image_files import IMAGE_TYPES, image_type
from viam_sync.transfer.labels.label_format import LabelFormat
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import DATASET_TAG, LabeledImage


def images_with_labels(folder: Path, labels: LabelFormat, ignore: Sequence[str] = ()) -> List[LabeledImage]:
    """Return the images of a folder with their labels.

    Args:
        folder: The folder.
        labels: The format of its labels.
        ignore: What is left out of labels, as Viam does not hold it.

    Raises:
        LabelsError: If something in it is wrong, with all of that.
        OSError: If it cannot be read.
        ValueError: If ``ignore`` has what no label has, nor commonly would.

    Example:
        >>> from viam_sync.transfer.labels.formats import FORMATS
        >>> from viam_sync.transfer.labels.labeled_folder import images_with_labels
        >>> _ = (folder / "cat.png").write_bytes(b"")
        >>> _ = (folder / "dataset.jsonl").write_text('{"image_path": "cat.png"}')
        >>> [image.path for image in images_with_labels(folder, FORMATS["viam"])]
        ['cat.png']
    """
    problems = LabelProblems(ignore)
    images: Dict[str, LabeledImage] = {}
    for image in labels.read(folder, problems):
        if image.path in images:
            problems.add(Path(image.path), None, "the image has labels twice; leave one of them out")
        elif image_type(folder / image.path) is None:
            problems.add(Path(image.path), None, f"this is no image; one ends in {', '.join(IMAGE_TYPES)}")
        # The official command line may write the tags of datasets among the labels; they are those of another one.
        images[image.path] = replace(image, tags=[tag for tag in image.tags if not tag.startswith(DATASET_TAG)])
    if not images and not problems.found:
        problems.add(Path(), None, f"there are no images with labels of the format {labels.name!r}")
    if problems.found:
        raise LabelsError(problems.found)
    common = {name for each in FORMATS.values() for name in each.not_held}
    for name in problems.not_met():
        if name not in common:
            raise ValueError(
                f"ignore has {name!r}, which no label in the folder has; write it as the labels do, or take it out"
            )
    return list(images.values())
