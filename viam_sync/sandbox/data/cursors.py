"""Pages of readings and files: their order and limit, and the cursor between one page and the next."""

from __future__ import annotations

import re
from typing import NamedTuple, Tuple

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.data.conditions import Condition

_DEFAULT_LIMIT = 50
_LARGEST_LIMIT = 100

_CURSOR = re.compile(r"[0-9a-f]{24}\Z")
_ZERO = 2**63


class Page(NamedTuple):
    """The query for a page.

    Attributes:
        limit: The most rows.
        order: An ORDER BY clause for a table with the columns ``requested`` and ``id``.
        condition: The condition that a row comes after the previous page.
    """

    limit: int
    order: str
    condition: Condition


def page_query(request: pb.DataRequest, table: str) -> Page:
    """Return the query for the page of a table that a request asks for.

    Raises:
        CallError: INVALID_ARGUMENT if ``last`` is no cursor.
    """
    ascending = request.sort_order == pb.Order.ORDER_ASCENDING
    limit = min(request.limit or _DEFAULT_LIMIT, _LARGEST_LIMIT)
    direction, sign = ("ASC", ">") if ascending else ("DESC", "<")
    condition = Condition("1")
    if request.last:
        condition = Condition(f"({table}.requested, {table}.id) {sign} (?, ?)", _decode_cursor(request.last))
    return Page(limit, f"{table}.requested {direction}, {table}.id {direction}", condition)


def encode_cursor(requested: int, id: int) -> str:
    """Return the cursor ``last`` after a row, given its time and its ID: 24 hexadecimal digits."""
    return f"{requested + _ZERO:016x}{id:08x}"


def _decode_cursor(last: str) -> Tuple[int, int]:
    if not _CURSOR.match(last):
        raise invalid_argument(
            f"{last[:64]!r} is none of the places that a page ended with; "
            "pass on the `last` of the page before, or leave it out to begin at the start."
        )
    return int(last[:16], 16) - _ZERO, int(last[16:], 16)
