"""Precision: the warning of numbers whose last digits a JSON object on the wire does not keep."""

import math
import re
import sys
import warnings
from numbers import Integral
from typing import Any, Dict

from viam_sync.checks import is_number, with_parameter_name

#: A double holds every whole number up to this one.
EXACT = 2**53
#: The place of an item of a list, at which a path goes on or ends.
_INDEX = r"\[\d+\](?=\[|$)"
#: The number of fields that are remembered at a time.
_MOST_FIELDS = 1000

#: The memory of `warnings`, which shows a field once. Names of fields may be made up by the program without an end, so
#: that it is emptied now and then.
_shown: Dict[Any, Any] = {}


class PrecisionLossWarning(UserWarning):
    """The last digits of a whole number beyond 2**53 are lost, as JSON objects on the wire have doubles alone.

    It comes once for each field, however many readings have it. To keep all digits, send the number as text. To have
    an error in its place, before anything is sent, use Python's own filter.

    Example:
        >>> import warnings
        >>> from viam_sync import PrecisionLossWarning
        >>> from viam_sync.utils import dict_to_struct
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("error", PrecisionLossWarning)
        ...     dict_to_struct({"position": {"ns": 2**60 + 1}})
        Traceback (most recent call last):
        viam_sync.messages.precision.PrecisionLossWarning: obj['position']['ns'] holds a whole number beyond ...
    """


def warn_if_rounded(place: str, number: Any) -> None:
    """Warn of a whole number that a double rounds; other values are passed over.

    Args:
        place: The name of the parameter, and the place of the value in it.
        number: The value.
    """
    if not is_number(number):
        return
    # NumPy compares its whole numbers with a float as floats.
    exact = int(number) if isinstance(number, Integral) else number
    try:
        double = float(exact)
    except (OverflowError, ValueError):
        return
    # One that is too large for a double is refused when it is converted.
    if EXACT <= abs(double) < math.inf and double != exact:
        _warn(with_parameter_name(re.sub(_INDEX, "[...]", place)))


def _warn(field: str) -> None:
    # The text has no value in it, and no number of a row: it must be the same whenever it is about the same field.
    text = (
        f"{field} holds a whole number beyond 2**53, whose last digits are lost, as the service keeps numbers in JSON"
        ' objects as doubles; send it as text to keep them. warnings.filterwarnings("error",'
        " category=viam_sync.PrecisionLossWarning) makes this an error."
    )
    if len(_shown) >= _MOST_FIELDS:
        _shown.clear()
    # The line that is shown is the caller's, however deep in this package the value was found.
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("viam_sync."):
        frame = frame.f_back
    at, module = frame.f_code.co_filename, frame.f_globals.get("__name__")
    warnings.warn_explicit(text, PrecisionLossWarning, at, frame.f_lineno, module, _shown)
