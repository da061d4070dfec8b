"""Pictures as thumbnails, with the boxes that mark things in them."""

import base64
import importlib
import io
from typing import Any, Iterator, NamedTuple, Optional, Sequence, Tuple

from google.protobuf.message import Message

from viam_sync.display.cells import size_text

#: The pixels of a thumbnail's longer side.
_PIXELS = 240
#: The bytes of a picture that is shown as it is, where Pillow is not there to make a thumbnail of it.
_LARGEST = 100_000
#: More pixels would take too long to make a thumbnail of.
_MOST_PIXELS = 100_000_000

#: What pictures of each format begin with, and its MIME type.
_FORMATS = (
    (b"\xff\xd8\xff", "JPEG", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "image/png"),
    (b"GIF8", "GIF", "image/gif"),
    (b"BM", "BMP", "image/bmp"),
)


class Picture(NamedTuple):
    """A picture to show.

    Attributes:
        text: What it is, in words.
        source: A small form of it as a ``data:`` URL; empty if there is none.
        boxes: The boxes in it: label, and left, top, width and height as parts of its own.
    """

    text: str
    source: str = ""
    boxes: Sequence[Tuple[str, float, float, float, float]] = ()


def picture_of(value: Any) -> Optional[Picture]:
    """Return the picture that a ``BinaryData`` holds; None for all else, and without contents.

    Example:
        >>> from viam_sync.display.thumbnails import picture_of
        >>> from viam_sync.proto.app.data import BinaryData
        >>> picture_of(BinaryData(binary=b"GIF89a;")).text
        'GIF, 7 bytes'
    """
    if not isinstance(value, Message) or value.DESCRIPTOR.full_name != "viam.app.data.v1.BinaryData":
        return None
    message: Any = value
    # Each look at the field would copy the contents.
    binary: bytes = message.binary
    if not binary:
        return None
    for start, name, mime_type in _FORMATS:
        if binary.startswith(start):
            shape, source = _thumbnail(binary, mime_type)
            return Picture(
                f"{name}, {shape}{size_text(len(binary))}", source, list(_boxes(message.metadata.annotations))
            )
    return Picture(size_text(len(binary)))


def _thumbnail(binary: bytes, mime_type: str) -> Tuple[str, str]:
    """Return the size of a picture in words, where it is known, and a small form of it as a ``data:`` URL."""
    try:
        image_module = importlib.import_module("PIL.Image")
    except ImportError:
        return "", _data_url(binary, mime_type) if len(binary) <= _LARGEST else ""
    try:
        return _scaled_down(image_module, binary)
    except Exception:  # a damaged picture makes Pillow raise anything; it is shown by its size
        return "", ""


def _scaled_down(image_module: Any, binary: bytes) -> Tuple[str, str]:
    with image_module.open(io.BytesIO(binary)) as image:
        shape = f"{image.width} x {image.height}, "
        if image.width * image.height > _MOST_PIXELS:
            return shape, ""
        image.draft("RGB", (_PIXELS, _PIXELS))
        image.thumbnail((_PIXELS, _PIXELS))
        # Only PNG has transparent pixels.
        kind, mode = ("PNG", "RGBA") if image.mode in ("RGBA", "LA", "PA", "P") else ("JPEG", "RGB")
        small = io.BytesIO()
        image.convert(mode).save(small, kind)
    return shape, _data_url(small.getvalue(), f"image/{kind.lower()}")


def _data_url(binary: bytes, mime_type: str) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(binary).decode()}"


def _boxes(annotations: Any) -> Iterator[Tuple[str, float, float, float, float]]:
    for box in annotations.bboxes:
        left, right = sorted(_within(edge) for edge in (box.x_min_normalized, box.x_max_normalized))
        top, bottom = sorted(_within(edge) for edge in (box.y_min_normalized, box.y_max_normalized))
        label = f"{box.label} {box.confidence:.0%}" if box.HasField("confidence") else box.label
        yield label, left, top, right - left, bottom - top


def _within(edge: float) -> float:
    """Return the edge of a box as one within its picture; one that is no number is at the start."""
    return min(max(edge, 0.0), 1.0) if edge == edge else 0.0
