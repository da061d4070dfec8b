"""The forms of a call: as it is written, with each argument by its name, and with each by its position."""

import ast
import inspect
import re
from typing import Any, Dict, Iterator, List


def forms(text: str, signature: inspect.Signature) -> List[str]:
    """Return a call in its three forms, each once.

    Args:
        text: The call.
        signature: What the method takes, without ``self``.

    Raises:
        TypeError: If it does not take these arguments.
    """
    call = _call(text)
    given = _given(call, signature)
    method = ast.unparse(call.func)
    named = ", ".join(f"{name}={value}" for name, value in given.items())
    placed = ", ".join(_placed(given, signature))
    return [text, *dict.fromkeys(each for each in (f"{method}({named})", f"{method}({placed})") if each != text)]


def names_given(text: str, signature: inspect.Signature) -> List[str]:
    """Return the names of the arguments of a call."""
    return list(_given(_call(text), signature))


def documented(method: str, function: Any) -> Iterator[List[str]]:
    """Yield the names of the arguments of each call of a method in the examples of its docstring."""
    doc = inspect.getdoc(function) or ""
    signature = inspect.signature(function)
    signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    for found in re.finditer(rf"(?<=\.){method}\(", doc):
        for end in re.finditer(r"\)", doc[found.start() :]):
            try:
                yield names_given(doc[found.start() : found.start() + end.end()], signature)
            except (SyntaxError, TypeError):  # the call goes on, or its example is wrong
                continue
            break


def _call(text: str) -> ast.Call:
    call = ast.parse(text.strip(), mode="eval").body
    assert isinstance(call, ast.Call)
    return call


def _given(call: ast.Call, signature: inspect.Signature) -> Dict[str, str]:
    """Return the arguments of a call as texts, by the names of the parameters."""
    named = {each.arg or "": ast.unparse(each.value) for each in call.keywords}
    return dict(signature.bind(*map(ast.unparse, call.args), **named).arguments)


def _placed(given: Dict[str, str], signature: inspect.Signature) -> Iterator[str]:
    """Yield the arguments by position, with the defaults of those between them while these are literals."""
    left = dict(given)
    for name, parameter in signature.parameters.items():
        literal = parameter.default is None or isinstance(parameter.default, (bool, int, float, str, list))
        if not left or parameter.kind is parameter.KEYWORD_ONLY or not (name in left or literal):
            break
        yield left.pop(name, repr(parameter.default))
    yield from (f"{name}={value}" for name, value in left.items())
