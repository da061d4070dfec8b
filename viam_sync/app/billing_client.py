"""BillingClient: usage and invoices."""

from viam_sync.app.billing import UsageAndInvoices
from viam_sync.services.billing_service import BillingService

__all__ = ["BillingClient"]


class BillingClient(UsageAndInvoices, BillingService):
    """Tells what an organization uses and owes.

    Usually taken from a connected client, as ``client.billing_client``.

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.

    Example:
        >>> billing = client.billing_client
        >>> billing.get_invoices_summary(sandbox.organization_id).outstanding_balance
        27.49
    """
