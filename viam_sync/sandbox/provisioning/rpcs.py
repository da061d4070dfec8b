"""The RPCs that set up a device over its own hotspot, with a network and credentials.

The service is not part of the cloud: its calls carry no token, and its errors are those of the agent on the device,
which all have the status UNKNOWN.
"""

from __future__ import annotations

from typing import Any, Optional

import grpc

from viam_sync.proto import provisioning as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.provisioning.networks import WIFI, networks_in_reach, try_to_join


class ProvisioningServicer:
    """The RPCs of ProvisioningService."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetNetworkList(self, request: pb.GetNetworkListRequest, caller: Optional[Caller]) -> pb.GetNetworkListResponse:
        """List the networks in reach, with the result of the latest attempt to join one."""
        status = self._status()
        latest = status.latest_connection_attempt
        networks = [latest if network.ssid == latest.ssid else network for network in networks_in_reach()]
        return pb.GetNetworkListResponse(networks=networks)

    def GetSmartMachineStatus(
        self, request: pb.GetSmartMachineStatusRequest, caller: Optional[Caller]
    ) -> pb.GetSmartMachineStatusResponse:
        """Return the status of the setup, with the errors since the last call."""
        status = self._status()
        unread = list(status.errors)
        if unread:
            del status.errors[:]
            self._save("status", status)
            status.errors.extend(unread)
        return status

    def SetNetworkCredentials(
        self, request: pb.SetNetworkCredentialsRequest, caller: Optional[Caller]
    ) -> pb.SetNetworkCredentialsResponse:
        """Save the network to join at the end of the setup."""
        if request.type != WIFI:
            raise _rejected(f"The type of the network is {request.type[:64]!r}; this device knows {WIFI!r} only.")
        self._save("network", request)
        return pb.SetNetworkCredentialsResponse()

    def SetSmartMachineCredentials(
        self, request: pb.SetSmartMachineCredentialsRequest, caller: Optional[Caller]
    ) -> pb.SetSmartMachineCredentialsResponse:
        """Save the credentials to use after the setup."""
        if not request.HasField("cloud"):
            raise _rejected("There are no credentials in the request; give a CloudConfig with the ID of a part.")
        self._save("cloud", request)
        return pb.SetSmartMachineCredentialsResponse()

    def ExitProvisioning(
        self, request: pb.ExitProvisioningRequest, caller: Optional[Caller]
    ) -> pb.ExitProvisioningResponse:
        """End the setup: join the saved network, and use the saved credentials."""
        network, cloud = self._saved("network"), self._saved("cloud")
        status = self._status()
        if network is not None:
            attempt = try_to_join(pb.SetNetworkCredentialsRequest.FromString(network))
            status.latest_connection_attempt.CopyFrom(attempt)
            status.is_online = attempt.connected
            if attempt.last_error:
                status.errors.append(attempt.last_error)
        if cloud is not None:
            status.has_smart_machine_credentials = True
        self._save("status", status)
        self._world.store.run("DELETE FROM device WHERE id IN ('network', 'cloud')")
        return pb.ExitProvisioningResponse()

    def _status(self) -> pb.GetSmartMachineStatusResponse:
        saved = self._saved("status")
        if saved is not None:
            return pb.GetSmartMachineStatusResponse.FromString(saved)
        info = pb.ProvisioningInfo(model="custom", manufacturer="viam")
        return pb.GetSmartMachineStatusResponse(provisioning_info=info, agent_version="sandbox")

    def _saved(self, name: str) -> Optional[bytes]:
        row = self._world.store.row("SELECT body FROM device WHERE id = ?", name)
        return None if row is None else row["body"]

    def _save(self, name: str, message: Any) -> None:
        self._world.store.run("INSERT OR REPLACE INTO device VALUES (?, ?)", name, message.SerializeToString())


def _rejected(text: str) -> CallError:
    return CallError(grpc.StatusCode.UNKNOWN, text)
