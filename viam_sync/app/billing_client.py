"""BillingClient: usage and invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from viam_sync.app._clients import NamedMethods
from viam_sync.checks import require
from viam_sync.errors import NotSupportedError as NotSupportedError
from viam_sync.proto.app import billing as pb
from viam_sync.services import methods
from viam_sync.services.billing_service import BillingService
from viam_sync.transfer.output.outputs import response_output

if TYPE_CHECKING:
    from viam_sync.gen.reexports.billing_client import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        from viam_sync.gen.reexports import billing_client  # few scripts ask for these names

        return billing_client.__getattr__(name)


__all__ = ["BillingClient"]


class BillingClient(NamedMethods, BillingService):
    """Shows the usage and the invoices of an organization.

    Usually taken from a connected client, as ``client.billing_client``.

    Methods by subject:
        - usage and tiers: get_current_month_usage, get_available_billing_tiers, update_organization_billing_tier
        - invoices: get_invoices_summary, get_invoice_pdf, create_invoice_and_charge_immediately, charge_organization,
          send_payment_required_email
        - who pays: get_org_billing_information, get_location_billing_organization, update_location_billing_organization
        - the client itself: options, service_descriptors

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        tz: The time zone of all datetimes in results; None for UTC without a time zone.

    Example:
        >>> billing = client.billing_client
        >>> billing.get_invoices_summary(sandbox.organization_id).outstanding_balance
        27.49
    """

    _subjects = "usage, invoices"

    def get_current_month_usage(self, org_id: str, timeout: Optional[float] = None) -> pb.GetCurrentMonthUsageResponse:
        """Get the costs of an organization in the current billing period.

        Args:
            org_id: ID of the organization, a UUID.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The costs, by resource and in all, and the dates between which they arose.

        Raises:
            NotFoundError: If there is no such organization.
            PermissionDeniedError: If the caller is no owner of it.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> usage = client.billing_client.get_current_month_usage(sandbox.organization_id)
            >>> usage.per_machine_usage_cost  # for three machines
            6.0
        """
        require(org_id=org_id)
        request = pb.GetCurrentMonthUsageRequest(org_id=org_id)
        response: pb.GetCurrentMonthUsageResponse = self._unary_unary(methods.GET_CURRENT_MONTH_USAGE, request, timeout)
        return response

    def get_invoice_pdf(self, invoice_id: str, org_id: str, dest: str, timeout: Optional[float] = None) -> None:
        """Write an invoice to a file, as PDF.

        The file is written whole or not at all: if anything fails, an older one of that name stays as it was. A link is
        followed, and a device or a pipe is written through.

        Args:
            invoice_id: ID of the invoice; :meth:`get_invoices_summary` has it.
            org_id: ID of the organization, a UUID.
            dest: Path or URL of the file. Its folder must exist; that is checked before anything is asked of the
                service.
            timeout: Seconds that the download may take in all; None for no limit.

        Raises:
            NotFoundError: If the organization or the invoice does not exist.
            PermissionDeniedError: If the caller is no owner of the organization.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
            OSError: If the file cannot be written; where the invoice had come already, the error's attribute
                ``result`` is its contents, as bytes.

        Example:
            >>> summary = client.billing_client.get_invoices_summary(sandbox.organization_id)
            >>> dest = str(folder / "invoice.pdf")
            >>> client.billing_client.get_invoice_pdf(summary.invoices[0].id, sandbox.organization_id, dest)
        """
        require(invoice_id=invoice_id, org_id=org_id)
        destination = response_output(dest)
        request = pb.GetInvoicePdfRequest(id=invoice_id, org_id=org_id)
        with self._unary_stream(methods.GET_INVOICE_PDF, request, timeout) as stream:
            contents = b"".join([response.chunk for response in stream])
        destination.write(contents, result=contents)

    def get_invoices_summary(self, org_id: str, timeout: Optional[float] = None) -> pb.GetInvoicesSummaryResponse:
        """Get the outstanding balance and the invoices of an organization.

        Args:
            org_id: ID of the organization, a UUID.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The balance, and a summary of each invoice: its ID, date, amount and status.

        Raises:
            NotFoundError: If there is no such organization.
            PermissionDeniedError: If the caller is no owner of it.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> summary = client.billing_client.get_invoices_summary(sandbox.organization_id)
            >>> [invoice.status for invoice in summary.invoices]
            ['overdue', 'paid', 'paid']
        """
        require(org_id=org_id)
        request = pb.GetInvoicesSummaryRequest(org_id=org_id)
        response: pb.GetInvoicesSummaryResponse = self._unary_unary(methods.GET_INVOICES_SUMMARY, request, timeout)
        return response

    def get_org_billing_information(
        self, org_id: str, timeout: Optional[float] = None
    ) -> pb.GetOrgBillingInformationResponse:
        """Get the payment method, billing email and billing tier of an organization.

        Args:
            org_id: ID of the organization, a UUID.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            How the organization pays. The tier is only there for those who manage billing.

        Raises:
            NotFoundError: If there is no such organization.
            PermissionDeniedError: If the caller is no owner of it.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> information = client.billing_client.get_org_billing_information(sandbox.organization_id)
            >>> information.method.brand, information.method.last_four_digits
            ('visa', '4242')
        """
        require(org_id=org_id)
        request = pb.GetOrgBillingInformationRequest(org_id=org_id)
        response: pb.GetOrgBillingInformationResponse = self._unary_unary(
            methods.GET_ORG_BILLING_INFORMATION, request, timeout
        )
        return response
