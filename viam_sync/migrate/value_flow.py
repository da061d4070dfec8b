"""The way of values through a program: from where they are made to the places that may hold them."""

from __future__ import annotations

from collections import deque
from typing import Iterable, Iterator, List, Optional, Tuple

import libcst as cst
from libcst.metadata import ImportAssignment, Scope

from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import AnyFunction, Binding, Facts
from viam_sync.migrate.hinted_objects import hinted_objects
from viam_sync.migrate.places import Move
from viam_sync.migrate.relatives import is_decorated
from viam_sync.migrate.value_kinds import (
    CONTAINER_WRITES,
    NOTHING,
    Class,
    Found,
    Function,
    Instance,
    Pending,
    Value,
    decorated_by,
)


def settle(facts: Facts, values: Values) -> None:
    """Move values along until nothing moves any more; they only grow in number, so that it ends."""
    flow = _Flow(facts, values)
    flow.begin()
    waiting = dict.fromkeys(flow.moves())
    queue = deque(waiting)
    while queue:
        move = queue.popleft()
        del waiting[move]
        values.forget()
        values.places.reader = move
        function, argument = move
        function(argument)
        again = [each for each in values.places.woken() if each not in waiting]
        waiting.update(dict.fromkeys(again))
        queue.extend(again)
    values.places.reader = None
    values.forget()


class _Flow:
    """Moves values from one place to the next."""

    def __init__(self, facts: Facts, values: Values) -> None:
        self._facts = facts
        self._values = values
        self._places = values.places

    def begin(self) -> None:
        """Put classes, and the objects that methods are called on, in their places."""
        for node in self._facts.classes:
            self._places.keep(self._places.of_name(self._facts.scopes[node], node.name.value), [Class(node)])
        for function in self._facts.functions:
            home = self._facts.class_of(function)
            params = [*function.params.posonly_params, *function.params.params]
            if home is not None and params and not is_decorated(function, "staticmethod"):
                is_class = is_decorated(function, "classmethod")
                self._places.keep(self._values.place(params[0]), [Class(home) if is_class else Instance(home)])

    def moves(self) -> Iterator[Move]:
        """Give what moves each value one step."""
        for module in self._facts.modules:
            for scope, assignment in self._facts.names(module).assignments():
                if isinstance(assignment, ImportAssignment) and "." not in assignment.name:
                    yield self._move_import, (module, scope, assignment)
        yield from ((self._move_function, function) for function in self._facts.functions)
        yield from ((self._move_hint, node) for node in self._facts.annotated)
        yield from ((self._move_binding, binding) for binding in self._facts.bindings)
        yield from ((self._move_arguments, call) for call in self._facts.calls)

    def _move_import(self, imported: Tuple[cst.Module, Scope, ImportAssignment]) -> None:
        module, scope, assignment = imported
        place = self._places.of_name(scope, assignment.name)
        for name in assignment.get_qualified_names_for(assignment.name):
            self._places.keep(place, self._values.imported(name.name, module))

    def _move_hint(self, node: cst.AnnAssign) -> None:
        self._places.keep(self._values.place(node.target), self._hinted(node.annotation.annotation))

    def _move_binding(self, binding: Binding) -> None:
        self._bind(binding.target, binding.value, self._bound(binding))

    def _hinted(self, annotation: cst.BaseExpression) -> Iterable[Value]:
        return hinted_objects(self._facts, self._values, annotation)

    def _move_function(self, function: AnyFunction) -> None:
        for kind, values in (("return", self._facts.returns), ("yield", self._facts.yields)):
            for value in values.get(function, ()):
                self._places.keep((function, kind), self._values.of(value))
        if isinstance(function, cst.FunctionDef):
            self._places.keep(
                self._places.of_name(self._facts.scopes[function], function.name.value), self._decorated(function)
            )
            if function.returns is not None:
                self._places.keep((function, "return"), self._hinted(function.returns.annotation))
        for param in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params):
            # What a type hint says counts more than a default such as that of `Depends`.
            found = frozenset(self._hinted(param.annotation.annotation) if param.annotation is not None else ())
            if not found and param.default is not None:
                found = self._values.of(param.default)
            self._places.keep(self._values.place(param), found)

    def _move_arguments(self, call: cst.Call) -> None:
        for function in self._values.called(call):
            for param, value in self._arguments(call, function):
                self._places.keep(self._values.place(param), self._values.of(value))
        for made in (value.node for value in self._values.of(call.func) if isinstance(value, Class)):
            self._move_fields(call, made)
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in CONTAINER_WRITES:
            place = self._values.place(call.func.value)
            for arg in call.args:
                self._places.keep(
                    place, [value for value in self._values.of(arg.value) if isinstance(value, (Function, Pending))]
                )

    def _move_fields(self, call: cst.Call, made: cst.ClassDef) -> None:
        """Move the arguments of a class without a method that takes them, such as a dataclass, to its fields."""
        if self._values.relatives.methods(made, "__init__"):
            return
        names = self._values.relatives.fields(made)
        for index, arg in enumerate(call.args):
            name = arg.keyword.value if arg.keyword is not None else names[index] if index < len(names) else ""
            if name in names:
                self._places.keep((self._values.relatives.family(made), name), self._values.of(arg.value))

    def _arguments(self, call: cst.Call, function: AnyFunction) -> Iterator[Tuple[cst.Param, cst.BaseExpression]]:
        """Yield the parameters of a function of the module with the arguments that a call gives them."""
        positional = [*function.params.posonly_params, *function.params.params]
        if self._takes_self(call, function):
            positional = positional[1:]
        named = {param.name.value: param for param in (*positional, *function.params.kwonly_params)}
        rest = function.params.star_arg if isinstance(function.params.star_arg, cst.Param) else None
        for index, arg in enumerate(call.args):
            if arg.star:
                yield from ((param, arg.value) for param in (*named.values(), *([rest] if rest else ())))
            elif arg.keyword is not None:
                param = named.get(arg.keyword.value, function.params.star_kwarg)
                if param is not None:
                    yield param, arg.value
            elif index < len(positional):
                yield positional[index], arg.value
            elif rest is not None:
                yield rest, arg.value

    def _takes_self(self, call: cst.Call, function: AnyFunction) -> bool:
        if self._facts.class_of(function) is None or is_decorated(function, "staticmethod"):
            return False
        if is_decorated(function, "classmethod"):
            return True
        is_unbound = isinstance(call.func, cst.Attribute) and any(
            isinstance(value, Class) for value in self._values.of(call.func.value)
        )
        return not is_unbound

    def _bound(self, binding: Binding) -> Found:
        if binding.how == "iteration":
            return self._values.iterated(binding.value)
        if binding.how == "entered":
            return self._values.entered(binding.value)
        return self._values.of(binding.value)

    def _bind(self, target: cst.CSTNode, value: Optional[cst.BaseExpression], found: Found) -> None:
        if isinstance(target, (cst.Tuple, cst.List)):
            rows = self._rows(value, len(target.elements)) or self._columns(value, len(target.elements))
            for index, element in enumerate(target.elements):
                if rows is None:
                    self._bind(element.value, None, found)
                for row in rows or ():
                    self._bind(element.value, None, row[index])
        elif isinstance(target, (cst.Subscript, cst.StarredElement)):
            self._bind(target.value, None, found)
        else:
            self._places.keep(self._values.place(target), found)

    def _rows(self, value: Optional[cst.BaseExpression], width: int) -> Optional[List[List[Found]]]:
        """Return what each of so many targets gets: from a tuple, from each one of a display, from a `gather`."""
        if isinstance(value, cst.Await) and isinstance(value.expression, cst.Call):
            call = value.expression
            if self._values.name_of(call.func) == "asyncio.gather" and not any(
                arg.star or arg.keyword for arg in call.args
            ):
                return _fitting([[self._values.awaited(arg.value) for arg in call.args]], width)
        if not isinstance(value, (cst.List, cst.Tuple)):
            return None
        inner = [element.value for element in value.elements]
        rows = [each for each in inner if isinstance(each, (cst.List, cst.Tuple))]
        if rows and len(rows) == len(inner):
            return _fitting([[self._values.of(part.value) for part in row.elements] for row in rows], width)
        return _fitting([[self._values.of(each) for each in inner]], width)

    def _columns(self, value: Optional[cst.BaseExpression], width: int) -> Optional[List[List[Found]]]:
        """Return what each target of a loop over several things at once gets."""
        if not isinstance(value, cst.Call):
            return None
        if isinstance(value.func, cst.Attribute) and value.func.attr.value == "items" and not value.args:
            return _fitting([[NOTHING, self._values.iterated(value.func.value)]], width)
        name = self._values.name_of(value.func)
        if name not in ("builtins.enumerate", "builtins.zip") or any(arg.star for arg in value.args):
            return None
        columns = [self._values.iterated(arg.value) for arg in value.args if arg.keyword is None]
        return _fitting([[NOTHING, *columns[:1]] if name == "builtins.enumerate" else columns], width)

    def _decorated(self, function: cst.FunctionDef) -> Found:
        """Return what the name of a function holds once its decorators have run."""
        found: Found = frozenset([Function(function)])
        for decorator in reversed(function.decorators):
            if self._facts.class_of(function) and is_decorated(function, "property"):
                return found
            found = frozenset(self._decorate(decorator.decorator, found))
        return found

    def _decorate(self, decorator: cst.BaseExpression, found: Found) -> Iterable[Value]:
        values = self._values.of(decorator)
        handed_on = [value for value in values if isinstance(value, Function)]
        for value in handed_on:
            self._place_decorated(decorator, value.node, found)
            yield from self._places.kept_in((value.node, "return"))
        for made in (value.node for value in values if isinstance(value, Class)):
            for method in self._values.relatives.methods(made, "__init__"):
                self._place_decorated(decorator, method, found)
            yield Instance(made)
        if not any(isinstance(value, (Class, Function)) for value in values):
            yield from decorated_by(self._values.name_of(decorator), found)

    def _place_decorated(self, decorator: cst.BaseExpression, function: AnyFunction, found: Found) -> None:
        """Move a function to the parameter that its decorator takes it by."""
        params = [*function.params.posonly_params, *function.params.params]
        takes_self = self._takes_self(cst.Call(decorator), function)
        for param in params[takes_self : takes_self + 1]:
            self._places.keep(self._values.place(param), found)


def _fitting(rows: List[List[Found]], width: int) -> Optional[List[List[Found]]]:
    return rows if all(len(row) == width for row in rows) else None
