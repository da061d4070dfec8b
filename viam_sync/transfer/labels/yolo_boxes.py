"""Boxes as YOLO has them: a class, the centre, and the size, as shares of the width and of the height."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import count
from typing import Mapping, Optional, Sequence, Tuple

from viam_sync.transfer.labels.decimals import rounding_interval, shortest_decimal
from viam_sync.transfer.labels.label_checks import WrongLabel, require_box, shown
from viam_sync.transfer.labels.labeled_image import Box

_NAMES = ("class", "x of the centre", "y of the centre", "width", "height", "confidence")
#: What a line may have, and Viam does not hold.
POLYGON, KEYPOINTS = "segmentation", "keypoints"
#: How far beyond the image an edge may be: most tools write four to six digits, which are rounded.
_ROUNDED = Fraction(1, 10_000)
#: The exponents of numbers that are computed with; of others, the digits alone would fill the memory.
_LEAST_EXPONENT, _GREATEST_EXPONENT = -400, 300


def yolo_row(number: int, box: Box) -> str:
    """Return the line of a box, without its end.

    Args:
        number: The number of its class.
        box: The box.

    Example:
        >>> from viam_sync.transfer.labels.labeled_image import Box
        >>> from viam_sync.transfer.labels.yolo_boxes import yolo_row
        >>> yolo_row(7, Box("cat", 0.1, 0.0, 0.4, 1.0))
        '7 0.25 0.5 0.3 1'
    """
    x, width = _centre_and_size(box.x_min, box.x_max)
    y, height = _centre_and_size(box.y_min, box.y_max)
    return f"{number} {x} {y} {width} {height}"


def read_yolo_row(row: str, names: Mapping[int, str], has_keypoints: bool = False) -> Tuple[Box, Optional[str]]:
    """Return the box of a line, and what it has that Viam does not hold; of a polygon, the box around it.

    Args:
        row: The line.
        names: The names of the classes, by number.
        has_keypoints: Whether keypoints follow the box.

    Raises:
        WrongLabel: If it is not the line of a box.

    Example:
        >>> from viam_sync.transfer.labels.yolo_boxes import read_yolo_row
        >>> read_yolo_row("0 0.5 0.25 1 0.75 0 1", {0: "cat"})
        (Box(label='cat', x_min=0.0, y_min=0.25, x_max=1.0, y_max=1.0, confidence=None), 'segmentation')
    """
    columns = row.split()
    if has_keypoints and len(columns) > 6:
        return _box_of(columns[:5], names), KEYPOINTS
    # A rotated box is one of four corners.
    if len(columns) > 6 and len(columns) % 2:
        return _box_around(columns, names), POLYGON
    if len(columns) not in (5, 6):
        raise WrongLabel(f"there are {len(columns)} columns instead of 5: class, x and y of the centre, width, height")
    return _box_of(columns, names), None


def _box_of(columns: Sequence[str], names: Mapping[int, str]) -> Box:
    numbers = [_number(name, column) for name, column in zip(_NAMES, columns)]
    label = _name_of(numbers[0], names)
    left, right = _edges(numbers[1], numbers[3])
    upper, lower = _edges(numbers[2], numbers[4])
    confidence = float(numbers[5]) if len(numbers) > 5 else None
    return require_box(Box(label, left, upper, right, lower, confidence))


def _box_around(columns: Sequence[str], names: Mapping[int, str]) -> Box:
    """Return the box around a polygon, as Ultralytics does where it trains a detector on one."""
    label = _name_of(_number("class", columns[0]), names)
    x = [_edge(_number("x of a corner", column)) for column in columns[1::2]]
    y = [_edge(_number("y of a corner", column)) for column in columns[2::2]]
    return require_box(Box(label, min(x), min(y), max(x), max(y)))


def _centre_and_size(low: float, high: float) -> Tuple[str, str]:
    """Return the decimals, as short as they can be, of which the edges come back exactly."""
    intervals = [*rounding_interval(low), *rounding_interval(high)]
    # All of them in integers, as fractions take ten times as long: their denominators are powers of two.
    whole = 2 * max(each.denominator for each in intervals)
    low_from, low_to, high_from, high_to = (int(each * whole) for each in intervals)
    middle = int((Fraction(low) + Fraction(high)) / 2 * whole)
    for places in count():
        scale = 10**places
        digits = (2 * middle * scale + whole) // (2 * whole)
        centre = digits * whole
        least = max(centre - low_to * scale, high_from * scale - centre)
        most = min(centre - low_from * scale, high_to * scale - centre)
        if least <= most:
            size = shortest_decimal(Fraction(2 * least, whole * scale), Fraction(2 * most, whole * scale))
            return shortest_decimal(Fraction(digits, scale), Fraction(digits, scale)), size
    raise AssertionError("each float is a decimal")


def _edges(centre: Fraction, size: Fraction) -> Tuple[float, float]:
    return _edge(centre - size / 2), _edge(centre + size / 2)


def _edge(share: Fraction) -> float:
    """Return an edge, which is taken to be that of the image if it is rounded beyond it."""
    if -_ROUNDED < share < 0:
        return 0.0
    return 1.0 if 1 < share < 1 + _ROUNDED else float(share)


def _number(name: str, text: str) -> Fraction:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise WrongLabel(f"the {name} is {shown(text)}, and has to be a number") from None
    if not number.is_finite() or number.adjusted() > _GREATEST_EXPONENT:
        raise WrongLabel(f"the {name} is {shown(text)}, and has to be finite")
    return Fraction(number) if number.adjusted() > _LEAST_EXPONENT else Fraction(0)


def _name_of(number: Fraction, names: Mapping[int, str]) -> str:
    # Some tools write it as a float, such as 7.0.
    if number.denominator == 1 and int(number) in names:
        return names[int(number)]
    raise WrongLabel(f"class {float(number):g} is not one of the {len(names)} of data.yaml")
