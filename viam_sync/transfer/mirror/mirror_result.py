"""The result of a run of a mirror."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import List, Optional

from viam_sync.checks.urls import redact_urls
from viam_sync.shown import Shown


@dataclass(repr=False)
class MirrorResult(Shown):
    """The result of a run of a mirror.

    Attributes:
        dest: The file or folder; a URL without its password.
        table: The name of the table in a file of DuckDB; None for a folder.
        start: The time from which on the mirror is now what the service has; None if all of it is.
        end: The first time after that; None if there is no end.
        added: The number of rows that this run has added.
        removed: The number of rows that this run has removed, as the service does not have them any more.
        rows: The number of rows that are there now.
        new_columns: The columns that this run has added, but for those that all readings have.
        changed_columns: The columns whose type this run has changed, as a value did not fit.

    Example:
        >>> from viam_sync.app.data_client import MirrorResult
        >>> MirrorResult("air.duckdb", "readings", added=3, removed=1, rows=1008, new_columns=["data.readings.co2"])
        MirrorResult(dest='air.duckdb', 1008 rows: 3 added, 1 removed, 1 new column)
    """

    dest: str
    table: Optional[str] = None
    start: Optional[datetime] = None
    end: Optional[datetime] = None
    added: int = 0
    removed: int = 0
    rows: int = 0
    new_columns: List[str] = field(default_factory=list)
    changed_columns: List[str] = field(default_factory=list)

    def __repr__(self) -> str:
        counts = [f"{self.added} added", f"{self.removed} removed"]
        columns = {"new": self.new_columns, "changed": self.changed_columns}
        counts += [
            f"{len(names)} {word} column{'s' * (len(names) > 1)}" for word, names in columns.items() if len(names)
        ]
        return f"MirrorResult(dest={redact_urls(repr(self.dest))}, {self.rows} rows: {', '.join(counts)})"
