"""Annotations as trees that can be compared, whoever wrote them and wherever their names come from."""

import ast
import inspect
import re
import types
from typing import Any, Iterator, List, Mapping, NamedTuple, Tuple, get_args


class Type(NamedTuple):
    """A name and what stands in its brackets."""

    name: str
    args: Tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.args))}]" if self.args else self.name


_SAME = {"list": "List", "dict": "Dict", "tuple": "Tuple", "NoneType": "None"}
_WIDER = {
    "List": {"Sequence", "Collection", "Iterable"},
    "Sequence": {"Collection", "Iterable"},
    "Dict": {"Mapping"},
    "FileID": {"str"},
    "bool": {"int", "float"},
    "int": {"float"},
}
#: Names that stand for themselves, though they are short for something longer.
_KEPT = {"ValueTypes"}


def read(annotation: Any, names: Mapping[str, Any]) -> Type:
    """Return an annotation as a tree; ``names`` are those of the module that it stands in."""
    if isinstance(annotation, type) and not get_args(annotation):
        return _named(f"{annotation.__module__}.{annotation.__qualname__}", names)
    text = annotation if isinstance(annotation, str) else repr(annotation)
    return _read(ast.parse(text, mode="eval").body, names)


def fits(given: Type, wanted: Type) -> bool:
    """Tell whether every value of one type can stand where the other is asked for."""
    if given == wanted or wanted.name in ("Any", "object") or given.name == "NoReturn":
        return True
    if given.name == "Union":
        return all(fits(each, wanted) for each in given.args)
    if wanted.name == "Union":
        return any(fits(given, each) for each in wanted.args)
    if given.name != wanted.name and wanted.name not in _WIDER.get(given.name, ()):
        return False
    if not wanted.args:
        return True
    return len(given.args) == len(wanted.args) and all(map(fits, given.args, wanted.args))


def _read(node: ast.expr, names: Mapping[str, Any]) -> Type:
    if isinstance(node, ast.Subscript):
        # In Python 3.8 an index is wrapped.
        inside: Any = getattr(node.slice, "value", node.slice) if type(node.slice).__name__ == "Index" else node.slice
        return _subscript(
            _read(node.value, names).name, inside.elts if isinstance(inside, ast.Tuple) else [inside], names
        )
    if isinstance(node, ast.UnaryOp):  # ~T: its name is nobody's business
        return Type("TypeVar")
    if isinstance(node, ast.BinOp):
        return _union([_read(node.left, names), _read(node.right, names)])
    if isinstance(node, ast.Call):  # ForwardRef('…')
        (text,) = node.args
        return _read(text, names)
    if isinstance(node, ast.Constant):
        return read(node.value, names) if isinstance(node.value, str) else Type(str(node.value))
    return _named(ast.unparse(node) if hasattr(ast, "unparse") else ".".join(_parts(node)), names)


def _parts(node: Any) -> List[str]:
    return [node.id] if isinstance(node, ast.Name) else [*_parts(node.value), node.attr]


def _subscript(name: str, inside: List[ast.expr], names: Mapping[str, Any]) -> Type:
    if name == "Literal":
        return _union([Type("Literal", (Type(repr(ast.literal_eval(each))),)) for each in inside])
    args = [_read(each, names) for each in inside]
    if name == "Optional":
        return _union([*args, Type("None")])
    return _union(args) if name == "Union" else Type(name, tuple(args))


def _union(members: List[Type]) -> Type:
    flat = {inner for each in members for inner in (each.args if each.name == "Union" else (each,))}
    return flat.pop() if len(flat) == 1 else Type("Union", tuple(sorted(flat, key=str)))


def _named(name: str, names: Mapping[str, Any]) -> Type:
    """Return what a dotted name stands for: an alias as what it is short for, a class by its own name."""
    first, *others = name.split(".")
    if others and not isinstance(names.get(first), (types.ModuleType, type)):
        return _canonical(name)
    values = list(_followed(names.get(first), others))
    if name.rpartition(".")[2] not in _KEPT and get_args(values[-1]):
        return read(repr(values[-1]), names)
    if not others and getattr(values[0], "__module__", "") == "typing":
        return _canonical(str(getattr(values[0], "_name", None) or name))  # imported under another name
    if isinstance(values[0], types.ModuleType):
        return _canonical(".".join([values[0].__name__, *others]))
    if inspect.isclass(values[0]):
        return _canonical(".".join([values[0].__module__, values[0].__qualname__, *others]))
    return _canonical(name)


def _followed(value: Any, names: List[str]) -> Iterator[Any]:
    yield value
    for name in names:
        value = getattr(value, name, None)
        yield value


def _canonical(name: str) -> Type:
    """Return a class by its own name; a message with its module, too, as several have the same name."""
    official = re.sub(r"^viam_sync\.", "viam.", name)
    if official.startswith(("viam.proto.", "grpc.", "grpclib.")):
        return Type(official)
    last = name.rpartition(".")[2]
    return Type(_SAME.get(last, last))
