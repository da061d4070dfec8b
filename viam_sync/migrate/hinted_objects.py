"""The objects that type hints speak of."""

from __future__ import annotations

from typing import Iterable

import libcst as cst

from viam_sync.migrate import cloud
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import Facts
from viam_sync.migrate.value_kinds import PRIMITIVES, Class, Cloud, DottedName, Foreign, Instance, Machine, Value


def hinted_objects(facts: Facts, values: Values, annotation: cst.BaseExpression) -> Iterable[Value]:
    """Yield the objects that a type hint speaks of."""
    if isinstance(annotation, cst.Subscript):
        if not values.name_of(annotation.value).endswith(("Callable", "Generator", "type", "Type")):
            for element in annotation.slice:
                if isinstance(element.slice, cst.Index):
                    yield from hinted_objects(facts, values, element.slice.value)
    elif isinstance(annotation, cst.BinaryOperation):
        yield from hinted_objects(facts, values, annotation.left)
        yield from hinted_objects(facts, values, annotation.right)
    elif isinstance(annotation, cst.SimpleString):
        yield from _named_in_quotes(facts, values, annotation)
    else:
        yield from _instances(values.of(annotation))


def _named_in_quotes(facts: Facts, values: Values, annotation: cst.SimpleString) -> Iterable[Value]:
    text = annotation.raw_value.split(".")[-1].strip("] ").split("[")[-1]
    scope = facts.scopes.get(annotation)
    if not text.isidentifier() or scope is None:
        return
    yield from _instances(values.places.kept_in(values.places.of_name(scope, text)))


def _instances(found: Iterable[Value]) -> Iterable[Value]:
    for value in found:
        if isinstance(value, Class):
            yield Instance(value.node)
        elif isinstance(value, DottedName) and cloud.is_viam(value.name):
            if cloud.is_cloud(value.name):
                yield Cloud()
            elif cloud.is_machine(value.name):
                yield Machine()
        elif isinstance(value, DottedName) and value.name not in PRIMITIVES:
            library = value.name.lstrip(".").partition(".")[0]
            if library not in ("builtins", "typing", "collections", "typing_extensions"):
                yield Foreign(library)
