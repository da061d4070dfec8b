"""The examples in docstrings, each run against a sandbox of its own."""

import doctest
import importlib
import inspect
import os
import pkgutil
from pathlib import Path
from typing import Any, Iterator, Tuple

import grpc
import pytest

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


def _modules() -> Iterator[Any]:
    yield viam_sync
    for found in pkgutil.walk_packages(viam_sync.__path__, "viam_sync."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _examples() -> Iterator[Tuple[str, doctest.DocTest]]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in _modules():
        for test in finder.find(module, module.__name__):
            if test.examples:
                yield test.name, test


EXAMPLES = dict(_examples())

IN_SCOPE = """
    get_user_id_by_email create_organization list_organizations get_organizations_with_access_to_location
    list_organizations_by_user get_organization get_organization_namespace_availability update_organization
    delete_organization list_organization_members create_organization_invite
    update_organization_invite_authorizations delete_organization_member delete_organization_invite
    resend_organization_invite create_location get_location update_location delete_location list_locations
    share_location unshare_location location_auth create_location_secret delete_location_secret get_robot
    get_rover_rental_robots get_robot_parts get_robot_part get_robot_part_history update_robot_part new_robot_part
    delete_robot_part get_robot_api_keys mark_part_as_main mark_part_for_restart create_robot_part_secret
    delete_robot_part_secret list_robots new_robot update_robot delete_robot
"""


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_does_what_it_shows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("VIAM_API_KEY", "VIAM_API_KEY_ID", "VIAM_APP_URL"):
        monkeypatch.setenv(variable, "")
    example = EXAMPLES[name]
    with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        given = {"sandbox": sandbox, "client": client, "cloud": client.app_client, "pb": pb, "folder": tmp_path}
        example.globs = {**example.globs, "ViamClient": ViamClient, "grpc": grpc, "os": os, **given}
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, clear_globs=False)
    assert result.attempted >= 1
    assert result.failed == 0


def test_every_method_for_users_organizations_locations_and_machines_has_an_example() -> None:
    shown = {name.rpartition(".")[2] for name in EXAMPLES if ".app." in name or ".app_service." in name}
    missing = {name for name in IN_SCOPE.split() if name not in shown}
    assert missing == set()


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
