"""Finds the files to migrate, reads them, and writes them whole."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import stat
import sys
import tokenize
from pathlib import Path
from typing import Container, Iterator, NamedTuple, Optional, Tuple

from viam_sync.migrate.refusal import Refusal
from viam_sync.migrate.requirements import lists_requirements
from viam_sync.transfer.output.atomic import AtomicFile

_ENDINGS = (".py", ".pyw", ".ipynb")
#: A file without one of these words has nothing to migrate, unless it imports one that has.
_WORDS = re.compile(rb"\b(viam|viam_sync|grpclib|async|await|asyncio)\b")
#: Folders that hold the code of others.
_OTHERS = ("__pycache__", "node_modules", "site-packages")


def files_at(path: Path) -> Iterator[Path]:
    """Give the scripts, notebooks and lists of requirements at a path: the file itself, or those in the folder.

    In a folder, links are not followed, and hidden folders, virtual environments and other people's packages are left
    out.

    Raises:
        OSError: If there is no file at the path, or a folder cannot be read.
    """
    if not path.is_dir():
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is no file, but a device or a pipe", str(path))
        yield path
        return
    for each in sorted(path.iterdir()):
        if each.is_symlink():
            continue
        if each.is_dir():
            if each.name[0] != "." and each.name not in _OTHERS and not (each / "pyvenv.cfg").exists():
                yield from files_at(each)
        elif each.is_file() and (each.suffix in _ENDINGS or lists_requirements(each)):
            yield each


class Contents(NamedTuple):
    """The text of a file, and what it takes to write it back.

    Attributes:
        text: The text, with the ends of lines as they are.
        encoding: Its encoding.
        is_concerned: Whether a word of it says that there may be something to migrate.
    """

    text: str
    encoding: str
    is_concerned: bool = True

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.text.encode(self.encoding)


def read(path: Path) -> Optional[Contents]:
    """Return the contents of a script or a notebook; None if it is no text and has nothing to migrate.

    The encoding is the one that its first lines or its byte order mark name.

    Raises:
        OSError: If it cannot be read.
        Refusal: If it is not in that encoding.
    """
    data = path.read_bytes()
    is_concerned = _WORDS.search(data) is not None
    try:
        encoding = "utf-8" if path.suffix == ".ipynb" else tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        return Contents(data.decode(encoding), encoding, is_concerned)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        refusal = Refusal(str(line), f"this is not {error.encoding}, as the encoding of the file is")
    except SyntaxError as error:
        refusal = Refusal("1", str(error))
    if is_concerned:
        raise refusal
    return None


def importers(path: Path, among: Container[Path]) -> Iterator[Tuple[Path, int]]:
    """Give the scripts beside a script that import it, with the line, and are not among those that are migrated."""
    name = path.parent.name if path.stem == "__init__" else path.stem
    statement = re.compile(rf"^[ \t]*(?:from|import)\b[^#\n]*\b{re.escape(name)}\b", re.MULTILINE)
    for other in sorted(path.parent.glob("*.py")):
        if other.resolve() in among or not other.is_file():
            continue
        with contextlib.suppress(OSError, Refusal):
            contents = read(other)
            found = statement.search(contents.text) if contents is not None and contents.is_concerned else None
            if contents is not None and found is not None:
                yield other, 1 + contents.text.count("\n", 0, found.start())


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; it keeps its mode, and a link to it stays a link.

    Raises:
        OSError: If it cannot be written.
    """
    path = path.resolve()
    mode = stat.S_IMODE(path.stat().st_mode)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "it may not be written", str(path))
    with AtomicFile(path, mode) as file:
        file.write(data)
        if sys.platform != "win32":
            # The umask took bits of the mode away.
            os.fchmod(file.fileno(), mode)
