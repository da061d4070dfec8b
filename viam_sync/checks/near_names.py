"""Near names: what somebody may have meant who wrote a name that there is not."""

import re
from typing import TYPE_CHECKING, Any, Iterable, List, Sequence, Set

#: The words of one meaning: the pages of the cloud say machine where its API says robot.
_SYNONYMS = {
    **dict.fromkeys(("list", "fetch", "read", "find", "show"), "get"),
    **dict.fromkeys(("add", "make", "create"), "new"),
    **dict.fromkeys(("image", "picture", "photo"), "binary"),
    "machine": "robot",
    "org": "organization",
    "reading": "tabular",
    "remove": "delete",
    "rename": "update",
}
#: How alike a word is to a longer one that it begins; one of so few letters is not.
_BEGINNING, _SHORT = 0.75, 2
#: The words that tell no names apart.
_FILLERS = {"by", "id", "from", "to"}
_WORDS = r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])"
#: The share of two names that must be the same in one that is near.
_NEAR = 0.6
#: Names that are less near than the nearest one by more than this are not offered.
_MARGIN = 0.2


def near_names(name: str, names: Iterable[str], most: int = 3) -> List[str]:
    """Return the names that are near to another one, the nearest first: those that have its words, and misspelt ones.

    Args:
        name: The name that there is not.
        names: Those that there are.
        most: How many to return at most.

    Example:
        >>> from viam_sync.checks.near_names import near_names
        >>> near_names("listMachines", ["list_robots", "list_locations", "get_robot", "delete_key"])
        ['list_robots', 'get_robot']
    """
    scores = {other: _likeness(name, other) for other in names}
    least = max(_NEAR, max(scores.values(), default=0) - _MARGIN)
    near = [other for other in scores if scores[other] >= least]
    return sorted(near, key=lambda other: -scores[other])[:most]


def any_of(names: Sequence[str]) -> str:
    """Return names as a text that offers them.

    Example:
        >>> from viam_sync.checks.near_names import any_of
        >>> any_of(["get_robot", "list_robots", "new_robot"])
        'get_robot, list_robots or new_robot'
    """
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _likeness(name: str, other: str) -> float:
    """Return how alike two names are, from 0 to 1, as words or as texts."""
    import difflib  # only of use to those who misspell a name

    ours, theirs = _words(name), _words(other)
    common = sum(max((_word_likeness(word, their) for their in theirs), default=0) for word in ours)
    fewer, more = sorted((len(ours), len(theirs)))
    as_words = 0.7 * common / fewer + 0.3 * common / more if common else 0
    as_texts = difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio()
    return max(as_words, as_texts) + min(as_words, as_texts) / 100


def _word_likeness(word: str, other: str) -> float:
    if word == other:
        return 1
    return _BEGINNING if len(word) > _SHORT and other.startswith(word) else 0


def _words(name: str) -> Set[str]:
    words: List[str] = [word.lower() for word in re.findall(_WORDS, name)]
    singular = (word[:-1] if word.endswith("s") and len(word) > 2 else word for word in words)
    return {_SYNONYMS.get(word, word) for word in singular} - _FILLERS


def near_first(name: str, names: Iterable[str]) -> List[str]:
    """Return all of some names, those that are near to another one first.

    Example:
        >>> from viam_sync.checks.near_names import near_first
        >>> near_first("descending", ["ORDER_UNSPECIFIED", "ORDER_ASCENDING", "ORDER_DESCENDING"])
        ['ORDER_DESCENDING', 'ORDER_ASCENDING', 'ORDER_UNSPECIFIED']
    """
    names = list(names)
    return list(dict.fromkeys([*near_names(name, names), *names]))


class NamedAttributes:
    """The base of records: an attribute that one does not have gets an error that names those that it has.

    Example:
        >>> from dataclasses import dataclass
        >>> from viam_sync.checks.near_names import NamedAttributes
        >>> @dataclass
        ... class Point(NamedAttributes):
        ...     latitude: float
        ...     longitude: float
        >>> Point(1, 2).lat
        Traceback (most recent call last):
        AttributeError: Point has no attribute 'lat'; it has latitude, longitude
    """

    if not TYPE_CHECKING:  # a type checker goes on saying that there is none

        def __getattr__(self, name: str) -> Any:
            # Tools ask every object for methods of theirs, which begin so.
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            has = ", ".join(near_first(name, (each for each in vars(self) if not each.startswith("_"))))
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}; it has {has}")
