"""Every RPC of the schema has one method, generated or by hand, or a reason why it has none."""

import ast
from typing import List, Set

import pytest

from viam_sync.rpc.method import Method
from viam_sync.services import methods

from .mini_schemas import BENCH, ROOT, tomllib

from compile import compile_protos, schema_names  # isort: skip
from describe import load  # isort: skip
from surface import entries  # isort: skip


def schema():
    compiled = compile_protos(schema_names())
    pool, _ = load(compiled)
    services = [s for file in compiled.file for s in pool.FindFileByName(file.name).services_by_name.values()]
    return entries(tomllib.loads((BENCH / "surface.toml").read_text(encoding="utf-8")), services)


def sent(path) -> List[str]:
    """Return the full name of each RPC that a module sends; declarations of paged calls only read what is there."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    paged = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and "PagedCall" in ast.unparse(node.func)]
    declared = {inner for node in paged for inner in ast.walk(node)}
    return [
        ROWS[node.attr].name.replace("/", ".")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "methods" and node not in declared
    ]


TABLE = schema()
ROWS = {name: row for name, row in vars(methods).items() if isinstance(row, Method)}
SERVICES = list((ROOT / "viam_sync" / "services").glob("*_service.py"))


def by_hand(kind: str) -> Set[str]:
    return {rpc for rpc, entry in TABLE.items() if kind in entry}


def test_an_rpc_is_generated_unless_the_table_says_otherwise_and_never_twice():
    generated = [rpc for path in SERVICES for rpc in sent(path)]
    assert sorted(generated) == sorted(TABLE.keys() - by_hand("hand_written") - by_hand("omitted"))


def test_an_rpc_that_is_left_out_has_a_reason():
    for rpc in by_hand("omitted"):
        assert TABLE[rpc]["omitted"].strip(), rpc


@pytest.mark.parametrize("module", sorted({TABLE[rpc]["hand_written"] for rpc in by_hand("hand_written")}))
def test_a_hand_written_module_calls_what_the_table_says(module):
    path = ROOT / f"{module.replace('.', '/')}.py"
    wanted = {rpc for rpc in by_hand("hand_written") if TABLE[rpc]["hand_written"] == module}
    # The module that authenticates stands below the table, and has its row itself.
    assert set(sent(path)) == wanted - {"proto.rpc.v1.AuthService.Authenticate"}


#: Conveniences that make a call in a way that its method cannot: one that another thread may end, and those of another
#: service than that of the client, or with an error of their own.
IN_THEIR_OWN_WAY = {
    "viam_sync.app._data.dataset_imports": {
        "viam.app.dataset.v1.DatasetService.CreateDataset",
        "viam.app.dataset.v1.DatasetService.ListDatasetsByOrganizationID",
        "viam.app.v1.AppService.GetLocation",
        "viam.app.v1.AppService.GetRobotPart",
    },
    "viam_sync.app._data.image_labels": {
        "viam.app.data.v1.DataService.AddBinaryDataToDatasetByIDs",
        "viam.app.data.v1.DataService.AddBoundingBoxToImageByID",
        "viam.app.data.v1.DataService.AddTagsToBinaryDataByIDs",
        "viam.app.data.v1.DataService.BinaryDataByIDs",
    },
    "viam_sync.app._data.file_exports": {"viam.app.data.v1.DataService.BinaryDataByIDs"},
    "viam_sync.app._data.unknown_ids": {
        "viam.app.dataset.v1.DatasetService.ListDatasetsByIDs",
        "viam.app.v1.AppService.GetLocation",
        "viam.app.v1.AppService.GetOrganization",
        "viam.app.v1.AppService.GetRobot",
        "viam.app.v1.AppService.GetRobotPart",
    },
}


def test_no_other_module_calls_an_rpc():
    known = {TABLE[rpc]["hand_written"] for rpc in by_hand("hand_written")}
    for path in (ROOT / "viam_sync").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if module not in known and path not in SERVICES:
            assert set(sent(path)) == IN_THEIR_OWN_WAY.get(module, set()), module


def test_the_environments_of_tox_use_the_pinned_schema():
    version = (ROOT / "protos/API_VERSION").read_text(encoding="utf-8").strip()
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    assert f"parity-newest: viam-sdk=={version}\n" in tox
    assert f"viam-sdk=={{posargs:{version}}}\n" in tox
