"""The label files in the folder of a dataset: each run writes them anew, and touches nothing that it did not make."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import BinaryIO, Dict, Iterator, Set, Tuple

from viam_sync.transfer.output.atomic import AtomicFile

#: The hidden folder of what the next run has to know.
STATE = ".viam-labels"


class LabelFiles:
    r"""The label files of one format in a folder.

    Each is written whole or not at all. One that an earlier run has written is replaced or, if this run does not write
    it, removed; one that has been changed since, or that no run has written, is refused.

    Args:
        folder: The folder of the dataset.
        format: The name of the format.

    Raises:
        OSError: If the folder cannot be written.

    Example:
        >>> from viam_sync.transfer.labels.label_files import LabelFiles
        >>> files = LabelFiles(folder, "yolo")
        >>> files.write_text("labels/cat.txt", "0 0.5 0.5 0.1 0.1\n")
        >>> files.finish()
        >>> (folder / "labels" / "cat.txt").read_text()
        '0 0.5 0.5 0.1 0.1\n'
    """

    def __init__(self, folder: Path, format: str) -> None:
        self.folder = folder
        self._state = folder / STATE / f"{format}.jsonl"
        #: The digests that each file may have: a run that was killed may have written it, or not.
        self._digests: Dict[str, Set[str]] = defaultdict(set)
        self._written: Dict[str, str] = {}
        self._state.parent.mkdir(parents=True, exist_ok=True)
        if self._state.exists():
            for line in self._state.read_text("utf-8").splitlines():
                # The last line of a run that was killed may be cut short; its file does not exist yet.
                with contextlib.suppress(ValueError):
                    path, digest = json.loads(line)
                    self._digests[path].add(digest)

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Open a label file for a ``with`` block, at whose end it gets its name.

        Args:
            path: Its path in the folder, with slashes.

        Raises:
            FileExistsError: If there is a file which is not the one that an earlier run has written.
            OSError: If writing failed.
        """
        place = self.folder / path
        self._require_ours(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = AtomicFile(place)
        try:
            yield unfinished.file
            unfinished.sync()
            self._note(path, _digest_of(unfinished.temporary))
            unfinished.commit()
        finally:
            unfinished.rollback()

    def write_text(self, path: str, text: str) -> None:
        """Write a small label file."""
        with self.open(path) as file:
            file.write(text.encode("utf-8"))

    def finish(self) -> None:
        """Remove the files of earlier runs that this one has not written.

        Raises:
            FileExistsError: If one of them has been changed since.
            OSError: If one cannot be removed.
        """
        for path in [path for path in self._digests if path not in self._written]:
            self._require_ours(path)
            with contextlib.suppress(FileNotFoundError):
                (self.folder / path).unlink()
        unfinished = AtomicFile(self._state)
        try:
            unfinished.file.write("".join(map(_line, self._written.items())).encode("utf-8"))
            unfinished.sync()
            unfinished.commit()
        finally:
            unfinished.rollback()

    def _note(self, path: str, digest: str) -> None:
        """Write down the digest of a file that is about to get its name."""
        self._written[path] = digest
        if digest not in self._digests[path]:
            self._digests[path].add(digest)
            with self._state.open("a", encoding="utf-8") as state:
                state.write(_line((path, digest)))

    def _require_ours(self, path: str) -> None:
        place = self.folder / path
        if place.exists() and _digest_of(place) not in self._digests[path]:
            raise FileExistsError(
                f"{str(place)!r} has been changed, or was not written by an export; move it away, or name another"
                " folder"
            )


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()[:32]


def _line(entry: Tuple[str, str]) -> str:
    return json.dumps(entry) + "\n"
