"""Prints one table of all figures, or of those of the modules that are named: ``python benchmarks [MODULE ...]``."""

import importlib
import sys
from typing import Iterator, Sequence

from figures import Figure, show

#: The modules of figures, in the order of the table.
MODULES = ("calls", "streams", "exports", "downloads", "bulk_images")


def figures(names: Sequence[str]) -> Iterator[Figure]:
    for name in names:
        yield from importlib.import_module(name).figures()


if __name__ == "__main__":
    show(figures(sys.argv[1:] or MODULES))
