"""The kind that the values of a column have in common."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from itertools import chain
from typing import Any, Sequence, Set, Tuple

from viam_sync.transfer.output.kinds import Kind, int_kind, merged, type_kind, value_kind

#: The types whose values are all of one kind.
_PLAIN = {bool, float, str, bytes, datetime}


def common_kind(values: Sequence[Any]) -> Tuple[Kind, bool]:
    """Return the kind of a column of values, and whether all of them are of it as they are.

    They are not where whole numbers stand among numbers with a point, or objects in a list: their form in JSON is
    another one after they have become what the column holds.

    Example:
        >>> from viam_sync.transfer.output.common_kinds import common_kind
        >>> common_kind([1.5, None]), common_kind([1.5, 1]), common_kind([["a"], [{"b": 1}]])
        (('float', True), ('float', False), (('list', 'text'), False))
    """
    types = set(map(type, values)) - {type(None)}
    if not types:
        return "null", True
    if types == {list}:
        kind, exact = common_kind(list(chain.from_iterable(filter(None, values))))
        return ("list", kind), exact
    if types == {int}:
        kind = int_kind([value for value in values if value is not None])
        return kind, kind != "text"
    if types == {int, float}:
        return merged("float", int_kind([value for value in values if type(value) is int])), False
    if len(types) == 1 and types <= _PLAIN:
        return type_kind(*types), True
    return _kind_of_each(values)


def _kind_of_each(values: Sequence[Any]) -> Tuple[Kind, bool]:
    null: Kind = "null"
    kind = reduce(merged, map(value_kind, values), null)
    leaves = _leaves(values, 0)
    depth, leaf = _leaf_of(kind)
    whole = (depth, "int" if leaf == "long" else leaf)
    return kind, all(found == whole or (found[1] == "null" and found[0] <= depth) for found in leaves)


def _leaves(values: Sequence[Any], depth: int) -> Set[Tuple[int, str]]:
    """Return the kinds of the values and of those in lists among them, each with the number of lists around it.

    A list counts as one of "null", as it may have no values. None does not count.
    """
    types = set(map(type, values))
    leaves = {(depth, type_kind(cls)) for cls in types if not issubclass(cls, (list, tuple, type(None)))}
    if any(issubclass(cls, (list, tuple)) for cls in types):
        leaves.add((depth + 1, "null"))
        for value in values:
            if isinstance(value, (list, tuple)):
                leaves |= _leaves(value, depth + 1)
    return leaves


def _leaf_of(kind: Kind) -> Tuple[int, str]:
    depth = 0
    while isinstance(kind, tuple):
        depth, kind = depth + 1, kind[1]
    return depth, kind
