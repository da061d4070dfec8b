"""What the expressions of a module may hold, as far as its text tells."""

from __future__ import annotations

import builtins
from types import MappingProxyType
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Set,
    Tuple,
    Type,
    Union,
)

import libcst as cst
from libcst.metadata import Assignment, ClassScope, ImportAssignment, Scope

from viam_sync.migrate import cloud
from viam_sync.migrate.facts import AnyFunction, Binding, Facts
from viam_sync.migrate.value_kinds import (
    ANEXT,
    AWAITABLES,
    CONTAINER_READS,
    CONTAINER_WRITES,
    CONTAINERS,
    ELEMENTS,
    GENERATOR_METHODS,
    LOOP,
    LOOP_MAKERS,
    MANAGERS,
    NOTHING,
    PRIMITIVES,
    RUNNERS,
    TASK_MAKERS,
    Class,
    Cloud,
    DottedName,
    Foreign,
    Found,
    Function,
    Generator,
    Instance,
    Machine,
    Manager,
    Pending,
    Place,
    Primitive,
    Value,
    is_transparent,
)


class Values:
    """What each expression of a module may hold."""

    def __init__(self, facts: Facts, elsewhere: Mapping[str, bool] = MappingProxyType({})) -> None:
        self.facts = facts
        #: Functions of other files that become plain, by full name, and whether they are awaited.
        self._elsewhere = elsewhere
        #: Whether a method with the name of one of the cloud's is taken for it where nothing says whose it is.
        self._is_viam = facts.names_viam
        self._kept: Dict[Place, Set[Value]] = {}
        self._memo: Dict[cst.CSTNode, Found] = {}
        self._class_scopes = {facts.scopes[node.body.body[0]]: node for node in facts.classes}
        self._families = _families(facts)
        self._methods: Dict[str, List[Tuple[cst.ClassDef, cst.FunctionDef]]] = {}
        for function in facts.functions:
            home = facts.class_of(function)
            if home is not None and isinstance(function, cst.FunctionDef):
                self._methods.setdefault(function.name.value, []).append((home, function))
        self._rules: Dict[Type[cst.CSTNode], Callable[..., Iterable[Value]]] = {
            cst.Name: self._name,
            cst.Param: lambda node: self._kept_in(self.place(node)),
            cst.Attribute: self._attribute,
            cst.Call: self._call,
            cst.Await: lambda node: self.awaited(node.expression),
            cst.Subscript: lambda node: self.of(node.value),
            cst.Lambda: lambda node: [Function(node)],
            cst.NamedExpr: lambda node: self.of(node.value),
            cst.IfExp: lambda node: self.of(node.body) | self.of(node.orelse),
            cst.BooleanOperation: lambda node: self.of(node.left) | self.of(node.right),
            cst.BinaryOperation: lambda node: self.of(node.left) | self.of(node.right),
            cst.List: self._elements,
            cst.Tuple: self._elements,
            cst.Set: self._elements,
            cst.Dict: self._elements,
            cst.ListComp: lambda node: self.of(node.elt),
            cst.SetComp: lambda node: self.of(node.elt),
            cst.GeneratorExp: lambda node: self.of(node.elt),
            cst.DictComp: lambda node: self.of(node.value),
        }
        self._settle()

    # Questions that others ask.

    def of(self, node: cst.CSTNode) -> Found:
        """Return what an expression may hold; a container counts as what is in it."""
        if node not in self._memo:
            rule = self._rules.get(type(node))
            self._memo[node] = frozenset(rule(node)) if rule else NOTHING
        return self._memo[node]

    def name_of(self, node: cst.CSTNode) -> str:
        """Return the dotted name of something imported or built in, or nothing."""
        names = [value.name for value in self.of(node) if isinstance(value, DottedName)]
        return names[0] if len(names) == 1 else ""

    def place(self, node: cst.CSTNode) -> Optional[Place]:
        """Return where the value of a name, or of an attribute of an object of the module, is kept."""
        if isinstance(node, cst.Name):
            return self._place(self.facts.scopes.get(node), node.value)
        if isinstance(node, cst.Param):
            return self._place(self.facts.scopes.get(node), node.name.value)
        if isinstance(node, cst.Attribute):
            for value in self.of(node.value):
                if isinstance(value, (Instance, Class)):
                    return self.family(value.node), node.attr.value
        return None

    def family(self, node: cst.ClassDef) -> cst.ClassDef:
        """Return what stands for a class and all that inherit from it, or it from."""
        return self._families[node]

    def methods(self, node: cst.ClassDef, name: str) -> List[cst.FunctionDef]:
        """Return the methods of one name in a class and in its relatives."""
        family = self.family(node)
        return [method for home, method in self._methods.get(name, ()) if self.family(home) is family]

    def arguments(self, call: cst.Call, function: AnyFunction) -> Iterator[Tuple[cst.Param, cst.BaseExpression]]:
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

    def callee(self, call: cst.Call) -> Found:
        """Return what a call enters; `map` enters what it is given first."""
        found = self.of(call.func)
        is_map = DottedName("builtins.map") in found and call.args
        return self.of(call.args[0].value) if is_map else found

    def functions(self, node: cst.BaseExpression) -> List[AnyFunction]:
        """Return the functions of the module that an expression may hold."""
        return [value.node for value in self.of(node) if isinstance(value, Function)]

    def is_plain_elsewhere(self, value: Value, method: str) -> bool:
        """Whether a value is an object of another file, and the method of its class becomes plain."""
        return isinstance(value, DottedName) and f"{value.name.lstrip('.')}.{method}" in self._elsewhere

    def returned(self, function: AnyFunction) -> Found:
        """Return what a function returns."""
        return self._kept_in((function, "return"))

    # The search for a state in which no place gets anything new.

    def _settle(self) -> None:
        """Move values along until nothing moves any more; they only grow in number, so that it ends."""
        self._prepare()
        before = -1
        while before != (before := sum(map(len, self._kept.values()))):
            self._memo.clear()
            self._move()
        self._memo.clear()

    def _prepare(self) -> None:
        for node in self.facts.classes:
            self._keep(self._place(self.facts.scopes[node], node.name.value), [Class(node)])
        for function in self.facts.functions:
            home = self.facts.class_of(function)
            params = [*function.params.posonly_params, *function.params.params]
            if home is not None and params and not self._is_decorated(function, "staticmethod"):
                is_class = self._is_decorated(function, "classmethod")
                self._keep(self.place(params[0]), [Class(home) if is_class else Instance(home)])

    def _move(self) -> None:
        for function in self.facts.functions:
            self._move_function(function)
        for node in self.facts.annotated:
            self._keep(self.place(node.target), self._annotated(node.annotation.annotation))
        for binding in self.facts.bindings:
            self._bind(binding.target, binding.value, self._bound(binding))
        for call in self.facts.calls:
            self._move_arguments(call)

    def _move_function(self, function: AnyFunction) -> None:
        for kind, values in (("return", self.facts.returns), ("yield", self.facts.yields)):
            for value in values.get(function, ()):
                self._keep((function, kind), self.of(value))
        if isinstance(function, cst.FunctionDef):
            self._keep(self._place(self.facts.scopes[function], function.name.value), self._decorated(function))
            if function.returns is not None:
                self._keep((function, "return"), self._annotated(function.returns.annotation))
        for param in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params):
            if param.annotation is not None:
                self._keep(self.place(param), self._annotated(param.annotation.annotation))
            if param.default is not None:
                self._keep(self.place(param), self.of(param.default))

    def _move_arguments(self, call: cst.Call) -> None:
        for function in self.called(call):
            for param, value in self.arguments(call, function):
                self._keep(self.place(param), self.of(value))
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in CONTAINER_WRITES:
            place = self.place(call.func.value)
            for arg in call.args:
                self._keep(place, [value for value in self.of(arg.value) if isinstance(value, (Function, Pending))])

    def called(self, call: cst.Call) -> Iterator[AnyFunction]:
        """Yield the functions of the module that a call may enter."""
        for value in self.of(call.func):
            if isinstance(value, (Function, Manager)):
                yield value.node
            elif isinstance(value, Class):
                yield from self.methods(value.node, "__init__")

    def _bound(self, binding: Binding) -> Found:
        if binding.how == "iteration":
            return self._iterated(binding.value)
        if binding.how == "entered":
            return self._entered(binding.value)
        return self.of(binding.value)

    def _bind(self, target: cst.CSTNode, value: Optional[cst.BaseExpression], found: Found) -> None:
        if isinstance(target, (cst.Tuple, cst.List)):
            rows = self._rows(value, len(target.elements))
            for index, element in enumerate(target.elements):
                if rows is None:
                    self._bind(element.value, None, found)
                for row in rows or ():
                    self._bind(element.value, None, row[index])
        elif isinstance(target, (cst.Subscript, cst.StarredElement)):
            self._bind(target.value, None, found)
        else:
            self._keep(self.place(target), found)

    def _rows(self, value: Optional[cst.BaseExpression], width: int) -> Optional[List[List[Found]]]:
        """Return what each of so many targets gets: from a tuple, from each one of a display, from a `gather`."""
        if isinstance(value, cst.Await) and isinstance(value.expression, cst.Call):
            call = value.expression
            if self.name_of(call.func) == "asyncio.gather" and not any(arg.star or arg.keyword for arg in call.args):
                return _fitting([[self.awaited(arg.value) for arg in call.args]], width)
        if not isinstance(value, (cst.List, cst.Tuple)):
            return None
        inner = [element.value for element in value.elements]
        rows = [each for each in inner if isinstance(each, (cst.List, cst.Tuple))]
        if rows and len(rows) == len(inner):
            return _fitting([[self.of(part.value) for part in row.elements] for row in rows], width)
        return _fitting([[self.of(each) for each in inner]], width)

    def _keep(self, place: Optional[Place], values: Iterable[Value]) -> None:
        if place is not None:
            self._kept.setdefault(place, set()).update(values)

    def _kept_in(self, place: Optional[Place]) -> Found:
        return frozenset(self._kept.get(place, ())) if place is not None else NOTHING

    def _place(self, scope: Optional[Scope], name: str) -> Optional[Place]:
        for assignment in scope[name] if scope is not None else ():
            home = self._class_scopes.get(assignment.scope) if isinstance(assignment.scope, ClassScope) else None
            return (self.family(home) if home is not None else assignment.scope), name
        return None

    def _takes_self(self, call: cst.Call, function: AnyFunction) -> bool:
        if self.facts.class_of(function) is None or self._is_decorated(function, "staticmethod"):
            return False
        if self._is_decorated(function, "classmethod"):
            return True
        is_unbound = isinstance(call.func, cst.Attribute) and any(
            isinstance(value, Class) for value in self.of(call.func.value)
        )
        return not is_unbound

    def _is_decorated(self, function: AnyFunction, name: str) -> bool:
        return isinstance(function, cst.FunctionDef) and any(
            isinstance(decorator.decorator, cst.Name) and decorator.decorator.value == name
            for decorator in function.decorators
        )

    # The rules, one for each kind of expression.

    def _name(self, node: cst.Name) -> Iterable[Value]:
        scope = self.facts.scopes.get(node)
        if scope is None:
            return NOTHING
        assignments = list(scope[node.value])
        found: Set[Value] = set(self._kept_in(self._place(scope, node.value)))
        for assignment in assignments:
            if isinstance(assignment, ImportAssignment):
                found |= {self._imported(name.name) for name in assignment.get_qualified_names_for(node.value)}
        is_bound = any(isinstance(assignment, Assignment) for assignment in assignments)
        if not is_bound and callable(getattr(builtins, node.value, None)):
            found.add(DottedName(f"builtins.{node.value}"))
        return found

    def _attribute(self, node: cst.Attribute) -> Iterable[Value]:
        name = node.attr.value
        found = {result for value in self.of(node.value) for result in self._member(value, name, node)}
        if not found and not self.of(node.value) - {DottedName("builtins.super")}:
            return self._guessed(name)
        return found

    def _guessed(self, name: str) -> Iterable[Value]:
        """Yield what an attribute of an unknown object is taken for."""
        if name in cloud.CLIENTS:
            yield Cloud()
        elif name in self._methods:
            yield from (Function(method) for _, method in self._methods[name] if method.asynchronous)
        elif self._is_viam and name in cloud.cloud_methods():
            yield Cloud(name)

    def _member(self, value: Value, name: str, node: cst.Attribute) -> Iterable[Value]:
        if isinstance(value, DottedName):
            yield self._imported(f"{value.name}.{name}")
        elif isinstance(value, Cloud):
            yield Machine() if name == cloud.CONNECT_TO_MACHINE else Cloud(name)
        elif isinstance(value, (Machine, Foreign)):
            is_client = isinstance(value, Foreign) and name in cloud.CLIENTS and self._may_be_cloud(node)
            yield Cloud() if is_client else value
        elif isinstance(value, (Instance, Class)):
            yield from self._member_of_object(value.node, name, node)
        else:
            is_next = isinstance(value, Generator) and name in GENERATOR_METHODS
            if is_next or (isinstance(value, Function) and name == "__wrapped__"):
                yield value

    def _may_be_cloud(self, client: cst.Attribute) -> bool:
        """Whether an attribute of an object of a library, or of another file, is used like a client of the cloud."""
        used = self.facts.parents[client]
        return not isinstance(used, cst.Attribute) or used.attr.value in cloud.cloud_methods()

    def _member_of_object(self, home: cst.ClassDef, name: str, node: cst.Attribute) -> Iterable[Value]:
        for method in self.methods(home, name):
            if not (self._is_decorated(method, "property") or self._is_decorated(method, "cached_property")):
                continue
            if method.asynchronous:
                yield Pending(node)
            else:
                yield from self._kept_in((method, "return"))
        yield from (
            value
            for value in self._kept_in((self.family(home), name))
            if not (isinstance(value, Function) and self._is_decorated(value.node, "property"))
        )

    def _call(self, node: cst.Call) -> Iterable[Value]:
        for value in self.of(node.func):
            yield from self._result(value, node)
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in CONTAINER_READS:
            yield from (v for v in self.of(node.func.value) if isinstance(v, (Function, Pending, Generator)))

    def _result(self, value: Value, call: cst.Call) -> Iterable[Value]:
        if isinstance(value, Function):
            yield from self._result_of_function(value.node, call)
        elif isinstance(value, Manager):
            yield Manager(value.node, called=True)
        elif isinstance(value, Class):
            yield Instance(value.node)
        elif isinstance(value, Cloud):
            yield self._result_of_cloud(call) if value.method in cloud.cloud_methods() else Cloud()
        elif isinstance(value, Generator):
            yield Pending(call)
        elif isinstance(value, (Machine, Foreign)):
            yield value
        elif isinstance(value, DottedName):
            yield from self._result_of_import(value.name, call)

    def _result_of_cloud(self, call: cst.Call) -> Value:
        return Cloud() if self.facts.lacks_await(call) else Pending(call)

    def _result_of_function(self, function: AnyFunction, call: cst.Call) -> Iterable[Value]:
        if function in self.facts.yields:
            yield Generator(function)
        elif isinstance(function, cst.FunctionDef) and function.asynchronous:
            yield Pending(call)
        else:
            yield from self._kept_in((function, "return"))

    def _result_of_import(self, name: str, call: cst.Call) -> Iterable[Value]:
        first = self.of(call.args[0].value) if call.args else NOTHING
        library, _, member = name.partition(".")
        if name in TASK_MAKERS or name in ("functools.partial", "asyncio.as_completed"):
            yield from first
        elif name in RUNNERS and call.args:
            yield from self.awaited(call.args[0].value)
        elif name in LOOP_MAKERS:
            yield DottedName(LOOP)
        elif name in PRIMITIVES:
            yield Primitive(call)
        elif name in AWAITABLES:
            yield Pending(call)
        elif is_transparent(name):
            handed_on = [value for value in first if isinstance(value, Function)]
            yield from [DottedName(name)] if name == "functools.wraps" or not handed_on else handed_on
        elif name in MANAGERS:
            yield from self._decorated_by(name, first)
        elif library == "builtins":
            yield from self._result_of_builtin(member, call)
        elif cloud.is_viam(name):
            yield from self._result_of_viam(name, call)
        else:
            yield self._object_of(name)

    def _imported(self, name: str) -> Value:
        """Return what an imported name holds: functions of other files that become plain are like the cloud's."""
        is_awaited = self._elsewhere.get(name.lstrip("."))
        if is_awaited is not None:
            return Cloud(min(cloud.CONSTRUCTORS) if is_awaited else "")
        owner, _, last = name.lstrip(".").rpartition(".")
        is_near = any(f"{owner}.".startswith(f"{each.rpartition('.')[0]}.") for each in self._elsewhere)
        return Cloud() if last in cloud.CLIENTS and is_near else DottedName(name)

    def _object_of(self, name: str) -> Value:
        """Return an object of an imported class: one of another file has the methods of its class."""
        is_near = any(each.startswith(f"{name.lstrip('.')}.") for each in self._elsewhere)
        return DottedName(name) if is_near else Foreign(name.lstrip(".").partition(".")[0])

    def _result_of_builtin(self, name: str, call: cst.Call) -> Iterable[Value]:
        if name == "anext":
            yield Pending(call)
        elif name in CONTAINERS or name in ELEMENTS:
            for arg in call.args:
                yield from self.of(arg.value)
        elif name in ("map", "filter") and call.args:
            found = self.of(call.args[0].value)
            if name == "map":
                yield from (result for value in found for result in self._result(value, call))

    def _result_of_viam(self, name: str, call: cst.Call) -> Iterable[Value]:
        last = name.rpartition(".")[2]
        if not cloud.is_cloud(name) or last == cloud.CONNECT_TO_MACHINE:
            yield Machine()
        else:
            yield self._result_of_cloud(call) if last in cloud.CONSTRUCTORS else Cloud()

    def _elements(self, node: Union[cst.List, cst.Tuple, cst.Set, cst.Dict]) -> Iterable[Value]:
        for element in node.elements:
            yield from self.of(element.value)

    # What becomes of a value.

    def awaited(self, node: cst.BaseExpression) -> Found:
        """Return what an `await` of an expression gives."""
        return frozenset(result for value in self.of(node) for result in self._awaited(value))

    def _awaited(self, value: Value) -> Iterable[Value]:
        if isinstance(value, Pending) and isinstance(value.node, cst.Call):
            yield from self._awaited_call(value.node)
        elif isinstance(value, (Machine, Foreign, Cloud)):
            yield value

    def _awaited_call(self, call: cst.Call) -> Iterable[Value]:
        for value in self.callee(call):
            if isinstance(value, Function):
                # What a plain function returned is an awaitable of its own, among those that the call may give.
                found = self._kept_in((value.node, "return"))
                is_plain = not getattr(value.node, "asynchronous", None)
                yield from (each for each in found if not (is_plain and isinstance(each, Pending)))
            elif isinstance(value, Generator):
                yield from self._kept_in((value.node, "yield"))
            elif isinstance(value, Cloud) or (isinstance(value, DottedName) and cloud.is_viam(value.name)):
                yield Cloud()
            elif isinstance(value, DottedName) and value.name == ANEXT and call.args:
                yield from self._iterated(call.args[0].value)
            elif isinstance(value, DottedName) and value.name in AWAITABLES:
                for arg in call.args:
                    yield from self.awaited(arg.value)

    def _iterated(self, node: cst.BaseExpression) -> Found:
        found: Set[Value] = set()
        for value in self.of(node):
            if isinstance(value, Generator):
                found |= self._kept_in((value.node, "yield"))
            elif isinstance(value, Instance):
                for name in ("__anext__", "__next__"):
                    for method in self.methods(value.node, name):
                        found |= self._kept_in((method, "return"))
            else:
                found.add(value)
        return frozenset(found)

    def _entered(self, node: cst.BaseExpression) -> Found:
        found: Set[Value] = set()
        for value in self.of(node):
            if isinstance(value, Manager):
                found |= self._kept_in((value.node, "yield"))
            elif isinstance(value, Instance):
                for name in ("__aenter__", "__enter__"):
                    for method in self.methods(value.node, name):
                        found |= self._kept_in((method, "return"))
            else:
                found.add(value)
        return frozenset(found)

    def _decorated(self, function: cst.FunctionDef) -> Found:
        """Return what the name of a function holds once its decorators have run."""
        found: Found = frozenset([Function(function)])
        for decorator in reversed(function.decorators):
            if self.facts.class_of(function) and self._is_decorated(function, "property"):
                return found
            found = frozenset(self._decorate(decorator.decorator, found))
        return found

    def _decorate(self, decorator: cst.BaseExpression, found: Found) -> Iterable[Value]:
        values = self.of(decorator)
        handed_on = [value for value in values if isinstance(value, Function)]
        for value in handed_on:
            for param in (*value.node.params.posonly_params, *value.node.params.params)[:1]:
                self._keep(self.place(param), found)
            yield from self._kept_in((value.node, "return"))
        if not handed_on:
            yield from self._decorated_by(self.name_of(decorator), found)

    def _decorated_by(self, name: str, found: Found) -> Iterable[Value]:
        for value in found:
            yield Manager(value.node) if name in MANAGERS and isinstance(value, Function) else value

    def _annotated(self, annotation: cst.BaseExpression) -> Iterable[Value]:
        """Yield the objects that a type hint speaks of."""
        if isinstance(annotation, cst.Subscript):
            if not self.name_of(annotation.value).endswith(("Callable", "Generator", "type", "Type")):
                for element in annotation.slice:
                    if isinstance(element.slice, cst.Index):
                        yield from self._annotated(element.slice.value)
        elif isinstance(annotation, cst.BinaryOperation):
            yield from self._annotated(annotation.left)
            yield from self._annotated(annotation.right)
        elif isinstance(annotation, cst.SimpleString):
            yield from self._annotated_text(annotation)
        else:
            yield from self._hinted(self.of(annotation))

    def _annotated_text(self, annotation: cst.SimpleString) -> Iterable[Value]:
        text = annotation.raw_value.split(".")[-1].strip("] ").split("[")[-1]
        scope = self.facts.scopes.get(annotation)
        if not text.isidentifier() or scope is None:
            return
        found: Set[Value] = set(self._kept_in(self._place(scope, text)))
        for assignment in scope[text]:
            if isinstance(assignment, ImportAssignment):
                found |= {DottedName(name.name) for name in assignment.get_qualified_names_for(text)}
        yield from self._hinted(found)

    def _hinted(self, found: Iterable[Value]) -> Iterable[Value]:
        for value in found:
            if isinstance(value, Class):
                yield Instance(value.node)
            elif isinstance(value, DottedName) and cloud.is_viam(value.name):
                if cloud.is_cloud(value.name):
                    yield Cloud()
                elif cloud.is_machine(value.name):
                    yield Machine()
            elif isinstance(value, DottedName) and value.name not in PRIMITIVES:
                library = value.name.partition(".")[0]
                if library not in ("builtins", "typing", "collections", "typing_extensions"):
                    yield self._object_of(value.name)


def _families(facts: Facts) -> Dict[cst.ClassDef, cst.ClassDef]:
    """Return, for each class, one that stands for all its relatives in the module."""
    families = {node: node for node in facts.classes}
    for node in facts.classes:
        scope = facts.scopes[node]
        for base in node.bases:
            if not isinstance(base.value, cst.Name) or scope is None:
                continue
            for assignment in scope[base.value.value]:
                parent = getattr(assignment, "node", None)
                if isinstance(parent, cst.ClassDef) and families[parent] is not families[node]:
                    old = families[node]
                    families.update({other: families[parent] for other, family in families.items() if family is old})
    return families


def _fitting(rows: List[List[Found]], width: int) -> Optional[List[List[Found]]]:
    return rows if all(len(row) == width for row in rows) else None
