"""The examples in the docstrings of the official SDK run on the sandbox, once they are migrated."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Type

import pytest
from parity.example_scripts import script
from parity.example_world import furnish

from viam_sync import UnimplementedError
from viam_sync.errors import NotSupportedError
from viam_sync.migrate.script import migrate_source
from viam_sync.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
PINNED = (ROOT / "protos" / "API_VERSION").read_text(encoding="utf-8").strip()
INSTALLED = [each.version for each in importlib.metadata.distributions() if each.metadata["Name"] == "viam-sdk"]

pytestmark = pytest.mark.skipif(not INSTALLED, reason="viam-sdk is not installed; there are no examples to take")

_COMMA = (SyntaxError, "a comma is missing between two arguments")
_MISSING = (UnimplementedError, "the sandbox does not have it; see docs/sandbox_rpcs.md")

#: The examples that do not run: how each ends, and the reason.
EXCEPTIONS = {
    "AppClient.create_oauth_app_user": (ValueError, "has <YOUR-APP-ID> for an ID, which a mark around it gives away"),
    "AppClient.get_rover_rental_robots": (
        TypeError,
        "leaves out the organization, which the official SDK requires, too",
    ),
    "AppClient.update_robot_part": (TypeError, "leaves out the name, which the official SDK requires, too"),
    "DataClient.create_data_pipeline": _MISSING,
    "DataClient.delete_data_pipeline": _MISSING,
    "DataClient.export_tabular_data": _COMMA,
    "DataClient.get_data_pipeline": _MISSING,
    "DataClient.list_data_pipeline_runs": _MISSING,
    "DataClient.list_data_pipelines": _MISSING,
    "DataClient.rename_data_pipeline": _MISSING,
    "DataClient.update_bounding_box": _COMMA,
    "MLTrainingClient.delete_custom_training_container": _MISSING,
    "MLTrainingClient.get_container": _MISSING,
    "MLTrainingClient.list_containers": _MISSING,
    "MLTrainingClient.register_custom_training_container": _MISSING,
    "ViamClient.connect_to_machine": (NotSupportedError, "machines are driven by viam-sdk"),
}
#: The examples that go on where another one ends, which makes what they delete, send again or ask for.
GOES_ON = {
    "AppClient.delete_organization_invite": "AppClient.create_organization_invite",
    "AppClient.delete_location_secret": "AppClient.create_location_secret",
    "AppClient.delete_robot_part_secret": "AppClient.create_robot_part_secret",
    "AppClient.remove_role": "AppClient.add_role",
    "AppClient.resend_organization_invite": "AppClient.create_organization_invite",
    "AppClient.undeprecate_registry_item": "AppClient.deprecate_registry_item",
    "AppClient.undeprecate_registry_item_version": "AppClient.deprecate_registry_item_version",
    "AppClient.update_registry_item": "AppClient.update_organization",
    "AppClient.unshare_location": "AppClient.share_location",
    "DataClient.get_database_connection": "DataClient.configure_database_user",
}


class Outcome(NamedTuple):
    """How an example ended.

    Attributes:
        error: The type of the exception that ended it; None if it ran to its end.
        text: The exception.
        left: The findings of the migration: what it leaves to a person.
        calls: How many calls arrived at the sandbox.
    """

    error: Optional[Type[BaseException]]
    text: str
    left: List[str]
    calls: int


def taken():
    """Return the examples of the installed SDK, and the parameters of its functions."""
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("official_examples.py"))]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def run(code, name, sandbox):
    """Run a migrated script; an entry of the log goes through a tail that it has opened, and its client is closed."""
    known = {"__name__": "__main__"}
    try:
        exec(compile(code, name, "exec"), known)
        for tail in [value for value in known.values() if isinstance(value, Iterator)]:
            with tail:
                sandbox.wait_for_tail(sandbox.robot_part_id)
                sandbox.log(sandbox.robot_part_id, "The motor stalled", level="error")
                next(tail)
    finally:
        if "viam_client" in known:
            known["viam_client"].close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A sandbox with what examples need, in whose folder they run, and what belongs in the places of placeholders."""
    folder = tmp_path_factory.mktemp("examples")
    with Sandbox(folder / "world", seed=1) as sandbox:
        values = furnish(sandbox, folder)
    # The state at its start is what a sandbox is reset to.
    with Sandbox(folder / "world") as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("VIAM_APP_URL", sandbox.url)
        patch.setenv("VIAM_API_KEY", sandbox.api_key)
        patch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
        yield sandbox, values


@pytest.fixture(scope="module")
def outcomes(world):
    sandbox, values = world
    installed = taken()

    def outcome(name):
        sandbox.reset()
        calls, left, error = sandbox.faults.delay("all", 0, times=None), [], None
        try:
            for each in (GOES_ON.get(name), name):
                if each is not None:
                    text = script(installed["examples"][each], installed["parameters"], values)
                    migrated, left = migrate_source(text)
                    run(migrated, each, sandbox)
        except Exception as raised:
            error = raised
        return Outcome(error and type(error), repr(error), [str(finding) for finding in left], calls.met)

    return {name: outcome(name) for name in installed["examples"]}


def test_each_example_but_the_exceptions_runs(outcomes):
    assert {name: each.text for name, each in outcomes.items() if each.error and name not in EXCEPTIONS} == {}


def test_an_exception_ends_as_its_reason_says(outcomes):
    listed = {name: error for name, (error, _) in EXCEPTIONS.items() if name in outcomes}
    assert {name: outcomes[name].error for name in listed} == listed


def test_an_exception_is_an_example(outcomes):
    if PINNED not in INSTALLED:
        pytest.skip(f"viam-sdk {PINNED} is not installed; an older one has fewer examples")
    assert EXCEPTIONS.keys() | GOES_ON.keys() <= outcomes.keys()


def test_there_are_examples_of_all_clients(outcomes):
    assert len(outcomes) > 140
    clients = ("AppClient", "BillingClient", "DataClient", "MLTrainingClient", "ProvisioningClient", "ViamClient")
    assert {name.partition(".")[0] for name in outcomes} == set(clients)


def test_an_example_that_runs_calls_the_cloud(outcomes):
    # One call is the token of the client that the reader has made before.
    assert [name for name, each in outcomes.items() if each.error is None and each.calls < 2] == []


def test_the_migration_leaves_nothing_to_a_person_but_machines_and_what_nothing_awaits(outcomes):
    assert {name for name, each in outcomes.items() if each.left} == {"ViamClient", "ViamClient.connect_to_machine"}
