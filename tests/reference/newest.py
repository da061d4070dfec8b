"""The signatures of the newest official SDK, kept as a table of facts, and ours of the same names."""

import enum
import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List, Mapping, Set, Tuple

from .annotations import Type, fits, read

#: A parameter that one of the two does not have.
ABSENT = "-"

Fact = Mapping[str, Any]

TABLE = Path(__file__).with_name("newest.json")
NEWEST: Dict[str, Fact] = json.loads(TABLE.read_text(encoding="utf-8"))


def ours(name: str) -> Any:
    """Return what of ours has a name of the table."""
    parts = name.split(".")
    depth = 1 if parts[0] == "utils" else 2
    found = import_module(".".join(["viam_sync", *parts[:depth]]))
    for part in parts[depth:]:
        found = getattr(found, part)
    return found


def own_parameters(name: str) -> Dict[str, inspect.Parameter]:
    """Return the parameters of ours, without ``self``."""
    return {key: each for key, each in inspect.signature(ours(name)).parameters.items() if key != "self"}


def names_by_position(fact: Fact) -> List[str]:
    """Return what a fact takes by position, in its order."""
    return [each["name"] for each in fact["parameters"] if "keyword_only" not in each]


def positional(member: str) -> List[str]:
    """Return what the newest SDK takes by position for ``Class.method``; nothing if it has none of this name."""
    return next((names_by_position(fact) for name, fact in NEWEST.items() if name.endswith(f".{member}")), [])


def short(name: str) -> str:
    """Return a name as the documentation has it: ``app.app_client.AppClient.get_robot`` is ``AppClient.get_robot``."""
    return re.sub(r"^(app\.\w+_client|rpc\.dial)\.", "", name)


def order_differences() -> Dict[str, Tuple[str, str]]:
    """Return, for each method with another order than ours, both from where they part, each as it is written down."""
    found = {}
    for name, fact in NEWEST.items():
        theirs, own = names_by_position(fact), _by_position(name)
        if own[: len(theirs)] != theirs:
            alike = next(place for place, each in enumerate(theirs) if own[place : place + 1] != [each])
            found[short(name)] = (_listed(theirs[alike:]), _listed(own[alike:]))
    return found


def parameter_differences() -> Set[Tuple[str, str, str, str]]:
    """Return the parameters that only one has, or with another default: name, there, here, and of which method.

    The timeout is left out where only ours has it: that is so wherever something is sent.
    """
    found = set()
    for name, fact in NEWEST.items():
        theirs = {each["name"]: each.get("default", "required") for each in fact["parameters"]}
        own = {key: _default(each) for key, each in own_parameters(name).items()}
        for key in {**theirs, **own}:
            there, here = theirs.get(key, ABSENT), own.get(key, ABSENT)
            if there != here and (key, there) != ("timeout", ABSENT):
                found.add((key, there, here, short(name)))
    return found


def type_differences() -> Set[Tuple[str, str]]:
    """Return the parameters that do not take all that theirs do, and results of another type, each with its method."""
    found = set()
    for name, fact in NEWEST.items():
        own, names = own_parameters(name), _names_around(name)
        for each in fact["parameters"]:
            if each["name"] in own and "type" in each:
                accepted = read(own[each["name"]].annotation, names)
                if not fits(_plain(read(each["type"], {})), _plain(accepted)):
                    found.add((each["name"], short(name)))
        result = read(inspect.signature(ours(name)).return_annotation, names)
        if "returns" in fact and not fits(_plain(result), _plain(read(fact["returns"], {}))):
            found.add(("result", short(name)))
    return found


def _names_around(name: str) -> Mapping[str, Any]:
    """Return the names that the annotations of ours may hold: those of its module, and of its class."""
    function, owner = inspect.unwrap(ours(name)), ours(name.rpartition(".")[0])
    function = function.__init__ if inspect.isclass(function) else function
    return {**vars(owner), **getattr(function, "__globals__", {})}


def _plain(given: Type) -> Type:
    """Return a type without what differs by the way that the SDKs are made: modules of messages, types of enums."""
    name = given.name.rpartition(".")[2] if given.name.startswith("viam.") else given.name
    if given.name.endswith(".ValueType"):
        name = "int"
    return Type("str") if name == "Literal" else Type(name, tuple(map(_plain, given.args)))


def _by_position(name: str) -> List[str]:
    return [key for key, each in own_parameters(name).items() if each.kind is not each.KEYWORD_ONLY]


def _listed(names: List[str]) -> str:
    return ", ".join(f"`{each}`" for each in names)


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return "required"
    return str(parameter.default) if isinstance(parameter.default, enum.Enum) else repr(parameter.default)
