"""What a migration leaves to a person, and where."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A line that was left as it is, and the reason."""

    #: Line of the source before the migration, from 1.
    line: int
    reason: str
