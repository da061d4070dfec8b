"""What an export has written, for the tests of exports."""

import json
from pathlib import Path
from typing import Dict

from viam_sync.transfer.output.names import UNFINISHED
from viam_sync.utils import create_filter

#: The files that a test has uploaded.
MINE = create_filter(tags=["mine"])


def contents_in(folder: Path) -> Dict[str, bytes]:
    """Return the contents of the files of an export; the manifest and the metadata must agree with them."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    assert not [path for path in found.values() if path.name.startswith(UNFINISHED)]
    lines = [json.loads(line) for line in found.pop("manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    # A line without a path says that a run has flushed nothing.
    lines = [line for line in lines if line != {"flushed": False}]
    listed = {line["path"]: line for line in lines}
    assert len(listed) == len(lines)
    for path, line in listed.items():
        assert found.pop(path).stat().st_size == line["size"]
        assert json.loads(found.pop(line["metadata"]).read_text(encoding="utf-8"))["binaryDataId"] == line["id"]
    assert found == {}
    return {line["id"]: (folder / path).read_bytes() for path, line in listed.items()}
