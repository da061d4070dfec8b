"""The size of an image in pixels, read from the beginning of its file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Tuple

from viam_sync.transfer.output.columns import optional

#: The tags of EXIF, which TIFF has as its own.
_WIDTH, _HEIGHT, _ORIENTATION = 0x100, 0x101, 0x112
#: The orientations that lay an image on its side.
_ON_ITS_SIDE = (5, 6, 7, 8)


def load_pillow(purpose: str) -> Any:
    """Return the module that reads images.

    The smaller imagesize will not do: its versions for older Pythons know no AVIF, and tell wrong sizes of some WebP
    and of broken PNG; the newer ones turn JPEG as EXIF says, but no other image.

    Args:
        purpose: The format or function that takes sizes, for the error.

    Raises:
        ImportError: If Pillow is not installed.
    """
    return optional("PIL.Image", purpose, "pillow")


def image_size(path: Path, pillow: Any) -> Tuple[int, int]:
    """Return the width and the height of an image as it is shown: turned as its EXIF says.

    So boxes that were drawn on it keep their places in what shows it, too: browsers, OpenCV, Hugging Face.

    Args:
        path: The path of its file.
        pillow: The module that reads images.

    Raises:
        ValueError: If no size can be read, as the file is broken or of a format that Pillow does not know.
    """
    with warnings.catch_warnings():
        # Of broken EXIF, and of many pixels, which are not decoded here.
        warnings.simplefilter("ignore")
        try:
            with pillow.open(path) as image:
                width, height = _shown_size(image)
        # The readers of some formats raise whatever comes of broken bytes, such as a struct.error.
        except Exception as error:
            raise ValueError(f"its size cannot be read: {error}") from error
    return width, height


def _shown_size(image: Any) -> Tuple[int, int]:
    width, height = image.size
    is_tiff = image.format == "TIFF"
    # Of a PNG without EXIF, Pillow would decode all pixels to look for it behind them.
    if not is_tiff and "exif" not in image.info:
        return width, height
    exif = image.getexif()
    if is_tiff:
        # Newer Pillows have turned the size already.
        width, height = exif[_WIDTH], exif[_HEIGHT]
    return (height, width) if exif.get(_ORIENTATION) in _ON_ITS_SIDE else (width, height)
