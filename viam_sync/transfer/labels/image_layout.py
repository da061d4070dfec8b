"""The places of images in an exported dataset, and which files of a dataset are images."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Optional, Tuple

from viam_sync.proto.app import data as pb
from viam_sync.transfer.labels.dataset_split import DatasetSplit
from viam_sync.transfer.labels.image_files import IMAGE_NAME
from viam_sync.transfer.labels.label_format import IMAGES
from viam_sync.transfer.output.export_paths import ExportPath, Layout
from viam_sync.transfer.output.gzipped import GZIP_ENDING
from viam_sync.transfer.output.names import export_name, shortened, with_ending

#: The types of images that tools read, and the ending of a file whose name has none of an image.
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/avif": ".avif",
    "image/heic": ".heic",
}
#: Types that say nothing.
_UNTOLD = ("", "application/octet-stream")


class ImageLayout(Layout):
    """The layout of a dataset: ``images/cat.png`` and ``metadata/cat.json``, or ``images/train/cat.png`` with a split.

    No two images have a name that differs by its ending alone, as label files are called like images, but for that.

    Args:
        split: The split; None for none.

    Example:
        >>> from viam_sync.proto.app.data import BinaryMetadata
        >>> from viam_sync.transfer.labels.image_layout import ImageLayout
        >>> from viam_sync.transfer.output.export_paths import ExportPaths
        >>> paths = ExportPaths(folder, [], layout=ImageLayout(None))
        >>> [paths.allocate(BinaryMetadata(id=name, file_name=f"pets/{name}")).data for name in ("a.png", "a.jpg")]
        ['images/pets_a.png', 'images/pets_a-2.jpg']
    """

    top = IMAGES

    def __init__(self, split: Optional[DatasetSplit]) -> None:
        self._split = split

    def name(self, metadata: pb.BinaryMetadata) -> Tuple[str, str]:
        """Return the name of an image, without folders, which some tools do not look into.

        An upload keeps its own name, so that it has the same in the next dataset that is made of the folder.
        """
        name = with_ending(*export_name(metadata, with_time=False)).replace("/", "_")
        # Tools pass over hidden files.
        name = f"_{name}" if name.startswith(".") else name
        if not IMAGE_NAME.fullmatch(name):
            name += _ENDINGS.get(_type_of(metadata), "")
        return shortened(name), ""

    def path(self, metadata: pb.BinaryMetadata, name: str, ending: str) -> ExportPath:
        """Return the paths of an image."""
        part = f"{self._split.part_of(metadata.binary_data_id or metadata.id)}/" if self._split else ""
        return ExportPath(f"{self.top}/{part}{name}", f"metadata/{PurePosixPath(name).stem}.json")


def reason_against(metadata: pb.BinaryMetadata) -> Optional[str]:
    """Return why a file is no image that tools read; None if it is one.

    Example:
        >>> from viam_sync.proto.app.data import BinaryMetadata
        >>> from viam_sync.transfer.labels.image_layout import reason_against
        >>> reason_against(BinaryMetadata(file_name="cat.PNG")), reason_against(BinaryMetadata(file_name="cat.mp4"))
        (None, "it is no image that tools read, but '.mp4'")
    """
    ending = metadata.file_ext or PurePosixPath(metadata.file_name).suffix
    mime_type = _type_of(metadata)
    if ending.lower() == GZIP_ENDING:
        return "it is gzipped, and tools unzip no images"
    is_told = mime_type not in _UNTOLD
    if mime_type in _ENDINGS or (IMAGE_NAME.fullmatch(f"x{ending}") and not is_told):
        return None
    kind = mime_type if is_told else ending
    return f"it is no image that tools read, but {kind!r}" if kind else "nothing tells that it is an image"


def _type_of(metadata: pb.BinaryMetadata) -> str:
    return metadata.capture_metadata.mime_type.partition(";")[0].strip().lower()
