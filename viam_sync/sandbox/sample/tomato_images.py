"""The sample images: a dataset of tomatoes, taken by a camera in the greenhouse."""

from __future__ import annotations

import functools
import struct
import zlib
from typing import Dict, NamedTuple, Sequence, Tuple

from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.data.captures import current_capture_metadata
from viam_sync.sandbox.data.datasets import create_dataset
from viam_sync.sandbox.data.new_files import NewFile, add_file

_COUNT = 24
_HOUR = 60 * 60 * 1_000_000
_WIDTH, _HEIGHT = 64, 48

_Colour = Tuple[int, int, int]
_GLASS, _SOIL, _STEM = (206, 226, 232), (94, 66, 44), (44, 112, 52)
_TOMATOES = {"ripe": (206, 42, 30), "unripe": (138, 186, 62)}


class Block(NamedTuple):
    """A rectangle of one colour; it excludes its right and bottom edges."""

    left: int
    top: int
    right: int
    bottom: int
    colour: _Colour


def add_sample_images(world: World, part: app_pb.RobotPart) -> str:
    """Add an image of a part for each hour of the day before it was last seen, and return the ID of their dataset.

    Each image shows a tomato with a bounding box, and has a tag that says whether it is ripe.
    """
    capture = current_capture_metadata(world, part)
    capture.component_type = "rdk:component:camera"
    capture.component_name = "camera"
    capture.method_name = "GetImages"
    capture.mime_type = "image/png"
    dataset_id = create_dataset(world, capture.organization_id, "tomatoes")
    last = microseconds_of(part.last_access)
    for number in range(_COUNT):
        label = list(_TOMATOES)[number % 2]
        tomato = _tomato(number, label)
        contents = _render(tomato)
        file_id = world.ids.file()
        world.store.blobs.put(file_id, contents)
        time = last - (_COUNT - 1 - number) * _HOUR
        details = pb.BinaryMetadata(file_ext=".png", annotations=pb.Annotations(bboxes=[_bounding_box(tomato, label)]))
        new = NewFile(capture, time, time + 40_000, len(contents), details, [label], [dataset_id])
        add_file(world, file_id, new)
    return dataset_id


# The sandboxes of a process have the same images.
@functools.lru_cache(maxsize=_COUNT)
def _render(tomato: Block) -> bytes:
    return render_png(_WIDTH, _HEIGHT, _GLASS, [*_plant(tomato), tomato])


def render_png(width: int, height: int, background: _Colour, blocks: Sequence[Block]) -> bytes:
    """Return a PNG image of coloured rectangles, drawn in their order."""
    rows: Dict[Tuple[Block, ...], bytes] = {}
    lines = []
    for y in range(height):
        crossed = tuple(block for block in blocks if block.top <= y < block.bottom)
        if crossed not in rows:
            row = bytearray(bytes(background) * width)
            for block in crossed:
                row[3 * block.left : 3 * block.right] = bytes(block.colour) * (block.right - block.left)
            rows[crossed] = b"\0" + row  # filter type 0: none
        lines.append(rows[crossed])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines), 1)), (b"IEND", b""))
    )


def _tomato(number: int, label: str) -> Block:
    size = 10 + number * 5 % 9
    left, top = 6 + number * 17 % 40, 4 + number * 11 % 20
    return Block(left, top, left + size, top + size, _TOMATOES[label])


def _plant(tomato: Block) -> Sequence[Block]:
    middle = (tomato.left + tomato.right) // 2
    return [
        Block(0, 40, _WIDTH, _HEIGHT, _SOIL),
        Block(middle - 1, 2, middle + 1, 40, _STEM),
        Block(max(0, middle - 9), 34, middle, 36, _STEM),
    ]


def _bounding_box(block: Block, label: str) -> pb.BoundingBox:
    return pb.BoundingBox(
        label=label,
        x_min_normalized=block.left / _WIDTH,
        y_min_normalized=block.top / _HEIGHT,
        x_max_normalized=block.right / _WIDTH,
        y_max_normalized=block.bottom / _HEIGHT,
    )
