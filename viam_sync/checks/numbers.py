"""Checks of numbers and bools, which may be those of other libraries, such as NumPy."""

import math
from numbers import Integral
from typing import Any, Optional

from viam_sync.checks import is_number, wrong_type, wrong_value

#: The longest time that grpc can wait: its clock ends in the year 2262.
MOST_SECONDS = 10**9
#: More workers do not make anything faster, and each has a thread.
_MOST_WORKERS = 64


def plain_number(value: Any) -> Any:
    """Return a number of another library as an int, a float or a bool of Python; anything else as it is.

    Args:
        value: Any value. What registers as ``numbers.Real`` or ``Integral`` is a number, as those of NumPy do, and so
            is a ``Decimal``; an array or a span of time is none.

    Returns:
        The number; the value itself if it is none, or one that no float holds.

    Example:
        >>> from decimal import Decimal
        >>> from viam_sync.checks.numbers import plain_number
        >>> plain_number(Decimal("0.5")), plain_number("0.5")
        (0.5, '0.5')
    """
    if type(value) in (int, float, bool):
        return value
    if not is_number(value):
        return bool(value) if _is_bool_of_numpy(value) else value
    return int(value) if isinstance(value, Integral) else _as_float(value)


def _as_float(value: Any) -> Any:
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return value
    return value if math.isinf(number) and number != value else number


def _is_bool_of_numpy(value: Any) -> bool:
    # NumPy registers its bool with none of the classes of Python; it is recognized without importing NumPy.
    kind = type(value)
    return kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")


def boolean(name: str, value: bool) -> bool:
    """Return a bool; something else that Python takes for true or false is more likely a mistake.

    Raises:
        TypeError: If it is something else; ``name`` is that of the parameter.
    """
    value = plain_number(value)
    if not isinstance(value, bool):
        raise wrong_type(name, "a bool", value)
    return value


def whole(name: str, value: int, least: int, most: Optional[int] = None, note: str = "") -> int:
    """Return a whole number that is within a range, as an int.

    Args:
        name: That of the parameter.
        value: The number.
        least: The least that it may be.
        most: The most that it may be; None for no limit.
        note: What else there is to say about the range.

    Raises:
        TypeError: If it is no int.
        ValueError: If it is out of the range.

    Example:
        >>> from viam_sync.checks.numbers import whole
        >>> whole("page_size", 500, 1, 100)
        Traceback (most recent call last):
        ValueError: page_size takes an int from 1 to 100, got 500
    """
    kind = f"an int from {least} {'on' if most is None else f'to {most}'}{note}"
    number = plain_number(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise wrong_type(name, kind, value)
    if number < least or (most is not None and number > most):
        raise wrong_value(name, kind, number)
    return number


def worker_count(workers: int) -> int:
    """Return how many workers there may be at a time.

    Raises:
        TypeError: If that is no int.
        ValueError: If it is outside 1 to 64.
    """
    return whole("workers", workers, 1, _MOST_WORKERS)


def share(name: str, value: float) -> float:
    """Return a number from 0 to 1, as an int or a float.

    Raises:
        TypeError: If it is no number; ``name`` is that of the parameter.
        ValueError: If it is outside 0 to 1.
    """
    kind = "a number from 0 to 1"
    number = _number(name, kind, value)
    if not 0 <= number <= 1:
        raise wrong_value(name, kind, number)
    return number


def require_seconds(name: str, value: Optional[float]) -> Optional[float]:
    """Return a time that a call may take, in seconds; None is no limit, and one of 0 or less is over at once.

    Raises:
        TypeError: If it is no number; ``name`` is that of the parameter.
        ValueError: If it is NaN, or more than grpc can count.
    """
    if value is None:
        return None
    number = _number(name, "a number of seconds", value)
    if not number <= MOST_SECONDS:
        raise wrong_value(name, f"up to {MOST_SECONDS} seconds, or None for the usual limit", number)
    return number


def seconds(name: str, value: float) -> float:
    """Return a number of seconds above 0, as an int or a float.

    Raises:
        TypeError: If it is no number; ``name`` is that of the parameter.
        ValueError: If it is 0 or less, NaN, or more than grpc can count.
    """
    kind = "a number of seconds above 0"
    number = _number(name, kind, value)
    if not 0 < number <= MOST_SECONDS:
        raise wrong_value(name, kind, number)
    return number


def _number(name: str, kind: str, value: Any) -> float:
    number = plain_number(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise wrong_type(name, kind, value)
    return number
