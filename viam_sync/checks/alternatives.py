"""Parameters that have two names, of which one is given."""

from typing import Optional, Tuple, TypeVar

V = TypeVar("V")


def either(**values: Optional[V]) -> Tuple[str, V]:
    """Return the argument of a parameter that has two names, after the one that it was given by.

    Args:
        values: The arguments by both names, the parameter's own first; None where it is not given so.

    Raises:
        TypeError: If it is given by both, or by none.

    Example:
        >>> from viam_sync.checks.alternatives import either
        >>> either(mql_binary=None, query=[{"$limit": 5}])
        ('query', [{'$limit': 5}])
        >>> either(mql_binary=[], query=[])
        Traceback (most recent call last):
        TypeError: query is another name of mql_binary; give one of them
        >>> either(mql_binary=None, query=None)
        Traceback (most recent call last):
        TypeError: mql_binary or query must be given
    """
    name, other = values
    given = [(each, value) for each, value in values.items() if value is not None]
    if not given:
        raise TypeError(f"{name} or {other} must be given")
    if len(given) > 1:
        raise TypeError(f"{other} is another name of {name}; give one of them")
    return given[0]
