from typing import Any, Callable

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.provisioning_client import ProvisioningClient
from viam_sync.errors import UnknownError, ViamError
from viam_sync.proto import provisioning as pb
from viam_sync.rpc.dial import Channel


@pytest.fixture
def provisioning(channel: Channel) -> ProvisioningClient:
    return ProvisioningClient(channel, {})


def answering(message: Any) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    return lambda request, context: message.SerializeToString()


def test_the_networks_that_the_machine_sees_are_a_list(server: FakeService, provisioning: ProvisioningClient) -> None:
    networks = [pb.NetworkInfo(type="wifi", ssid="Workshop", signal=71, connected=True), pb.NetworkInfo(ssid="Guests")]
    server.unary["GetNetworkList"] = answering(pb.GetNetworkListResponse(networks=networks))
    found = provisioning.get_network_list()
    assert found == networks
    assert type(found) is list
    (call,) = server.calls
    assert call.method == "/viam.provisioning.v1.ProvisioningService/GetNetworkList"
    assert call.requests == [b""]


def test_the_status_is_the_whole_answer(server: FakeService, provisioning: ProvisioningClient) -> None:
    status = pb.GetSmartMachineStatusResponse(
        provisioning_info=pb.ProvisioningInfo(model="custom", manufacturer="viam"),
        has_smart_machine_credentials=True,
        errors=["no network"],
    )
    server.unary["GetSmartMachineStatus"] = answering(status)
    assert provisioning.get_smart_machine_status() == status
    assert server.calls[0].requests == [b""]


def test_the_errors_that_reading_clears_are_asked_for_once(
    server: FakeService, provisioning: ProvisioningClient
) -> None:
    server.unary["GetSmartMachineStatus"] = refuse(grpc.StatusCode.UNAVAILABLE, "Rebooting.")
    with pytest.raises(ViamError):
        provisioning.get_smart_machine_status()
    assert len(server.calls) == 1


def test_the_network_gets_its_credentials_in_order(server: FakeService, provisioning: ProvisioningClient) -> None:
    server.unary["SetNetworkCredentials"] = answering(pb.SetNetworkCredentialsResponse())
    provisioning.set_network_credentials("wifi", "Workshop", "hush-hush")
    provisioning.set_network_credentials(network_type="wifi", ssid="Workshop", psk="hush-hush")
    wanted = pb.SetNetworkCredentialsRequest(type="wifi", ssid="Workshop", psk="hush-hush")
    assert [pb.SetNetworkCredentialsRequest.FromString(call.requests[0]) for call in server.calls] == [wanted, wanted]


def test_credentials_that_the_agent_refuses_are_not_shown_in_the_error(
    server: FakeService, provisioning: ProvisioningClient
) -> None:
    server.unary["SetNetworkCredentials"] = refuse(grpc.StatusCode.UNKNOWN, "unknown network type: lora")
    with pytest.raises(UnknownError, match="unknown network type: lora") as caught:
        provisioning.set_network_credentials("lora", "Workshop", "hush-hush")
    assert "hush-hush" not in str(caught.value)


def test_the_machine_gets_its_credentials(server: FakeService, provisioning: ProvisioningClient) -> None:
    server.unary["SetSmartMachineCredentials"] = answering(pb.SetSmartMachineCredentialsResponse())
    cloud = pb.CloudConfig(id="m-1", secret="hush-hush", app_address="https://app.viam.com:443")
    provisioning.set_smart_machine_credentials(cloud)
    provisioning.set_smart_machine_credentials(cloud_config=cloud)
    provisioning.set_smart_machine_credentials()
    first, second, empty = (pb.SetSmartMachineCredentialsRequest.FromString(call.requests[0]) for call in server.calls)
    assert first == second == pb.SetSmartMachineCredentialsRequest(cloud=cloud)
    assert not empty.HasField("cloud")


def test_credentials_are_set_again_when_the_agent_was_away(
    server: FakeService, provisioning: ProvisioningClient
) -> None:
    def once_busy(request: bytes, context: grpc.ServicerContext) -> bytes:
        if len(server.calls) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Busy.")
        return b""

    server.unary["SetNetworkCredentials"] = once_busy
    provisioning.set_network_credentials("wifi", "Workshop", "hush-hush")
    assert len(server.calls) == 2


def test_the_setup_is_ended_once(server: FakeService, provisioning: ProvisioningClient) -> None:
    server.unary["ExitProvisioning"] = answering(pb.ExitProvisioningResponse())
    assert provisioning.exit_provisioning(timeout=7) is None  # type: ignore[func-returns-value]
    (call,) = server.calls
    assert call.seconds is not None
    assert 0 < call.seconds <= 7.5
