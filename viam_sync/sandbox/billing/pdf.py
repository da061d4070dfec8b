"""PDF files of one page of text, without a library."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 60  # A4, in points
_LEADING = 1.5


class Line(NamedTuple):
    """A line of text; the size is in points."""

    text: str
    size: int = 11


def render_page(lines: Iterable[Line]) -> bytes:
    """Return a PDF file with lines of text; a character that is not in Windows-1252 becomes a "?".

    Example:
        >>> render_page([Line("Hello")])[:5]
        b'%PDF-'
    """
    content = b"\n".join(_draw(lines))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
        % (_WIDTH, _HEIGHT),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    # A comment of bytes above 127 marks the file as binary.
    file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    # Each entry of the cross-reference table is 20 bytes long.
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for number, body in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(file)
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(file))
    return file + table + trailer


def _draw(lines: Iterable[Line]) -> Iterable[bytes]:
    height = float(_HEIGHT - _MARGIN)
    for line in lines:
        height -= line.size * _LEADING
        text = re.sub(rb"[()\\]", rb"\\\g<0>", _printable(line.text).encode("cp1252", "replace"))
        yield b"BT /F1 %d Tf %d %.1f Td (%b) Tj ET" % (line.size, _MARGIN, height, text)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
