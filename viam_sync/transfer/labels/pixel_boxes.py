"""Boxes whose edges are told in pixels."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Optional, Sequence, Tuple

from viam_sync.transfer.labels.decimals import rounding_interval, shortest_decimal
from viam_sync.transfer.labels.image_size import image_size, load_pillow
from viam_sync.transfer.labels.label_checks import WrongLabel, require_box
from viam_sync.transfer.labels.labeled_image import Box

#: The pixels by which a box may leave its image: others compute edges in doubles, and miss that of the image by this.
NOISE = Fraction(1, 10**6)


def pixel_interval(share: float, length: int) -> Tuple[Fraction, Fraction]:
    """Return the least and the greatest number of pixels that are read as a share of a width or a height.

    Example:
        >>> from viam_sync.transfer.labels.decimals import shortest_decimal
        >>> from viam_sync.transfer.labels.pixel_boxes import pixel_interval
        >>> shortest_decimal(*pixel_interval(0.1, 640))
        '64'
    """
    low, high = rounding_interval(share)
    return low * length, high * length


def side_in_pixels(start: float, end: float, length: int) -> Tuple[str, str]:
    """Return where a box begins and how far it goes on: the shortest numbers that are read as its edges.

    Args:
        start: The left or upper edge, as a share.
        end: The right or lower edge.
        length: The width or the height of the image.

    Example:
        >>> from viam_sync.transfer.labels.pixel_boxes import side_in_pixels
        >>> side_in_pixels(0.1, 0.3, 640)
        ('64', '128')
    """
    begin = shortest_decimal(*pixel_interval(start, length))
    low, high = pixel_interval(end, length)
    return begin, shortest_decimal(low - Fraction(begin), high - Fraction(begin))


def box_of_pixels(
    label: str, edges: Sequence[Fraction], size: Tuple[int, int], confidence: Optional[float] = None
) -> Box:
    """Return a box whose edges are given in pixels, from the upper left corner of the image on.

    Args:
        label: The label.
        edges: The left, upper, right and lower edge.
        size: The width and the height of the image.
        confidence: How sure it is.

    Raises:
        WrongLabel: If it leaves the image, or has no area.

    Example:
        >>> from fractions import Fraction
        >>> from viam_sync.transfer.labels.pixel_boxes import box_of_pixels
        >>> box_of_pixels("cat", [Fraction(0), Fraction(0), Fraction(64), Fraction(48)], (640, 480))
        Box(label='cat', x_min=0.0, y_min=0.0, x_max=0.1, y_max=0.1, confidence=None)
    """
    left, upper, right, lower = (
        _share(name, edge, length)
        for name, edge, length in zip(("left", "upper", "right", "lower"), edges, (*size, *size))
    )
    return require_box(Box(label, left, upper, right, lower, confidence))


def size_in_file(path: Path, purpose: str) -> Tuple[int, int]:
    """Return the width and the height of an image whose labels do not tell them.

    Args:
        path: The path of the image.
        purpose: Whose size is missing, for the error if Pillow is not there.

    Raises:
        ImportError: If Pillow is not installed.
        WrongLabel: If it is no image.
    """
    try:
        return image_size(path, load_pillow(purpose))
    except ValueError as error:
        raise WrongLabel(f"no size is told of image {path.name!r}, and {error}") from None


def _share(name: str, edge: Fraction, length: int) -> float:
    if not -NOISE <= edge <= length + NOISE:
        raise WrongLabel(
            f"the {name} edge of the box is at pixel {float(edge):.10g}, outside the image, which ends at {length}"
        )
    return float(min(max(edge, Fraction(0)), Fraction(length)) / length)
