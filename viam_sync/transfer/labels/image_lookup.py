"""The images that label files name by paths, which may have been written on another machine."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePosixPath
from typing import Iterator, Sequence

from viam_sync.transfer.labels.label_checks import WrongLabel

#: The part of a split in the name of a file or a folder, and what others call it.
_PART = re.compile(r"(?:^|[_-])(train|valid|validation|val|test)(?![a-z])")
_PARTS = {"valid": "val", "validation": "val"}


def find_image(folder: Path, given: str, places: Sequence[str] = ("",)) -> str:
    """Return the path of an image within a folder, with slashes.

    The folder may have been moved since its labels were written: of an absolute path, or one from another working
    directory, the longest end that is a file in the folder counts.

    Args:
        folder: The folder.
        given: The path in the labels, with slashes or, as Windows writes it, backslashes.
        places: The folders in it to look into, in their order, with slashes.

    Raises:
        WrongLabel: If there is no such file.

    Example:
        >>> from viam_sync.transfer.labels.image_lookup import find_image
        >>> _ = (folder / "cat.png").write_bytes(b"PNG")
        >>> find_image(folder, "/home/jo/cats/cat.png")
        'cat.png'
    """
    for path in dict.fromkeys(_spellings(given)):
        for end in ends_of(path):
            for place in places:
                if _is_file(folder / place / end):
                    return PurePosixPath(place, end).as_posix()
    raise WrongLabel(f"there is no image {given!r} in the folder; put it there, or remove its labels")


def split_in_name(name: str) -> str:
    """Return the part of a split that the name of a file or a folder tells; ``""`` if it tells none.

    Example:
        >>> from viam_sync.transfer.labels.image_lookup import split_in_name
        >>> [split_in_name(name) for name in ("train2017", "valid", "trainval")]
        ['train', 'val', '']
    """
    found = _PART.search(name)
    return _PARTS.get(found[1], found[1]) if found else ""


def ends_of(path: str) -> Iterator[str]:
    """Yield the ends of a path, the longest first; they lie in the folder, as what is above a ``..`` is left out."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        parts = parts[len(parts) - parts[::-1].index("..") :]
    for start in range(len(parts)):
        yield "/".join(parts[start:])


def _spellings(path: str) -> Iterator[str]:
    """Yield a path as it is, as Windows writes it, and in the normal forms of Unicode: macOS writes accents apart."""
    yield path
    path = path.replace("\\", "/")
    yield path
    yield unicodedata.normalize("NFC", path)
    yield unicodedata.normalize("NFD", path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no disk takes: too long, or with a null byte
        return False
