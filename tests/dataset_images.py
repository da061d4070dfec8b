"""Datasets of small images in a sandbox, and what an export of one has written, for the tests of these."""

import json
from pathlib import Path
from typing import Any, Dict, List

from viam_sync.app.data_client import DataClient
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.sample.tomato_images import render_png


class PetDataset:
    """A dataset, empty at first.

    Attributes:
        id: Its ID.
    """

    def __init__(self, sandbox: Sandbox, data: DataClient) -> None:
        self._part = sandbox.robot_part_id
        self._data = data
        self._added = 0
        self.id = data.create_dataset("pets", sandbox.organization_id)

    def add(self, name: str = "cat.png", *, contents: bytes = b"", tags: Any = ("pet",), **options: Any) -> str:
        """Upload an image, or other contents, into it; return its ID. The edges of the image tell its number."""
        self._added += 1
        contents = contents or render_png(self._added, 2, (0, 0, 0), [])
        id = self._data.file_upload(
            self._part, contents, file_name=f"pets/{name}", tags=list(tags), dataset_ids=[self.id], **options
        )
        return str(id.binary_data_id)

    def export(self, folder: Path, **options: Any) -> Any:
        return self._data.export_dataset(self.id, folder, **options)


def image_names(folder: Path) -> List[str]:
    """Return the paths of the images of an export in their folder."""
    images = folder / "images"
    return sorted(path.relative_to(images).as_posix() for path in images.rglob("*") if path.is_file())


def rows_by_id(folder: Path, file: str = "dataset.jsonl") -> Dict[str, Any]:
    """Return the lines of Viam's JSON lines by the IDs of the images, which must be there."""
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    rows = {row["binary_data_id"]: row for row in map(json.loads, lines)}
    assert len(rows) == len(lines)
    assert all((folder / row["image_path"]).is_file() for row in rows.values())
    return rows


def all_files(folder: Path) -> Dict[str, bytes]:
    """Return the contents of all files in a folder by their paths, but for the hidden state; nothing is unfinished."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    unfinished = [path for path in files if path.endswith(".part")]
    assert unfinished == []
    return {path: contents for path, contents in files.items() if not path.startswith(".viam-labels/")}
