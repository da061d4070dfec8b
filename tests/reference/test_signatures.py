"""Every signature of the reference document, kept as a table of facts, beside ours."""

import ast
import dataclasses
import inspect
import itertools
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Tuple

import pytest

from viam_sync.app import viam_client
from viam_sync.app.viam_client import ViamClient

from .annotations import fits, read
from .newest import positional

Fact = Mapping[str, Any]

FACTS: Dict[str, Fact] = json.loads(Path(__file__).with_name("signatures.json").read_text(encoding="utf-8"))

METHODS = {name for name, fact in FACTS.items() if fact["kind"] in ("method", "classmethod", "staticmethod")}
PROPERTIES = {name for name, fact in FACTS.items() if fact["kind"] == "property"}

GRPCIO = "The connection is one of grpcio, as there is no event loop that one of grpclib could live in."
BSON = "The service answers BSON, which knows times and more, so a value is not only what JSON has."
OTHER_NAME = "It may be given by another name, so its own has a default; without either, the call is refused."
DATACLASS = "It is made by dataclass, which writes no annotations."

#: (member, what of it): why it is unlike the document.
INTENDED_DIFFERENCES: Dict[Tuple[str, str], str] = {
    ("AppClient.__init__", "channel"): GRPCIO,
    ("AppClient.list_modules", "org_id"): "Left out, the modules are the public ones of all organizations.",
    ("AppClient.tail_robot_part_logs", "result"): "Its stream is iterated over without await, so it is one of ours.",
    ("BillingClient.__init__", "channel"): GRPCIO,
    ("DataClient.__init__", "channel"): GRPCIO,
    ("DataClient.TabularData.__eq__", "other"): DATACLASS,
    ("DataClient.TabularData.__eq__", "result"): DATACLASS,
    ("DataClient.tabular_data_by_mql", "mql_binary"): OTHER_NAME,
    ("DataClient.tabular_data_by_mql", "result"): BSON,
    ("DataClient.tabular_data_by_sql", "result"): BSON,
    ("MLTrainingClient.__init__", "channel"): GRPCIO,
    ("ProvisioningClient.__init__", "channel"): GRPCIO,
}


def problems(name: str) -> Iterator[Tuple[str, str]]:
    """Yield what of a member is unlike the document, and how."""
    fact = FACTS[name]
    scope, _, last = name.rpartition(".")
    owner: Any = viam_client
    for part in scope.split(".") if scope else []:
        owner = getattr(owner, part, None)
    if fact["kind"] == "attribute" and inspect.isclass(owner):
        yield from _attribute_problems(owner, last, fact)
        return
    look = getattr if inspect.ismodule(owner) else inspect.getattr_static  # modules may load names when they are asked
    ours = look(owner, last, None)
    if owner is None or ours is None:
        yield "kind", "it is missing"
    elif _kind(ours, last) != fact["kind"]:
        yield "kind", f"it is a {_kind(ours, last)}, not a {fact['kind']}"
    elif isinstance(ours, property):
        yield from _result_problems(ours.fget, owner, fact)
    elif "parameters" in fact:
        yield from _signature_problems(getattr(owner, last), owner, fact, positional(name))


def _kind(ours: Any, name: str) -> str:
    if inspect.isfunction(ours):
        return "constructor" if name == "__init__" else "method"
    if inspect.isclass(ours):
        return "class"
    return type(ours).__name__ if isinstance(ours, (property, classmethod, staticmethod)) else "attribute"


def _attribute_problems(owner: Any, name: str, fact: Fact) -> Iterator[Tuple[str, str]]:
    """Yield what of an attribute of instances is unlike the document; the constructor sets it."""
    parameter = inspect.signature(owner).parameters.get(name)
    if parameter is None:
        yield "kind", "it is missing"
        return
    if not dataclasses.is_dataclass(owner) and not hasattr(owner(), name):
        yield "kind", "the constructor does not keep it"
    if "default" in fact and parameter.default != ast.literal_eval(fact["default"]):
        yield "default", f"it is {parameter.default!r}, not {fact['default']}"
    names = _names(owner.__init__, owner)
    ours, theirs = read(parameter.annotation, names), read(fact["returns"], {})
    if not fits(ours, theirs):
        yield "type", f"it is {ours}, not {theirs}"


def _signature_problems(method: Any, owner: Any, fact: Fact, newest: List[str]) -> Iterator[Tuple[str, str]]:
    """Yield what of a signature is unlike the document; ``newest`` is what the newest SDK takes by position."""
    ours = {name: each for name, each in inspect.signature(method).parameters.items() if name != "self"}
    theirs: List[Fact] = fact["parameters"]
    wanted = [each["name"] for each in theirs]
    if list(ours)[: len(wanted)] != wanted:
        yield "parameters", f"they are {list(ours)}, not {wanted}"
        return
    for each in theirs:
        yield from _parameter_problems(ours[each["name"]], each, _names(method, owner))
    more = list(ours)[len(wanted) :]
    for own, newer in itertools.zip_longest(more, newest[len(wanted) :]):
        if own and ours[own].default is inspect.Parameter.empty:
            yield own, "it is more than the document has, so it must have a default"
        if own and ours[own].kind is not inspect.Parameter.KEYWORD_ONLY and own != newer:
            yield own, "it is more than the document has and elsewhere in the newest SDK, so it must be keyword-only"
    if "returns" in fact:
        yield from _result_problems(method, owner, fact)


def _parameter_problems(ours: inspect.Parameter, fact: Fact, names: Mapping[str, Any]) -> Iterator[Tuple[str, str]]:
    kind = inspect.Parameter.KEYWORD_ONLY if "keyword_only" in fact else inspect.Parameter.POSITIONAL_OR_KEYWORD
    if ours.kind is not kind:
        yield ours.name, f"it is {ours.kind.description}, not {kind.description}"
    if (ours.default is not inspect.Parameter.empty) != ("default" in fact):
        yield ours.name, "one has a default, the other has none"
    elif "default" in fact and not _same(ours.default, ast.literal_eval(fact["default"])):
        yield ours.name, f"its default is {ours.default!r}, not {fact['default']}"
    accepted, wanted = read(ours.annotation, names), read(fact["type"], {})
    if not fits(wanted, accepted):
        yield ours.name, f"it takes {accepted}, which leaves out {wanted}"


def _result_problems(method: Any, owner: Any, fact: Fact) -> Iterator[Tuple[str, str]]:
    ours = read(inspect.signature(method).return_annotation, _names(method, owner))
    theirs = read(fact["returns"], {})
    if not fits(ours, theirs):
        yield "result", f"it is {ours}, not {theirs}"


def _names(method: Any, owner: Any) -> Dict[str, Any]:
    return {**vars(owner), **inspect.unwrap(method).__globals__}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def differences(name: str) -> List[str]:
    """Return what of a member is unlike the document and not meant to be."""
    return [f"{name}, {what}: {how}" for what, how in problems(name) if (name, what) not in INTENDED_DIFFERENCES]


@pytest.mark.parametrize("name", FACTS)
def test_a_member_is_as_the_reference_says(name: str) -> None:
    assert differences(name) == []


def test_a_difference_that_is_gone_is_taken_off_the_list() -> None:
    found = {(name, what) for name in FACTS for what, _ in problems(name)}
    assert INTENDED_DIFFERENCES.keys() - found == set()


def test_the_table_holds_all_that_the_document_lists() -> None:
    assert len(METHODS | PROPERTIES) == 125
    assert len(PROPERTIES) == 5
    assert {name for name, fact in FACTS.items() if fact["kind"] == "class"} == {
        "AppClient",
        "BillingClient",
        "DataClient",
        "DataClient.TabularData",
        "MLTrainingClient",
        "ProvisioningClient",
        "DialOptions",
        "ViamClient",
    }


def test_every_call_takes_a_timeout() -> None:
    for name in METHODS:
        scope, _, last = name.rpartition(".")
        if scope.endswith("Client") and scope != ViamClient.__name__ and FACTS[name]["kind"] == "method":
            method = getattr(getattr(viam_client, scope), last)
            assert inspect.signature(method).parameters["timeout"].default is None, name


@pytest.mark.parametrize("path", sorted(set(re.findall(r"viam\.proto[a-z.]*\.[A-Z]\w*", str(FACTS)))))
def test_a_message_of_the_reference_is_where_it_is_there(path: str) -> None:
    module, _, name = path.replace("viam.", "viam_sync.", 1).rpartition(".")
    assert getattr(import_module(module), name) is not None
