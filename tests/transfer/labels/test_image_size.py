"""The sizes of images, which Pillow reads."""

import random
import sys
from pathlib import Path
from typing import Any

import pytest

from viam_sync.transfer.labels.image_size import image_size, load_pillow

#: The endings of images, and how Pillow writes them; AVIF only where it can.
KINDS = {".png": {}, ".jpg": {}, ".webp": {"lossless": True}, ".gif": {}, ".bmp": {}, ".tiff": {}, ".avif": {}}


@pytest.fixture
def pillow() -> Any:
    return pytest.importorskip("PIL.Image")


def save(pillow: Any, path: Path, **options: Any) -> Path:
    if path.suffix not in pillow.registered_extensions():
        pytest.skip(f"this Pillow writes no {path.suffix}")
    pillow.new("RGB", (40, 30), "red").save(path, **KINDS[path.suffix], **options)
    return path


@pytest.mark.parametrize("ending", KINDS)
def test_each_kind_of_image_has_its_size(pillow: Any, tmp_path: Path, ending: str) -> None:
    assert image_size(save(pillow, tmp_path / f"cat{ending}"), pillow) == (40, 30)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tiff", ".avif"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))])
def test_an_image_that_is_shown_on_its_side_has_the_size_that_is_shown(
    pillow: Any, tmp_path: Path, ending: str, orientation: int, size: Any
) -> None:
    exif = pillow.Exif()
    exif[0x112] = orientation
    assert image_size(save(pillow, tmp_path / f"cat{ending}", exif=exif), pillow) == size


@pytest.mark.parametrize("ending", KINDS)
def test_a_broken_image_is_an_error_and_no_crash(pillow: Any, tmp_path: Path, ending: str) -> None:
    path = save(pillow, tmp_path / f"cat{ending}")
    whole = path.read_bytes()
    source = random.Random(ending)
    for length in (0, 1, 5, 12, 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^its size cannot be read: "):
            image_size(path, pillow)
        # Bytes that are changed may leave the size as it is, or another one, but raise nothing else.
        changed = bytearray(whole)
        for at in source.choices(range(len(whole)), k=8):
            changed[at] = source.randrange(256)
        path.write_bytes(bytes(changed))
        try:
            assert len(image_size(path, pillow)) == 2
        except ValueError as error:
            assert str(error).startswith("its size cannot be read: ")  # noqa: PT017


def test_the_pixels_of_a_large_image_are_not_decoded(pillow: Any, tmp_path: Path) -> None:
    path = save(pillow, tmp_path / "cat.png")
    # Most of the pixels are missing.
    path.write_bytes(path.read_bytes()[:60])
    assert image_size(path, pillow) == (40, 30)


def test_without_pillow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"^the format 'coco' takes PIL, which cannot be loaded; pip install pillow"):
        load_pillow("the format 'coco'")
