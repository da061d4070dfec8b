"""The entries of the lists in a JSON file, one after the other, with their lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator, NamedTuple, TextIO

from viam_sync.transfer.labels.decimals import read_decimal
from viam_sync.transfer.labels.label_checks import WrongLabel, shown

#: How much is read at once, in characters; tests have less.
CHUNK = 1 << 16

#: Reads decimals as they are written, and leaves NaN to those who check numbers.
_DECODER = json.JSONDecoder(parse_float=read_decimal, parse_constant=float)

#: Returns the value of a text of JSON, as that of an entry.
decode = _DECODER.decode


class JsonEntry(NamedTuple):
    """An entry of a list.

    Attributes:
        section: The key of the list in the object that the file is.
        line: The line that it begins in.
        text: Its JSON.
        value: Its value, in which decimals are ``Decimal``.
    """

    section: str
    line: int
    text: str
    value: Any


def json_entries(path: Path, chunk: int = CHUNK) -> Iterator[JsonEntry]:
    r"""Yield the entries of all lists in the object of a JSON file, of which no more than one is in memory.

    Args:
        path: The path of the file.
        chunk: How many characters are read at once.

    Raises:
        WrongLabel: With the line, if it is no JSON, or no object.
        OSError: If it cannot be read.

    Example:
        >>> from viam_sync.transfer.labels.json_entries import json_entries
        >>> path = folder / "cats.json"
        >>> _ = path.write_text('{"cats": [\n{"id": 1},\n{"id": 2}]}')
        >>> [(entry.section, entry.line, entry.value) for entry in json_entries(path)]
        [('cats', 2, {'id': 1}), ('cats', 3, {'id': 2})]
    """
    # Bytes that are not UTF-8 become surrogates, which the scanner finds, and knows the line of.
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        scanner = _Scanner(file, chunk)
        if scanner.next_character() != "{":
            raise WrongLabel("this is no JSON object", scanner.line)
        for _ in scanner.members("{", "}"):
            line = scanner.line
            section = scanner.value().value
            if not isinstance(section, str):
                raise WrongLabel(f"{shown(section)} is no key of a JSON object", line)
            scanner.require(":")
            if scanner.next_character() != "[":
                scanner.value()
                continue
            for _ in scanner.members("[", "]"):
                yield scanner.value()._replace(section=section)
        if scanner.next_character():
            raise WrongLabel("there is more after the end of the JSON object", scanner.line)


class _Scanner:
    """Reads a JSON file from one value to the next.

    Attributes:
        line: The line that has been reached.
    """

    def __init__(self, file: TextIO, chunk: int) -> None:
        self._file = file
        self._chunk = chunk
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1

    def next_character(self) -> str:
        """Pass over spaces, and return the next character; nothing at the end."""
        while True:
            start = self._at
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            self.line += self._text.count("\n", start, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._fill()

    def require(self, *characters: str) -> str:
        """Pass over one of some characters, and return it."""
        found = self.next_character()
        if found not in characters or not found:
            wanted = " or ".join(map(repr, characters))
            raise WrongLabel(f"this is no JSON: {wanted} is missing here", self.line)
        self._at += 1
        return found

    def members(self, opening: str, closing: str) -> Iterator[None]:
        """Pass over a list or an object; the caller reads a member whenever this yields."""
        self.require(opening)
        if self.next_character() == closing:
            self._at += 1
            return
        yield
        while self.require(",", closing) == ",":
            yield

    def value(self) -> JsonEntry:
        """Read a value."""
        self.next_character()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                # A number that ends with what has been read may go on.
                if end < len(self._text) or self._ended:
                    break
            except (ValueError, RecursionError) as error:
                if self._ended:
                    raise self._wrong(error) from None
            self._fill()
        entry = JsonEntry("", self.line, self._text[self._at : end], value)
        self.line += entry.text.count("\n")
        self._at = end
        return entry

    def _fill(self) -> None:
        """Read on, as much as is there already: the time for a value of any length grows with it alone."""
        rest = self._text[self._at :]
        read = self._file.read(max(self._chunk, len(rest)))
        self._ended = not read
        self._text, self._at = rest + read, 0
        try:
            read.encode("utf-8")
        except UnicodeEncodeError as error:
            line = self.line + self._text.count("\n", 0, len(rest) + error.start)
            raise WrongLabel("this line is not UTF-8", line) from None

    def _wrong(self, error: Exception) -> WrongLabel:
        if isinstance(error, json.JSONDecodeError):
            return WrongLabel(f"this is no JSON: {error.msg}", self.line + self._text.count("\n", self._at, error.pos))
        return WrongLabel(f"this is no JSON that can be read: {error}", self.line)
