"""The expression $round, which mongomock does not have."""

from __future__ import annotations

from typing import Any, Callable, Optional

_LEAST_PLACE, _MOST_PLACE = -20, 100


def evaluate_round(given: Any, evaluate: Callable[[Any], Any]) -> Optional[float]:
    """Return the value of an expression such as ``{"$round": ["$data.readings.temperature", 1]}``.

    Args:
        given: The number, or a list with the number and the number of decimal places.
        evaluate: Returns the values of expressions in that.

    Raises:
        ValueError: If one of them is no number.
    """
    operands = given if isinstance(given, list) else [given]
    if not 1 <= len(operands) <= 2:
        raise ValueError("$round takes a number, and the number of decimal places")
    values = [evaluate(each) for each in operands]
    if None in values:
        return None
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"$round takes numbers, not {str(value)[:64]!r}")
    number, place = values[0], values[1] if len(values) > 1 else 0
    if place != place // 1 or not _LEAST_PLACE <= place <= _MOST_PLACE:
        raise ValueError(f"$round takes from {_LEAST_PLACE} to {_MOST_PLACE} decimal places, not {place}")
    rounded: float = round(number, int(place))
    return rounded
