"""Takes the facts out of the reference document: run it with the document's path to write signatures.json anew.

It keeps names, kinds, parameters, defaults and annotations, and not one sentence.
"""

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

TABLE = Path(__file__).with_name("signatures.json")

_DIRECTIVE = re.compile(r"^( *)\.\. py:(class|method|property|attribute|data):: (\w+)(.*)$")
_OPTION = re.compile(r"^ *:(type|value|classmethod|staticmethod): *(.*)$")

Fact = Dict[str, Any]


def facts(document: str) -> Dict[str, Fact]:
    """Return what the document says of each member, by ``Class.member``; the module's own have no class."""
    found: Dict[str, Fact] = {}
    for scope, directive, name, signature, options in _directives(document.splitlines()):
        if directive == "class":
            found[f"{scope}{name}"] = {"kind": "class"}
            if signature:
                found[f"{scope}{name}.__init__"] = {"kind": "constructor", **_signature(signature)}
        elif directive == "method":
            kind = next((each for each in ("classmethod", "staticmethod") if each in options), "method")
            found[f"{scope}{name}"] = {"kind": kind, **_signature(signature)}
        else:
            fact = {"kind": "property" if directive == "property" else "attribute"}
            fact.update({key: options[option] for option, key in _KEPT.items() if option in options})
            found[f"{scope}{name}"] = fact
    return found


_KEPT = {"type": "returns", "value": "default"}


def _directives(lines: List[str]) -> Iterator[Tuple[str, str, str, str, Dict[str, str]]]:
    """Yield scope, directive, name, signature and options of each directive."""
    classes: List[Tuple[int, str]] = []
    for number, line in enumerate(lines):
        match = _DIRECTIVE.match(line)
        if match is None:
            continue
        indent, directive, name, signature = len(match[1]), match[2], match[3], match[4]
        classes = [each for each in classes if each[0] < indent]
        scope = "".join(f"{each}." for _, each in classes)
        yield scope, directive, name, signature, dict(_options(lines[number + 1 :]))
        if directive == "class":
            classes.append((indent, name))


def _options(lines: List[str]) -> Iterator[Tuple[str, str]]:
    """Yield the options of a directive, which stand before its text, with empty lines among them."""
    for line in lines:
        match = _OPTION.match(line)
        if match is not None:
            yield match[1], match[2].strip()
        elif line.strip() and not re.match(r"^ *:\w+:", line):
            return


def _signature(text: str) -> Fact:
    """Return the parameters and the result of a signature, as text."""
    (function,) = ast.parse(f"def function{text}: pass").body
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    assert [*arguments.posonlyargs, arguments.vararg, arguments.kwarg] == [None, None], text
    defaults: List[Optional[ast.expr]] = [None] * (len(arguments.args) - len(arguments.defaults))
    parameters = [
        *(_parameter(*each, False) for each in zip(arguments.args, defaults + list(arguments.defaults))),
        *(_parameter(*each, True) for each in zip(arguments.kwonlyargs, arguments.kw_defaults)),
    ]
    result: Fact = {"parameters": parameters}
    if function.returns is not None:
        result["returns"] = ast.unparse(function.returns)
    return result


def _parameter(argument: ast.arg, default: Optional[ast.expr], keyword_only: bool) -> Fact:
    assert argument.annotation is not None, argument.arg
    fact: Fact = {"name": argument.arg, "type": ast.unparse(argument.annotation)}
    if default is not None:
        fact["default"] = ast.unparse(default)
    if keyword_only:
        fact["keyword_only"] = True
    return fact


def main() -> None:
    """Write the table, a line for each member."""
    document = Path(sys.argv[1]).read_text(encoding="utf-8")
    lines = [f"{json.dumps(name)}: {json.dumps(fact)}" for name, fact in facts(document).items()]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
