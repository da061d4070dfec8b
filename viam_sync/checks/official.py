"""Objects of the official SDK, recognized by the names of their classes: nothing of it is imported here."""

from typing import Any


def is_of_official_sdk(value: Any, name: str) -> bool:
    """Tell whether a value is an object of a class of the official SDK, in any version of it, or of a subclass.

    Example:
        >>> from viam_sync.checks.official import is_of_official_sdk
        >>> is_of_official_sdk(object(), "DialOptions")
        False
    """
    return any(base.__name__ == name and base.__module__.split(".")[0] == "viam" for base in type(value).__mro__)
