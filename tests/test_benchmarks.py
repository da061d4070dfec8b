"""The benchmarks: each is in the table that python benchmarks prints, and on the page that holds it."""

import ast
import re
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES: Dict[str, ast.Module] = {
    path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "benchmarks").glob("*.py"))
}
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def listed() -> List[str]:
    """Return the modules that ``python benchmarks`` runs."""
    (value,) = (
        node.value
        for node in MODULES["__main__"].body
        if isinstance(node, ast.Assign) and ast.dump(node.targets[0]) == ast.dump(ast.Name("MODULES", ast.Store()))
    )
    return list(ast.literal_eval(value))


def works(module: ast.Module) -> Iterator[str]:
    """Yield a pattern of the work of each figure of a module, in which anything may stand for what is computed."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Figure":
            yield next(pattern_of(each.value) for each in node.keywords if each.arg == "work")


def pattern_of(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(map(pattern_of, node.values))
    return re.escape(node.value) if isinstance(node, ast.Constant) else "[^|]+"


def test_each_module_of_figures_is_in_the_table() -> None:
    with_figures = {
        name
        for name, module in MODULES.items()
        if any(isinstance(node, ast.FunctionDef) and node.name == "figures" for node in module.body)
    }
    assert with_figures - {"__main__"} == set(listed())
    assert len(listed()) == len(with_figures) - 1


@pytest.mark.parametrize("name", listed())
def test_the_page_tells_of_each_figure(name: str) -> None:
    patterns = list(works(MODULES[name]))
    assert patterns
    assert [each for each in patterns if not re.search(rf"(?m)^\| {each} \|", PAGE)] == []


@pytest.mark.parametrize(
    ("work", "goals"),
    [
        ("unary calls, main thread", ["≤ 1.04"]),
        ("32 threads", ["≥ 0.95"]),
        ("a script that makes one call", ["≤ 0.62", "≤ 1.35"]),
        ("import ", ["≤ 0.5"]),
        ("tabular_data_by_filter", ["≤ 0.5"]),
        ("the rows of export_tabular_data", ["≤ 0.5"]),
        ("the messages of a stream, read in the main thread", ["≤ 1.2"]),
        ("upload_files", ["≥ 0.9", "≥ 0.9"]),
        ("50,000 readings", ["≥ 4", "≥ 4", "≥ 8"]),
        ("2,000 images", ["≥ 2", "≥ 3", ""]),
        ("by link, TLS", ["≥ 0.8", "≥ 0.8"]),
        ("1,000,000", ["≤ 1.1"] * 6),
        ("readings, to_arrow, memory", ["≤ 2"]),
        ("small SQL query", ["≤ 20"]),
    ],
)
def test_the_page_has_the_goals(work: str, goals: List[str]) -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ")]
    assert [row[4] for row in rows if work in row[0] and len(row) == 6] == goals
