import pytest

from viam_sync.sandbox import Sandbox

from .calls import Caller
from .data_calls import Data


@pytest.fixture(scope="module")
def shared():
    """Give one sandbox to the tests of a module, which is faster than one for each."""
    with Sandbox(seed=1) as cloud:
        yield cloud


@pytest.fixture
def cloud(shared):
    """Give a sandbox in the world that it started with."""
    shared.reset()
    return shared


@pytest.fixture
def callers(cloud):
    """Make callers whose channels are closed after the test."""
    made = []

    def make(key_id, key, type="api-key"):
        made.append(Caller(cloud, key_id, key, type))
        return made[-1]

    yield make
    for caller in made:
        caller.channel.close()


@pytest.fixture
def owner(cloud, callers):
    """Give the owner of the sample organization."""
    return callers(cloud.api_key_id, cloud.api_key)


@pytest.fixture
def caller_with(cloud, callers, owner):
    """Make callers that have one role, on a resource."""

    def make(role, resource_type, resource_id, organization_id=None):
        given = [owner.role(role, resource_type, resource_id, organization_id)]
        key = owner.CreateKey(authorizations=given, name="a key")
        return callers(key.id, key.key)

    return make


@pytest.fixture
def stranger(owner, callers):
    """Give the owner of an organization that has nothing to do with the sample organization."""
    organization = owner.CreateOrganization(name="Elsewhere").organization.id
    key = owner.CreateKey(authorizations=[owner.role("owner", "organization", organization, organization)])
    caller = callers(key.id, key.key)
    caller.organization_id = organization
    caller.location_id = caller.ListLocations(organization_id=organization).locations[0].id
    return caller


@pytest.fixture
def data(owner):
    """Give the services for data as the owner of the sample organization sees them."""
    return Data(owner)


@pytest.fixture
def foreign_data(owner, callers):
    """Give the services for data as the owner of another organization sees them."""
    organization = owner.CreateOrganization(name="Elsewhere").organization.id
    key = owner.CreateKey(authorizations=[owner.role("owner", "organization", organization, organization)])
    given = Data(callers(key.id, key.key))
    given.organization_id = organization
    return given
