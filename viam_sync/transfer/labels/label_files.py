"""The label files in the folder of a dataset: each run writes them anew, and touches nothing that it did not make."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from viam_sync.transfer.labels.label_state import LabelFileState, LabelState
from viam_sync.transfer.output.atomic import AtomicFile
from viam_sync.transfer.output.export_paths import folded_path

#: The hidden folder of what the next run has to know.
STATE = ".viam-labels"
#: The beginning of the names of unfinished files in it.
_UNFINISHED_STATE = f"{STATE}-"
#: Small files are written together, as many as this, or of as many bytes: each batch takes a few syncs of the disk.
_BATCH_FILES = 10_000
_BATCH_BYTES = 16 << 20
#: From as many files on, the whole system is synced instead of each file; elsewhere than on Linux, it does not wait.
_MANY = 100
_DIGEST_BYTES = 16


class LabelFiles:
    r"""The label files of one format in a folder.

    Each is written whole or not at all. One that an earlier run has written is replaced or, if this run does not write
    it, removed; one that has been changed since, or that no run has written, is refused.

    Args:
        folder: The folder of the dataset.
        format: The name of the format.
        batch: The most small files that are written together.

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

    def __init__(self, folder: Path, format: str, *, batch: int = _BATCH_FILES) -> None:
        self.folder = folder
        self._state = LabelState(folder / STATE / f"{format}.db")
        self._batch = batch
        self._prefix = f"{STATE}-{format}-"
        #: The folders that this run writes into.
        self._folders: Set[Path] = set()
        self._remove_unfinished()
        #: The paths and contents of the next batch, by what a disk may take for the same path.
        self._texts: Dict[str, Tuple[str, bytes]] = {}
        self._bytes = 0

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Open a label file for a ``with`` block, at whose end it gets its name.

        Args:
            path: Its path in the folder, with slashes.

        Raises:
            FileExistsError: If there is a file which is not the one that an earlier run has written, or this run has
                written it already.
            OSError: If writing failed.
        """
        earlier = self._earlier(path, self._state.get([path])[0])
        unfinished = self._unfinished(path)
        try:
            yield unfinished.file
            unfinished.sync()
            self._state.put([LabelFileState(path, _digest_of(Path(unfinished.temporary)), earlier, self._state.run)])
            unfinished.commit()
        finally:
            unfinished.rollback()

    def write_text(self, path: str, text: str) -> None:
        """Write a small label file, together with others; at the latest, ``finish`` writes it.

        Args:
            path: Its path in the folder, with slashes.
            text: Its contents.

        Raises:
            FileExistsError: As `open` raises it, of this file or of another.
            OSError: If writing failed.
        """
        key = folded_path(path)
        if key in self._texts:
            raise _written_twice(path)
        contents = text.encode("utf-8")
        self._texts[key] = path, contents
        self._bytes += len(contents)
        if len(self._texts) >= self._batch or self._bytes >= _BATCH_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write what is left, and remove the files of earlier runs that this one has not written.

        Raises:
            FileExistsError: If one of them has been changed since.
            OSError: If one cannot be removed.
        """
        self._flush()
        for others in iter(lambda: self._state.others(self._batch), []):
            for file in others:
                self._remove(file)
            self._state.forget(others)

    def _flush(self) -> None:
        """Write the batch; its digests are on the disk before any of it gets its name."""
        texts = list(self._texts.values())
        files: List[LabelFileState] = []
        changed: List[Tuple[str, bytes]] = []
        for (path, contents), known in zip(texts, self._state.get([path for path, _ in texts])):
            digest = hashlib.sha256(contents).digest()[:_DIGEST_BYTES]
            earlier = self._earlier(path, known)
            files.append(LabelFileState(path, digest, earlier, self._state.run))
            if digest != earlier:
                changed.append((path, contents))
        self._state.put(files)
        self._write(changed)
        self._texts.clear()
        self._bytes = 0

    def _write(self, texts: Sequence[Tuple[str, bytes]]) -> None:
        sync_all = sys.platform == "linux" and len(texts) >= _MANY
        with contextlib.ExitStack() as cleanup:
            unfinished: List[AtomicFile] = []
            for path, contents in texts:
                file = self._unfinished(path)
                cleanup.callback(file.rollback)
                unfinished.append(file)
                file.file.write(contents)
                if sync_all:
                    file.close()
                else:
                    file.sync()
            if sync_all:
                os.sync()
            for file in unfinished:
                file.commit()

    def _unfinished(self, path: str) -> AtomicFile:
        """Return a file that gets its name later; if this run is killed, the next one removes it."""
        place = self.folder / path
        if place.parent not in self._folders:
            self._state.add_folder(place.parent.relative_to(self.folder).as_posix())
            self._folders.add(place.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        return AtomicFile(place, prefix=self._prefix)

    def _remove_unfinished(self) -> None:
        for unfinished in (self.folder / STATE).glob(f"{_UNFINISHED_STATE}*.part"):
            unfinished.unlink()
        for folder in self._state.folders():
            for unfinished in (self.folder / folder).glob(f"{self._prefix}*.part"):
                unfinished.unlink()

    def _earlier(self, path: str, known: Optional[LabelFileState]) -> Optional[bytes]:
        """Return the digest of the file at a path, None if there is none; refuse one that is not ours."""
        if known is not None and known.run == self._state.run:
            raise _written_twice(path)
        if known is not None and known.path != path:
            # It was spelled otherwise, as Cat.txt; a disk that takes both for one would go on to say so.
            self._remove(known)
        return self._digest_of_ours(path, known)

    def _remove(self, file: LabelFileState) -> None:
        if self._digest_of_ours(file.path, file) is not None:
            (self.folder / file.path).unlink()

    def _digest_of_ours(self, path: str, known: Optional[LabelFileState]) -> Optional[bytes]:
        place = self.folder / path
        try:
            digest = _digest_of(place)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if known is None or digest not in (known.digest, known.earlier):
            raise FileExistsError(
                f"{str(place)!r} has been changed, or was not written by an export; move it away, or name another"
                " folder"
            )
        return digest


def _written_twice(path: str) -> FileExistsError:
    return FileExistsError(
        f"{path!r} would hold the labels of two images, whose names differ by their endings or by case alone; rename"
        " one, or take a format without a file for each image"
    )


def _digest_of(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.digest()[:_DIGEST_BYTES]


def write_state(folder: Path, name: str, value: Any) -> None:
    """Write what the next run has to know into the hidden folder, as JSON.

    Args:
        folder: The folder of the dataset.
        name: The name of the file.
        value: What is to be known.

    Raises:
        OSError: If it cannot be written.
    """
    place = folder / STATE / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with AtomicFile(place, prefix=_UNFINISHED_STATE) as file:
        file.write(json.dumps(value).encode("ascii"))
