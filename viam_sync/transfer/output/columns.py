"""The columns of flat rows: their names, their order, and the kind of value that each of them holds."""

from __future__ import annotations

import importlib
from typing import AbstractSet, Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from viam_sync.transfer.output.common_kinds import common_kind
from viam_sync.transfer.output.flatten import flat_columns, flatten
from viam_sync.transfer.output.kinds import Kind, arrow_type, merged, value_kind


class Columns:
    """The columns of rows that come one after the other: the fixed ones first, then all others, sorted by their names.

    A column has the kind of its values. Whole numbers among others become numbers with a point, unless one is beyond
    2**53, so that it would be rounded; values that do not go together otherwise become text, and so do whole numbers of
    more than 64 bits and objects; a value that is no text is then written as JSON. `Schema` has columns whose kinds are
    given.

    Args:
        fixed: The columns that are there in any case, also without rows, and their kinds.

    Example:
        >>> from viam_sync.transfer.output.columns import Columns
        >>> columns = Columns({"time": "time"})
        >>> for row in ({"speed": 1, "tags": []}, {"speed": 1.5, "tags": ["a"]}, {"on": True}):
        ...     _ = columns.add(row)
        >>> columns.kinds
        {'time': 'time', 'on': 'bool', 'speed': 'float', 'tags': ('list', 'text')}
    """

    def __init__(self, fixed: Mapping[str, Kind] = {}) -> None:
        self._fixed = fixed
        self._kinds: Dict[str, Kind] = dict(fixed)
        #: The columns of objects, whose values are no columns of their own.
        self._whole: AbstractSet[str] = frozenset()

    @property
    def kinds(self) -> Dict[str, Kind]:
        """The kind of each column, by its name, in the order of the columns; known once all rows were added."""
        names = [*self._fixed, *sorted(self._kinds.keys() - self._fixed.keys())]
        return {name: self._kinds[name] for name in names}

    def flat_row(self, row: Mapping[str, Any]) -> Dict[str, Any]:
        """Return a row in flat form, whose objects stay whole where there is a column for them."""
        return flatten(row, self._whole)

    def add(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add the columns of a flat row, and return the row as they take it."""
        for name, value in row.items():
            kind = value_kind(value)
            known = self._kinds.get(name)
            if known != kind:
                self._kinds[name] = kind if known is None else merged(known, kind)
        return row

    def flat_columns(self, rows: Sequence[Mapping[str, Any]]) -> Dict[str, List[Any]]:
        """Return the columns of rows in flat form, whose objects stay whole where there is a column for them."""
        return flat_columns(rows, self._whole)

    def add_columns(self, rows: Sequence[Mapping[str, Any]], flat: Dict[str, List[Any]]) -> Dict[str, List[Any]]:
        """Add some rows at a time, as `add` does with one.

        Args:
            rows: The rows.
            flat: The same as columns in flat form.

        Returns:
            The columns as these take them.
        """
        for name, values in flat.items():
            kind, _ = common_kind(values)
            self._kinds[name] = merged(self._kinds.get(name, "null"), kind)
        return flat

    def findings(self) -> Dict[str, Any]:
        """Return the columns that the rows were found to have, in a form that JSON can hold."""
        return {"kinds": dict(self._kinds)}

    def add_findings(self, findings: Mapping[str, Any]) -> None:
        """Add the columns of other rows, as `findings` has told them; they may have been JSON."""
        for name, kind in findings["kinds"].items():
            self._kinds[name] = merged(self._kinds.get(name, "null"), _plain_kind(kind))

    def arrow_schema(self, arrow: Any) -> Any:
        """Return the columns as a schema of pyarrow."""
        return arrow.schema([(name, arrow_type(kind, arrow)) for name, kind in self.kinds.items()])


def _plain_kind(kind: Any) -> Kind:
    return kind if isinstance(kind, str) else ("list", _plain_kind(kind[1]))


def optional(name: str, purpose: str, packages: str = "") -> Any:
    """Return a module of an optional dependency.

    Args:
        name: The name of the module.
        purpose: The format or function that takes it, for the error.
        packages: The packages to install, for the error; those of other names than the module's.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(
            f"{purpose} takes {package}, which cannot be loaded; pip install {packages or package} ({error})"
        ) from error


def columns_of(
    rows: Iterable[Mapping[str, Any]], fixed: Mapping[str, Kind] = {}
) -> Tuple[List[Mapping[str, Any]], Columns]:
    """Return rows in flat form, and their columns."""
    columns = Columns(fixed)
    flat: List[Mapping[str, Any]] = []
    for row in rows:
        flat.append(columns.add(columns.flat_row(row)))
    return flat, columns
