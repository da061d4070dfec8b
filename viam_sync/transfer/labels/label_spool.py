"""Labels on their way through a temporary database, as their file has them in another order than we need."""

from __future__ import annotations

import itertools
import sqlite3
from decimal import Decimal
from typing import Any, Iterable, Iterator, List, NamedTuple, Tuple

from viam_sync.transfer.labels.label_checks import WrongLabel, shown


class Spooled(NamedTuple):
    """The JSON of an image, or of an annotation, and the line that it begins in."""

    line: int
    text: str


class LabelSpool:
    """Images and annotations in the order in which they come, and given back with each image's annotations beside it.

    What is in memory does not grow with their number. The disk is freed when the spool is closed, or the program ends.
    """

    def __init__(self) -> None:
        self._database = _temporary_database()
        self._database.executescript(
            "CREATE TABLE images (id TEXT UNIQUE, line INTEGER, text TEXT);"
            "CREATE TABLE annotations (image TEXT, line INTEGER, text TEXT);"
        )

    def add_image(self, id: Any, image: Spooled) -> None:
        """Add an image.

        Raises:
            WrongLabel: If there is one of this ID.
        """
        row = (key_of("id", id), *image)
        if not self._database.execute("INSERT OR IGNORE INTO images VALUES (?, ?, ?)", row).rowcount:
            raise WrongLabel(f"another image has the id {shown(id)} already")

    def add_annotation(self, image_id: Any, annotation: Spooled) -> None:
        """Add an annotation of an image, which may come later."""
        self._database.execute("INSERT INTO annotations VALUES (?, ?, ?)", (key_of("image_id", image_id), *annotation))

    def images(self) -> Iterator[Tuple[Spooled, List[Spooled]]]:
        """Yield each image with its annotations, in the order in which they were added."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_image ON annotations (image)")
        rows = self._database.execute(
            "SELECT images.rowid, images.line, images.text, annotations.line, annotations.text FROM images"
            " LEFT JOIN annotations ON annotations.image = images.id ORDER BY images.rowid, annotations.rowid"
        )
        for (_, *image), group in itertools.groupby(rows, key=lambda row: row[:3]):
            yield Spooled(*image), [Spooled(*row[3:]) for row in group if row[3] is not None]

    def lost_annotations(self) -> Iterator[Spooled]:
        """Yield the annotations whose image there is not."""
        rows = self._database.execute(
            "SELECT line, text FROM annotations WHERE image NOT IN (SELECT id FROM images) ORDER BY rowid"
        )
        return itertools.starmap(Spooled, rows)

    def close(self) -> None:
        """Remove the database."""
        self._database.close()


class ImageIds:
    """The IDs of images in a file that is written anew: those of earlier runs stay, and others get the next.

    Args:
        earlier: The paths of images and their IDs so far.

    Example:
        >>> from viam_sync.transfer.labels.label_spool import ImageIds
        >>> ids = ImageIds([("cat.png", 7)])
        >>> ids.of("dog.png"), ids.of("cat.png"), ids.of("dog.png")
        (8, 7, 8)
        >>> ids.close()
    """

    def __init__(self, earlier: Iterable[Tuple[str, int]]) -> None:
        self._database = _temporary_database()
        self._database.execute("CREATE TABLE ids (path TEXT PRIMARY KEY, id INTEGER) WITHOUT ROWID")
        self._database.executemany("INSERT OR IGNORE INTO ids VALUES (?, ?)", earlier)
        (self._last,) = self._database.execute("SELECT coalesce(max(id), 0) FROM ids").fetchone()

    def of(self, path: str) -> int:
        """Return the ID of an image."""
        for (known,) in self._database.execute("SELECT id FROM ids WHERE path = ?", (path,)):
            return int(known)
        self._last += 1
        self._database.execute("INSERT INTO ids VALUES (?, ?)", (path, self._last))
        return int(self._last)

    def close(self) -> None:
        """Remove the database."""
        self._database.close()


def key_of(name: str, id: Any) -> str:
    """Return a text that stands for an ID: a number and the text of its digits are two IDs, and 7 and 7.0 are one.

    Example:
        >>> from viam_sync.transfer.labels.label_spool import key_of
        >>> key_of("id", 7), key_of("id", "7")
        ('7', "'7'")
    """
    if isinstance(id, Decimal) and abs(id) < 2**63 and id == int(id):
        id = int(id)
    if isinstance(id, bool) or not isinstance(id, (int, str)):
        raise WrongLabel(f"{name} is {shown(id)}, and has to be a whole number or a text")
    return repr(id)


def _temporary_database() -> sqlite3.Connection:
    # One without a name is a file that SQLite removes when it is closed. Another thread may read on.
    return sqlite3.connect("", check_same_thread=False)
