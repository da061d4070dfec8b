"""The protocol between an engine and its worker process, which exchange BSON documents.

The engine writes the query, the origins of the readings, an empty document, and the readings. The worker writes an
empty document and the rows of the result, or one document with an error.
"""

from __future__ import annotations

from typing import Any, Dict

from bson.codec_options import CodecOptions, DatetimeConversion

#: Decodes dates outside the years 1 to 9999 as ``DatetimeMS``, as the cloud has them, too.
CODEC: Any = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
Document = Dict[str, Any]


class Refused(Exception):
    """A query cannot be run.

    Args:
        kind: "invalid", "unimplemented" or "exhausted".
        text: The problem and a remedy.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text
