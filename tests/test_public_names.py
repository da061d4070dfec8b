"""The public names: which modules have them, and that users need no others."""

import ast
import builtins
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest
from mistakes_table import MISTAKES
from public_types import PACKAGE, Definition, PublicTypes, path_of

from viam_sync import errors
from viam_sync.viam_sdk import why_missing

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "docs" / "reference_pages.py"


def _loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference_pages = _loaded(SCRIPT)
MODULES: Dict[str, ModuleType] = {name: importlib.import_module(name) for name in reference_pages.MODULES}
#: Names of Django's app are there where Django is.
LOADED = [name for name in MODULES if importlib.util.find_spec("django") or not name.startswith("viam_sync.django")]
NAMES = [(module, name) for module in LOADED for name in sorted(MODULES[module].__all__)]
TYPES = PublicTypes(
    reference_pages.MEMBERS,
    received={name for module, name in NAMES if reference_pages.is_received(getattr(MODULES[module], name))},
)
#: What users write, and so imports public names alone.
USERS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.py")),
    *sorted((ROOT / "examples").rglob("*.ipynb")),
    # Another of these has the further names of the official SDK's modules.
    *sorted({*(ROOT / "tests" / "typing").glob("snippets_*.py")} - {ROOT / "tests" / "typing" / "snippets_names.py"}),
    *sorted((ROOT / "tests" / "parity" / "scripts").glob("*.py")),
]
#: The text of an import of ours, also in a docstring or a notebook.
IMPORT = re.compile(
    r"^[\s>+.\-\"]*(?:from (viam_sync[\w.]*) import (\([^)]*\)|[\w, ]+)|import (viam_sync[\w.]*))", re.MULTILINE
)


def test_a_module_is_public_if_it_lists_its_names() -> None:
    listing = {
        ".".join(["viam_sync", *path.relative_to(PACKAGE).with_suffix("").parts]).replace(".__init__", "")
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in ("gen", "proto")
        and any("__all__" in _targets(node) for node in ast.parse(path.read_text(encoding="utf-8")).body)
    }
    assert listing == {*MODULES}


def _targets(node: ast.stmt) -> List[str]:
    return [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]


def test_the_pages_of_the_reference_have_the_public_names_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference_pages.main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_that_is_out_of_date_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference_pages, "PAGES", tmp_path / "reference")
    assert reference_pages.main([]) == 0
    (tmp_path / "reference" / "viam_sync.transfer.md").write_text("# viam_sync.transfer")
    page = tmp_path / "reference" / "viam_sync.tabular.md"
    page.write_text(page.read_text(encoding="utf-8").replace("        - to_polars\n", ""), encoding="utf-8")
    assert reference_pages.main(["--check"]) == 1
    told = "viam_sync.tabular.md\nviam_sync.transfer.md\nrun: python docs/reference_pages.py"
    assert capsys.readouterr().err == told
    assert reference_pages.main([]) == 0
    assert reference_pages.main(["--check"]) == 0


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_name_says_what_it_is(module: str, name: str) -> None:
    value = getattr(MODULES[module], name)
    if getattr(value, "__module__", "").startswith("viam_sync"):
        first = (inspect.getdoc(value) or "").partition("\n\n")[0]
        assert first.endswith((".", ":")), first
    if inspect.isfunction(value):
        for parameter in inspect.signature(value).parameters:
            assert f"\n    {parameter}: " in (inspect.getdoc(value) or ""), parameter
    defined = TYPES.home(module, name)
    if defined is not None and isinstance(defined.node, (ast.Assign, ast.AnnAssign)):
        above = path_of(defined.module).read_text(encoding="utf-8").splitlines()[defined.node.lineno - 2]
        assert above.startswith("#:") or name == "__version__"


def test_all_types_in_public_signatures_are_public() -> None:
    public: Set[Definition] = set()
    for module, name in NAMES:
        found = TYPES.home(module, name)
        if found is not None:
            public |= {found, *TYPES.nested(found)}
    taken = public.union(*map(TYPES.bases, public))
    private = {
        f"{found.module}.{found.name} of {where}"
        for definition in public
        for where, found in TYPES.of(definition)
        if found not in taken and found.node is not None
    }
    assert private == set()


#: The packages whose errors docstrings name in full.
OTHERS = ("django.", "google.", "grpc.")


def test_all_errors_that_docstrings_name_are_public() -> None:
    known = {*errors.__all__, *dir(builtins)}
    named: Set[Tuple[str, str]] = set()
    for where, doc in _docstrings():
        section = re.search(r"\nRaises:\n((?:    .*\n?|\n)*)", f"{inspect.cleandoc(doc)}\n")
        for error in re.findall(r"^    (\w[\w.]*):", section.group(1) if section else "", re.MULTILINE):
            named.add((where, error))
    assert {each for each in named if each[1] not in known and not each[1].startswith(OTHERS)} == set()
    assert len(named) > 500


def _docstrings() -> Iterator[Tuple[str, str]]:
    """Yield the docstrings of public names and of their members."""
    for module, name in NAMES:
        value = getattr(MODULES[module], name)
        if getattr(value, "__module__", "").startswith("viam_sync"):
            yield from _docstrings_of(f"{module}.{name}", value)


def _docstrings_of(path: str, value: Any) -> Iterator[Tuple[str, str]]:
    yield path, inspect.getdoc(value) or ""
    if inspect.isclass(value) and value.__module__.startswith("viam_sync"):
        members = reference_pages.MEMBERS.get(value.__name__, dir(value))
        for name in (name for name in members if not name.startswith("_")):
            yield from _docstrings_of(f"{path}.{name}", getattr(value, name, None))


@pytest.mark.parametrize("path", USERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_users_read_imports_public_names_alone(path: Path) -> None:
    assert list(_private_imports(path.read_text(encoding="utf-8"))) == []


def test_errors_and_their_page_name_public_names_alone() -> None:
    texts = [(ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), *(text for *_, text in MISTAKES)]
    named = {name for text in texts for name in re.findall(r"\bviam_sync(?:\.\w+)+", text)}
    assert len(named) > 5
    missing = {name for name in named if why_missing(name.partition(".")[2])}
    public = {*MODULES, *(f"{module}.{name}" for module, name in NAMES)}
    assert {name for name in named - missing - public if not _is_public(name)} == set()
    messages = {
        name for module in reference_pages.message_modules() for name in importlib.import_module(module).__all__
    }
    classes = set(re.findall(r"^class ([A-Z][a-z]+[A-Z]\w+)", "\n".join(_sources()), re.MULTILINE))
    private = classes - messages - {name for _, name in NAMES}
    assert private & set(re.findall(r"\b\w+\b(?!/)", "\n".join(texts))) == set()  # not the name of an RPC


def _sources() -> Iterator[str]:
    yield from (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))


def test_examples_of_public_names_import_public_names_alone() -> None:
    found = {(where, text) for where, doc in _docstrings() for text in _private_imports(doc)}
    assert found == set()


def _private_imports(text: str) -> Iterator[str]:
    """Yield each import of a module or a name that is private."""
    messages = {"viam_sync.proto", "viam_sync.gen"}
    for match in IMPORT.finditer(text.replace("\\n", "\n")):
        module, names, alone = match.groups()
        if not _is_public(module or alone):
            yield match.group().strip()
        elif module in MODULES:
            wanted = {name.split(" as ")[0].strip() for name in names.strip("()").split(",")} - {""}
            for name in wanted:
                if name not in MODULES[module].__all__ and f"{module}.{name}" not in {*MODULES, *messages}:
                    yield f"{module}.{name}"


def _is_public(module: str) -> bool:
    return module in MODULES or (module.startswith(("viam_sync.proto", "viam_sync.gen")) and path_of(module).exists())
