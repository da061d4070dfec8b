"""The ID of an uploaded file, in both of its forms."""

from __future__ import annotations

from typing import Any, Optional

from typing_extensions import Self


class FileID(str):
    """The ID of a file that was uploaded: a ``str``, which knows the longer ID of the file as binary data, too.

    It is equal to the plain text, and goes wherever a ``str`` goes: into JSON, a dict, ``BinaryID(file_id=…)``. Methods
    that take IDs of binary data take it as it is, and send its ``binary_data_id``. A copy and a pickle keep that; plain
    text made of it, such as ``str(id)`` and JSON, is the ID of the file alone.

    Args:
        file_id: The ID of the file; empty to take it out of ``binary_data_id``.
        binary_data_id: The ID as binary data, ``"organization/location/file"``; empty or None if it is not known.

    Attributes:
        binary_data_id: The ID as binary data; None if the service gave none, as for readings.

    Example:
        >>> from viam_sync.app.data_client import FileID
        >>> id = FileID("f-1", "o-1/l-1/f-1")
        >>> id, id.binary_data_id
        ('f-1', 'o-1/l-1/f-1')
    """

    binary_data_id: Optional[str]

    def __new__(cls, file_id: str, binary_data_id: Optional[str] = None) -> Self:
        """Make the ID; the text of a str is there before its ``__init__`` runs."""
        id = super().__new__(cls, file_id or (binary_data_id or "").rpartition("/")[2])
        id.binary_data_id = binary_data_id or None
        return id


def as_binary_data_id(id: Any) -> Any:
    """Return the form of an ID that a field called ``binary_data_id`` takes; anything but a FileID as it is.

    Example:
        >>> from viam_sync.messages.file_id import FileID, as_binary_data_id
        >>> as_binary_data_id(FileID("f-1", "o-1/l-1/f-1")), as_binary_data_id("f-1")
        ('o-1/l-1/f-1', 'f-1')
    """
    return id.binary_data_id or str(id) if isinstance(id, FileID) else id
