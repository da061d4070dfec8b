"""Write docs/reference/: a page for each public module, with exactly its names; --check only compares."""

import ast
import importlib
import inspect
import pkgutil
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from viam_sync import gen, proto  # noqa: E402
from viam_sync.messages.module_names import module_of  # noqa: E402

PAGES = Path(__file__).with_name("reference")

#: The module whose page describes a name, by the name and the identity of its value.
Homes = Dict[Tuple[str, int], str]

#: The modules that users import, beside those of messages. A name that several of them have is described on the page of
#: the first one; the pages of the others lead there.
MODULES = (
    "viam_sync.errors",
    "viam_sync.rpc.dial",
    "viam_sync.app.app_client",
    "viam_sync.app.billing_client",
    "viam_sync.app.data_client",
    "viam_sync.app.ml_training_client",
    "viam_sync.app.provisioning_client",
    "viam_sync.app.viam_client",
    "viam_sync.dask",
    "viam_sync.django",
    "viam_sync.django.management",
    "viam_sync.lessons",
    "viam_sync.logging",
    "viam_sync.profiles",
    "viam_sync.sandbox",
    "viam_sync.sandbox.testing",
    "viam_sync.tabular",
    "viam_sync.utils",
    "viam_sync",
    "viam_sync.robot.client",
)

#: The classes of which users call this much alone; the rest is for services, which make their calls on them.
MEMBERS = {"Channel": ["close"], "ServiceChannel": ["close"]}

#: Each status has an error with the methods of GRPCError.
OPTIONS = {"viam_sync.errors": ("inherited_members: false", "show_bases: true")}
#: The options of a class that users make no objects of.
ALONE = (
    "merge_init_into_class: false",
    "show_root_full_path: false",
    "show_root_heading: true",
    "show_root_toc_entry: true",
)

#: What stands for names whose packages are not installed.
_ABSENT: Dict[Tuple[str, str], Any] = {}

INDEX = """\
# Reference

The modules to import from, and what each of them has. All others are private, and may change at any time. Made from the
code by `python docs/reference_pages.py`; a test compares.

| module | what it has |
|---|---|
"""

GEN = """\
# viam_sync.gen

The messages and enums of `viam_sync.proto` under the module names that protoc gives them, for scripts that import them
so. Each module has the names of the other one, and the numbers of its enums' values.

| module | the same as |
|---|---|
"""


def message_modules(package: Any = proto) -> List[str]:
    """Return the names of the modules of a package that have messages."""
    found = (each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
    return [name for name in found if hasattr(importlib.import_module(name), "__all__")]


def pages() -> Dict[str, str]:
    """Return the text of each page, by its name."""
    modules = [*MODULES, *message_modules()]
    homes = dict(_homes(modules))
    made = {f"{name}.md": _page(name, homes) for name in modules}
    made["viam_sync.gen.md"] = GEN + "".join(_gen_rows())
    made["index.md"] = INDEX + "".join(_index_rows([*sorted(MODULES), *message_modules(), "viam_sync.gen"]))
    return made


def is_received(value: Any) -> bool:
    """Tell whether a class is one that users get objects of and make none: its constructor is described by itself."""
    made = vars(value).get("__init__") if inspect.isclass(value) else None
    return inspect.isfunction(made) and bool(made.__doc__)


def _homes(modules: Sequence[str]) -> Iterator[Tuple[Tuple[str, int], str]]:
    """Yield the module whose page describes a name, by the name and its value."""
    for module in reversed(modules):
        for name in _names(module):
            yield (name, id(_value(module, name))), module


def _page(module: str, homes: Homes) -> str:
    foreign = _foreign(module)
    at = {name: homes[name, id(_value(module, name))] for name in _names(module) if name not in foreign}
    here = [name for name in at if at[name] == module]
    alone = [name for name in here if module in MODULES and is_received(_value(module, name))]
    lines = [f"# {module}", ""]
    lines += _directive(module, [name for name in here if name not in alone], OPTIONS.get(module, ()))
    for name in alone:
        lines += _directive(f"{module}.{name}", MEMBERS.get(name), ALONE)
    others = [f"| [`{name}`]({at[name]}.md#{at[name]}.{name}) | `{at[name]}` |" for name in at if at[name] != module]
    others += [f"| `{name}` | `{foreign[name]}` |" for name in _names(module) if name in foreign]
    if others:
        lines += ["## Names of other modules", "", "| name | the module that has it |", "|---|---|", *others, ""]
    return "\n".join(lines)


def _directive(path: str, members: Optional[Sequence[str]], options: Sequence[str]) -> List[str]:
    """Return what puts a module or a class on a page, with these members; with all that are public if that is None."""
    listed = ["members:", *(f"  - {name}" for name in members)] if members else ["members: false"]
    lines = [*options, *([] if members is None else listed)]
    return [f"::: {path}", "    options:", *(f"      {line}" for line in lines), ""]


def _gen_rows() -> Iterator[str]:
    for name in message_modules(gen):
        home = f"viam_sync.proto.{module_of(_value(name, 'DESCRIPTOR').name)}"
        yield f"| `{name}` | [`{home}`]({home}.md) |\n"


def _index_rows(modules: Sequence[str]) -> Iterator[str]:
    for name in modules:
        first = (importlib.import_module(name).__doc__ or "").splitlines()[0].replace("``", "`")
        yield f"| [`{name}`]({name}.md) | {first} |\n"


def _names(module: str) -> List[str]:
    return sorted(importlib.import_module(module).__all__)


def _value(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError:  # Django is not installed, and what takes it is in one module alone
        return _ABSENT.setdefault((module, name), object())


def _foreign(module: str) -> Dict[str, str]:
    """Return the names that a module has from other packages, with the modules that have them there."""
    path = Path(importlib.import_module(module).__file__ or "")
    stub = path.with_suffix(".pyi")
    tree = ast.parse((stub if stub.exists() else path).read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    found = {alias.name: str(node.module) for node in imports for alias in node.names}
    return {name: home for name, home in found.items() if not home.startswith("viam_sync")}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check say whether they are what they should be."""
    made = pages()
    found = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    if list(arguments) == ["--check"]:
        wrong = sorted(name for name in {*made, *found} if made.get(name) != found.get(name))
        told = [*wrong, "run: python docs/reference_pages.py"] if wrong else []
        print(*told, sep="\n", end="", file=sys.stderr)
        return 1 if wrong else 0
    PAGES.mkdir(exist_ok=True)
    for name in found.keys() - made.keys():
        (PAGES / name).unlink()
    for name, text in made.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
