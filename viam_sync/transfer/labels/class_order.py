"""The order of the classes in the folder of a dataset, so that a number stands for the same class in every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import AbstractSet, List, Optional, Sequence

from viam_sync.checks import texts
from viam_sync.transfer.labels.label_files import STATE
from viam_sync.transfer.output.atomic import AtomicFile

_NAME = "classes.json"


def classes_from(value: Optional[Sequence[str]]) -> Optional[List[str]]:
    """Return the argument ``classes`` as a list; None if there is none.

    Raises:
        TypeError: If it is no list of str.
        ValueError: If it is empty, a name in it says nothing, or is there twice.

    Example:
        >>> from viam_sync.transfer.labels.class_order import classes_from
        >>> classes_from(["cat", "dog", "cat"])
        Traceback (most recent call last):
        ValueError: classes has 'cat' twice; leave one out
    """
    if value is None:
        return None
    names = texts("classes", value)
    for index, name in enumerate(names):
        if not name.strip():
            raise ValueError(f"classes[{index}] is {name!r}, and a class has a name")
        if name in names[:index]:
            raise ValueError(f"classes has {name!r} twice; leave one out")
    return names


def class_order(folder: Path, labels: AbstractSet[str], classes: Optional[Sequence[str]] = None) -> List[str]:
    """Return the classes in their order, which the folder remembers.

    Those of earlier runs keep their places, even those without a box by now; new ones follow, sorted.

    Args:
        folder: The folder of the dataset.
        labels: The labels of all boxes.
        classes: The classes in their order, whatever it was; None to go on as before.

    Raises:
        ValueError: If ``classes`` lacks a label.
        OSError: If the folder cannot be read or written, or somebody has changed what it remembers.

    Example:
        >>> from viam_sync.transfer.labels.class_order import class_order
        >>> class_order(folder, {"cat", "dog"})
        ['cat', 'dog']
        >>> class_order(folder, {"ant", "dog"})
        ['cat', 'dog', 'ant']
    """
    earlier = _earlier_order(folder)
    order = [*earlier, *sorted(labels - set(earlier))] if classes is None else list(classes)
    missing = sorted(labels - set(order))
    if missing:
        raise ValueError(f"classes lacks {', '.join(map(repr, missing))}, which boxes have; add it, or give None")
    if order != earlier:
        _keep_order(folder, order)
    return order


def _earlier_order(folder: Path) -> List[str]:
    place = folder / STATE / _NAME
    try:
        order = json.loads(place.read_bytes())
    except FileNotFoundError:
        return []
    except ValueError:
        order = None
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise FileExistsError(f"{str(place)!r} has been changed; name another folder")
    return order


def _keep_order(folder: Path, order: Sequence[str]) -> None:
    place = folder / STATE / _NAME
    place.parent.mkdir(parents=True, exist_ok=True)
    atomic = AtomicFile(place)
    try:
        atomic.file.write(json.dumps(order).encode("ascii"))
        atomic.sync()
        atomic.commit()
    finally:
        atomic.rollback()
