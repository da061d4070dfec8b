"""One run of the command: migrates files one after the other, and says what came of each."""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, Sequence, Tuple

from viam_sync.migrate.migration import Migration
from viam_sync.migrate.refusal import Refusal
from viam_sync.migrate.requirements import left_requirements, lists_requirements
from viam_sync.migrate.script_files import Contents, files_at, importers, read, write


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
        self._files: Dict[Path, Path] = {}
        self._changed = self._left = self._refused = 0

    def migrate(self, paths: Sequence[Path]) -> int:
        """Migrate the files at some paths, and return the exit status."""
        files = self._files
        for path in paths:
            with self._refusing(path):
                files.update((each.resolve(), each) for each in files_at(path))
        scripts = [path for path in files.values() if not lists_requirements(path)]
        migration = Migration(scripts, threads=self._threads, writes=self._writes)
        for path in scripts:
            with self._refusing(path):
                self._file(path, migration)
        for path in files.values():
            if migration.needs_ours and lists_requirements(path):
                with self._refusing(path):
                    self._requirements(path)
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
        except BrokenPipeError:  # of the output, which no file is
            raise
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

    def _file(self, path: Path, migration: Migration) -> None:
        before = read(path)
        if before is None:
            return
        text, left = migration.migrated(path, before)
        if text != before.text:
            self._changed += 1
            self._show(path, before, text)
        self._tell(path, left)
        if text.count("async def") < before.text.count("async def"):
            for other, line in importers(path, self._files):
                self._tell(other, [(str(line), f"{path.name} is migrated, and not this file, which imports it")])

    def _requirements(self, path: Path) -> None:
        self._tell(path, [(str(line), reason) for line, reason in left_requirements(path.read_text("utf-8"))])

    def _tell(self, path: Path, left: Sequence[Tuple[str, str]]) -> None:
        self._left += len(left)
        for place, reason in left:
            _say(f"{path}:{place}: {reason}")

    def _show(self, path: Path, before: Contents, text: str) -> None:
        """Write the new text of a file, or print it as asked."""
        if self._writes:
            write(path, before._replace(text=text).data)
            _say(f"{path}: migrated")
        if self._diff:
            sys.stdout.writelines(_patch(path, before.text, text))
            sys.stdout.flush()
        if self._check:
            _say(f"{path}: to migrate")


def _patch(path: Path, before: str, after: str) -> Iterator[str]:
    """Give the lines of a patch."""
    old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (before, after))
    for line in difflib.unified_diff(old, new, str(path), str(path)):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _say(line: str) -> None:
    print(line, file=sys.stderr)
