import re

import pytest

from sandbox.calls import Caller, refused
from sandbox.data_calls import NO_UUID, Data
from viam_sync.sandbox import Sandbox

PASSWORD = "correct horse"


def test_a_database_is_there_once_its_user_was_made(data):
    organization = data.sandbox.organization_id
    with refused("NOT_FOUND", "has no database yet; make one (configure_database_user)"):
        data.GetDatabaseConnection(organization_id=organization)
    data.ConfigureDatabaseUser(organization_id=organization, password=PASSWORD)
    found = data.GetDatabaseConnection(organization_id=organization)
    assert re.fullmatch(rf"data-federation-{organization}-[a-z0-9]{{5}}\.a\.query\.mongodb\.net", found.hostname)
    assert found.has_database_user
    assert found.mongodb_uri.startswith(f"mongodb://db-user-{organization}:")
    assert found.mongodb_uri.endswith(f"@{found.hostname}/?ssl=true&authSource=admin")
    data.ConfigureDatabaseUser(organization_id=organization.upper(), password="another one")
    assert data.GetDatabaseConnection(organization_id=organization) == found


def test_a_password_never_comes_back_and_is_not_kept(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        data = Data(caller)
        data.ConfigureDatabaseUser(organization_id=sandbox.organization_id, password=PASSWORD)
        found = data.GetDatabaseConnection(organization_id=sandbox.organization_id)
        assert PASSWORD not in str(found)
        caller.channel.close()
    assert not any(PASSWORD.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        assert Data(caller).GetDatabaseConnection(organization_id=sandbox.organization_id) == found
        caller.channel.close()


@pytest.mark.parametrize("password", ["", "1234567", "äöüäöüä"])
def test_a_password_has_8_characters(data, password):
    with refused("INVALID_ARGUMENT", "shorter than 8 characters"):
        data.ConfigureDatabaseUser(organization_id=data.sandbox.organization_id, password=password)


@pytest.mark.parametrize("rpc", ["GetDatabaseConnection", "ConfigureDatabaseUser"])
def test_a_database_is_for_owners_of_its_organization(data, foreign_data, caller_with, rpc):
    fields = {"password": PASSWORD} if rpc == "ConfigureDatabaseUser" else {}
    with refused("NOT_FOUND"):
        getattr(data, rpc)(organization_id=NO_UUID, **fields)
    with refused("INVALID_ARGUMENT", "The organization ID is empty"):
        getattr(data, rpc)(**fields)
    operator = Data(caller_with("operator", "organization", data.sandbox.organization_id))
    for caller in (operator, foreign_data):
        with refused("PERMISSION_DENIED", "database"):
            getattr(caller, rpc)(organization_id=data.sandbox.organization_id, **fields)
