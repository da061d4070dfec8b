"""Writing files that came from the service into a folder, whatever names they came with."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

from viam_sync.checks import path_from
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.atomic import AtomicOutput, StrPath
from viam_sync.transfer.output.rows import NO_JSON, binary_metadata_row, binary_row, unwritable, write_rows

#: Writes files; takes them, and what the caller would lose if writing failed.
Writer = Callable[[Sequence["pb.BinaryData"], Any], None]

#: What stands in no name of a file: colons as the official command line has it, the rest for Windows and terminals.
_RESERVED = re.compile(r'[\x00-\x1f\x7f:*?"<>|]')
#: What the names of files in the making begin with; nothing from elsewhere is called so.
UNFINISHED = ".viam-export-"
#: Names that Windows keeps for devices, and those of files in the making.
_KEPT = re.compile(rf"(con|prn|aux|nul|com\d|lpt\d)(\.|$)|{re.escape(UNFINISHED)}", re.IGNORECASE)
_LONGEST = 200
_DEEPEST = 16


def binary_destination(dest: StrPath, contents: bool) -> Writer:
    """Return what writes files to ``dest``, after checking that something can be written there.

    Args:
        dest: A folder that exists; else the path of a file for JSON or JSON lines.
        contents: Whether a folder gets the contents of the files, and not only their metadata.

    Raises:
        OSError: If nothing can be written there.
        ValueError: If it ends in ``.csv``.
    """
    if path_from("dest", dest).is_dir():
        return BinaryFolder(dest, contents).write
    file = AtomicOutput(dest, refused=(".csv",))
    return lambda files, result: write_rows(file, files, binary_row, result)


class BinaryFolder:
    """A folder that gets files in ``data/`` and what is known of them in ``metadata/``.

    A file that was written there before is replaced; another of the same name is kept, and the new one gets a number.

    Args:
        folder: The folder.
        contents: Whether it gets the contents too.

    Raises:
        PermissionError: If nothing may be written in it.
    """

    def __init__(self, folder: StrPath, contents: bool = True) -> None:
        self._folder = path_from("folder", folder)
        self._contents = contents
        #: By the name of files: the first number that no other of them has got, as far as is known.
        self._next: Dict[str, int] = {}
        self._written: Set[Path] = set()
        if not os.access(self._folder, os.W_OK):
            raise PermissionError(f"dest is the folder {str(folder)!r}, but nothing may be written in it")

    def write(self, files: Sequence[pb.BinaryData], result: Any) -> None:
        """Write files, each whole or not at all.

        Args:
            files: The files.
            result: What the caller would lose if writing failed.

        Raises:
            OSError: If writing failed; the result is its attribute ``result``.
        """
        try:
            for file in files:
                self._write_one(file, result)
        except NO_JSON as error:
            raise unwritable(error, result) from error
        except OSError as error:
            error.result = result  # type: ignore[attr-defined]
            raise

    def _write_one(self, file: pb.BinaryData, result: Any) -> None:
        row = binary_metadata_row(file.metadata)
        name, ending = export_name(file.metadata)
        data, metadata = self._free(name, ending, row)
        self._written.add(metadata)
        if self._contents:
            data.parent.mkdir(parents=True, exist_ok=True)
            AtomicOutput(data).write(file.binary, result)
        metadata.parent.mkdir(parents=True, exist_ok=True)
        AtomicOutput(metadata).write((json.dumps(row, indent=4) + "\n").encode(), result)

    def _free(self, name: str, ending: str, row: Dict[str, Any]) -> Tuple[Path, Path]:
        """Return where a file and its metadata go: no other file is there, and it is within the folder."""
        number = self._next.get(name, 1)
        passed = True
        while True:
            numbered = name if number == 1 else numbered_name(name, number)
            data = self._folder / "data" / with_ending(numbered, ending)
            metadata = self._folder / "metadata" / f"{numbered}.json"
            if self._is_within(data, "data") and self._is_within(metadata, "metadata"):
                if not data.is_dir() and not metadata.is_dir() and _is_free_for(metadata, data, row):
                    return data, metadata
                number += 1
                passed = passed and metadata in self._written
                if passed:
                    # Thousands of one name would take for ever if all before were looked at for each.
                    self._next[name] = number
            else:
                # A file or a link is where a folder is needed: without folders there is always a way.
                name = clean_name(name.replace("/", "_"))

    def _is_within(self, path: Path, room: str) -> bool:
        """Tell whether nothing on the way to ``path`` is a link or a file."""
        below = path.relative_to(self._folder / room).parents
        ways = [self._folder / room / way for way in below if way != Path()]
        return not any(way.is_symlink() or (way.exists() and not way.is_dir()) for way in ways)


def export_name(metadata: pb.BinaryMetadata) -> Tuple[str, str]:
    """Return the name under which the official command line exports a file, and the ending that its data gets.

    It is made of the time and the ID for captured data, of the time and its name for a file, and of its own path for
    one that was uploaded with one. It never leads out of a folder.

    Example:
        >>> from viam_sync.proto.app.data import BinaryMetadata
        >>> from viam_sync.transfer.output.binary_folder import export_name
        >>> export_name(BinaryMetadata(file_name="../../cat.png", file_ext=".png"))
        ('cat.png', '.png')
        >>> export_name(BinaryMetadata(id="f1", file_ext=".jpeg"))
        ('1970-01-01T00_00_00Z_f1.jpeg', '.jpeg')
    """
    time = re.sub(r"\.?0*Z$", "Z", metadata.time_requested.ToJsonString()) if metadata.time_requested.nanos else ""
    time = time or metadata.time_requested.ToJsonString()
    name = metadata.file_name.replace("\\", "/")
    if not name:
        identity = metadata.id or metadata.binary_data_id.rpartition("/")[2]
        name = f"{time}_{identity}{metadata.file_ext}".replace("/", "_")
    elif "/" not in name:
        name = f"{time}_{name}"
    name = name.replace("/.viam/capture/", "/")
    ending = clean_name(metadata.file_ext).replace("/", "_")
    return clean_name(name) or clean_name(f"{time}_file"), ending if len(ending.encode()) <= 20 else ""


def clean_name(name: str) -> str:
    """Return the path of a file within a folder that a name from elsewhere stands for, ``""`` if it stands for none.

    Example:
        >>> from viam_sync.transfer.output.binary_folder import clean_name
        >>> clean_name("/etc/../home/a:b.png")
        'etc/home/a_b.png'
    """
    parts: List[str] = []
    for part in name.replace("\\", "/").split("/"):
        cleaned = _RESERVED.sub("_", part).rstrip(". ")
        if cleaned.strip(". "):
            cleaned = f"_{cleaned}" if _KEPT.match(cleaned) else cleaned
            parts.append(shortened(cleaned))
    return "/".join(parts[-_DEEPEST:])


def shortened(part: str, longest: int = _LONGEST) -> str:
    """Return a name that is at most so many bytes long, with the ending that it had.

    Example:
        >>> from viam_sync.transfer.output.binary_folder import shortened
        >>> shortened("x" * 300 + ".png", 12)
        'xxxxxxxx.png'
    """
    encoded = part.encode("utf-8", "replace")
    if len(encoded) <= longest:
        return encoded.decode()
    ending = Path(part).suffix.encode("utf-8", "replace")
    ending = ending if len(ending) <= min(20, longest // 2) else b""
    stem = encoded[: len(encoded) - len(ending)]
    return (stem[: longest - len(ending)] + ending).decode("utf-8", "ignore")


def with_ending(name: str, ending: str) -> str:
    """Return a name that ends so; one that does already stays as it is."""
    return name if not ending or Path(name).suffix == ending else f"{name}{ending}"


def numbered_name(name: str, number: int) -> str:
    """Return the name that a file gets if others of its name are there before it.

    Example:
        >>> from viam_sync.transfer.output.binary_folder import numbered_name
        >>> numbered_name("pets/cat.png", 2)
        'pets/cat-2.png'
    """
    path = Path(name)
    return path.with_name(f"{path.stem}-{number}{path.suffix}").as_posix()


def is_copy(metadata: Path, identity: Sequence[Optional[str]]) -> bool:
    """Tell whether a file of metadata that was exported before is that of the file with this identity.

    Args:
        metadata: Its path.
        identity: The ID of the binary data and the older one; None for one that there is not.
    """
    try:
        known = json.loads(metadata.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(known, dict) and any(identity) and [known.get("binaryDataId"), known.get("id")] == list(identity)


def _is_free_for(metadata: Path, data: Path, row: Dict[str, Any]) -> bool:
    """Tell whether nothing is there yet, or what is there is an older copy of the same file."""
    if metadata.is_symlink() or data.is_symlink():
        return False
    if not metadata.exists():
        return not data.exists()
    return is_copy(metadata, [row.get("binaryDataId"), row.get("id")])
