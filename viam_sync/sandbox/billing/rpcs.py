"""The RPCs about billing: usage, payment, invoices and charges."""

from __future__ import annotations

from typing import Iterator, Union

import grpc

from viam_sync.proto.app import billing as pb
from viam_sync.sandbox.billing.costs import TIERS, month_usage
from viam_sync.sandbox.billing.invoices import PAID, add_invoice, invoices_of, render_invoice
from viam_sync.sandbox.billing.payment import get_billing_information, save_billing_information
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import checked_id, required
from viam_sync.sandbox.core.world import World

_CHUNK = 32 * 1024
_LONGEST_DESCRIPTION = 1000
_MOST = 1_000_000_000.0


class BillingServicer:
    """The RPCs of BillingService, which only owners of organizations may call."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetCurrentMonthUsage(
        self, request: pb.GetCurrentMonthUsageRequest, caller: Caller
    ) -> pb.GetCurrentMonthUsageResponse:
        """Return the usage and the costs of an organization in the current month."""
        organization_id = self._owned(request.org_id, caller)
        return month_usage(
            self._world, organization_id, get_billing_information(self._world, organization_id).billing_tier
        )

    def GetOrgBillingInformation(
        self, request: pb.GetOrgBillingInformationRequest, caller: Caller
    ) -> pb.GetOrgBillingInformationResponse:
        """Return the payment method, the address for bills, and the tier of an organization."""
        return get_billing_information(self._world, self._owned(request.org_id, caller))

    def GetInvoicesSummary(
        self, request: pb.GetInvoicesSummaryRequest, caller: Caller
    ) -> pb.GetInvoicesSummaryResponse:
        """Return the invoices of an organization, newest first, and its outstanding balance."""
        invoices = invoices_of(self._world, self._owned(request.org_id, caller))
        owed = round(sum(invoice.invoice_amount for invoice in invoices if invoice.status != PAID), 2)
        return pb.GetInvoicesSummaryResponse(outstanding_balance=owed, invoices=invoices)

    def GetInvoicePdf(
        self, request: pb.GetInvoicePdfRequest, caller: Caller, context: grpc.ServicerContext
    ) -> Iterator[pb.GetInvoicePdfResponse]:
        """Send an invoice as a PDF file, in chunks."""
        with self._world.store.transaction():
            id = required(request.id, "The ID of the invoice").lower()
            organization = self._world.organization(request.org_id)
            sql = "SELECT * FROM invoices WHERE id = ? AND organization_id = ?"
            row = self._world.store.row(sql, id, organization.id)
            if row is None:
                raise not_found(
                    f"The organization {organization.name!r} has no invoice with the ID {id[:64]!r}; "
                    "get_invoices_summary shows those that it has."
                )
            self._owned(organization.id, caller)
            file = render_invoice(self._world, row)
        for start in range(0, len(file), _CHUNK):
            yield pb.GetInvoicePdfResponse(chunk=file[start : start + _CHUNK])

    def SendPaymentRequiredEmail(
        self, request: pb.SendPaymentRequiredEmailRequest, caller: Caller
    ) -> pb.SendPaymentRequiredEmailResponse:
        """Check the request; the sandbox sends no e-mails."""
        checked_id("organization", request.billing_owner_org_id)
        self._world.organization(request.customer_org_id)
        self._owned(request.billing_owner_org_id, caller)
        return pb.SendPaymentRequiredEmailResponse()

    def GetAvailableBillingTiers(
        self, request: pb.GetAvailableBillingTiersRequest, caller: Caller
    ) -> pb.GetAvailableBillingTiersResponse:
        """List the billing tiers."""
        return pb.GetAvailableBillingTiersResponse(tiers=list(TIERS))

    def UpdateOrganizationBillingTier(
        self, request: pb.UpdateOrganizationBillingTierRequest, caller: Caller
    ) -> pb.UpdateOrganizationBillingTierResponse:
        """Set the billing tier of an organization."""
        if request.billing_tier not in TIERS:
            raise invalid_argument(
                f"{request.billing_tier[:64]!r} is not a billing tier; choose one of {', '.join(TIERS)}."
            )
        organization_id = self._owned(request.organization_id, caller)
        billing = get_billing_information(self._world, organization_id)
        billing.billing_tier = request.billing_tier
        save_billing_information(self._world, organization_id, billing)
        return pb.UpdateOrganizationBillingTierResponse()

    def GetLocationBillingOrganization(
        self, request: pb.GetLocationBillingOrganizationRequest, caller: Caller
    ) -> pb.GetLocationBillingOrganizationResponse:
        """Return the organization that pays for a location."""
        location = self._world.location(request.location_id)
        owner = self._owned(self._world.organization_of(location.id), caller)
        row = self._world.store.row("SELECT organization_id FROM payers WHERE location_id = ?", location.id)
        return pb.GetLocationBillingOrganizationResponse(
            billing_organization_id=owner if row is None else row["organization_id"]
        )

    def UpdateLocationBillingOrganization(
        self, request: pb.UpdateLocationBillingOrganizationRequest, caller: Caller
    ) -> pb.UpdateLocationBillingOrganizationResponse:
        """Set the organization that pays for a location: its own, or one that it is shared with."""
        checked_id("organization", request.billing_organization_id)
        location = self._world.location(request.location_id)
        payer = self._world.organization(request.billing_organization_id)
        owner = self._owned(self._world.organization_of(location.id), caller)
        self._owned(payer.id, caller)
        self._world.store.run("DELETE FROM payers WHERE location_id = ?", location.id)
        if payer.id != owner:
            shared = "SELECT 1 FROM shares WHERE location_id = ? AND organization_id = ?"
            if self._world.store.row(shared, location.id, payer.id) is None:
                raise failed_precondition(
                    f"The location {location.name!r} is not shared with the organization {payer.name!r}, which is to "
                    "pay for it; share it first (share_location)."
                )
            self._world.store.insert("payers", location_id=location.id, organization_id=payer.id)
        return pb.UpdateLocationBillingOrganizationResponse()

    def ChargeOrganization(
        self, request: pb.ChargeOrganizationRequest, caller: Caller
    ) -> pb.ChargeOrganizationResponse:
        """Charge an organization an amount and its tax, with a paid invoice."""
        return pb.ChargeOrganizationResponse(
            invoice_id=self._charge(request, caller, _amount("subtotal", request.subtotal), _amount("tax", request.tax))
        )

    def CreateInvoiceAndChargeImmediately(
        self, request: pb.CreateInvoiceAndChargeImmediatelyRequest, caller: Caller
    ) -> pb.CreateInvoiceAndChargeImmediatelyResponse:
        """Charge an organization an amount, with a paid invoice."""
        return pb.CreateInvoiceAndChargeImmediatelyResponse(
            invoice_id=self._charge(request, caller, _amount("amount", request.amount), 0.0)
        )

    def _owned(self, organization_id: str, caller: Caller) -> str:
        """Return the ID of an organization that the caller owns."""
        organization = self._world.organization(organization_id)
        caller.require("write_organization", "organization", organization.id)
        return organization.id

    def _charge(
        self,
        request: Union[pb.ChargeOrganizationRequest, pb.CreateInvoiceAndChargeImmediatelyRequest],
        caller: Caller,
        subtotal: float,
        tax: float,
    ) -> str:
        if len(request.description) > _LONGEST_DESCRIPTION:
            raise invalid_argument(
                f"The description has {len(request.description)} characters; use at most {_LONGEST_DESCRIPTION}."
            )
        checked_id("organization", request.org_id_to_charge)
        if request.HasField("org_id_for_branding"):
            self._world.organization(request.org_id_for_branding)
        organization_id = self._owned(request.org_id_to_charge, caller)
        return add_invoice(self._world, organization_id, request.description, subtotal, tax).id


def _amount(what: str, value: float) -> float:
    if not 0 <= value <= _MOST:  # is false for NaN, too
        raise invalid_argument(f"{what} is {value}; give an amount from 0 to {_MOST:,.0f} US dollars.")
    return value
