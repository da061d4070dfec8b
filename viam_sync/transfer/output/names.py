"""The rules for the names of exported files: what the official command line calls them, cleaned for every disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, Tuple

from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.gzipped import GZIP_ENDING

#: The characters that no name of a file keeps: colons as the official command line has it, the rest for Windows and
#: terminals.
_RESERVED = re.compile(r'[\x00-\x1f\x7f:*?"<>|]')
#: The prefix of unfinished files; no file from elsewhere gets a name that begins so.
UNFINISHED = ".viam-export-"
#: Names that Windows keeps for devices, and those of unfinished files.
_KEPT = re.compile(rf"(con|prn|aux|nul|com\d|lpt\d)(\.|$)|{re.escape(UNFINISHED)}", re.IGNORECASE)
#: The folder of captured files in the home of a machine; as it is hidden, so would be what is exported to it.
_CAPTURE_FOLDER = "/.viam/capture/"
#: The longest name, in bytes, and the most folders that a path goes through.
LONGEST_NAME, _DEEPEST = 200, 16


def export_name(metadata: pb.BinaryMetadata, *, with_time: bool = True) -> Tuple[str, str]:
    """Return the name under which the official command line exports a file, and the ending that its contents get.

    The name is made of the time and the ID for captured data, of the time and the file's name for an upload, and of the
    path for an upload that had one; of a path through the folder of captured files, what comes after that. It loses the
    ending ``.gz``, as the contents are unzipped. It never leads out of a folder.

    Args:
        metadata: The metadata of the file.
        with_time: Whether the time comes before the name of an upload without a path.

    Example:
        >>> from viam_sync.proto.app.data import BinaryMetadata
        >>> from viam_sync.transfer.output.names import export_name
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
    elif with_time and "/" not in name:
        name = f"{time}_{name}"
    name = name.rpartition(_CAPTURE_FOLDER)[2]
    # Of a file that was gzipped twice, one ending stays.
    name = name[: -len(GZIP_ENDING)] if _ending(name) == GZIP_ENDING else name
    ending = "" if metadata.file_ext == GZIP_ENDING else clean_name(metadata.file_ext).replace("/", "_")
    return clean_name(name) or clean_name(f"{time}_file"), ending if len(ending.encode()) <= 20 else ""


def clean_name(name: str) -> str:
    """Return a name from elsewhere as a path within a folder; ``""`` if nothing is left of it.

    Example:
        >>> from viam_sync.transfer.output.names import clean_name
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


def shortened(part: str, longest: int = LONGEST_NAME) -> str:
    """Return a name cut to ``longest`` bytes, with the ending that it had.

    Example:
        >>> from viam_sync.transfer.output.names import shortened
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
    """Return a name with an ending; a name that has it already stays as it is."""
    return name if not ending or _ending(name) == ending else f"{name}{ending}"


def numbered_name(name: str, number: int) -> str:
    """Return the name with a number, which a file gets where another one has its name.

    Example:
        >>> from viam_sync.transfer.output.names import numbered_name
        >>> numbered_name("pets/cat.png", 2)
        'pets/cat-2.png'
    """
    path = Path(name)
    return path.with_name(f"{path.stem}-{number}{path.suffix}").as_posix()


def _ending(name: str) -> str:
    """Return the ending of a name as the official command line sees it, for which all of ``.png`` is one."""
    last = name.rpartition("/")[2]
    return last[last.rfind(".") :] if "." in last else ""
