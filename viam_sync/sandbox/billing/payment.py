"""The model of billing information: how organizations pay."""

from __future__ import annotations

from viam_sync.proto.app import billing as pb
from viam_sync.sandbox.billing.costs import TIERS
from viam_sync.sandbox.core.world import World


def get_billing_information(world: World, organization_id: str) -> pb.GetOrgBillingInformationResponse:
    """Return the billing information of an organization; by default its first owner gets the bills."""
    row = world.store.row("SELECT body FROM billing WHERE id = ?", organization_id)
    if row is not None:
        return pb.GetOrgBillingInformationResponse.FromString(row["body"])
    owner = world.store.row(
        "SELECT u.email FROM grants g JOIN users u ON u.id = g.user_id"
        " WHERE g.resource_id = ? AND g.role = 'owner' ORDER BY g.id",
        organization_id,
    )
    return pb.GetOrgBillingInformationResponse(
        billing_email="" if owner is None else owner["email"], billing_tier=next(iter(TIERS))
    )


def save_billing_information(world: World, organization_id: str, billing: pb.GetOrgBillingInformationResponse) -> None:
    """Save the billing information of an organization."""
    values = (organization_id, billing.SerializeToString())
    world.store.run("INSERT OR REPLACE INTO billing VALUES (?, ?)", *values)
