from datetime import datetime
from typing import Any

import pytest

from viam_sync.proto.app.data import BinaryMetadata
from viam_sync.transfer.output.names import export_name, with_ending

NOON = datetime(2024, 5, 1, 12)
TIME = "2024-05-01T12_00_00Z"

#: What the official command line calls a file and its contents: the cases of its tests, and others of its rules.
CASES = [
    ({"id": "my-id"}, f"{TIME}_my-id", ""),
    ({"id": "f1", "file_ext": ".jpeg"}, f"{TIME}_f1.jpeg", ""),
    ({"id": "f1", "file_ext": ".gz"}, f"{TIME}_f1", ""),
    ({"binary_data_id": "org/loc/f1", "file_ext": ".pcd"}, f"{TIME}_f1.pcd", ""),
    ({"file_name": "whatever.txt"}, f"{TIME}_whatever.txt", ""),
    ({"file_name": "whatever.txt", "file_ext": ".txt"}, f"{TIME}_whatever.txt", ""),
    ({"file_name": "whatever", "file_ext": ".txt"}, f"{TIME}_whatever", ".txt"),
    ({"file_name": "dir/whatever.txt"}, "dir/whatever.txt", ""),
    ({"file_name": "dir/.png", "file_ext": ".png"}, "dir/.png", ""),
    ({"file_name": "/.viam/capture/2024-01-30Twhatever.jpg"}, "2024-01-30Twhatever.jpg", ""),
    ({"file_name": "Users/hi/.viam/capture/2024-01-30Twhatever.jpg"}, "2024-01-30Twhatever.jpg", ""),
    ({"file_name": "Users/hi/.viam/capture/dir/2024-01-30Twhatever.jpg"}, "dir/2024-01-30Twhatever.jpg", ""),
    ({"file_name": "/home/u/.viam/capture/cat", "file_ext": ".png"}, "cat", ".png"),
    ({"file_name": "whatever.gz"}, f"{TIME}_whatever", ""),
    ({"file_name": "dir/whatever.gz"}, "dir/whatever", ""),
    ({"file_name": "dir/whatever.csv.gz", "file_ext": ".gz"}, "dir/whatever.csv", ""),
    ({"file_name": "a.tar", "file_ext": ".gz"}, f"{TIME}_a.tar", ""),
    ({"file_name": "/home/u/.viam/capture/a.log.gz", "file_ext": ".gz"}, "a.log", ""),
    ({"file_name": "twice.gz.gz", "file_ext": ".gz"}, f"{TIME}_twice.gz", ""),
    ({"file_name": "a:b.png", "file_ext": ".png"}, f"{TIME}_a_b.png", ""),
]


@pytest.mark.parametrize(("metadata", "name", "added"), CASES)
def test_names_are_those_of_the_official_command_line(metadata: Any, name: str, added: str) -> None:
    found, ending = export_name(BinaryMetadata(time_requested=NOON, **metadata))
    assert (found, with_ending(found, ending)) == (name, name + added)


def test_times_have_the_digits_that_they_need() -> None:
    half = datetime(2024, 5, 1, 12, 0, 0, 500_000)
    assert export_name(BinaryMetadata(time_requested=half, file_name="cat"))[0] == "2024-05-01T12_00_00.5Z_cat"
