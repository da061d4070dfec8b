"""The migration of files that call each other's functions."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Sequence, Tuple

from viam_sync.migrate.findings import Finding, moved
from viam_sync.migrate.notebooks import migrate_notebook
from viam_sync.migrate.other_files import handed_on, made_plain, visible_from
from viam_sync.migrate.refusal import Refusal
from viam_sync.migrate.script import UnparsableError, migrate_source
from viam_sync.migrate.script_files import Contents, read


class Migration:
    """Migrates the texts of files.

    Args:
        paths: The scripts: a function that becomes plain in one of them is called without ``await`` in all files.
        threads: Whether threads make the calls of ``asyncio.gather``.
        writes: Whether what is left is named by the lines of the migrated files, as these are written.

    Attributes:
        needs_ours: Whether a file that was migrated imports ``viam_sync``.
    """

    def __init__(self, paths: Sequence[Path], *, threads: bool, writes: bool = False) -> None:
        self.needs_ours = False
        self._threads = threads
        self._writes = writes
        self._known: Dict[Tuple[str, FrozenSet[Tuple[str, bool]]], Tuple[str, List[Finding]]] = {}
        self._functions: Dict[Path, Dict[str, bool]] = {}
        before = None
        # A function that becomes plain may make others plain that call it.
        while before != self._functions:
            before, self._functions = self._functions, dict(self._made_plain(paths))

    def migrated(self, path: Path, contents: Contents) -> Tuple[str, List[Tuple[str, str]]]:
        """Return the new text of a script or a notebook, and the places and reasons of what is left to a person.

        Raises:
            Refusal: If it cannot be migrated.
        """
        if path.suffix == ".ipynb":
            return migrate_notebook(contents.text, lambda code: self._source(path, code), writes=self._writes)
        text, findings = self._source(path, contents.text)
        if self._writes:
            findings = moved(findings, contents.text, text)
        return text, [(str(line), reason) for line, reason in findings]

    def _made_plain(self, paths: Sequence[Path]) -> Iterator[Tuple[Path, Dict[str, bool]]]:
        for path in paths:
            # A file that cannot be migrated is named when its turn comes.
            with contextlib.suppress(OSError, Refusal, RecursionError):
                contents = read(path)
                if contents is not None and path.suffix != ".ipynb":
                    text = contents.text
                    own = made_plain(text, self._source(path, text)[0])
                    imported = handed_on(text, visible_from(path.resolve(), text, self._functions))
                    yield path.resolve(), {**imported, **own}

    def _source(self, path: Path, text: str) -> Tuple[str, List[Finding]]:
        elsewhere = visible_from(path.resolve(), text, self._functions)
        key = text, frozenset(elsewhere.items())
        if key not in self._known:
            try:
                self._known[key] = migrate_source(text, threads=self._threads, elsewhere=elsewhere)
            except UnparsableError as error:
                raise Refusal(str(error.line), f"this is not valid Python: {error.reason}") from None
        self.needs_ours = self.needs_ours or "viam_sync" in self._known[key][0]
        return self._known[key]
