"""The state of the folder of a dataset: which one is in it, and how it is split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, Optional

from viam_sync.transfer.export.manifest import MANIFEST_NAME
from viam_sync.transfer.labels.dataset_split import DatasetSplit
from viam_sync.transfer.labels.label_files import STATE
from viam_sync.transfer.output.atomic import AtomicFile

#: The name of the state in the hidden folder.
_NAME = "dataset.json"


class DatasetExportState(NamedTuple):
    """The dataset in a folder.

    Attributes:
        dataset_id: Its ID.
        split: Its split; None if it has none.

    Example:
        >>> from viam_sync.transfer.labels.dataset_state import DatasetExportState
        >>> DatasetExportState("5f0c0ffee5f0c0ffee5f0c0f", None).keep(folder)
        >>> DatasetExportState("another", None).require_same(folder)
        Traceback (most recent call last):
        ValueError: dataset_id is 'another', but ... has the dataset '5f0c0ffee5f0c0ffee5f0c0f'; name another folder
    """

    dataset_id: str
    split: Optional[DatasetSplit]

    def require_same(self, folder: Path) -> None:
        """Refuse a folder that has another dataset, or another split, or files that no export of a dataset has written.

        Raises:
            FileExistsError: If there are such files.
            NotADirectoryError: If it is a file.
            OSError: If it cannot be read.
            ValueError: If there is another dataset, or it is split otherwise.
        """
        known = _read_state(folder)
        if known is None:
            _require_empty(folder)
        elif known.dataset_id != self.dataset_id:
            raise ValueError(
                f"dataset_id is {self.dataset_id!r}, but {str(folder)!r} has the dataset {known.dataset_id!r}; name"
                " another folder"
            )
        elif known.split != self.split:
            raise ValueError(
                f"split is {_shares(self.split)}, but that of the images in {str(folder)!r} is {_shares(known.split)};"
                " give the same, or name another folder"
            )

    def keep(self, folder: Path) -> None:
        """Write it down for the next run, unless an earlier one has.

        Raises:
            OSError: If that fails.
        """
        if _read_state(folder) is not None:
            return
        place = folder / STATE / _NAME
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic = AtomicFile(place)
        try:
            atomic.file.write(json.dumps(self._asdict()).encode())
            atomic.sync()
            atomic.commit()
        finally:
            atomic.rollback()


def _read_state(folder: Path) -> Optional[DatasetExportState]:
    place = folder / STATE / _NAME
    try:
        state = json.loads(place.read_bytes())
        split = state["split"]
        return DatasetExportState(state["dataset_id"], None if split is None else DatasetSplit(*split))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, LookupError):
        raise FileExistsError(f"{str(place)!r} has been changed; name another folder") from None


def _require_empty(folder: Path) -> None:
    """Refuse a folder with files in it but hidden ones and the empty manifest of a run that was killed early."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise NotADirectoryError(f"folder is {str(folder)!r}, a file; a dataset is exported to a folder")
    for path in sorted(folder.iterdir()):
        is_new_manifest = path.name == MANIFEST_NAME and not path.lstat().st_size
        if not path.name.startswith(".") and not is_new_manifest:
            raise FileExistsError(
                f"folder is {str(folder)!r}, but {path.name!r} in it was not written by an export of a dataset; name"
                " another folder"
            )


def _shares(split: Optional[DatasetSplit]) -> str:
    return "None" if split is None else str(tuple(split))
