"""The billing of the sample organization: a card, and three invoices, the last of which is overdue."""

from __future__ import annotations

from viam_sync.proto.app import billing as pb
from viam_sync.sandbox.billing.invoices import OVERDUE, PAID, add_invoice
from viam_sync.sandbox.billing.payment import get_billing_information, save_billing_information
from viam_sync.sandbox.core.world import World

# For each invoice, the days since its date, the subtotal and the tax in US dollars, and the status.
_INVOICES = ((80, 21.4, 4.07, PAID), (50, 18.95, 3.6, PAID), (20, 23.1, 4.39, OVERDUE))


def add_sample_billing(world: World, organization_id: str) -> None:
    """Add a card and invoices to an organization."""
    billing = get_billing_information(world, organization_id)
    billing.type = pb.PaymentMethodType.PAYMENT_METHOD_TYPE_CARD
    billing.method.brand, billing.method.last_four_digits = "visa", "4242"
    save_billing_information(world, organization_id, billing)
    for days_ago, subtotal, tax, status in _INVOICES:
        declined = "The card was declined." if status == OVERDUE else ""
        description = "Machines, cloud storage and uploads of a month"
        add_invoice(
            world, organization_id, description, subtotal, tax, days_ago=days_ago, status=status, failure=declined
        )
