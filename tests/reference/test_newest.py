"""Each difference of our signatures from those of the newest official SDK stands in docs/differences.md."""

import itertools
import re
from pathlib import Path
from typing import Iterator, List

from .newest import NEWEST, order_differences, parameter_differences, type_differences

PAGE = (Path(__file__).parents[2] / "docs" / "differences.md").read_text(encoding="utf-8")
VERSION = (Path(__file__).parents[2] / "protos" / "API_VERSION").read_text(encoding="utf-8").strip()


def rows_below(heading: str) -> Iterator[List[str]]:
    """Yield the cells of each row of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    _, _, *rows = [line for line in section.splitlines() if line.startswith("|")]
    for row in rows:
        yield [cell.strip() for cell in row.strip("|").split("|")]


def listed(cell: str) -> List[str]:
    """Return the names in a cell."""
    return re.findall("`([^`]*)`", cell)


def test_each_method_with_another_order_is_on_the_page() -> None:
    found = {method.strip("`"): (there, here) for method, there, here, _ in rows_below("The order of positional")}
    assert found == order_differences()


def test_each_parameter_that_differs_is_on_the_page() -> None:
    found = set()
    for names, there, here, methods, _ in rows_below("Parameters that only one"):
        for name, method in itertools.product(listed(names), listed(methods)):
            found.add((name, there.strip("`"), here.strip("`"), method))
    assert found == parameter_differences()


def test_each_type_that_differs_is_on_the_page() -> None:
    found = set()
    for names, _, _, methods in rows_below("Types that"):
        found.update(itertools.product(listed(names) or ["result"], listed(methods)))
    assert found == type_differences()


def test_the_page_names_the_version_that_is_compared() -> None:
    assert len(NEWEST) > 180
    assert f"`viam-sdk` {VERSION} takes" in PAGE
