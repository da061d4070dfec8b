"""One run of the command: migrates files one after the other, and says what came of each."""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

from viam_sync.migrate.findings import Finding
from viam_sync.migrate.notebooks import migrate_notebook
from viam_sync.migrate.refusal import Refusal
from viam_sync.migrate.requirements import left_requirements, lists_requirements
from viam_sync.migrate.script_files import Contents, decoded, files_at, write
from viam_sync.migrate.source import UnparsableError, migrate_source

#: A script without one of these words has nothing to migrate, and need not be valid Python.
_WORDS = re.compile(rb"\b(viam|viam_sync|grpclib|await)\b")


class Run:
    """A run of the command.

    Args:
        check: Whether to tell only which files would change.
        diff: Whether to print only what would change, as a patch.
        threads: Whether threads make the calls of ``asyncio.gather``.
    """

    def __init__(self, *, check: bool, diff: bool, threads: bool) -> None:
        self._writes = not check and not diff
        self._check, self._diff, self._threads = check, diff, threads
        self._changed = self._left = self._refused = 0
        self._needs_ours = False

    def migrate(self, paths: Sequence[Path]) -> int:
        """Migrate the files at some paths, and return the exit status."""
        files: Dict[Path, Path] = {}
        for path in paths:
            with self._refusing(path):
                files.update((each.resolve(), each) for each in files_at(path))
        # What a project requires depends on its scripts.
        for path in sorted(files.values(), key=lists_requirements):
            with self._refusing(path):
                self._file(path)
        _say(self._summary(len(files)))
        if self._refused:
            return 2
        return 1 if self._left or (self._check and self._changed) else 0

    @contextlib.contextmanager
    def _refusing(self, path: Path) -> Iterator[None]:
        """Within this block, a file that cannot be migrated is named, and the run goes on."""
        try:
            yield
        except Refusal as error:
            self._refuse(f"{path}:{error.where}" if error.where else str(path), str(error))
        except OSError as error:
            self._refuse(str(path), error.strerror or str(error))
        except RecursionError:
            self._refuse(str(path), "it is nested too deeply")

    def _refuse(self, place: str, reason: str) -> None:
        self._refused += 1
        _say(f"{place}: error: {reason}")

    def _summary(self, count: int) -> str:
        files = "1 file" if count == 1 else f"{count} files"
        changed = f"{self._changed} {'migrated' if self._writes else 'to migrate'}"
        refused = f", {self._refused} refused" if self._refused else ""
        lines = "1 line is" if self._left == 1 else f"{self._left or 'no'} lines are"
        return f"{files}: {changed}{refused}; {lines} left to you"

    def _file(self, path: Path) -> None:
        data = path.read_bytes()
        if not _WORDS.search(data) and not lists_requirements(path):
            return
        before = decoded(path, data)
        text, left = self._migrated(path, before.text)
        if text != before.text:
            self._changed += 1
            self._show(path, before, text)
        if left and text != before.text and self._writes:
            # The lines are those of the file as it is now.
            _, left = self._migrated(path, text)
        self._left += len(left)
        for place, reason in left:
            _say(f"{path}:{place}: {reason}")

    def _migrated(self, path: Path, text: str) -> Tuple[str, List[Tuple[str, str]]]:
        """Return the new text of a file, and the places and reasons of what is left."""
        if path.suffix == ".ipynb":
            return migrate_notebook(text, self._source)
        if not lists_requirements(path):
            text, findings = self._source(text)
        else:
            findings = left_requirements(text) if self._needs_ours else []
        return text, [(str(line), reason) for line, reason in findings]

    def _source(self, text: str) -> Tuple[str, List[Finding]]:
        try:
            migrated, findings = migrate_source(text, threads=self._threads)
        except UnparsableError as error:
            raise Refusal(str(error.line), "this is not valid Python") from None
        self._needs_ours = self._needs_ours or "viam_sync" in migrated
        return migrated, findings

    def _show(self, path: Path, before: Contents, text: str) -> None:
        """Write the new text of a file, or print it as asked."""
        if self._writes:
            write(path, before._replace(text=text).data)
            _say(f"{path}: migrated")
        if self._diff:
            sys.stdout.writelines(_patch(path, before.text, text))
        if self._check:
            _say(f"{path}: to migrate")


def _patch(path: Path, before: str, after: str) -> Iterator[str]:
    """Give the lines of a patch."""
    old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (before, after))
    for line in difflib.unified_diff(old, new, str(path), str(path)):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _say(line: str) -> None:
    print(line, file=sys.stderr)
