"""Every method of every client: called with nothing, it names what it needs before anything is sent."""

import inspect
from typing import Any, Iterator, Tuple

import pytest

from viam_sync.app import viam_client

CLIENTS = ("AppClient", "BillingClient", "DataClient", "MLTrainingClient", "ProvisioningClient")

#: Methods that mean something when they are called with nothing, and what.
MEANT = {
    "AppClient.create_location_secret": "The location of the client.",
    "AppClient.get_location": "The location of the client.",
    "AppClient.iter_registry_items": "Those of all organizations.",
    "AppClient.list_modules": "Those of all organizations.",
    "AppClient.list_robots": "Those of the location of the client.",
    "AppClient.location_auth": "The location of the client.",
    "AppClient.options": "It makes no call.",
    "BillingClient.options": "It makes no call.",
    "DataClient.binary_data_by_filter": "All binary data.",
    "DataClient.bounding_box_labels_by_filter": "The labels of all binary data.",
    "DataClient.create_filter": "It makes no call.",
    "DataClient.delete_tabular_data_by_filter": "It makes no call.",
    "DataClient.iter_binary_data": "All binary data.",
    "DataClient.iter_tabular_data": "All tabular data.",
    "DataClient.options": "It makes no call.",
    "DataClient.tabular_data_by_filter": "All tabular data.",
    "DataClient.tags_by_filter": "The tags of all binary data.",
    "MLTrainingClient.options": "It makes no call.",
    "ProvisioningClient.options": "It makes no call.",
    "ProvisioningClient.set_smart_machine_credentials": "The service says that it needs some.",
}
#: Calls with None or empty texts in place of all arguments that are sent, and why.
SENT = {
    ("DataClient.delete_binary_data_by_filter", None): "None stands for all data, as in the reference.",
    ("AppClient.create_organization", ""): "The reference has the service refuse an empty name.",
    ("AppClient.get_organization_namespace_availability", ""): "The reference has the service refuse it.",
    ("AppClient.get_user_id_by_email", ""): "The service refuses what is no address.",
    ("ProvisioningClient.set_network_credentials", ""): "The service refuses what is no kind of network.",
}


def methods() -> Iterator[Tuple[str, str]]:
    """Yield the clients and the names of their methods, but for those that take a timeout alone."""
    for client in CLIENTS:
        for name, method in inspect.getmembers(getattr(viam_client, client), inspect.isfunction):
            if not name.startswith("_") and inspect.signature(method).parameters.keys() - {"self", "timeout"}:
                yield client, name


NEEDY = [each for each in methods() if ".".join(each) not in MEANT]


@pytest.mark.parametrize(("client", "method"), NEEDY)
def test_a_call_with_nothing_is_refused_by_the_name_of_a_parameter(recorder: Any, client: str, method: str) -> None:
    server, channel = recorder
    call = getattr(getattr(viam_client, client)(channel, {}), method)
    names = inspect.signature(call).parameters.keys() - {"timeout"}
    sent = len(server.calls)
    for nothing in ({}, dict.fromkeys(names, None), dict.fromkeys(names, "")):
        if (f"{client}.{method}", next(iter(nothing.values()), "no arguments")) in SENT:
            continue
        with pytest.raises((TypeError, ValueError)) as caught:
            call(**nothing)
        text = str(caught.value)
        assert any(text.startswith(name) or f"'{name}'" in text for name in names)
    assert len(server.calls) == sent


def test_the_exceptions_are_methods_that_there_are() -> None:
    assert MEANT.keys() | {name for name, _ in SENT} <= {".".join(each) for each in methods()}


@pytest.mark.parametrize(
    ("client", "method", "name"),
    [
        ("AppClient", "rename_key", "name"),
        ("AppClient", "rename_registry_item", "new_name"),
        ("DataClient", "rename_data_pipeline", "name"),
        ("DataClient", "rename_dataset", "name"),
    ],
)
def test_a_new_name_that_is_empty_is_refused(recorder: Any, client: str, method: str, name: str) -> None:
    server, channel = recorder
    sent = len(server.calls)
    with pytest.raises(ValueError, match=f"^{name} is an empty string"):
        getattr(getattr(viam_client, client)(channel, {}), method)("a:b", "")
    assert len(server.calls) == sent
