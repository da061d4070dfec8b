"""Every RPC of the schema has one method, generated or by hand, or a reason why it has none."""

import ast
from typing import Iterator, Set, Tuple

import pytest

from .tiny import BENCH, ROOT, tomllib

from compile import compile_protos, schema_names  # isort: skip
from describe import load  # isort: skip
from surface import entries  # isort: skip

SENDERS = {"_call", "_send", "_receive", "_exchange"}


def schema():
    compiled = compile_protos(schema_names())
    pool, _ = load(compiled)
    services = [s for file in compiled.file for s in pool.FindFileByName(file.name).services_by_name.values()]
    return entries(tomllib.loads((BENCH / "surface.toml").read_text(encoding="utf-8")), services)


def calls(path) -> Iterator[Tuple[str, str]]:
    """Yield the service and the RPC of each call in a module; a class of no service has "" for it."""
    for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(cls, ast.ClassDef):
            yield from ((_service(cls), name) for name in _called(cls))


def _service(cls: ast.ClassDef) -> str:
    for statement in cls.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "_service":
            return ast.literal_eval(statement.value)
    return ""


def _called(cls: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(cls):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDERS:
            assert isinstance(node.args[0], ast.Constant), (
                f"{cls.name} calls an RPC that is not named: {ast.dump(node)}"
            )
            yield node.args[0].value


TABLE = schema()
GENERATED = [f"{s}.{rpc}" for path in (ROOT / "viam_sync" / "services").glob("*.py") for s, rpc in calls(path)]


def by_hand(kind: str) -> Set[str]:
    return {rpc for rpc, entry in TABLE.items() if kind in entry}


def test_an_rpc_is_generated_unless_the_table_says_otherwise_and_never_twice():
    assert sorted(GENERATED) == sorted(TABLE.keys() - by_hand("hand_written") - by_hand("omitted"))


def test_an_rpc_that_is_left_out_has_a_reason():
    for rpc in by_hand("omitted"):
        assert TABLE[rpc]["omitted"].strip(), rpc


@pytest.mark.parametrize("module", sorted({TABLE[rpc]["hand_written"] for rpc in by_hand("hand_written")}))
def test_a_hand_written_module_calls_what_the_table_says(module):
    path = ROOT / f"{module.replace('.', '/')}.py"
    wanted = {rpc.rpartition(".")[2] for rpc in by_hand("hand_written") if TABLE[rpc]["hand_written"] == module}
    assert {name for _, name in calls(path)} == wanted


#: Conveniences that make a call in a way that its method cannot: here, one that another thread may end.
IN_THEIR_OWN_WAY = {"viam_sync.app._data.exports": {"BinaryDataByIDs"}}


def test_no_other_module_calls_an_rpc():
    known = {TABLE[rpc]["hand_written"] for rpc in by_hand("hand_written")}
    for path in (ROOT / "viam_sync").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if module not in known and not module.startswith("viam_sync.services."):
            assert {name for _, name in calls(path)} == IN_THEIR_OWN_WAY.get(module, set()), module


def test_the_environments_of_tox_use_the_pinned_schema():
    version = (ROOT / "protos/API_VERSION").read_text(encoding="utf-8").strip()
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    assert f"parity-newest: viam-sdk=={version}\n" in tox
    assert f"viam-sdk=={{posargs:{version}}}\n" in tox
