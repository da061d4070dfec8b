"""Gzipped contents: written unzipped where their name has lost its ``.gz``, as the official command line does."""

from __future__ import annotations

import gzip
import shutil
import zlib
from typing import BinaryIO

from viam_sync.proto.app import data as pb

#: The ending of gzipped files.
GZIP_ENDING = ".gz"


def is_unzipped(metadata: pb.BinaryMetadata, path: str) -> bool:
    """Tell whether the contents of a file are gzipped, and written unzipped under this path.

    Args:
        metadata: The metadata of the file.
        path: The path; one that ends in ``.gz`` keeps the contents as they are.
    """
    is_gzipped = metadata.file_ext == GZIP_ENDING or metadata.file_name.endswith(GZIP_ENDING)
    return is_gzipped and not path.endswith(GZIP_ENDING)


def unzip(source: BinaryIO, target: BinaryIO) -> int:
    """Write what is gzipped in one file to another; contents that are no whole gzip are written as they are.

    Args:
        source: The file to read, at its beginning.
        target: The file to write to; it is empty.

    Returns:
        The number of bytes that were written.

    Example:
        >>> import gzip, io
        >>> from viam_sync.transfer.output.gzipped import unzip
        >>> target = io.BytesIO()
        >>> unzip(io.BytesIO(gzip.compress(b"meow")), target), target.getvalue()
        (4, b'meow')
    """
    try:
        with gzip.GzipFile(fileobj=source) as unzipped:
            shutil.copyfileobj(unzipped, target)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        # A log that was cut off, or a wrong ending: nothing of it may be lost.
        source.seek(0)
        target.seek(0)
        target.truncate()
        shutil.copyfileobj(source, target)
    return target.tell()
