"""What the expressions of a program may hold, as far as its text tells."""

from __future__ import annotations

import builtins
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Type, Union

import libcst as cst
from libcst.metadata import BuiltinAssignment

from viam_sync.migrate import cloud
from viam_sync.migrate.facts import AnyFunction, Facts
from viam_sync.migrate.places import Places
from viam_sync.migrate.program import Program
from viam_sync.migrate.relatives import Relatives, is_decorated
from viam_sync.migrate.value_kinds import (
    ANEXT,
    AWAITABLES,
    CLOSING,
    CONTAINER_READS,
    CONTAINERS,
    ELEMENTS,
    GENERATOR_METHODS,
    LOOP,
    LOOP_MAKERS,
    MANAGERS,
    NOTHING,
    PRIMITIVE_METHODS,
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
    OwnModule,
    Pending,
    Place,
    Primitive,
    Value,
    decorated_by,
    is_transparent,
)


class Values:
    """What each expression of a program may hold, once values have been moved to their places."""

    def __init__(self, facts: Facts, program: Program) -> None:
        self.facts = facts
        self._program = program
        self.relatives = Relatives(facts, program)
        self.places = Places(facts, self.relatives)
        self._memo: Dict[cst.CSTNode, Found] = {}
        self._rules: Dict[Type[cst.CSTNode], Callable[..., Iterable[Value]]] = {
            cst.Name: self._name,
            cst.Param: lambda node: self.places.kept_in(self.place(node)),
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

    def of(self, node: cst.CSTNode) -> Found:
        """Return what an expression may hold; a container counts as what is in it."""
        if node not in self._memo:
            rule = self._rules.get(type(node))
            self._memo[node] = frozenset(rule(node)) if rule else NOTHING
        return self._memo[node]

    def forget(self) -> None:
        """Look at each expression again, as places have got more values."""
        self._memo.clear()

    def name_of(self, node: cst.CSTNode) -> str:
        """Return the dotted name of something imported or built in, or nothing."""
        names = [value.name for value in self.of(node) if isinstance(value, DottedName)]
        return names[0] if len(names) == 1 else ""

    def place(self, node: cst.CSTNode) -> Optional[Place]:
        """Return where the value of a name, or of an attribute of an object of the module, is kept."""
        if isinstance(node, cst.Name):
            return self.places.of_name(self.facts.scopes.get(node), node.value)
        if isinstance(node, cst.Param):
            return self.places.of_name(self.facts.scopes.get(node), node.name.value)
        if isinstance(node, cst.Attribute):
            for value in self.of(node.value):
                if isinstance(value, (Instance, Class)):
                    return self.relatives.family(value.node), node.attr.value
        return None

    def callee(self, call: cst.Call) -> Found:
        """Return what a call enters; `map` enters what it is given first, and an object its method."""
        found = self.of(call.func)
        if DottedName("builtins.map") in found and call.args:
            found = self.of(call.args[0].value)
        methods = (Function(each) for value in found for each in self._call_methods(value))
        return frozenset(value for value in found if not isinstance(value, Instance)) | frozenset(methods)

    def _call_methods(self, value: Value) -> Iterable[cst.FunctionDef]:
        return self.relatives.methods(value.node, "__call__") if isinstance(value, Instance) else ()

    def called(self, call: cst.Call) -> Iterator[AnyFunction]:
        """Yield the functions of the module that a call may enter."""
        for value in self.of(call.func):
            if isinstance(value, (Function, Manager)):
                yield value.node
            elif isinstance(value, Class):
                yield from self.relatives.methods(value.node, "__init__")
            else:
                yield from self._call_methods(value)

    def functions(self, node: cst.BaseExpression) -> List[AnyFunction]:
        """Return the functions of the module that an expression may hold."""
        return [value.node for value in self.of(node) if isinstance(value, Function)]

    def returned(self, function: AnyFunction) -> Found:
        """Return what a function returns."""
        return self.places.kept_in((function, "return"))

    # The rules, one for each kind of expression.

    def _name(self, node: cst.Name) -> Iterable[Value]:
        scope = self.facts.scopes.get(node)
        if scope is None:
            return NOTHING
        if any(not isinstance(assignment, BuiltinAssignment) for assignment in scope[node.value]):
            return self.places.kept_in(self.places.of_name(scope, node.value))
        found = self._starred(self.facts.module_of(node), node.value)
        is_built_in = not found and callable(getattr(builtins, node.value, None))
        return [DottedName(f"builtins.{node.value}")] if is_built_in else found

    def _attribute(self, node: cst.Attribute) -> Iterable[Value]:
        name = node.attr.value
        found = {result for value in self.of(node.value) for result in self._member(value, name, node)}
        if not found and not self.of(node.value) - {DottedName("builtins.super")}:
            return self._guessed(name, node)
        return found

    def _guessed(self, name: str, node: cst.Attribute) -> Iterable[Value]:
        """Yield what an attribute of an unknown object is taken for."""
        if name in cloud.CLIENTS:
            yield Cloud()
        elif self.relatives.methods_anywhere(name):
            yield from (Function(each) for each in self.relatives.methods_anywhere(name) if each.asynchronous)
        elif name in cloud.cloud_methods() and self.facts.names(node).is_of_viam:
            yield Cloud(name)

    def _member(self, value: Value, name: str, node: cst.CSTNode) -> Iterable[Value]:
        is_unknown = isinstance(value, (DottedName, Foreign)) and value != Foreign("importlib")
        if is_unknown and name in cloud.CLIENTS and self._is_client(node):
            yield Cloud(name)
        elif isinstance(value, DottedName):
            yield from self.imported(f"{value.name}.{name}", self.facts.module_of(node))
        elif isinstance(value, OwnModule):
            yield from self._in_module(value.node, name)
        elif isinstance(value, Cloud):
            yield Machine() if name == cloud.CONNECT_TO_MACHINE else Cloud(name)
        elif isinstance(value, (Machine, Foreign)):
            yield value
        elif isinstance(value, (Instance, Class)):
            yield from self._member_of_object(value.node, name, node)
        else:
            is_next = isinstance(value, Generator) and name in GENERATOR_METHODS
            is_waiting = isinstance(value, Primitive) and name in PRIMITIVE_METHODS
            if is_next or is_waiting or (isinstance(value, Function) and name == "__wrapped__"):
                yield value

    def _is_client(self, node: cst.CSTNode) -> bool:
        """Whether an attribute of something unknown is used like a client of the cloud."""
        used = self.facts.parents.get(node)
        return not isinstance(used, cst.Attribute) or used.attr.value in cloud.cloud_methods()

    def _member_of_object(self, home: cst.ClassDef, name: str, node: cst.CSTNode) -> Iterable[Value]:
        for method in self.relatives.methods(home, name):
            if not (is_decorated(method, "property") or is_decorated(method, "cached_property")):
                continue
            if not method.asynchronous:
                yield from self.places.kept_in((method, "return"))
            elif isinstance(node, cst.Attribute):
                yield Pending(node)
        yield from (
            value
            for value in self.places.kept_in((self.relatives.family(home), name))
            if not (isinstance(value, Function) and is_decorated(value.node, "property"))
        )
        is_inherited = not self.relatives.methods(home, name) and any(map(self._is_of_cloud, home.bases))
        if is_inherited and (name in cloud.CLIENTS or name in cloud.CONSTRUCTORS):
            yield Cloud(name)

    def _is_of_cloud(self, base: cst.Arg) -> bool:
        """Whether a base of a class is one of the clients of the cloud."""
        return any(isinstance(value, DottedName) and cloud.is_cloud(value.name) for value in self.of(base.value))

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
        elif isinstance(value, Instance):
            for method in self._call_methods(value):
                yield from self._result_of_function(method, call)
        elif isinstance(value, Cloud):
            yield self._result_of_cloud(call) if value.method in cloud.cloud_methods() else Cloud()
        elif isinstance(value, (Generator, Primitive)):
            yield Pending(call)
        elif isinstance(value, (Machine, Foreign)):
            yield value
        elif isinstance(value, DottedName):
            yield from self._result_of_import(value.name, call)

    def _result_of_cloud(self, call: cst.Call) -> Value:
        is_plain = self.facts.lacks_await(call) or (
            self.facts.is_migrated(call) and not self._is_given_to_asyncio(call)
        )
        return Cloud() if is_plain else Pending(call)

    def _is_given_to_asyncio(self, call: cst.Call) -> bool:
        """Whether a call is awaited, or handed to a function of asyncio."""
        parent = self.facts.parents[call]
        outer = self.facts.parents[parent] if isinstance(parent, cst.Arg) else None
        is_argument = isinstance(outer, cst.Call) and self.name_of(outer.func).startswith("asyncio.")
        return is_argument or isinstance(parent, cst.Await)

    def _result_of_function(self, function: AnyFunction, call: cst.Call) -> Iterable[Value]:
        if function in self.facts.yields:
            yield Generator(function)
        elif isinstance(function, cst.FunctionDef) and function.asynchronous:
            yield Pending(call)
        else:
            yield from self.places.kept_in((function, "return"))

    def _result_of_import(self, name: str, call: cst.Call) -> Iterable[Value]:
        first = self.of(call.args[0].value) if call.args else NOTHING
        library, _, member = name.lstrip(".").partition(".")
        if name in TASK_MAKERS or name in ("functools.partial", "asyncio.as_completed", CLOSING):
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
            yield from decorated_by(name, first)
        elif library == "builtins":
            yield from self._result_of_builtin(member, call)
        elif cloud.is_viam(name):
            yield from self._result_of_viam(name, call)
        else:
            yield Foreign(library)

    def imported(self, name: str, importer: cst.CSTNode) -> Found:
        """Return what a name holds that a module imports."""
        found = self._program.find(importer, name)
        if found is None:
            return frozenset([DottedName(name)])
        module, rest = found
        values: Found = frozenset([OwnModule(module)])
        for part in filter(None, rest.split(".")):
            values = frozenset(each for value in values for each in self._member(value, part, module))
        return values

    def _in_module(self, module: cst.CSTNode, name: str) -> Found:
        """Return what a module of the program has by a name: its own, one that it imports, a module in its folder."""
        found = self.places.kept_in(self.places.of_name(self.facts.scopes[module], name))
        inner = self._program.submodule(module, name)
        return found or self._starred(module, name) or frozenset([OwnModule(inner)] if inner is not None else [])

    def _starred(self, module: cst.CSTNode, name: str) -> Found:
        """Return what a module has by a name that it imports with all others of a module."""
        modules = self._program.starred(self.facts, module)
        return frozenset(
            value
            for each in modules
            for value in self.places.kept_in(self.places.of_name(self.facts.scopes[each], name))
        )

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
                found = self.places.kept_in((value.node, "return"))
                is_plain = not getattr(value.node, "asynchronous", None)
                yield from (each for each in found if not (is_plain and isinstance(each, Pending)))
            elif isinstance(value, Generator):
                yield from self.places.kept_in((value.node, "yield"))
            elif isinstance(value, Primitive) and call.args:
                yield from self.entered(call.args[0].value)
            elif isinstance(value, Cloud) or (isinstance(value, DottedName) and cloud.is_viam(value.name)):
                yield Cloud()
                # A constructor of a class that inherits from the client.
                owners = self.of(call.func.value) if isinstance(call.func, cst.Attribute) else NOTHING
                yield from (Instance(owner.node) for owner in owners if isinstance(owner, Class))
            elif isinstance(value, DottedName) and value.name == ANEXT and call.args:
                yield from self.iterated(call.args[0].value)
            elif isinstance(value, DottedName) and value.name in AWAITABLES:
                for arg in call.args:
                    yield from self.awaited(arg.value)

    def iterated(self, node: cst.BaseExpression) -> Found:
        """Return what a loop over an expression gives."""
        return frozenset(result for value in self.of(node) for result in self._iterated(value))

    def _iterated(self, value: Value, is_iterator: bool = False) -> Iterable[Value]:
        if isinstance(value, Generator):
            yield from self.places.kept_in((value.node, "yield"))
        elif isinstance(value, Instance):
            for method in self._methods(value, "__anext__", "__next__"):
                yield from self.returned(method)
            for method in () if is_iterator else self._methods(value, "__aiter__", "__iter__"):
                for iterator in self.returned(method) | {Generator(method)}:
                    yield from self._iterated(iterator, is_iterator=True)
        else:
            yield value

    def entered(self, node: cst.BaseExpression) -> Found:
        """Return what a context manager gives."""
        return frozenset(result for value in self.of(node) for result in self._entered(value))

    def _entered(self, value: Value) -> Iterable[Value]:
        if isinstance(value, Manager):
            yield from self.places.kept_in((value.node, "yield"))
        elif isinstance(value, Instance):
            for method in self._methods(value, "__aenter__", "__enter__"):
                yield from self.returned(method)
        else:
            yield value

    def _methods(self, value: Instance, *names: str) -> Iterable[cst.FunctionDef]:
        for name in names:
            yield from self.relatives.methods(value.node, name)
