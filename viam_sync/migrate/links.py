"""Finds the file that an import names among those that are migrated together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Dict, Iterable, Iterator, NamedTuple, Optional, Sequence

from viam_sync.migrate.official_names import is_official

#: Modules that a file of the same name does not stand for; before Python 3.10, the interpreter's own alone are known.
_STANDARD = frozenset(getattr(sys, "stdlib_module_names", sys.builtin_module_names))


class ImportedFile(NamedTuple):
    """A file, and what is left of a dotted name once the name of its module is taken off."""

    path: Path
    rest: str


class Links:
    """Looks dotted names up in the files of a program.

    Args:
        paths: The files.

    Example:
        >>> links = Links([Path("app/main.py"), Path("app/cloud.py")])
        >>> links.find(Path("app/main.py"), ".cloud.connect")
        ImportedFile(path=PosixPath('app/cloud.py'), rest='connect')
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths: Dict[Path, None] = dict.fromkeys(paths)

    def find(self, importer: Path, name: str) -> Optional[ImportedFile]:
        """Return the file that the first parts of a dotted name stand for, as many as possible; None if there is none.

        Args:
            importer: The file with the import: relative names, and those of its folders, depend on it.
            name: The name, with the dots before it if it is a relative one.
        """
        parts = [part for part in name.split(".") if part]
        dots = len(name) - len(name.lstrip("."))
        if dots:
            return self.below(importer.parents[min(dots, len(importer.parents)) - 1], parts)
        if not parts or parts[0] in _STANDARD or is_official(name):
            return None
        found = (self.below(folder, parts) for folder in _roots(importer))
        return next((link for link in found if link is not None and link.path != importer), None)

    def below(self, folder: Path, parts: Sequence[str]) -> Optional[ImportedFile]:
        """Return the file for a name that is looked up in a folder."""
        for count in range(len(parts), -1, -1):
            place = folder.joinpath(*parts[:count])
            for path in ([place.with_name(f"{place.name}.py")] if count else []) + [place / "__init__.py"]:
                if path in self._paths and (count or path.parent == folder):
                    return ImportedFile(path, ".".join(parts[count:]))
        return None


def _roots(importer: Path) -> Iterator[Path]:
    """Give the folders that may be on the path of modules: those around a file, and the sources in them."""
    for folder in importer.parents:
        yield folder
        yield folder / "src"
