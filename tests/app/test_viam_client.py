import inspect
from typing import Any, Optional

import pytest
from servers import KEY_ID, FakeService

from viam_sync.app import _links, viam_client
from viam_sync.app.viam_client import (
    AppClient,
    BillingClient,
    Credentials,
    DataClient,
    DialOptions,
    MLTrainingClient,
    ProvisioningClient,
    ViamClient,
)
from viam_sync.errors import NotFoundError, UnauthenticatedError
from viam_sync.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("no_variables")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DialOptions(), r"no credentials; use DialOptions.with_api_key"),
        (DialOptions(credentials=Credentials("api-key", "")), r"no credentials"),
        (DialOptions(credentials=Credentials("api-key", "x")), r"no auth_entity; it takes the ID of the API key"),
        (DialOptions(credentials=Credentials("robot-secret", "x"), auth_entity="e"), r"robot-secret opens one machine"),
    ],
)
def test_options_that_lack_something_are_refused_before_anything_is_sent(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ViamClient.create_from_dial_options(options, "http://127.0.0.1:1")


@pytest.mark.parametrize("missing", ["VIAM_API_KEY", "VIAM_API_KEY_ID"])
def test_a_missing_variable_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_API_KEY", "key")
    monkeypatch.setenv("VIAM_API_KEY_ID", KEY_ID)
    monkeypatch.delenv(missing)
    with pytest.raises(ValueError, match=f"the environment variable {missing} is missing; set it"):
        ViamClient.create_from_env_vars()


@pytest.mark.parametrize("around", ["{}\n", " {}\r\n"])
def test_white_space_around_what_the_environment_says_is_left_out(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    monkeypatch.setenv("VIAM_API_KEY", around.format(sandbox.api_key))
    monkeypatch.setenv("VIAM_API_KEY_ID", around.format(sandbox.api_key_id))
    monkeypatch.setenv("VIAM_APP_URL", around.format(sandbox.url))
    with ViamClient.create_from_env_vars() as client:
        assert client.app_client.get_organization(sandbox.organization_id).id == sandbox.organization_id


def test_a_key_in_quotation_marks_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    # Docker keeps the quotation marks of a file of variables.
    monkeypatch.setenv("VIAM_API_KEY", '"key"')
    monkeypatch.setenv("VIAM_API_KEY_ID", KEY_ID)
    with pytest.raises(ValueError, match=r"^VIAM_API_KEY has quotation marks or brackets around it"):
        ViamClient.create_from_env_vars()


def test_the_environment_is_enough(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
    monkeypatch.setenv("VIAM_APP_URL", sandbox.url)
    with ViamClient.create_from_env_vars() as client:
        assert client.app_client.get_organization(sandbox.organization_id).id == sandbox.organization_id


def test_options_beside_the_environment_keep_all_but_the_credentials(
    server: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIAM_API_KEY", "key")
    monkeypatch.setenv("VIAM_API_KEY_ID", KEY_ID)
    with ViamClient.create_from_env_vars(DialOptions(timeout=7, insecure=True), server.address):
        pass
    (call,) = server.calls
    assert call.seconds is not None
    assert call.seconds < 8


def test_an_app_url_goes_before_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
    monkeypatch.setenv("VIAM_APP_URL", "http://127.0.0.1:1")
    ViamClient.create_from_env_vars(app_url=sandbox.url).close()


def test_options_without_an_address_reach_the_one_in_the_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIAM_APP_URL", f" {sandbox.url}\n")
    with ViamClient.create_from_dial_options(sandbox.dial_options()) as client:
        assert client.app_client.get_organization(sandbox.organization_id).id == sandbox.organization_id
    monkeypatch.setenv("VIAM_APP_URL", "http://127.0.0.1:1")
    ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url).close()


@pytest.mark.parametrize("variable", [None, "", " "], ids=["not set", "empty", "blank"])
def test_options_without_any_address_reach_the_cloud(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: Optional[str]
) -> None:
    monkeypatch.setattr(_links, "CLOUD", sandbox.url)
    if variable is not None:
        monkeypatch.setenv("VIAM_APP_URL", variable)
    ViamClient.create_from_dial_options(sandbox.dial_options()).close()


def test_the_five_clients_share_the_connection(client: ViamClient) -> None:
    kinds = {
        "app_client": AppClient,
        "billing_client": BillingClient,
        "data_client": DataClient,
        "ml_training_client": MLTrainingClient,
        "provisioning_client": ProvisioningClient,
    }
    for name, kind in kinds.items():
        assert type(getattr(client, name)) is kind
        assert getattr(client, name) is getattr(client, name)


@pytest.mark.parametrize("kind", [AppClient, BillingClient, DataClient, MLTrainingClient, ProvisioningClient])
def test_the_clients_keep_the_constructors_of_the_reference(kind: Any) -> None:
    parameters = inspect.signature(kind).parameters
    names = [name for name, parameter in parameters.items() if parameter.kind is not parameter.KEYWORD_ONLY]
    assert names == ["channel", "metadata", *(["location_id"] if kind is AppClient else [])]
    assert parameters.keys() - {*names} == {"tz"}


def test_the_module_hands_on_the_names_of_the_reference() -> None:
    assert not {
        "LOGGER", "AppClient", "BillingClient", "DataClient", "MLTrainingClient", "ProvisioningClient", "DialOptions",
        "ViamClient",
    } - set(dir(viam_client))  # fmt: skip
    assert viam_client.LOGGER.name == "viam_sync.app.viam_client"


def test_a_location_secret_brings_the_location_with_it(sandbox: Sandbox, app: AppClient) -> None:
    secret = app.location_auth(sandbox.location_id).secrets[0].secret
    part = app.get_robot_part(sandbox.robot_part_id)
    options = DialOptions(
        auth_entity=part.fqdn, credentials=Credentials("robot-location-secret", secret), insecure=True
    )
    with ViamClient.create_from_dial_options(options, sandbox.address) as client:
        assert client.app_client.get_location().id == sandbox.location_id


def test_a_key_that_was_deleted_is_refused_at_the_next_call(sandbox: Sandbox, app: AppClient) -> None:
    key, key_id = app.create_key_from_existing_key_authorizations(sandbox.api_key_id)
    with ViamClient.create_from_dial_options(DialOptions.with_api_key(key, key_id), sandbox.url) as other:
        app.delete_key(key_id)
        with pytest.raises(UnauthenticatedError):
            other.app_client.list_organizations()


def test_an_unknown_organization_is_one_clear_error(app: AppClient) -> None:
    with pytest.raises(NotFoundError, match="list_organizations") as caught:
        app.get_organization("00000000-0000-4000-8000-000000000000")
    assert caught.value.__context__ is None
