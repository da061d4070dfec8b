"""Descriptions of what was given: they show its type, and no text that may be a secret."""

import re
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

#: A longer number is not written out; Python refuses to write a huge one.
_MOST_BITS = 256
_LONGEST_WORD = 100
_SURROGATE = re.compile("[\ud800-\udfff]")
#: The words that take "an": those with a vowel first, but for those that begin as "user" and "UUID" do.
_AN = "(?i)[aeio]|u(?!s|uid|ni)"
_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType)


def is_text(value: Any) -> bool:
    """Tell whether a value is a str that UTF-8 can hold."""
    return isinstance(value, str) and (value.isascii() or not _SURROGATE.search(value))


def redact(value: Any) -> str:
    """Describe what was given without showing a text, which may be a secret; numbers are none, and are shown."""
    if isinstance(value, str) and not is_text(value):
        return "a str with a lone surrogate, which is half a character"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, (bool, int, float, type(None))):
        return repr(value)
    if isinstance(value, (type, *_FUNCTIONS)):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__} itself"
    # An enum of the schema is an object, which has the name of one.
    enum = getattr(value, "__dict__", {}).get("__qualname__")
    if enum is not None:
        return f"the enum {enum} itself"
    if isinstance(value, (list, bytes)):
        return "bytes" if isinstance(value, bytes) else "a list"
    return with_article(type(value).__name__)


def with_article(noun: str) -> str:
    """Return a noun with its article."""
    return f"{'an' if re.match(_AN, noun) else 'a'} {noun}"


def describe(value: Any) -> str:
    """Describe what was given in place of a word, which is no secret: a text is shown."""
    return repr(value) if isinstance(value, str) and len(value) <= _LONGEST_WORD else redact(value)


def describe_items(values: Any) -> str:
    """Describe what was given by its type, and the types of its items."""
    if not isinstance(values, (tuple, list)):
        return redact(values)
    return f"{redact(values)} of ({', '.join(type(item).__name__ for item in values)})"
