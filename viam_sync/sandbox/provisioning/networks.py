"""The simulated networks in reach of the device, and attempts to join them."""

from __future__ import annotations

from typing import List

from viam_sync.proto import provisioning as pb

#: The only type of network that the device supports.
WIFI = "wifi"

_OPEN = "--"
_SHORTEST, _LONGEST = 8, 63

# The names, the security and the signal strength of the networks.
_IN_REACH = (("Workshop", "WPA2", 82), ("Greenhouse", "WPA2", 47), ("Cafe next door", _OPEN, 23))


def networks_in_reach() -> List[pb.NetworkInfo]:
    """Return the networks in reach, none of them joined."""
    return [
        pb.NetworkInfo(type=WIFI, ssid=ssid, security=security, signal=signal) for ssid, security, signal in _IN_REACH
    ]


def try_to_join(credentials: pb.SetNetworkCredentialsRequest) -> pb.NetworkInfo:
    """Return a network after an attempt to join it, which fails if its passphrase cannot be valid."""
    ssid = credentials.ssid
    for network in networks_in_reach():
        if network.ssid == ssid:
            network.connected = network.security == _OPEN or _SHORTEST <= len(credentials.psk) <= _LONGEST
            if not network.connected:
                network.last_error = (
                    f"The passphrase of the network {ssid!r} cannot be right: "
                    f"such a one has {_SHORTEST} to {_LONGEST} characters."
                )
            return network
    error = f"No network named {ssid[:64]!r} is in reach; get_network_list shows those that are."
    return pb.NetworkInfo(type=WIFI, ssid=ssid, last_error=error)
