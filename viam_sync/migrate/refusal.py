"""The error for a file that cannot be migrated."""

from __future__ import annotations


class Refusal(Exception):
    """A file that cannot be migrated, and is left as it is.

    Args:
        where: The place in the file, such as a line; an empty text for the whole file.
        reason: The reason.
    """

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(reason)
        self.where = where
