"""ProvisioningService: a device on its own hotspot, which a person gives a network and credentials.

It is no part of the cloud: who reaches the hotspot may call it, without a token, and the errors are those of the agent
on the device, which gives them all the same status.
"""

from __future__ import annotations

from typing import Any, List, Optional

import grpc

from viam_sync.proto import provisioning as pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.errors import CallError
from viam_sync.sandbox.world import World

_WIFI = "wifi"
_OPEN = "--"
_SHORTEST, _LONGEST = 8, 63

# What the device sees from where it stands: names, how they are secured, and how strong they are.
_IN_REACH = (("Workshop", "WPA2", 82), ("Greenhouse", "WPA2", 47), ("Cafe next door", _OPEN, 23))


class Provisioning:
    """The RPCs of ProvisioningService."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetNetworkList(self, request: pb.GetNetworkListRequest, caller: Optional[Caller]) -> pb.GetNetworkListResponse:
        """List the networks in reach, with what became of the attempts to join them."""
        status = self._status()
        tried = status.latest_connection_attempt
        networks = [tried if network.ssid == tried.ssid else network for network in _networks()]
        return pb.GetNetworkListResponse(networks=networks)

    def GetSmartMachineStatus(
        self, request: pb.GetSmartMachineStatusRequest, caller: Optional[Caller]
    ) -> pb.GetSmartMachineStatusResponse:
        """Return how far the setup is, with the errors that nobody has read yet."""
        status = self._status()
        unread = list(status.errors)
        if unread:
            del status.errors[:]
            self._keep("status", status)
            status.errors.extend(unread)
        return status

    def SetNetworkCredentials(
        self, request: pb.SetNetworkCredentialsRequest, caller: Optional[Caller]
    ) -> pb.SetNetworkCredentialsResponse:
        """Take the network that is to be joined at the end of the setup."""
        if request.type != _WIFI:
            raise _refused(f"The type of the network is {request.type[:64]!r}; this device knows {_WIFI!r} only.")
        self._keep("network", request)
        return pb.SetNetworkCredentialsResponse()

    def SetSmartMachineCredentials(
        self, request: pb.SetSmartMachineCredentialsRequest, caller: Optional[Caller]
    ) -> pb.SetSmartMachineCredentialsResponse:
        """Take the credentials that are to be used from the end of the setup on."""
        if not request.HasField("cloud"):
            raise _refused("There are no credentials in the request; give a CloudConfig with the ID of a part.")
        self._keep("cloud", request)
        return pb.SetSmartMachineCredentialsResponse()

    def ExitProvisioning(
        self, request: pb.ExitProvisioningRequest, caller: Optional[Caller]
    ) -> pb.ExitProvisioningResponse:
        """End the setup: join the network and use the credentials that were given, as far as they were."""
        network, cloud = self._kept("network"), self._kept("cloud")
        status = self._status()
        if network is not None:
            attempt = _joined(pb.SetNetworkCredentialsRequest.FromString(network))
            status.latest_connection_attempt.CopyFrom(attempt)
            status.is_online = attempt.connected
            if attempt.last_error:
                status.errors.append(attempt.last_error)
        if cloud is not None:
            status.has_smart_machine_credentials = True
        self._keep("status", status)
        self._world.store.run("DELETE FROM device WHERE id IN ('network', 'cloud')")
        return pb.ExitProvisioningResponse()

    def _status(self) -> pb.GetSmartMachineStatusResponse:
        kept = self._kept("status")
        if kept is not None:
            return pb.GetSmartMachineStatusResponse.FromString(kept)
        info = pb.ProvisioningInfo(model="custom", manufacturer="viam")
        return pb.GetSmartMachineStatusResponse(provisioning_info=info, agent_version="sandbox")

    def _kept(self, name: str) -> Optional[bytes]:
        row = self._world.store.row("SELECT body FROM device WHERE id = ?", name)
        return None if row is None else row["body"]

    def _keep(self, name: str, message: Any) -> None:
        self._world.store.run("INSERT OR REPLACE INTO device VALUES (?, ?)", name, message.SerializeToString())


def _networks() -> List[pb.NetworkInfo]:
    return [
        pb.NetworkInfo(type=_WIFI, ssid=ssid, security=security, signal=signal) for ssid, security, signal in _IN_REACH
    ]


def _joined(wanted: pb.SetNetworkCredentialsRequest) -> pb.NetworkInfo:
    """Return a network after an attempt to join it."""
    for network in _networks():
        if network.ssid == wanted.ssid:
            network.connected = network.security == _OPEN or _SHORTEST <= len(wanted.psk) <= _LONGEST
            if not network.connected:
                network.last_error = (
                    f"The passphrase of the network {wanted.ssid!r} cannot be right: "
                    f"such a one has {_SHORTEST} to {_LONGEST} characters."
                )
            return network
    error = f"No network named {wanted.ssid[:64]!r} is in reach; get_network_list shows those that are."
    return pb.NetworkInfo(type=_WIFI, ssid=wanted.ssid, last_error=error)


def _refused(text: str) -> CallError:
    return CallError(grpc.StatusCode.UNKNOWN, text)
