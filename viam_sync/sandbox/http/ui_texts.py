"""Texts of the page, of a limited length."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

TEXT, NAME = 2000, 100
# A larger body is not parsed.
_LARGEST = 64 * 1024


def body_column(table: str) -> str:
    """Return the column of a query that has the body of a row, or NULL if it is large."""
    return f"CASE WHEN length({table}.body) <= {_LARGEST} THEN {table}.body END AS body"


def cut(text: str, length: int = NAME) -> str:
    """Return a text, or its beginning."""
    return text if len(text) <= length else text[: length - 1] + "…"


def struct_text(value: Any) -> str:
    """Return a plain value as JSON, or the beginning of that."""
    return cut(json.dumps(value, ensure_ascii=False, sort_keys=True), TEXT)


def too_large(row: sqlite3.Row) -> str:
    """Return what stands there instead of a large body."""
    return f"({row['size']} bytes, too much to show here)"
