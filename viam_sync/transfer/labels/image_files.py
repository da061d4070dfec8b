"""The images in a folder, found by the endings of their names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Iterator, List, Tuple

#: The names of images; those that macOS puts beside files begin with a dot.
_IMAGE = re.compile(r"[^.].*\.(avif|bmp|dng|gif|heic|heif|jfif|jpe?g|mpo|png|tiff?|webp)", re.IGNORECASE | re.DOTALL)


def walk_images(folder: Path, start: str) -> Iterator[Tuple[str, List[str]]]:
    """Yield each folder, from one on, and the sorted names of the images in it; hidden folders are left out.

    Args:
        folder: The folder of the dataset.
        start: The path in it at which to start, with slashes.

    Example:
        >>> from viam_sync.transfer.labels.image_files import walk_images
        >>> _ = (folder / "cat.PNG").write_bytes(b"PNG")
        >>> list(walk_images(folder, "."))
        [('.', ['cat.PNG'])]
    """
    for place, folders, names in os.walk(folder / start, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        images = sorted(name for name in names if _IMAGE.fullmatch(name))
        yield Path(place).relative_to(folder).as_posix(), images
