"""Checks of arguments: every error that says "NAME takes a KIND, got VALUE"."""

from __future__ import annotations

import math
import os
import re
import sys
from contextvars import ContextVar
from datetime import tzinfo
from functools import lru_cache
from numbers import Integral, Real
from types import TracebackType
from typing import TYPE_CHECKING, Any, Collection, Iterable, List, Mapping, Optional, Sequence, Tuple, Type, Union

from viam_sync.checks.advice import advice_for
from viam_sync.checks.descriptions import describe, is_text, redact
from viam_sync.checks.urls import local_path

if TYPE_CHECKING:
    from pathlib import Path

_ID = r"(?:.*_)?id(?P<several>s?)(?:_.*)?"
#: Most IDs are of letters, digits and hyphens alone, and need no closer look.
_PLAIN_ID = re.compile(r"[\w-]+", re.ASCII)
_FIRST_WORD = r"\w+"

#: The marks that come with an ID from an example, a printed list or a shell, and are part of none.
_MARKS = frozenset("\"'`<>(){}[],;")

#: The names of parameters in the blocks of `parameter_names` around the code that runs, from the inside out.
_names_around: ContextVar[Tuple[Mapping[str, str], ...]] = ContextVar("names_around", default=())


class parameter_names:
    """Within this block, errors and warnings name the parameters of the caller's method, not the fields of a message.

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
        self._token = _names_around.set((self._parameters, *_names_around.get()))

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        _names_around.reset(self._token)
        if isinstance(error, (TypeError, ValueError)):
            text = str(error)
            renamed = _renamed(text, self._parameters)
            if renamed != text:
                raise type(error)(renamed) from None


def _renamed(text: str, parameters: Mapping[str, str]) -> str:
    field = re.match(_FIRST_WORD, text)
    return parameters[field[0]] + text[field.end() :] if field and field[0] in parameters else text


def with_parameter_name(text: str) -> str:
    """Return a text that begins with the name of a field with that of the parameter, as `parameter_names` has it.

    Example:
        >>> from viam_sync.checks import with_parameter_name
        >>> with parameter_names(data="metadata"):
        ...     with_parameter_name("data['ns'] is rounded")
        "metadata['ns'] is rounded"
    """
    for parameters in _names_around.get():
        text = _renamed(text, parameters)
    return text


def wrong_type(name: str, kind: str, value: Any, *, advice: str = "") -> TypeError:
    """Return the error of an argument of another type.

    Args:
        name: The name of the parameter.
        kind: What it takes, in the words of Python.
        value: The argument.
        advice: What the caller can do; left out, it is what ``advice_for`` knows.

    Example:
        >>> from viam_sync.checks import wrong_type
        >>> wrong_type("limit", "an int", 5.0)
        TypeError('limit takes an int, got 5.0')
    """
    return TypeError(misfit_text(name, kind, value, advice))


def misfit_text(name: str, kind: str, value: Any, advice: str = "") -> str:
    """Return the text of the error of an argument that does not fit; see ``wrong_type``."""
    got, module = redact(value), type(value).__module__
    if module != "builtins" and re.search(rf"\ban? ([\w.]+\.)?{type(value).__name__}\b", kind):
        got = f"{got} of the module {module}"
    advice = advice or advice_for(name, kind, value)
    return f"{name} takes {kind}, got {got}{advice and f'; {advice}'}"


def wrong_value(name: str, kind: str, value: Any) -> ValueError:
    """Return the error of an argument of the right type that is out of range."""
    return ValueError(f"{name} takes {kind}, got {redact(value)}")


def wrong_word(name: str, kind: str, value: Any) -> ValueError:
    """Return the error of an argument that is another word; it is no secret, and shown."""
    return ValueError(f"{name} takes {kind}, got {describe(value)}")


def wrong_key(name: str, kind: str, key: Any) -> TypeError:
    """Return the error of a dict that has a key of another type."""
    return TypeError(f"{name} takes a dict whose keys are each {kind}, got the key {redact(key)}")


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, be it one of another library; a bool is one.

    Example:
        >>> from decimal import Decimal
        >>> from viam_sync.checks import is_number
        >>> is_number(Decimal("0.5")), is_number("0.5")
        (True, False)
    """
    if not isinstance(value, Real):
        # Decimals alone register with nothing. Who has one has loaded its module, which is slow to load.
        return "decimal" in sys.modules and isinstance(value, sys.modules["decimal"].Decimal)
    # NumPy registers its numbers with Real, and its spans of time with them.
    return type(value).__name__ != "timedelta64"


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
        kind = id_kind(name)
        if value is None:
            raise wrong_type(name, {"id": "a str", "ids": "a list of str"}.get(kind, "a value"), value)
        if kind == "id":
            require_id(name, value)
        elif kind == "ids" and isinstance(value, (list, tuple)):
            for index, each in enumerate(value):
                require_id(f"{name}[{index}]", each)
        elif is_number(value) and not _is_finite(value):
            raise wrong_value(name, "a number", value)


def require_one(**values: Any) -> None:
    """Refuse arguments that are all left out: None, an empty text or an empty list.

    Raises:
        ValueError: If they are; it names them all.

    Example:
        >>> from viam_sync.checks import require_one
        >>> require_one(org_id=None, org_name="")
        Traceback (most recent call last):
        ValueError: org_id or org_name must be given
    """
    if all(value is None or (isinstance(value, (str, list, tuple)) and not value) for value in values.values()):
        raise ValueError(f"{' or '.join(values)} must be given")


def _is_finite(number: Any) -> bool:
    try:
        return isinstance(number, Integral) or math.isfinite(number)
    except (OverflowError, ValueError):
        return False


@lru_cache(maxsize=None)
def id_kind(parameter: str) -> str:
    """Return how `require` checks a parameter of that name: as an "id", as "ids", or as "" no ID.

    Example:
        >>> from viam_sync.checks import id_kind
        >>> id_kind("robot_id"), id_kind("part_ids"), id_kind("name")
        ('id', 'ids', '')
    """
    found = re.fullmatch(_ID, parameter)
    return f"id{found['several']}" if found else ""


def require_id(name: str, value: Any, kind: str = "an ID") -> None:
    """Refuse what cannot be an ID, such as a line of a file with its end; ``kind`` says what is one.

    Raises:
        TypeError: If it is no str; ``name`` is that of the parameter.
        ValueError: If it is empty, or has white space around it, or NUL or half a character in it.
    """
    if not isinstance(value, str):
        raise wrong_type(name, "a str", value)
    if _PLAIN_ID.fullmatch(value):
        return
    if not value:
        raise ValueError(f"{name} is an empty string; it takes {kind}")
    if value != value.strip():
        raise ValueError(f"{name} has white space around it, such as the end of a line; it takes {kind}")
    if value[0] in _MARKS or value[-1] in _MARKS:
        mark = value[0] if value[0] in _MARKS else value[-1]
        raise ValueError(f"{name} has the mark {mark} around it, which is part of no ID; give the ID alone")
    if "\0" in value or not is_text(value):
        raise ValueError(f"{name} takes {kind}, got a str with NUL or half a character in it")


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
    return [string(f"{name}[{index}]", item) for index, item in enumerate(items_of(name, values, "str"))]


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


def time_zone(name: str, value: tzinfo) -> tzinfo:
    """Return a time zone.

    Raises:
        TypeError: If it is none, such as the name of one; ``name`` is that of the parameter.
    """
    if isinstance(value, tzinfo):
        return value
    kind = "a datetime.tzinfo, such as datetime.timezone.utc or zoneinfo.ZoneInfo('Europe/Berlin')"
    raise TypeError(f"{name} takes {kind}, got {describe(value)}")


def path_from(name: str, given: Union[str, "os.PathLike[str]"]) -> Path:
    """Return an argument as a path, in which ``~/`` at the beginning has become the folder of the user.

    Args:
        name: The name of the parameter, for errors.
        given: The argument; ``file://`` may stand before a path.

    Raises:
        TypeError: If it is none.
        ValueError: If it is empty, or no file can be called so, or it is the URL of something that is not on this
            computer.

    Example:
        >>> from viam_sync.checks import path_from
        >>> path_from("dest", "plants/rose.png").name
        'rose.png'
    """
    from pathlib import Path  # slow to load

    if isinstance(given, str) and not given:
        # It would be the working directory; more likely is a variable that is not set.
        raise ValueError(f"{name} is an empty string; it takes a path")
    try:
        path = Path(local_path(name, given))
        # A name alone may begin so, as in "~backup" or "~$lock.docx".
        if str(path) == "~" or (path.parts[1:] and path.parts[0].startswith("~")):
            path = Path(os.path.expanduser(path))  # noqa: PTH111 (the method of a path fails where nobody has the name)
        encoded = os.fsencode(path)
    except TypeError:
        raise wrong_type(name, "a path", given) from None
    except UnicodeEncodeError:
        why = f"which the file system's encoding cannot write ({sys.getfilesystemencoding()}); set PYTHONUTF8=1"
        why = why if is_text(str(given)) else "in which there is half a character"
        raise ValueError(f"{name} takes a path, got {str(given)!a}, {why}") from None
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
