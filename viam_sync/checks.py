"""Checks of arguments: every error that says "NAME takes a KIND, got VALUE"."""

import math
import os
import re
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Collection, Iterable, List, Mapping, Optional, Sequence, Type, Union

#: The longest time that grpc can wait: its clock ends in the year 2262.
MOST_SECONDS = 10**9
#: More workers do not make anything faster, and each has a thread.
_MOST_WORKERS = 64
#: A longer number is not written out; Python refuses to write a huge one.
_MOST_BITS = 256
_LONGEST_WORD = 100

_SURROGATE = re.compile("[\ud800-\udfff]")
_ID = re.compile(r"(?:.*_)?id(?P<several>s?)(?:_.*)?")
_FIRST_WORD = re.compile(r"\w+")


class parameter_names:
    """Within this block, errors name the parameters of the caller's method, instead of the fields of a message.

    Args:
        parameters: For the name of a field, that of the parameter; those that have the same name need not be given.

    Example:
        >>> from viam_sync.proto import app as pb
        >>> with parameter_names(id="robot_id"):
        ...     pb.GetRobotRequest(id=5)
        Traceback (most recent call last):
        TypeError: robot_id takes a str, got 5
    """

    def __init__(self, /, **parameters: str) -> None:
        self._parameters = parameters

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if isinstance(error, (TypeError, ValueError)):
            text = str(error)
            field = _FIRST_WORD.match(text)
            if field and field[0] in self._parameters:
                raise type(error)(self._parameters[field[0]] + text[field.end() :]) from None


def wrong_type(name: str, kind: str, value: Any, *, advice: str = "") -> TypeError:
    """Return the error of an argument of another type.

    Args:
        name: The name of the parameter.
        kind: What it takes, in the words of Python.
        value: The argument.
        advice: What the caller can do.

    Example:
        >>> from viam_sync.checks import wrong_type
        >>> wrong_type("limit", "an int", 5.0)
        TypeError('limit takes an int, got 5.0')
    """
    return TypeError(f"{name} takes {kind}, got {redact(value)}{advice and f'; {advice}'}")


def wrong_value(name: str, kind: str, value: Any) -> ValueError:
    """Return the error of an argument of the right type that is out of range."""
    return ValueError(f"{name} takes {kind}, got {redact(value)}")


def wrong_word(name: str, kind: str, value: Any) -> ValueError:
    """Return the error of an argument that is another word; it is no secret, and shown."""
    return ValueError(f"{name} takes {kind}, got {describe(value)}")


def wrong_key(name: str, kind: str, key: Any) -> TypeError:
    """Return the error of a dict that has a key of another type."""
    return TypeError(f"{name} takes a dict whose keys are each {kind}, got the key {redact(key)}")


def redact(value: Any) -> str:
    """Describe what was given without showing a text, which may be a secret; numbers are none, and are shown."""
    if isinstance(value, str) and not is_text(value):
        return "a str with a lone surrogate, which is half a character"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, (bool, int, float, type(None))):
        return repr(value)
    return with_article(type(value).__name__)


def with_article(noun: str) -> str:
    """Return a noun with its article."""
    return f"an {noun}" if noun.startswith(tuple("aeiouAEIOU")) else f"a {noun}"


def describe(value: Any) -> str:
    """Describe what was given in place of a word, which is no secret: a text is shown."""
    return repr(value) if isinstance(value, str) and len(value) <= _LONGEST_WORD else redact(value)


def describe_items(values: Any) -> str:
    """Describe what was given by its type, and the types of its items."""
    if not isinstance(values, (tuple, list)):
        return redact(values)
    return f"{redact(values)} of ({', '.join(type(item).__name__ for item in values)})"


def is_text(value: Any) -> bool:
    """Tell whether a value is a str that UTF-8 can hold."""
    return isinstance(value, str) and (value.isascii() or not _SURROGATE.search(value))


def require(**values: Any) -> None:
    """Refuse None, an empty or impossible ID, and a number that is infinite or NaN.

    Args:
        values: The arguments, by the names of the parameters; the names tell which of them are IDs.

    Raises:
        TypeError: If one is None, or an ID is no str.
        ValueError: If an ID is empty or has NUL or half a character in it, or a number is infinite or NaN.

    Example:
        >>> require(location_id="")
        Traceback (most recent call last):
        ValueError: location_id is an empty string; it takes an ID
    """
    for name, value in values.items():
        if value is None:
            raise wrong_type(name, "a value", value)
        kind = _id_kind(name)
        if kind == "id":
            _require_id(name, value)
        elif kind == "ids" and isinstance(value, (list, tuple)):
            for index, each in enumerate(value):
                _require_id(f"{name}[{index}]", each)
        elif isinstance(value, float) and not math.isfinite(value):
            raise wrong_value(name, "a number", value)


@lru_cache(maxsize=None)
def _id_kind(parameter: str) -> str:
    found = _ID.fullmatch(parameter)
    return f"id{found['several']}" if found else ""


def _require_id(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise wrong_type(name, "a str", value)
    if not value:
        raise ValueError(f"{name} is an empty string; it takes an ID")
    if "\0" in value or not is_text(value):
        raise ValueError(f"{name} takes an ID, got a str with NUL or half a character in it")


def string(name: str, value: str) -> str:
    """Return a str that UTF-8 can hold.

    Raises:
        TypeError: If it is no str; ``name`` is that of the parameter.
        ValueError: If there is half a character in it.
    """
    if not isinstance(value, str):
        raise wrong_type(name, "a str", value)
    if not is_text(value):
        raise wrong_value(name, "a str", value)
    return value


def text(name: str, value: str) -> str:
    """Return a str that is not empty.

    Raises:
        TypeError: If it is no str; ``name`` is that of the parameter.
        ValueError: If it is empty, or there is half a character in it.
    """
    if not string(name, value):
        raise ValueError(f"{name} is an empty string")
    require(**{name: value})
    return value


def texts(name: str, values: Sequence[str]) -> List[str]:
    """Return a list of str that is not empty.

    Raises:
        TypeError: If it is no list, or something in it is no str; ``name`` is that of the parameter.
        ValueError: If it is empty, or there is half a character in one of them.
    """
    return [string(f"{name}[{index}]", item) for index, item in enumerate(items_of(name, values, "strings"))]


def one_of(name: str, value: str, words: Collection[str]) -> str:
    """Return a word that is one of some.

    Raises:
        ValueError: If it is something else; ``name`` is that of the parameter.

    Example:
        >>> from viam_sync.checks import one_of
        >>> one_of("role", "king", ("owner", "operator"))
        Traceback (most recent call last):
        ValueError: role takes one of 'owner', 'operator', got 'king'
    """
    if not isinstance(value, str) or value not in words:
        raise wrong_word(name, f"one of {', '.join(map(repr, words))}", value)
    return value


def boolean(name: str, value: bool) -> bool:
    """Return a bool; something else that Python takes for true or false is more likely a mistake.

    Raises:
        TypeError: If it is something else; ``name`` is that of the parameter.
    """
    if not isinstance(value, bool):
        raise wrong_type(name, "a bool", value)
    return value


def whole(name: str, value: int, least: int, most: Optional[int] = None, note: str = "") -> int:
    """Return an int that is within a range.

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
        >>> from viam_sync.checks import whole
        >>> whole("page_size", 500, 1, 100)
        Traceback (most recent call last):
        ValueError: page_size takes an int from 1 to 100, got 500
    """
    kind = f"an int from {least} {'on' if most is None else f'to {most}'}{note}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, kind, value)
    if value < least or (most is not None and value > most):
        raise wrong_value(name, kind, value)
    return value


def worker_count(workers: int) -> int:
    """Return how many workers there may be at a time.

    Raises:
        TypeError: If that is no int.
        ValueError: If it is outside 1 to 64.
    """
    return whole("workers", workers, 1, _MOST_WORKERS)


def share(name: str, value: float) -> float:
    """Return a number from 0 to 1.

    Raises:
        TypeError: If it is no number; ``name`` is that of the parameter.
        ValueError: If it is outside 0 to 1.
    """
    kind = "a number from 0 to 1"
    if not _is_number(value):
        raise wrong_type(name, kind, value)
    if not 0 <= value <= 1:
        raise wrong_value(name, kind, value)
    return value


def require_seconds(name: str, value: Optional[float]) -> None:
    """Refuse what is no time that a call may take; None is no limit, and one of 0 or less is over at once.

    Raises:
        TypeError: If it is no number; ``name`` is that of the parameter.
        ValueError: If it is NaN, or more than grpc can count.
    """
    if value is None:
        return
    if not _is_number(value):
        raise wrong_type(name, "a number of seconds", value)
    if not value <= MOST_SECONDS:
        raise wrong_value(name, f"up to {MOST_SECONDS} seconds, or None for the usual limit", value)


def seconds(name: str, value: float) -> float:
    """Return a number of seconds above 0.

    Raises:
        TypeError: If it is no number; ``name`` is that of the parameter.
        ValueError: If it is 0 or less, NaN, or more than grpc can count.
    """
    kind = "a number of seconds above 0"
    if not _is_number(value):
        raise wrong_type(name, kind, value)
    if not 0 < value <= MOST_SECONDS:
        raise wrong_value(name, kind, value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def path_from(name: str, given: Union[str, "os.PathLike[str]"]) -> Path:
    """Return an argument as a path, in which ``~/`` at the beginning has become the folder of the user.

    Raises:
        TypeError: If it is none; ``name`` is that of the parameter.
        ValueError: If no file can be called so.

    Example:
        >>> from viam_sync.checks import path_from
        >>> path_from("dest", "plants/rose.png").name
        'rose.png'
    """
    try:
        path = Path(given)
        # A name alone may begin so, as in "~backup" or "~$lock.docx".
        if str(path) == "~" or (path.parts[1:] and path.parts[0].startswith("~")):
            path = Path(os.path.expanduser(path))  # noqa: PTH111 (the method of a path fails where nobody has the name)
        encoded = os.fsencode(path)
    except TypeError:
        raise wrong_type(name, "a path", given) from None
    except UnicodeEncodeError:
        raise ValueError(f"{name} takes a path, got {str(given)!a}, in which there is half a character") from None
    if b"\0" in encoded:
        raise ValueError(f"{name} takes a path, got {str(given)!r}, with the character NUL in it")
    return path


def as_list(name: str, value: Any, kind: str = "") -> Sequence[Any]:
    """Return an argument as a list, with all its items: an iterator can be gone through only once.

    Args:
        name: The name of the parameter.
        value: The argument.
        kind: What each item is.

    Raises:
        TypeError: If it is no list; a text or a mapping would be taken apart.
        ValueError: If it cannot be gone through, such as a file that is closed.
    """
    wanted = f"a list of {kind}" if kind else "a list"
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        raise wrong_type(name, wanted, value)
    try:
        return list(value)
    except (TypeError, ValueError) as error:
        raise type_of(error)(f"{name} takes {wanted}, got {redact(value)}: {error}") from error


def items_of(name: str, value: Any, kind: str) -> List[Any]:
    """Return the items of a list that is not empty; see ``as_list``.

    Raises:
        TypeError: If it is no list.
        ValueError: If it is empty, or cannot be gone through.
    """
    items = list(as_list(name, value, kind))
    if not items:
        raise ValueError(f"{name} is an empty list; give at least one")
    return items


def dictionary(name: str, value: Any) -> Mapping[str, Any]:
    """Return a mapping whose keys are each a str.

    Raises:
        TypeError: If it is no mapping, or a key of it no str; ``name`` is that of the parameter.
    """
    if not isinstance(value, Mapping):
        raise wrong_type(name, "a dict", value)
    for key in value:
        if not is_text(key):
            raise wrong_key(name, "a str", key)
    return value


def type_of(error: Exception) -> Type[Exception]:
    """Return which of the two errors of a bad argument one of protobuf stands for."""
    return ValueError if isinstance(error, (OverflowError, ValueError)) else TypeError
