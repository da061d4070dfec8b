"""Makes scripts of the examples in docstrings: placeholders are replaced, by the names of parameters."""

import ast
import re
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

#: What the reader of an example has written before, in the words of the official SDK.
BEFORE = """\
import asyncio
import os
import time
from datetime import datetime

from viam.app.viam_client import ViamClient
from viam.proto.app.data import TabularDataSourceType
from viam.rpc.dial import DialOptions


async def do_something_with(client):
    await client.app_client.list_organizations()


viam_client = await ViamClient.create_from_env_vars()
cloud = viam_client.app_client
data_client = viam_client.data_client
billing_client = viam_client.billing_client
ml_training_client = viam_client.ml_training_client

"""

# A placeholder that stands outside a text, such as get_invoices_summary(<ORG-ID>), and before it the texts to skip.
_TEXT_OR_PLACEHOLDER = re.compile(r"""#.*|"[^"\n]*"|'[^'\n]*'|<[A-Z][A-Z-]*>""")


class Argument(NamedTuple):
    """A literal that a call gives to a parameter, or a dict to a key."""

    function: str
    name: str
    literal: ast.Constant
    call: Dict[str, ast.expr]

    def place(self) -> Tuple[int, int, int]:
        """Return where the literal stands: its line, its start and its end."""
        assert self.literal.end_col_offset is not None
        return self.literal.lineno - 1, self.literal.col_offset, self.literal.end_col_offset

    def key(self, values: Mapping[str, str]) -> Optional[str]:
        """Return the key of the value that belongs in its place; None if the literal can stay."""
        name = self.name
        if name in ("id", "ids"):
            # The ID of what the function is about: delete_key takes a key_id.
            known = [key for key in values if key.endswith("_id") and key[: -len("_id")] in self.function]
            return max(known, key=len, default=None)
        kind = self.call.get(name.replace("resource_id", "resource_type"))
        if name.endswith("resource_id") and isinstance(kind, ast.Constant):
            name = f"{kind.value}_id"
        one = name[:-1] if name.endswith("s") else name
        return next((key for key in (f"{self.function}.{name}", name, one) if key in values), None)


def script(example: str, parameters: Mapping[str, List[str]], values: Mapping[str, str]) -> str:
    """Return an example as a whole script of the official SDK.

    Args:
        example: The example.
        parameters: The parameters of the functions that it may call, by their names.
        values: Expressions for the places of placeholders, by the names of parameters or of functions and parameters.

    Raises:
        SyntaxError: If the example does not parse.
    """
    text = _TEXT_OR_PLACEHOLDER.sub(lambda found: f'"{found[0]}"' if found[0].startswith("<") else found[0], example)
    run = "" if "asyncio.run(" in text or "async def main(" not in text else "\nasyncio.run(main())\n"
    return BEFORE + _filled(text, parameters, values) + run


def _filled(text: str, parameters: Mapping[str, List[str]], values: Mapping[str, str]) -> str:
    lines = text.splitlines(keepends=True)
    given = [argument for argument in _arguments(ast.parse(text), parameters) if argument.literal.value]
    # From the end on, so that the places before stay where they are.
    for argument in sorted(given, key=Argument.place, reverse=True):
        key = argument.key(values)
        if key is not None:
            row, start, end = argument.place()
            lines[row] = lines[row][:start] + values[key] + lines[row][end:]
    return "".join(lines)


def _arguments(tree: ast.AST, parameters: Mapping[str, List[str]]) -> Iterator[Argument]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            given = dict(zip(parameters.get(function, []), node.args))
            given.update((keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg)
        elif isinstance(node, ast.Dict):
            function = ""
            given = {key.value: value for key, value in zip(node.keys, node.values) if isinstance(key, ast.Constant)}
        else:
            continue
        for name, value in given.items():
            for literal in value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]:
                if isinstance(literal, ast.Constant):
                    yield Argument(function, name, literal, given)
