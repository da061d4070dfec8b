"""Writing a result to a file, whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import Any, Union

StrPath = Union[str, "os.PathLike[str]"]


class Destination:
    """A file that a result is to be written to, checked before anything is asked of the service.

    Args:
        dest: The path of the file. Its folder must exist.

    Raises:
        OSError: If no file can be written there.
        TypeError: If it is no path.

    Example:
        >>> from viam_sync.transfer.files import Destination
        >>> Destination(folder / "config.json").write(b"{}", result=None)
        >>> (folder / "config.json").read_text()
        '{}'
    """

    def __init__(self, dest: StrPath) -> None:
        self._path = Path(os.fspath(dest))
        if self._path.is_dir():
            raise IsADirectoryError(f"dest is a folder, {str(dest)!r}; name a file in it")
        if not self._path.parent.is_dir():
            raise FileNotFoundError(f"dest is {str(dest)!r}, but there is no folder {str(self._path.parent)!r}")
        if not os.access(self._path.parent, os.W_OK):
            raise PermissionError(f"dest is {str(dest)!r}, but nothing may be written in {str(self._path.parent)!r}")

    def write(self, contents: bytes, result: Any) -> None:
        """Write ``contents``; a file of that name is replaced only once the new one is complete.

        The file can be read by its owner alone, as what comes from the service may hold secrets.

        Args:
            contents: What the file shall hold.
            result: What the caller would lose if writing failed.

        Raises:
            OSError: If writing failed; the result is its attribute ``result``.
        """
        temporary = None
        try:
            with tempfile.NamedTemporaryFile(dir=str(self._path.parent), prefix=".viam-", delete=False) as file:
                temporary = Path(file.name)
                file.write(contents)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            if temporary is not None and temporary.exists():
                temporary.unlink()
            error.result = result  # type: ignore[attr-defined]
            raise
