"""Pages of the lists on the page, whose numbers stand in its address."""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Dict, List, Sequence, Tuple, TypeVar

from viam_sync.sandbox.core.world import World

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)

Item = TypeVar("Item")


def page_of_rows(
    world: World, number: str, size: int, count: str, rows: str, *values: Any
) -> Tuple[Dict[str, int], List[sqlite3.Row]]:
    """Return which page this is, and the rows on it.

    Args:
        world: The state of the sandbox.
        number: The number of the page in the address, from 1 on; anything may stand there.
        size: The number of rows on a page.
        count: A query for the number of all rows.
        rows: A query for all rows, in their order.
        values: The values of both queries.
    """
    counted = world.store.row(count, *values)
    place = _place(number, size, 0 if counted is None else int(counted[0]))
    return place, world.store.rows(f"{rows} LIMIT ? OFFSET ?", *values, size, _first(place))


def page_of_items(items: Sequence[Item], number: str, size: int) -> Tuple[Dict[str, int], Sequence[Item]]:
    """Return which page of items this is, and the items on it."""
    place = _place(number, size, len(items))
    return place, items[_first(place) : _first(place) + size]


def _place(number: str, size: int, total: int) -> Dict[str, int]:
    pages = max(1, -(-total // size))
    page = int(number) if _NUMBER.fullmatch(number) else 1
    return {"page": min(max(page, 1), pages), "pages": pages, "size": size, "total": total}


def _first(place: Dict[str, int]) -> int:
    return (place["page"] - 1) * place["size"]
