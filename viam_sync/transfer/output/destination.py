"""Destinations: where the contents of one file go, as a whole or not at all."""

from __future__ import annotations

import io
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, BinaryIO, ContextManager, Optional, Sequence

from viam_sync.transfer.output.named_errors import temporary_file


class Destination(ABC):
    """A file to be written, of whatever kind; that it can be written is checked before anything is asked for.

    Attributes:
        given: The name of the parameter and what was given, for the beginning of errors.
        suffix: The ending of its name in lower case, such as ``.json``; empty if it has none.
    """

    given: str
    suffix: str

    @abstractmethod
    def open(self, buffer: Optional[BinaryIO] = None) -> ContextManager[BinaryIO]:
        """Open it for a ``with`` block, at whose end all of it is written; after an error, nothing is.

        Args:
            buffer: The file that gathers what can only be written at once; None for a temporary one.

        Raises:
            OSError: If writing failed.
        """

    def temporary_file(self) -> BinaryIO:
        """Return a file for contents on their way.

        Raises:
            OSError: If it cannot be made.
        """
        return temporary_file(None, Path(tempfile.gettempdir()))

    def write(self, contents: bytes, result: Any) -> None:
        """Write ``contents``; a file of that name is replaced only once the new one is complete.

        Args:
            contents: The bytes of the file.
            result: The response, which the caller would lose if writing failed.

        Raises:
            OSError: If writing failed; the error has the response as its attribute ``result``.
        """
        try:
            with self.open(io.BytesIO()) as file:
                file.write(contents)
        except OSError as error:
            error.result = result  # type: ignore[attr-defined]
            raise


def require_ending(given: str, suffix: str, rejected: Sequence[str]) -> None:
    """Refuse a name whose ending stands for a format in which something cannot be written.

    Raises:
        ValueError: If it is one of those that are rejected.
    """
    if suffix in rejected:
        raise ValueError(f"{given}, but this cannot be written as {suffix}; use .json")
