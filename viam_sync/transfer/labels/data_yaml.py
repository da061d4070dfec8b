"""YOLO's ``data.yaml``: the names of the classes, and where the images of each part of a split are."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any, Collection, Dict, List, NamedTuple, Optional, Sequence

from viam_sync.transfer.labels.image_lookup import ends_of
from viam_sync.transfer.labels.label_checks import WrongLabel, noted, read_text, require_label, shown
from viam_sync.transfer.labels.label_format import IMAGES
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import SPLITS
from viam_sync.transfer.output.columns import optional

#: The name of the file that is written, and others that are read.
DATA_YAML = "data.yaml"
_OTHER_NAMES = ("data.yml", "dataset.yaml", "dataset.yml")
#: The names of the classes without any YAML, as labelImg and Label Studio write them.
_CLASSES_TXT = "classes.txt"
#: The keys of the parts of a split.
_KEYS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
#: What YAML has for nothing.
_NOTHING = ("", "~", "null")


class DataYaml(NamedTuple):
    """What a ``data.yaml`` says.

    Attributes:
        names: The names of the classes, by number.
        places: For each part of a split, the folders of its images, or the files that list them, with slashes.
        has_keypoints: Whether keypoints follow each box.
    """

    names: Dict[int, str]
    places: Dict[str, List[str]]
    has_keypoints: bool = False


def data_yaml(splits: Collection[str], classes: Sequence[str]) -> str:
    r"""Return the text of a ``data.yaml``, in ASCII.

    Without ``path``, Ultralytics takes the folder of the file; ``path: .`` would be that of the process. It wants both
    ``train`` and ``val``, which are the same where there is no split, or where a part is empty.

    Args:
        splits: The parts of the split that have images; ``""`` is that without a split.
        classes: The names of the classes.

    Example:
        >>> from viam_sync.transfer.labels.data_yaml import data_yaml
        >>> print(data_yaml(["train", "val"], ["cat", 'so-called "dog"']), end="")
        train: images/train
        val: images/val
        nc: 2
        names:
        - "cat"
        - "so-called \"dog\""
    """
    there = [split for split in SPLITS if split in splits]
    places = {split: f"{IMAGES}/{split}" for split in there}
    first = places[there[0]] if there else IMAGES
    places = {"train": first, "val": first, **places}
    lines = [f"{split}: {place}" for split, place in places.items()]
    names = ["names:", *(f"- {_quoted(name)}" for name in classes)] if classes else ["names: []"]
    return "\n".join([*lines, f"nc: {len(classes)}", *names]) + "\n"


def read_data_yaml(folder: Path, problems: LabelProblems) -> Optional[DataYaml]:
    """Return what the ``data.yaml`` of a folder says; None if it is wrong, which is noted.

    Raises:
        ImportError: If PyYAML is not installed.
    """
    path = _find(folder)
    if path is None:
        problems.add(Path(DATA_YAML), None, "there is no such file; name the folder that it is in")
        return None
    with noted(problems, path, None):
        if path.name == _CLASSES_TXT:
            names = read_text(folder / path).splitlines()
            return DataYaml(dict(enumerate(name.strip() for name in names)), {"": [_images_of(folder)]})
        contents = _load(folder / path)
        return DataYaml(_names_of(contents), _places_of(folder, contents), contents.get("kpt_shape") is not None)
    return None


def _find(folder: Path) -> Optional[Path]:
    for name in (DATA_YAML, *_OTHER_NAMES):
        if (folder / name).is_file():
            return Path(name)
    others = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if len(others) == 1:
        return Path(others[0].name)
    return Path(_CLASSES_TXT) if (folder / _CLASSES_TXT).is_file() else None


def _load(path: Path) -> Dict[str, Any]:
    yaml = optional("yaml", "format='yolo'", "pyyaml")
    try:
        # Of the basic types, each scalar is a text, so that a class "no" stays what it is.
        contents = yaml.load(path.read_bytes(), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise WrongLabel(f"this file is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(contents, dict):
        raise WrongLabel(f"this file is {shown(contents)}, and has to be a mapping with names")
    return contents


def _names_of(contents: Dict[str, Any]) -> Dict[int, str]:
    names = contents.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        raise WrongLabel(f"names is {shown(names)}, and has to be a list of the classes, or a mapping of their numbers")
    numbers: Dict[str, int] = {}
    for key, name in names.items():
        number = _whole_number("a key of names", key)
        other = numbers.setdefault(require_label(f"names[{number}]", name), number)
        if other != number:
            raise WrongLabel(f"names[{number}] and names[{other}] are both {name!r}; Viam knows classes by name alone")
    if "nc" in contents and _whole_number("nc", contents["nc"]) != len(numbers):
        raise WrongLabel(f"nc is {contents['nc']}, and names has {len(numbers)} classes")
    return {number: name for name, number in numbers.items()}


def _whole_number(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise WrongLabel(f"{name} is {shown(value)}, and has to be a number") from None


def _places_of(folder: Path, contents: Dict[str, Any]) -> Dict[str, List[str]]:
    given = {split: _texts_of(contents, keys) for split, keys in _KEYS.items()}
    if not any(given.values()):
        return {"": [_images_of(folder)]}
    root = contents.get("path")
    root = _place(folder, ".", root) or "." if isinstance(root, str) else "."
    places: Dict[str, List[str]] = {}
    for split, texts in given.items():
        for text in texts:
            place = _place(folder, root, text)
            if place is not None:
                places.setdefault(split, []).append(place)
            elif split != "test":  # Roboflow names one that is not there.
                raise WrongLabel(f"{split} is {text!r}, and there is no such folder or list of images in this folder")
    return places


def _texts_of(contents: Dict[str, Any], keys: Sequence[str]) -> List[str]:
    for key in keys:
        value = contents.get(key)
        values = value if isinstance(value, list) else [] if value in (None, *_NOTHING) else [value]
        if not all(isinstance(each, str) for each in values):
            raise WrongLabel(f"{key} is {shown(value)}, and has to be a folder, a list of images, or several of them")
        if values:
            return values
    return []


def _place(folder: Path, root: str, text: str) -> Optional[str]:
    """Return the path in the folder of what a text names, which may be above it, or where the folder was before."""
    text = text.replace("\\", "/")
    if text.startswith("/") or text[1:2] == ":":
        candidates = list(ends_of(text))
    else:
        below = text
        while below.startswith("../"):
            below = below[3:]
        candidates = [posixpath.normpath(each) for each in (posixpath.join(root, text), text, below)]
    for each in candidates:
        if each.split("/")[0] != ".." and (folder / each).exists():
            return each
    return None


def _images_of(folder: Path) -> str:
    return IMAGES if (folder / IMAGES).is_dir() else "."


def _quoted(text: str) -> str:
    """Return a text as YAML has it between double quotes; JSON's halves of an emoji are none in YAML."""
    escaped = {'"': '\\"', "\\": "\\\\"}
    return (
        '"' + "".join(escaped.get(each, each) if " " <= each <= "~" else f"\\U{ord(each):08x}" for each in text) + '"'
    )
