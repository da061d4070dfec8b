import contextlib

import pytest

from viam_sync.sandbox import Sandbox

from .calls import Caller
from .data_calls import Data
from .tabular_calls import Tabular


@pytest.fixture(scope="module")
def shared():
    """Share one sandbox among the tests of a module, with the same IDs in every run."""
    with Sandbox(seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def start():
    """Start sandboxes with options of their own, which are stopped after the test."""
    with contextlib.ExitStack() as running:
        yield lambda **options: running.enter_context(Sandbox(**options))


@pytest.fixture
def owner_of():
    """Make callers with a sandbox's own key, whose channels are closed after the test."""
    with contextlib.ExitStack() as connected:

        def make(sandbox):
            caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
            connected.callback(caller.channel.close)
            return caller

        yield make


@pytest.fixture
def callers(sandbox):
    """Make callers whose channels are closed after the test."""
    with contextlib.ExitStack() as connected:

        def make(key_id, key, type="api-key"):
            caller = Caller(sandbox, key_id, key, type)
            connected.callback(lambda: caller.channel.close())
            return caller

        yield make


@pytest.fixture
def owner(sandbox, callers):
    """Provide the owner of the sample organization."""
    return callers(sandbox.api_key_id, sandbox.api_key)


@pytest.fixture
def other(owner):
    """Provide the ID of another organization of the same owner."""
    return owner.CreateOrganization(name="Other").organization.id


@pytest.fixture
def caller_with(sandbox, callers, owner):
    """Make callers with one role, on a resource."""

    def make(role, resource_type, resource_id, organization_id=None):
        given = [owner.role(role, resource_type, resource_id, organization_id)]
        key = owner.CreateKey(authorizations=given, name="a key")
        return callers(key.id, key.key)

    return make


@pytest.fixture
def stranger(owner, callers):
    """Provide the owner of another organization, without a role in the sample organization."""
    organization = owner.CreateOrganization(name="Elsewhere").organization.id
    key = owner.CreateKey(authorizations=[owner.role("owner", "organization", organization, organization)])
    caller = callers(key.id, key.key)
    caller.organization_id = organization
    caller.location_id = caller.ListLocations(organization_id=organization).locations[0].id
    return caller


@pytest.fixture
def data(owner):
    """Provide the data services for the owner of the sample organization."""
    return Data(owner)


@pytest.fixture
def foreign_data(stranger):
    """Provide the data services for the owner of another organization."""
    data = Data(stranger)
    data.organization_id = stranger.organization_id
    return data


@pytest.fixture
def tabular(owner):
    """Provide the data services for the owner of the sample organization, with all readings deleted."""
    tabular = Tabular(owner)
    tabular.DeleteTabularData(organization_id=tabular.organization_id)
    return tabular
