"""Prints one table of all figures, or of those of some modules: ``python benchmarks [--json] [MODULE ...]``."""

import argparse
import importlib
from typing import Iterator, Sequence

from figures import Figure, dump, show

#: The modules of figures, in the order of the table.
MODULES = (
    "scripts",
    "calls",
    "streams",
    "messages",
    "rows",
    "pages",
    "tabular_exports",
    "exports",
    "downloads",
    "bulk_images",
    "uploads",
    "tables",
    "bulk_rows",
    "sandbox",
    "sandbox_pages",
)


def figures(names: Sequence[str]) -> Iterator[Figure]:
    for name in names:
        yield from importlib.import_module(name).figures()


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python benchmarks", description="What things cost, here and elsewhere.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}; default: all")
    parser.add_argument("--json", action="store_true", help="print lines of JSON instead of a table")
    options = parser.parse_args()
    (dump if options.json else show)(figures(options.modules or MODULES))
