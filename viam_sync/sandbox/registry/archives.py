"""The check of the archives that module files are."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path

from viam_sync.sandbox.core.call_errors import invalid_argument

_CHUNK = 1024 * 1024


def check_archive(path: Path) -> None:
    """Check that a file is a tar archive packed with gzip, complete, and with something in it.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    try:
        with gzip.open(path) as unpacked:
            with tarfile.open(fileobj=unpacked, mode="r|") as archive:  # read once, as a stream
                members = sum(1 for _ in archive)
            while unpacked.read(_CHUNK):  # the checksum is at the end
                pass
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise invalid_argument(
            f"The file is no tar archive packed with gzip, or not the whole of one ({error}); "
            "pack the module as a .tar.gz, and upload that."
        ) from None
    if not members:
        raise invalid_argument("The archive is empty; pack the files of the module, and upload that.")
