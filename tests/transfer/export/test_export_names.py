"""Exports whose names the disk or its encoding does not take."""

import json
import sys
from pathlib import Path

import pytest
from reliability.processes import environment, run

from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the encoding of names is always UTF-8")

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
EXPORT = """
import json, sys
from viam_sync import ViamClient
from viam_sync.utils import create_filter

with ViamClient.create_from_env_vars() as client:
    result = client.data_client.export_binary_data(create_filter(tags=["mine"]), sys.argv[1])
    print(json.dumps({file.id: str(file.error or "") for file in result.files}))
"""
PAGE = """
import sys
from viam_sync import ViamClient
from viam_sync.utils import create_filter

with ViamClient.create_from_env_vars() as client:
    try:
        client.data_client.binary_data_by_filter(create_filter(tags=["mine"]), dest=sys.argv[1])
    except OSError as error:
        print(ascii(str(error)), len(error.result[0]))
    try:
        client.data_client.export_binary_data(None, "\\u00e9")
    except ValueError as error:
        print(ascii(str(error)))
"""


@pytest.fixture
def odd(sandbox: Sandbox, client: ViamClient) -> str:
    """The ID of a file whose name is not ASCII; three others have plain names."""
    names = ["d/cat", "d/\u00e9.png", "dog", "cow"]
    upload = client.data_client.file_upload
    ids = [upload(sandbox.robot_part_id, b"x", file_name=name, tags=["mine"]) for name in names]
    return ids[1].rpartition("/")[2]


def test_a_name_that_the_encoding_cannot_write_is_the_error_of_its_file(
    sandbox: Sandbox, odd: str, tmp_path: Path
) -> None:
    for _ in range(2):
        (line,) = run(EXPORT, str(tmp_path), env=environment(sandbox, **ASCII))
        errors = {id.rpartition("/")[2]: error for id, error in json.loads(line).items()}
        assert [id for id, error in errors.items() if error] == [odd]
        assert "encoding, ascii, cannot write this name; set PYTHONUTF8=1" in errors[odd]
    assert sorted(path.name for path in (tmp_path / "data" / "d").iterdir()) == ["cat"]
    assert run(EXPORT, str(tmp_path), env=environment(sandbox, PYTHONUTF8="1"))
    assert sorted(path.name for path in (tmp_path / "data" / "d").iterdir()) == ["cat", "\u00e9.png"]
    # What an export with another encoding has written is no reason to fail, either.
    (line,) = run(EXPORT, str(tmp_path), env=environment(sandbox, **ASCII))
    assert len([error for error in json.loads(line).values() if error]) == 1


def test_a_page_and_a_folder_with_such_a_name_are_refused_with_what_to_do(
    sandbox: Sandbox, odd: str, tmp_path: Path
) -> None:
    page, folder = run(PAGE, str(tmp_path), env=environment(sandbox, **ASCII))
    assert "encoding, ascii, cannot write this name" in page
    assert page.endswith("4")
    assert "folder takes a path, got" in folder
    assert "which the file system's encoding cannot write (ascii); set PYTHONUTF8=1" in folder
