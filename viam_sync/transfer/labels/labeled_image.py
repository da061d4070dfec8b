"""An image with its labels, whatever the format that they come from or go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Mapping, NamedTuple, Optional, Tuple

#: The parts of a split, in their order; the same names are folders of images.
SPLITS = ("train", "val", "test")
#: The prefix of a tag that the service gives to each file in a dataset; it is no label.
DATASET_TAG = "VIAM_DATASET_"
#: The size of an image whose labels do not tell it.
UNKNOWN_SIZE = (0, 0)


class Box(NamedTuple):
    """A labelled box in an image, whose edges are shares of the width and of the height, from 0 to 1.

    Attributes:
        label: The label of what is in it.
        x_min: The left edge.
        y_min: The upper edge.
        x_max: The right edge.
        y_max: The lower edge.
        confidence: How sure it is, from 0 to 1; None where nobody says.
    """

    label: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    confidence: Optional[float] = None


@dataclass(frozen=True)
class LabeledImage:
    """An image with its labels.

    Attributes:
        path: Its path in the folder of images, with slashes, such as ``"train/cat.png"``; its first part is the split,
            where there is one.
        size: Its width and height in pixels, turned as its EXIF says; ``UNKNOWN_SIZE`` for one that has been read from
            labels that do not tell it.
        boxes: The boxes in it.
        tags: The labels of the image as a whole, without those that the service keeps for itself.
        split: The part that it belongs to, one of ``SPLITS``; ``""`` where there is none.
        metadata: What the service tells of it, as proto JSON; empty for an image that comes from elsewhere.
    """

    path: str
    size: Tuple[int, int]
    boxes: List[Box] = field(default_factory=list)
    tags: List[str] = field(default_factory=list)
    split: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
