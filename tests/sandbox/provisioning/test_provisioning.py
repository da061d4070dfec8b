import grpc
import pytest

from sandbox.calls import call, refused
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import UnknownError
from viam_sync.proto.provisioning import CloudConfig
from viam_sync.sandbox import Sandbox

PROVISIONING = "viam.provisioning.v1.ProvisioningService"
WIFI = {"type": "wifi", "ssid": "Workshop", "psk": "correct horse"}


@pytest.fixture
def device(sandbox):
    """Make calls without a token, as one does on the hotspot of a device."""
    with grpc.insecure_channel(sandbox.address) as channel:
        yield lambda rpc, **fields: call(channel, rpc, PROVISIONING, **fields)


def networks(device):
    return {network.ssid: network for network in device("GetNetworkList").networks}


def test_a_new_device_says_what_it_is_and_has_nothing(device):
    status = device("GetSmartMachineStatus")
    assert (status.provisioning_info.model, status.provisioning_info.manufacturer) == ("custom", "viam")
    assert (status.has_smart_machine_credentials, status.is_online, list(status.errors)) == (False, False, [])
    assert not status.HasField("latest_connection_attempt")


def test_a_device_sees_networks(device):
    seen = networks(device)
    assert list(seen) == ["Workshop", "Greenhouse", "Cafe next door"]
    assert all(each.type == "wifi" and 0 < each.signal <= 100 and not each.connected for each in seen.values())


def test_the_network_and_the_credentials_are_used_at_the_end_of_the_setup(sandbox, device):
    before = device("GetSmartMachineStatus")
    device("SetNetworkCredentials", **WIFI)
    device("SetSmartMachineCredentials", cloud={"id": sandbox.robot_part_id, "secret": "s", "app_address": sandbox.url})
    assert device("GetSmartMachineStatus") == before
    device("ExitProvisioning")
    status = device("GetSmartMachineStatus")
    assert (status.has_smart_machine_credentials, status.is_online, list(status.errors)) == (True, True, [])
    assert (status.latest_connection_attempt.ssid, status.latest_connection_attempt.connected) == ("Workshop", True)
    assert [ssid for ssid, network in networks(device).items() if network.connected] == ["Workshop"]
    device("ExitProvisioning")
    assert device("GetSmartMachineStatus") == status


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"psk": "secret1"}, "The passphrase of the network 'Workshop' cannot be right"),
        ({"psk": ""}, "The passphrase of the network 'Workshop' cannot be right"),
        ({"ssid": "Nowhere"}, "No network named 'Nowhere' is in reach"),
        ({"ssid": "\0" * 10_000}, "No network named "),
    ],
)
def test_a_network_that_cannot_be_joined_is_an_error_that_is_read_once(device, given, text):
    device("SetNetworkCredentials", **{**WIFI, **given})
    device("ExitProvisioning")
    first, second = device("GetSmartMachineStatus"), device("GetSmartMachineStatus")
    assert len(first.errors) == 1
    assert text in first.errors[0]
    assert not second.errors
    assert "secret1" not in first.errors[0]
    assert not first.is_online
    assert second.latest_connection_attempt.last_error == first.errors[0]


def test_errors_add_up_until_they_are_read(device):
    for ssid in ("one", "two"):
        device("SetNetworkCredentials", **{**WIFI, "ssid": ssid})
        device("ExitProvisioning")
    assert [error.split("'")[1] for error in device("GetSmartMachineStatus").errors] == ["one", "two"]


def test_an_open_network_takes_no_passphrase(device):
    device("SetNetworkCredentials", type="wifi", ssid="Cafe next door")
    device("ExitProvisioning")
    assert device("GetSmartMachineStatus").is_online


def test_the_last_network_given_counts(device):
    device("SetNetworkCredentials", **{**WIFI, "ssid": "Nowhere"})
    device("SetNetworkCredentials", **WIFI)
    device("ExitProvisioning")
    assert not device("GetSmartMachineStatus").errors


def test_credentials_alone_do_not_bring_a_device_online(device):
    device("SetSmartMachineCredentials", cloud={})
    device("ExitProvisioning")
    status = device("GetSmartMachineStatus")
    assert (status.has_smart_machine_credentials, status.is_online) == (True, False)


@pytest.mark.parametrize("type", ["", "wired", "WIFI", "\0" * 1000])
def test_the_errors_of_an_agent_have_no_better_status_than_unknown(device, type):
    with refused("UNKNOWN", "this device knows 'wifi' only"):
        device("SetNetworkCredentials", **{**WIFI, "type": type})
    with refused("UNKNOWN", "There are no credentials in the request"):
        device("SetSmartMachineCredentials")


def test_a_token_that_is_no_longer_good_does_not_matter_to_a_device(sandbox):
    with grpc.insecure_channel(sandbox.address) as channel:
        call(channel, "GetNetworkList", PROVISIONING, [("authorization", "Bearer old")])


def test_a_device_remembers_over_a_restart(tmp_path):
    for online in (False, True):
        with Sandbox(tmp_path) as sandbox, grpc.insecure_channel(sandbox.address) as channel:
            assert call(channel, "GetSmartMachineStatus", PROVISIONING).is_online == online
            call(channel, "SetNetworkCredentials", PROVISIONING, **WIFI)
            call(channel, "ExitProvisioning", PROVISIONING)


def test_the_real_client_sets_up_a_device(sandbox):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        device = client.provisioning_client
        device.set_network_credentials("wifi", device.get_network_list()[0].ssid, "correct horse")
        device.set_smart_machine_credentials(CloudConfig(id=sandbox.robot_part_id, secret="s", app_address=sandbox.url))
        device.exit_provisioning()
        assert device.get_smart_machine_status().is_online
        with pytest.raises(UnknownError):
            device.set_network_credentials("wired", "", "")
        with pytest.raises(UnknownError):
            device.set_smart_machine_credentials()
