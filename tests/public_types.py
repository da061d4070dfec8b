"""The types of ours that the signatures of public names mention, read from the source, as a type checker would."""

import ast
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Optional, Set, Tuple

import viam_sync

PACKAGE = Path(viam_sync.__file__).parent


class Definition(NamedTuple):
    """The place where a name is defined: a module, the name, and the statement; None for a message."""

    module: str
    name: str
    node: Optional[ast.stmt]


class Source:
    """The names of each module of the package, whether they are defined there or imported."""

    def __init__(self) -> None:
        self._tables: Dict[str, Dict[str, Any]] = {}

    def find(self, module: str, name: str) -> Optional[Definition]:
        """Return where a name of a module is defined; None if that is in another package, or if it is a module."""
        found = self._table(module).get(name)
        if isinstance(found, ast.stmt):
            return Definition(module, name, found)
        if found is None or not found[0].startswith("viam_sync"):
            return None
        if found[0].startswith("viam_sync.proto"):
            return Definition(*found, None)
        return self.find(*found)

    def _table(self, module: str) -> Dict[str, Any]:
        if module not in self._tables:
            tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
            self._tables[module] = {**dict(_imports(tree)), **dict(_defined(tree))}
        return self._tables[module]


def path_of(module: str) -> Path:
    """Return the file of a module of the package."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imports(tree: ast.Module) -> Iterator[Tuple[str, Tuple[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, (node.module or "", alias.name)) for alias in node.names)


def _defined(tree: ast.Module) -> Iterator[Tuple[str, ast.stmt]]:
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node) for target in node.targets if isinstance(target, ast.Name))


#: The methods with two underscores that users call, by a loop, an index or a ``with`` statement.
CALLED = {"__init__", "__iter__", "__next__", "__getitem__", "__enter__", "__call__"}


class PublicTypes:
    """The types of ours in the signatures of a name, of its attributes and methods, and of what its bases add to them.

    Args:
        members: The names of the members that count, by the class; all those of other classes do.
        received: The classes whose constructors do not count.
    """

    def __init__(self, members: Dict[str, Any], received: Set[str]) -> None:
        self._source = Source()
        self._members = members
        self._received = received

    def home(self, module: str, name: str) -> Optional[Definition]:
        """Return where a name of a module is defined; None if that is in another package."""
        return self._source.find(module, name)

    def nested(self, definition: Definition) -> Iterator[Definition]:
        """Yield what a class, or a base of it, has as a name within it, as DataClient.TabularData."""
        for owner, statement in self._statements(definition):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Name):
                found = self._source.find(owner.module, statement.value.id)
                if found is not None:
                    yield found

    def bases(self, definition: Definition) -> Set[Definition]:
        """Return the classes of ours that a class is made of, which stand for it in signatures of its records."""
        return {owner for owner, _ in self._statements(definition)}

    def of(self, definition: Definition) -> Iterator[Tuple[str, Definition]]:
        """Yield each type that is mentioned, and where."""
        node = definition.node
        if isinstance(node, ast.FunctionDef):
            yield from self._of_function(definition, node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and not isinstance(node.value, ast.Constant):
            yield from self._mentioned(definition, node.value)
        for owner, statement in self._statements(definition):
            if isinstance(statement, ast.FunctionDef) and self._counts(definition.name, statement.name):
                yield from self._of_function(owner, statement)
            elif isinstance(statement, ast.AnnAssign) and not ast.dump(statement.target).startswith("Name(id='_"):
                yield from self._mentioned(owner, statement.annotation)

    def _counts(self, owner: str, name: str) -> bool:
        if name == "__init__" and owner in self._received:
            return False
        return name in self._members.get(owner, [name]) and (name in CALLED or not name.startswith("_"))

    def _statements(self, definition: Definition) -> Iterator[Tuple[Definition, ast.stmt]]:
        """Yield the statements in the body of a class, and in those of its bases that are ours."""
        if isinstance(definition.node, ast.ClassDef):
            yield from ((definition, statement) for statement in definition.node.body)
            for base in definition.node.bases:
                name = base.value if isinstance(base, ast.Subscript) else base
                found = self._source.find(definition.module, name.id) if isinstance(name, ast.Name) else None
                if found is not None:
                    yield from self._statements(found)

    def _of_function(self, owner: Definition, function: ast.FunctionDef) -> Iterator[Tuple[str, Definition]]:
        arguments = function.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for annotation in [*(each.annotation for each in given if each is not None), function.returns]:
            for _, found in self._mentioned(owner, annotation):
                yield f"{owner.name}.{function.name}", found

    def _mentioned(self, owner: Definition, annotation: Optional[ast.AST]) -> Iterator[Tuple[str, Definition]]:
        """Yield the types of ours in an annotation; those in quotation marks, too."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = ast.parse(annotation.value, mode="eval").body
        if isinstance(annotation, ast.Name):
            found = self._source.find(owner.module, annotation.id)
            if found is not None and not _is_variable(found):
                yield owner.name, found
        elif annotation is not None and not _is_literal(annotation):
            for child in ast.iter_child_nodes(annotation):
                yield from self._mentioned(owner, child)


def _is_variable(definition: Definition) -> bool:
    """Tell whether a name is a type variable, which stands for a type of the caller's."""
    value = getattr(definition.node, "value", None)
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "TypeVar"


def _is_literal(annotation: ast.AST) -> bool:
    return isinstance(annotation, ast.Subscript) and getattr(annotation.value, "id", "") == "Literal"
