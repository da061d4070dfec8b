"""The calls of schedules: each says how it is made, its subject, and how its effect shows in the sandbox."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, List, Optional

from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox


@dataclass
class Item:
    """The subject of one call.

    Attributes:
        mark: A text in small letters that is part of nothing else.
        sandbox: The sandbox that the call changes.
        folder: A folder for files.
        size: How many bytes an upload has.
        subject: The thing that was prepared for the call, mostly an ID.
    """

    mark: str
    sandbox: Sandbox
    folder: Path
    size: int = 0
    subject: Any = None

    @property
    def before(self) -> str:
        """A name that does not hold the mark."""
        return self.mark.upper()

    @property
    def email(self) -> str:
        return f"{self.mark}@example.com"

    @property
    def contents(self) -> bytes:
        return (self.mark.encode() * (self.size // len(self.mark) + 1))[: self.size]

    def rows(self, sql: str, *values: Any) -> List[Any]:
        """Ask the sandbox's database; without values, for the mark."""
        return self.sandbox._world.store.rows(sql, *(values or (self.mark,)))

    def count(self, sql: str, *values: Any) -> int:
        """Return the number that a query gives."""
        return int(self.rows(sql, *values)[0][0])


Call = Callable[[ViamClient, Item], Any]


@dataclass
class Write:
    """A call that changes something, or, for comparison, a read.

    Attributes:
        rpc: The RPC that it makes.
        policy: The retry class that it is to have; PIPE is an upload from a source that can be read only once.
        call: Makes it.
        there: Counts the things that it makes; for other changes, 1 if the change shows, else 0.
        prepare: Makes the thing that must be there before, and returns it as the subject.
        answer: Returns the result of a call that was carried out; None if the result is not compared.
    """

    rpc: str
    policy: str
    call: Call = field(repr=False)
    there: Callable[[Item], int] = field(repr=False)
    prepare: Call = field(default=lambda client, item: None, repr=False)
    answer: Optional[Callable[[Item], Any]] = field(default=None, repr=False)


def counted(table: str, column: str = "name") -> Callable[[Item], int]:
    return lambda item: item.count(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?")


def in_body(table: str) -> Callable[[Item], int]:
    return lambda item: item.count(f"SELECT COUNT(*) FROM {table} WHERE instr(body, ?) > 0", item.mark.encode())


def is_gone(table: str, column: str = "id") -> Callable[[Item], int]:
    return lambda item: item.count(f"SELECT COUNT(*) = 0 FROM {table} WHERE {column} = ?", item.subject)


def id_of(table: str, column: str = "name") -> Callable[[Item], Any]:
    return lambda item: item.rows(f"SELECT id FROM {table} WHERE {column} = ?")[0]["id"]


def the_mark(item: Item) -> str:
    return item.mark


def the_email(item: Item) -> str:
    return item.email


def _file_ids(item: Item) -> List[str]:
    sql = "SELECT f.file_id FROM files f JOIN captures c ON c.id = f.capture_id WHERE c.component_name = ?"
    return [row["file_id"] for row in item.rows(sql)]


def stored(item: Item) -> int:
    """Return how many files there are of an upload; a negative number if one of them is not what was sent."""
    found = [item.sandbox._world.store.blobs.read(id) for id in _file_ids(item)]
    return len(found) if all(contents == item.contents for contents in found) else -len(found)


def file_id(item: Item) -> str:
    return _file_ids(item)[0]


def readings_stored(item: Item) -> int:
    sql = "SELECT COUNT(*) FROM readings r JOIN captures c ON c.id = r.capture_id WHERE c.component_name = ?"
    count = item.count(sql)
    return -count if count % 2 else count // 2


def is_untagged(item: Item) -> int:
    return item.count("SELECT COUNT(*) = 0 FROM file_tags WHERE tag = ?")


def is_in_dataset(item: Item) -> int:
    sql = "SELECT COUNT(*) FROM dataset_files d JOIN files f ON f.id = d.file WHERE f.file_id = ?"
    return item.count(sql, item.subject.rpartition("/")[2])


def files_are_gone(item: Item) -> int:
    sql = "SELECT COUNT(*) = 0 FROM files WHERE file_id IN (?, ?)"
    return item.count(sql, *(id.rpartition("/")[2] for id in item.subject))


def rotated(item: Item) -> int:
    return item.count("SELECT COUNT(*) FROM keys WHERE name = ? AND id != ?", item.before, item.subject)


def has_metadata(item: Item) -> int:
    return item.count("SELECT instr(metadata, ?) > 0 FROM robots WHERE id = ?", item.mark.encode(), item.subject)
