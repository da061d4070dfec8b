"""Writing a result to a file, whole or not at all."""

import contextlib
import csv
import io
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, Sequence, Union

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from viam_sync.checks import path_from
from viam_sync.messages.pool import pool

StrPath = Union[str, "os.PathLike[str]"]
Row = Mapping[str, Any]


class AtomicOutput:
    """A file that a result is to be written to, checked before anything is asked of the service.

    Args:
        dest: The path of the file. Its folder must exist.
        secret: Whether the result may hold secrets; then only the file's owner can read it, whoever could read one that
            it replaces. Others are readable as new files are, but by nobody who could not read what they replace.
        refused: Endings that stand for a format in which this result cannot be written, such as ``.csv``.

    Raises:
        OSError: If no file can be written there.
        ValueError: If its ending is a refused one.
        TypeError: If it is no path.

    Example:
        >>> from viam_sync.transfer.output.atomic import AtomicOutput
        >>> AtomicOutput(folder / "config.json").write(b"{}", result=None)
        >>> (folder / "config.json").read_text()
        '{}'
    """

    def __init__(self, dest: StrPath, *, secret: bool = False, refused: Sequence[str] = ()) -> None:
        self._path = path_from("dest", dest)
        self._mode = 0o600 if secret else _mode_of(self._path)
        if self._path.suffix.lower() in refused:
            raise ValueError(f"dest is {str(dest)!r}, but this cannot be written as {self._path.suffix}; use .json")
        if self._path.is_dir():
            raise IsADirectoryError(f"dest is a folder, {str(dest)!r}; name a file in it")
        if not self._path.parent.is_dir():
            raise FileNotFoundError(f"dest is {str(dest)!r}, but there is no folder {str(self._path.parent)!r}")
        if not os.access(self._path.parent, os.W_OK):
            raise PermissionError(f"dest is {str(dest)!r}, but nothing may be written in {str(self._path.parent)!r}")

    def write(self, contents: bytes, result: Any) -> None:
        """Write ``contents``; a file of that name is replaced only once the new one is complete.

        Args:
            contents: What the file shall hold.
            result: What the caller would lose if writing failed.

        Raises:
            OSError: If writing failed; the result is its attribute ``result``.
        """
        try:
            with self.writing() as file:
                file.write(contents)
        except OSError as error:
            error.result = result  # type: ignore[attr-defined]
            raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """Give a file to write to, which gets its name at the end of the ``with`` block; after an error it is gone.

        Raises:
            OSError: If writing failed.

        Example:
            >>> from viam_sync.transfer.output.atomic import AtomicOutput
            >>> with AtomicOutput(folder / "log.txt").writing() as file:
            ...     file.write(b"hello")
            5
            >>> (folder / "log.txt").read_text()
            'hello'
        """
        part = AtomicFile(self._path, self._mode)
        try:
            yield part.file
            part.settle()
            part.place()
        except BaseException:
            part.discard()
            raise

    def write_rows(self, rows: Sequence[Row], result: Any) -> None:
        """Write rows in the format that the file's ending names: ``.jsonl``, ``.csv``, and JSON for all others.

        JSON is a list of objects; JSON lines are an object each. In CSV, nested objects become columns with
        dotted names, lists are JSON, and what a row lacks is empty.

        Args:
            rows: Objects that JSON can hold.
            result: What the caller would lose if writing failed.

        Raises:
            OSError: If writing failed; the result is its attribute ``result``.
        """
        suffix = self._path.suffix.lower()
        if suffix == ".jsonl":
            text = "".join(json.dumps(row) + "\n" for row in rows)
        elif suffix == ".csv":
            text = _csv(rows)
        else:
            text = json.dumps(rows, indent=4) + "\n"
        self.write(text.encode(), result)


class AtomicFile:
    """A file in the making, beside the one that it is to become.

    Args:
        path: Where it goes; a file of that name is replaced.
        mode: The mode that it gets, before the umask.
        prefix: What its name begins with meanwhile.

    Attributes:
        file: What to write to.

    Raises:
        OSError: If it cannot be made.

    Example:
        >>> from viam_sync.transfer.output.atomic import AtomicFile
        >>> part = AtomicFile(folder / "cat.png")
        >>> _ = part.file.write(b"PNG")
        >>> part.settle()
        >>> part.place()
        >>> [path.name for path in folder.iterdir()]
        ['cat.png']
    """

    def __init__(self, path: Path, mode: int = 0o666, prefix: str = ".viam-") -> None:
        self._path = path
        self._temporary = path.with_name(f"{prefix}{secrets.token_hex(8)}.part")
        descriptor = os.open(self._temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), mode)
        self._placed = False
        self.file: BinaryIO = os.fdopen(descriptor, "wb")

    def settle(self) -> None:
        """Bring all of it to the disk, and close it."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()

    def place(self) -> None:
        """Give it its name."""
        self._temporary.replace(self._path)
        self._placed = True

    def discard(self) -> None:
        """Remove it; after ``place``, and a second time, this does nothing."""
        # What is still to be written may no longer fit, and an open file cannot be removed on Windows.
        with contextlib.suppress(OSError):
            self.file.close()
        if not self._placed:
            with contextlib.suppress(OSError):
                self._temporary.unlink()


def _mode_of(path: Path) -> int:
    """Return the mode of a file that takes the place of another, if there is one."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o666 | 0o600
    except OSError:
        return 0o666


def message_to_row(message: Message) -> Dict[str, Any]:
    """Return a message as JSON has it: lowerCamelCase names, bytes as base64, times as RFC 3339.

    Example:
        >>> from viam_sync.transfer.output.atomic import message_to_row
        >>> message_to_row(pb.Robot(name="rover", location="shed"))
        {'name': 'rover', 'location': 'shed'}
    """
    row: Dict[str, Any] = MessageToDict(message, descriptor_pool=pool())
    return row


def _csv(rows: Sequence[Row]) -> str:
    flat = [dict(_flattened(row, "")) for row in rows]
    columns: List[str] = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flattened(row: Row, prefix: str) -> Iterator[Any]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value) if isinstance(value, list) else value
