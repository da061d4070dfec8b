"""How the sample organization pays: a card, and three invoices of which the last could not be collected."""

from __future__ import annotations

from viam_sync.proto.app import billing as pb
from viam_sync.sandbox.billing import billing_of, keep_billing
from viam_sync.sandbox.invoices import OVERDUE, PAID, add_invoice
from viam_sync.sandbox.world import World

# Days ago, subtotal and tax in US dollars, and what became of it.
_INVOICES = ((80, 21.4, 4.07, PAID), (50, 18.95, 3.6, PAID), (20, 23.1, 4.39, OVERDUE))


def add_sample_billing(world: World, organization_id: str) -> None:
    """Give an organization a card and invoices."""
    billing = billing_of(world, organization_id)
    billing.type = pb.PaymentMethodType.PAYMENT_METHOD_TYPE_CARD
    billing.method.brand, billing.method.last_four_digits = "visa", "4242"
    keep_billing(world, organization_id, billing)
    for days_ago, subtotal, tax, status in _INVOICES:
        declined = "The card was declined." if status == OVERDUE else ""
        description = "Machines, cloud storage and uploads of a month"
        add_invoice(
            world, organization_id, description, subtotal, tax, days_ago=days_ago, status=status, failure=declined
        )
