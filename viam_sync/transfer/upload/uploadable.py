"""The kinds of contents that can be uploaded."""

import os
from typing import BinaryIO, Union

#: Bytes in memory.
BytesLike = Union[bytes, bytearray, memoryview]

#: The kinds of contents that can be uploaded: bytes, the path of a file, or a file that was opened in binary mode.
Uploadable = Union[BytesLike, "os.PathLike[str]", BinaryIO]
