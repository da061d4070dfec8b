"""The migration of files that call each other's functions."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Sequence, Set, Tuple

import libcst as cst

from viam_sync.migrate import cloud
from viam_sync.migrate.findings import Finding, moved
from viam_sync.migrate.notebooks import joined_code, migrate_notebook
from viam_sync.migrate.refusal import Refusal
from viam_sync.migrate.script import UnparsableError, migrate_program, parse
from viam_sync.migrate.script_files import Contents, read

#: Words of which at least one file among those that import each other has one if there is anything to migrate.
_VIAM = re.compile(rf"viam|grpclib|{'|'.join(cloud.CLIENTS)}")
_IMPORT = re.compile(r"^[ \t]*(?:from|import)\b[^#\n]*(?:\([^)]*\))?", re.MULTILINE)


class Migration:
    """Migrates the texts of files.

    Args:
        paths: The files: those that import each other are migrated together.
        threads: Whether threads make the calls of ``asyncio.gather``.
        writes: Whether what is left is named by the lines of the migrated files, as these are written.

    Attributes:
        needs_ours: Whether a file that was migrated imports ``viam_sync``.
    """

    def __init__(self, paths: Sequence[Path], *, threads: bool, writes: bool = False) -> None:
        self._threads = threads
        self._writes = writes
        self._results: Dict[Path, Tuple[str, List[Finding]]] = {}
        self._errors: Dict[Path, Exception] = {}
        for texts in _connected(_texts(paths)):
            if any(map(_VIAM.search, texts.values())):
                self._migrate(self._parsed(texts))
        self.needs_ours = any("viam_sync" in text for text, _ in self._results.values())

    def migrated(self, path: Path, contents: Contents) -> Tuple[str, List[Tuple[str, str]]]:
        """Return the new text of a script or a notebook, and the places and reasons of what is left to a person.

        Raises:
            Refusal: If it cannot be migrated.
        """
        error = self._errors.get(path.resolve())
        if not contents.is_concerned and (error is not None or path.suffix == ".ipynb"):
            return contents.text, []
        if path.suffix == ".ipynb":
            return migrate_notebook(contents.text, lambda code: self._result(path, code), writes=self._writes)
        text, findings = self._result(path, contents.text)
        if self._writes:
            findings = moved(findings, contents.text, text)
        return text, [(str(line), reason) for line, reason in findings]

    def _result(self, path: Path, code: str) -> Tuple[str, List[Finding]]:
        if path.resolve() in self._errors:
            raise self._errors[path.resolve()]
        return self._results.get(path.resolve(), (code, []))

    def _parsed(self, texts: Mapping[Path, str]) -> Dict[Path, cst.Module]:
        modules = {}
        for path, text in texts.items():
            try:
                modules[path] = parse(text)
            except UnparsableError as error:
                self._errors[path] = Refusal(str(error.line), f"this is not valid Python: {error.reason}")
            except RecursionError as error:
                self._errors[path] = error
        return modules

    def _migrate(self, modules: Mapping[Path, cst.Module]) -> None:
        """Migrate files together; those that are nested too deeply are left out."""
        try:
            self._results.update(migrate_program(modules, threads=self._threads))
        except RecursionError as error:
            if len(modules) == 1:
                self._errors.update(dict.fromkeys(modules, error))
                return
            for path, module in modules.items():
                self._migrate({path: module})
            self._migrate({path: module for path, module in modules.items() if path not in self._errors})


def _texts(paths: Sequence[Path]) -> Dict[Path, str]:
    """Return the code of files; one that cannot be read is named when its turn comes."""
    texts = {}
    for path in paths:
        with contextlib.suppress(OSError, Refusal):
            contents = read(path)
            if contents is not None:
                is_notebook = path.suffix == ".ipynb"
                texts[path.resolve()] = joined_code(contents.text) if is_notebook else contents.text
    return texts


def _connected(texts: Mapping[Path, str]) -> Iterator[Dict[Path, str]]:
    """Give the files in groups: those with an import that may mean another file are in one group with it."""
    words = {path: set(re.findall(r"\w+", " ".join(_IMPORT.findall(text)))) for path, text in texts.items()}
    named: Dict[str, List[Path]] = {}
    for path in texts:
        named.setdefault(path.parent.name if path.stem == "__init__" else path.stem, []).append(path)
    near: Dict[Path, Set[Path]] = {path: set() for path in texts}
    for path in texts:
        package = [path.parent / "__init__.py"] if path.parent / "__init__.py" in texts else []
        for other in (*package, *(other for word in words[path] for other in named.get(word, ()))):
            near[path].add(other)
            near[other].add(path)
    left = dict(texts)
    while left:
        first = next(iter(left))
        group, waiting = {first: left.pop(first)}, [first]
        while waiting:
            for path in near[waiting.pop()] & left.keys():
                group[path] = left.pop(path)
                waiting.append(path)
        yield {path: group[path] for path in texts if path in group}
