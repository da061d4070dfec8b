"""The minima that the cloud requires of a dataset for training: images, labels and examples."""

from __future__ import annotations

from collections import Counter
from typing import Dict, List, Sequence, Set

from viam_sync.proto.app import mltraining as pb
from viam_sync.sandbox.core.call_errors import failed_precondition
from viam_sync.sandbox.core.world import World

_LEAST_LABELLED = 0.8
_LEAST_LABELS = 2
_LEAST_EXAMPLES = 10
_LEAST_IMAGES = 15

_TAGS = "SELECT t.file, t.tag AS label FROM dataset_files d JOIN file_tags t ON t.file = d.file WHERE d.dataset_id = ?"
_BOXES = "SELECT b.file, b.label FROM dataset_files d JOIN boxes b ON b.file = d.file WHERE d.dataset_id = ?"


def dataset_size(world: World, dataset_id: str) -> int:
    """Return the number of images in a dataset."""
    row = world.store.row("SELECT count(*) AS number FROM dataset_files WHERE dataset_id = ?", dataset_id)
    return 0 if row is None else int(row["number"])


def require_minima(world: World, dataset_id: str, model_type: pb.ModelType.ValueType, labels: Sequence[str]) -> None:
    """Require that a dataset has enough images and labels.

    Object detection needs bounding boxes, classification needs tags. If no labels are given, all count.

    Raises:
        CallError: FAILED_PRECONDITION, which lists everything that is missing.
    """
    detects = model_type == pb.ModelType.MODEL_TYPE_OBJECT_DETECTION
    chosen = set(labels)
    examples: Dict[str, int] = Counter(dict.fromkeys(chosen, 0))
    labelled: Set[int] = set()
    for row in world.store.rows(_BOXES if detects else _TAGS, dataset_id):
        if not chosen or row["label"] in chosen:
            examples[row["label"]] += 1
            labelled.add(row["file"])
    images = dataset_size(world, dataset_id)
    missing: List[str] = []
    if detects and images < _LEAST_IMAGES:
        missing.append(f"it has {images} images, and a detector takes {_LEAST_IMAGES}")
    if len(labelled) < images * _LEAST_LABELLED:
        missing.append(f"{len(labelled)} of its {images} images are labelled, and {_LEAST_LABELLED:.0%} have to be")
    if len(examples) < _LEAST_LABELS:
        missing.append(f"it has {len(examples)} labels, and {_LEAST_LABELS} are needed")
    rare = min(examples, key=lambda label: (examples[label], label), default="")
    if examples and examples[rare] < _LEAST_EXAMPLES:
        missing.append(f"the label {rare[:64]!r} has {examples[rare]} examples, and takes {_LEAST_EXAMPLES}")
    if missing:
        raise failed_precondition(
            f"The dataset {dataset_id!r} does not suffice to train on: {'; '.join(missing)}. "
            f"Add images (add_binary_data_to_dataset_by_ids), or {'boxes' if detects else 'tags'} to those it has."
        )
