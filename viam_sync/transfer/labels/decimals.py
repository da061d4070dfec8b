"""Decimals for the edges of boxes: as short as they can be, while the number that is read stays the same."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Tuple

from viam_sync.transfer.labels.label_checks import WrongLabel, shown

#: The greatest number of pixels, and the number of places after which a decimal is nought, so that a number with an
#: exponent of a million digits is not computed.
_GREATEST, _LEAST_PLACES = 10**9, 400


def rounding_interval(share: float) -> Tuple[Fraction, Fraction]:
    """Return the least and the greatest number that are read as a share of the width or of the height.

    The edges of the image, 0 and 1, are read from nothing but themselves, so that no box ends beside them.

    Args:
        share: The share, which is finite.

    Example:
        >>> from fractions import Fraction
        >>> from viam_sync.transfer.labels.decimals import rounding_interval
        >>> low, high = rounding_interval(0.1)
        >>> low < Fraction(1, 10) < high
        True
    """
    if share in (0, 1):
        return Fraction(share), Fraction(share)
    mantissa, exponent = math.frexp(share)
    # In eighths of the distance between neighbours: below a power of two, they are half as far apart.
    eighths = int(mantissa * 2**53) * 8
    below, above = (2, 4) if mantissa == 0.5 else (4, 2) if mantissa == -0.5 else (4, 4)
    unit = Fraction(2) ** (exponent - 56)
    # Whether the ends themselves are read so does not matter: they have more digits than any decimal that is chosen.
    return (eighths - below) * unit, (eighths + above) * unit


def shortest_decimal(low: Fraction, high: Fraction) -> str:
    """Return the decimal with the fewest places between two numbers, or at one of them.

    Args:
        low: The lesser number.
        high: The greater one; if both are equal, they must have a finite number of places.

    Raises:
        ValueError: If there is nothing between them.

    Example:
        >>> from fractions import Fraction
        >>> from viam_sync.transfer.labels.decimals import rounding_interval, shortest_decimal
        >>> shortest_decimal(*rounding_interval(0.1))
        '0.1'
        >>> low, high = rounding_interval(0.1)  # of a width of 640 pixels
        >>> shortest_decimal(low * 640, high * 640)
        '64'
    """
    if low > high:
        raise ValueError(f"low is {low}, which is more than high, {high}")
    places = 0
    while True:
        scale = 10**places
        # In integers, as Fraction would look for common divisors at each step.
        least = -(-low.numerator * scale // low.denominator)
        most = high.numerator * scale // high.denominator
        if least <= most:
            nearest = min(max(round((low + high) / 2 * scale), least), most)
            return f"{Decimal(f'{nearest}e-{places}'):f}"
        places += 1


class WrittenNumber(Decimal):
    """A number that errors show as it is written."""

    __repr__ = Decimal.__str__


def read_decimal(text: str) -> Decimal:
    """Return the number that a text stands for; infinity for what is none, or too great for any.

    Example:
        >>> from viam_sync.transfer.labels.decimals import read_decimal
        >>> read_decimal("0.10"), read_decimal("1,5")
        (0.10, Infinity)
    """
    try:
        number = WrittenNumber(text.strip())
    except InvalidOperation:
        number = WrittenNumber("Infinity")
    return number if number.is_finite() else WrittenNumber("Infinity")


def exact_number(name: str, value: Any) -> Fraction:
    """Return a number of a label as it is written, which a double may not be able to hold.

    Args:
        name: What it is called in the labels.
        value: What has been read; decimals as ``Decimal``.

    Raises:
        WrongLabel: If it is no number, or none that pixels can have.

    Example:
        >>> from decimal import Decimal
        >>> from viam_sync.transfer.labels.decimals import exact_number
        >>> exact_number("width", Decimal("0.1"))
        Fraction(1, 10)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise WrongLabel(f"{name} is {shown(value)}, and has to be a number")
    if not -_GREATEST <= value <= _GREATEST:
        raise WrongLabel(f"{name} is {shown(value)}, and has to be a number of pixels")
    if isinstance(value, Decimal) and value.adjusted() < -_LEAST_PLACES:
        return Fraction(0)
    return Fraction(value)
