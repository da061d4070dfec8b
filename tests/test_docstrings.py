"""The examples in docstrings, each run against a sandbox in its first state."""

import doctest
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Iterator, Tuple

import grpc
import pytest
from archives import packed

import viam_sync
from viam_sync.app.viam_client import (
    AppClient,
    BillingClient,
    DataClient,
    DialOptions,
    MLTrainingClient,
    ProvisioningClient,
    ViamClient,
)
from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox

#: Whether what the command line needs is there.
COMMAND_LINE = all(map(importlib.util.find_spec, ("click", "rich")))
#: Whether Django is there.
DJANGO = importlib.util.find_spec("django") is not None
if DJANGO:
    from django_settings import account_of


def _modules() -> Iterator[Any]:
    yield viam_sync
    for found in pkgutil.walk_packages(viam_sync.__path__, "viam_sync."):
        if f"{found.name}.".startswith("viam_sync.django.") and not DJANGO:
            continue
        # A hook is run by PyInstaller alone.
        if found.name.startswith("viam_sync.cli.") and not COMMAND_LINE:
            continue
        if not found.name.endswith(("__main__", ".hook-viam_sync")):
            yield importlib.import_module(found.name)


def _examples() -> Iterator[Tuple[str, doctest.DocTest]]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in _modules():
        for test in finder.find(module, module.__name__):
            if test.examples:
                yield test.name, test


EXAMPLES = dict(_examples())

FACTS = json.loads((Path(__file__).parent / "reference" / "signatures.json").read_text(encoding="utf-8"))

#: What the reference documents and no example of its own shows: the class's does, or it always raises.
WITHOUT = {
    "DataClient.TabularData.__str__",
    "DataClient.TabularData.__eq__",
    "DataClient.delete_tabular_data_by_filter",
}


#: The libraries that examples take and the package does not, by the function.
LIBRARIES = {
    "data_frame": "pandas",
    "mirror_tabular_data": "pyarrow",
    "record_batches": "pyarrow",
    "row_difference": "pyarrow",
    "to_arrow": "pyarrow",
    "to_arrow_batches": "pyarrow",
    "to_pandas": "pandas",
    "to_polars": "polars",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_does_what_it_shows(
    name: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("VIAM_API_KEY", "VIAM_API_KEY_ID", "VIAM_APP_URL"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    example = EXAMPLES[name]
    needed = LIBRARIES.get(name.rpartition(".")[2], "viam_sync")
    # A client has methods of the same names as the functions for Dask.
    pytest.importorskip("distributed" if name.startswith("viam_sync.dask.") else needed)
    if "module.tar.gz" in (example.docstring or ""):
        (tmp_path / "module.tar.gz").write_bytes(packed())
    sandbox.reset()
    with ExitStack() as stack:
        if name.startswith("viam_sync.django."):
            stack.enter_context(account_of(sandbox))
        client = stack.enter_context(ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url))
        given = {"sandbox": sandbox, "client": client, "app": client.app_client, "pb": pb, "folder": tmp_path}
        example.globs = {**example.globs, "ViamClient": ViamClient, "grpc": grpc, "os": os, **given}
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, clear_globs=False)
    assert result.attempted >= 1
    assert result.failed == 0


def test_every_documented_method_has_an_example() -> None:
    shown = {name.rpartition(".")[2] for name in EXAMPLES}
    documented = {name for name, fact in FACTS.items() if fact["kind"] == "method"} - WITHOUT
    assert {name for name in documented if name.rpartition(".")[2] not in shown} == set()


@pytest.mark.parametrize("client", [AppClient, BillingClient, DataClient, MLTrainingClient, ProvisioningClient])
def test_the_help_of_a_client_begins_with_all_its_methods_by_subject(client: type) -> None:
    listed = (client.__doc__ or "").partition("Methods by subject:")[2].partition("\n\n")[0]
    names = re.findall(r"\w+_\w+|\w+(?=,)", listed.replace(":", ";"))
    assert sorted(names) == [name for name in dir(client) if name[0].islower()]


CLIENTS = (AppClient, BillingClient, DataClient, MLTrainingClient, ProvisioningClient, ViamClient, DialOptions)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_method_says_what_it_takes_returns_and_raises(client: type) -> None:
    for name, method in inspect.getmembers(client, callable):
        if name.startswith("_"):
            continue
        doc = inspect.getdoc(method) or ""
        signature = inspect.signature(method)
        for parameter in signature.parameters:
            assert parameter == "self" or f"    {parameter}: " in doc, f"{client.__name__}.{name}: {parameter}"
        if "timeout" in signature.parameters:
            assert "\nRaises:\n" in doc, f"{client.__name__}.{name}"
            assert ("\nReturns:\n" in doc) == (signature.return_annotation != "None"), f"{client.__name__}.{name}"
