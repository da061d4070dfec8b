"""Values that fit nowhere, or only look as if they did, and which of them each kind of argument takes after all."""

import datetime as dt
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Sequence, Set, Tuple

#: Deeper than any interpreter goes, and longer than any name is.
DEEP, LONG = 10_000, 100_000
_AHEAD = dt.timezone(dt.timedelta(hours=14))
_BEHIND = dt.timezone(dt.timedelta(hours=-12))


class OwnError(Exception):
    """An error that the caller's own code raises."""


class Text(str):
    """A text that is more than that."""


def _raising() -> Iterator[Any]:
    yield "x"
    raise OwnError("the caller's own")


def _deep(wrap: Callable[[Any], Any]) -> Any:
    value = wrap("x")
    for _ in range(DEEP):
        value = wrap(value)
    return value


def _cyclic_dict() -> Any:
    value: Dict[str, Any] = {}
    value["self"] = value
    return value


def _cyclic_list() -> Any:
    value: Any = []
    value.append(value)
    return value


def _released() -> memoryview:
    view = memoryview(b"abc")
    view.release()
    return view


def _closed_file() -> Any:
    with Path(__file__).open("rb") as file:
        return file


#: Made anew for each call, as a call may use them up.
VALUES: Dict[str, Callable[[], Any]] = {
    "object": object,
    "class": lambda: dict,
    "three": lambda: 3,
    "1.5": lambda: 1.5,
    "True": lambda: True,
    "text": lambda: "x",
    "own text": lambda: Text("x"),
    "bytes": lambda: b"x",
    "empty list": list,
    "empty dict": dict,
    "None": lambda: None,
    "empty text": str,
    "NUL": lambda: "a\0b",
    "surrogate": lambda: "\ud800",
    # One of letters alone would be taken for a key, and be looked for in all that is printed.
    "long text": lambda: "long " * (LONG // 5),
    "2**31": lambda: 2**31,
    "2**63": lambda: 2**63,
    "2**64": lambda: 2**64,
    "2**200": lambda: 2**200,
    "2**20000": lambda: 2**20_000,
    "-1": lambda: -1,
    "-2**63-1": lambda: -(2**63) - 1,
    "NaN": lambda: float("nan"),
    "infinity": lambda: 1e400,
    "first time": lambda: dt.datetime.min,
    "last time": lambda: dt.datetime.max,
    "before the first time": lambda: dt.datetime.min.replace(tzinfo=_AHEAD),
    "after the last time": lambda: dt.datetime.max.replace(tzinfo=_BEHIND),
    "date": lambda: dt.date(2024, 1, 1),
    "shortest span": lambda: dt.timedelta.min,
    "longest span": lambda: dt.timedelta.max,
    "deep dict": lambda: _deep(lambda value: {"in": value}),
    "deep list": lambda: _deep(lambda value: [value]),
    "deep list in a dict": lambda: {"in": _deep(lambda value: [value])},
    "cyclic dict": _cyclic_dict,
    "cyclic list": _cyclic_list,
    "dict of a number": lambda: {5: "x"},
    "dict of a surrogate": lambda: {"\ud800": "x"},
    "dict to a surrogate": lambda: {"x": "\ud800"},
    "dict to an object": lambda: {"x": object()},
    "dict to NaN": lambda: {"x": float("nan")},
    "dict to a huge number": lambda: {"x": 2**20_000},
    "generator that raises": _raising,
    "released memoryview": _released,
    "closed file": _closed_file,
    "folder": Path.cwd,
    "path with NUL": lambda: Path("a\0b"),
    "path with a surrogate": lambda: Path("\ud800"),
    "list of None": lambda: [None],
    "list of objects": lambda: [object()],
    "list of an empty text": lambda: [""],
    "list of a NUL": lambda: ["a\0b"],
    "list of a surrogate": lambda: ["\ud800"],
    "list of a huge number": lambda: [2**200],
    "list of lists": lambda: [[]],
    "list of dicts": lambda: [{}],
}

_TEXT = {"text", "own text", "bytes", "empty text", "NUL", "long text"}
_WHOLE = {"three", "True", "-1", "2**31", "2**63", "2**64", "2**200", "2**20000"}
_NUMBER = {"three", "1.5", "True", "-1", "-2**63-1", "2**31", "2**63", "2**64", "2**200"}
_STRUCT = {"empty dict", "dict to NaN"}
_TEXTS = {"empty list", "list of an empty text", "list of a NUL"}
_PATH = {"text", "own text", "empty text", "long text", "folder"}
_STAGES = {"empty list", "list of dicts"}

#: By a pattern for the annotation of a parameter: the values that it takes, or may take. The last one fits all.
#: A text of bytes is decoded, as in the official SDK; a whole number may be one for a service of a later version; an
#: ID is not empty where it is required, and NaN is a reading that a sensor may give.
TAKEN: Sequence[Tuple[str, Set[str]]] = (
    (r"ID", {"text", "own text", "long text"}),
    (r"str", {*_TEXT, *_PATH}),
    (r"int", _WHOLE),
    (r"float", _NUMBER),
    (r"bool", {"three", "1.5", "True", "2**31", "-1"}),
    (r"bytes", {"bytes"}),
    (r"timedelta", {"longest span"}),
    (r"datetime|TimestampLike", {"empty dict", "first time", "last time"}),
    (r"Mapping\[.*|StructLike", _STRUCT),
    (r"(Sequence|List)\[str\]", _TEXTS),
    (r"Sequence\[bytes\]", {"empty list"}),
    (r"(Sequence|List)\[.*(ValueType|Visibility)\]", {"empty list"}),
    (r"Sequence\[BinaryIDLike\]", set()),
    (r"BinaryIDLike", {"text", "own text", "long text"}),
    (r"Stages", _STAGES),
    (r"Union\[bytes, Mapping\[str, Any\]\]", {"bytes", *_STRUCT}),
    (r"RowSource", {"None"}),
    (r"(Sequence|List)\[Tuple.*|List\[APIKeyAuthorization\]", set()),
    (r"(Sequence|List|Union\[Sequence)\[.*", _STAGES),
    (r".*\.ValueType", {"three", "True", "-1"}),
    (r"StrPath|Union\[StrPath, Literal.*", _PATH),
    (r"Union\[StrPath, Iterable.*", {*_PATH, "empty list", "list of an empty text"}),
    (r"Uploadable", {"bytes", "folder"}),
    (r"ProgressLike", {"class", "True"}),
    (r"Rows", _STAGES),
    (r"(data_)?pb\..*", {"empty dict"}),
    (r".*", set()),
)
