"""The images in a folder, found by their names, and their types."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

#: The MIME types of images by the endings of their names.
IMAGE_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".dng": "image/x-adobe-dng",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jfif": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".mpo": "image/mpo",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
#: The names of images; those that macOS puts beside files begin with a dot.
IMAGE_NAME = re.compile(rf"[^.].*({'|'.join(map(re.escape, IMAGE_TYPES))})", re.IGNORECASE | re.DOTALL)
#: The types of images whose names have no ending, such as captured ones, by their first bytes.
_BY_HEAD = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def image_type(path: Path) -> Optional[str]:
    """Return the MIME type of an image, by its ending or, without one, by its first bytes; None if it is no image.

    Example:
        >>> from pathlib import Path
        >>> from viam_sync.transfer.labels.image_files import image_type
        >>> image_type(Path("cat.JPG"))
        'image/jpeg'
    """
    if path.suffix:
        return IMAGE_TYPES.get(path.suffix.lower())
    with path.open("rb") as file:
        head = file.read(8)
    return next((kind for start, kind in _BY_HEAD.items() if head.startswith(start)), None)


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
        images = sorted(name for name in names if IMAGE_NAME.fullmatch(name))
        yield Path(place).relative_to(folder).as_posix(), images
