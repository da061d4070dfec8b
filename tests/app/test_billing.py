import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Tuple

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.billing_client import BillingClient
from viam_sync.errors import GRPCError, NotFoundError, ViamError
from viam_sync.proto.app import billing as pb
from viam_sync.rpc.dial import Channel, parse_address

ORG = "0c1d2e3f-4a5b-4c6d-8e7f-901a2b3c4d5e"
PDF = [b"%PDF-1.7\n", b"", b"\x00\xff" * 9, b"%%EOF"]

Call = Callable[[BillingClient], Any]


@pytest.fixture
def billing(channel: Channel) -> BillingClient:
    return BillingClient(channel, {"authorization": "Bearer token"})


def chunks(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    for chunk in PDF:
        yield pb.GetInvoicePdfResponse(chunk=chunk).SerializeToString()


def broken(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    yield pb.GetInvoicePdfResponse(chunk=PDF[0]).SerializeToString()
    context.abort(grpc.StatusCode.INTERNAL, "The printer is on fire.")


USAGE = pb.GetCurrentMonthUsageResponse(subtotal=12.5, cloud_storage_usage_cost=3)
INFORMATION = pb.GetOrgBillingInformationResponse(billing_email="a@example.com", billing_tier="gold")
SUMMARY = pb.GetInvoicesSummaryResponse(outstanding_balance=7, invoices=[pb.InvoiceSummary(id="i-1", status="paid")])
READS: Dict[str, Tuple[str, Any, Any]] = {
    "get_current_month_usage": ("GetCurrentMonthUsage", pb.GetCurrentMonthUsageRequest(org_id=ORG), USAGE),
    "get_org_billing_information": (
        "GetOrgBillingInformation",
        pb.GetOrgBillingInformationRequest(org_id=ORG),
        INFORMATION,
    ),
    "get_invoices_summary": ("GetInvoicesSummary", pb.GetInvoicesSummaryRequest(org_id=ORG), SUMMARY),
}


@pytest.mark.parametrize("name", READS)
def test_a_read_sends_the_organization_and_returns_the_whole_answer(
    name: str, server: FakeService, billing: BillingClient
) -> None:
    rpc, request, answer = READS[name]
    server.unary[rpc] = lambda request, context: answer.SerializeToString()
    assert getattr(billing, name)(ORG) == answer
    (call,) = server.calls
    assert call.method == f"/viam.app.v1.BillingService/{rpc}"
    assert call.metadata["authorization"] == "Bearer token"
    assert type(request).FromString(call.requests[0]) == request


@pytest.mark.parametrize("name", READS)
def test_the_timeout_may_be_given_in_its_place(name: str, server: FakeService, billing: BillingClient) -> None:
    rpc, _, answer = READS[name]
    server.unary[rpc] = lambda request, context: answer.SerializeToString()
    getattr(billing, name)(ORG, 7)
    getattr(billing, name)(ORG, timeout=7)
    for call in server.calls:
        assert call.seconds is not None
        assert 0 < call.seconds <= 7.5


def test_an_invoice_is_written_chunk_after_chunk(server: FakeService, billing: BillingClient, tmp_path: Path) -> None:
    server.stream["GetInvoicePdf"] = chunks
    billing.get_invoice_pdf("i-1", ORG, str(tmp_path / "invoice.pdf"), 7)
    assert (tmp_path / "invoice.pdf").read_bytes() == b"".join(PDF)
    assert list(tmp_path.iterdir()) == [tmp_path / "invoice.pdf"]
    (call,) = server.calls
    assert call.method == "/viam.app.v1.BillingService/GetInvoicePdf"
    assert pb.GetInvoicePdfRequest.FromString(call.requests[0]) == pb.GetInvoicePdfRequest(id="i-1", org_id=ORG)
    assert call.seconds is not None
    assert 0 < call.seconds <= 7.5


def test_an_invoice_that_breaks_off_leaves_no_file(server: FakeService, billing: BillingClient, tmp_path: Path) -> None:
    server.stream["GetInvoicePdf"] = broken
    with pytest.raises(GRPCError, match="on fire"):
        billing.get_invoice_pdf("i-1", ORG, str(tmp_path / "invoice.pdf"))
    assert list(tmp_path.iterdir()) == []


def test_an_invoice_that_breaks_off_leaves_the_older_file_as_it_was(
    server: FakeService, billing: BillingClient, tmp_path: Path
) -> None:
    (tmp_path / "invoice.pdf").write_bytes(b"older")
    server.stream["GetInvoicePdf"] = broken
    with pytest.raises(GRPCError, match="on fire"):
        billing.get_invoice_pdf("i-1", ORG, str(tmp_path / "invoice.pdf"))
    assert (tmp_path / "invoice.pdf").read_bytes() == b"older"


def test_an_invoice_that_is_not_there_leaves_no_file(
    server: FakeService, billing: BillingClient, tmp_path: Path
) -> None:
    server.unary["GetInvoicePdf"] = refuse(grpc.StatusCode.NOT_FOUND, "No such invoice.")
    with pytest.raises(NotFoundError, match="No such invoice"):
        billing.get_invoice_pdf("i-1", ORG, str(tmp_path / "invoice.pdf"))
    assert list(tmp_path.iterdir()) == []


def test_a_destination_that_cannot_be_written_is_found_before_anything_is_asked(
    server: FakeService, billing: BillingClient, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        billing.get_invoice_pdf("i-1", ORG, str(tmp_path / "absent" / "invoice.pdf"))
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        billing.get_invoice_pdf("i-1", ORG, str(tmp_path))
    assert server.calls == []


def test_an_invoice_is_not_lost_when_its_file_cannot_be_written(
    server: FakeService, billing: BillingClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    server.stream["GetInvoicePdf"] = chunks
    with pytest.raises(OSError, match="No space left") as caught:
        billing.get_invoice_pdf("i-1", ORG, str(tmp_path / "invoice.pdf"))
    assert caught.value.result == b"".join(PDF)  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_a_charge_sends_what_it_was_given_and_nothing_else(server: FakeService, billing: BillingClient) -> None:
    answer = pb.ChargeOrganizationResponse(invoice_id="i-2")
    server.unary["ChargeOrganization"] = lambda request, context: answer.SerializeToString()
    assert billing.charge_organization(ORG, 10.5, 2.5) == answer
    assert billing.charge_organization(ORG, 10.5, 2.5, "rent", "brand", True).invoice_id == "i-2"
    least, most = (pb.ChargeOrganizationRequest.FromString(call.requests[0]) for call in server.calls)
    assert least == pb.ChargeOrganizationRequest(org_id_to_charge=ORG, subtotal=10.5, tax=2.5)
    assert not least.HasField("description")
    assert most == pb.ChargeOrganizationRequest(
        org_id_to_charge=ORG,
        subtotal=10.5,
        tax=2.5,
        description="rent",
        org_id_for_branding="brand",
        disable_confirmation_email=True,
    )


CHARGES: Dict[str, Call] = {
    "ChargeOrganization": lambda billing: billing.charge_organization(ORG, 10.5, 2.5),
    "CreateInvoiceAndChargeImmediately": lambda billing: billing.create_invoice_and_charge_immediately(ORG, 10.5),
}


@pytest.mark.parametrize("rpc", CHARGES)
def test_no_customer_is_charged_twice(rpc: str, server: FakeService) -> None:
    server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "Gone in the middle.")
    with Channel(parse_address(server.url), 3) as channel, pytest.raises(ViamError):
        CHARGES[rpc](BillingClient(channel, {}))
    assert len(server.named(rpc)) == 1


OTHERS: Dict[str, Tuple[Call, Any, Any, Any]] = {
    "SendPaymentRequiredEmail": (
        lambda billing: billing.send_payment_required_email("customer", "owner"),
        pb.SendPaymentRequiredEmailRequest(customer_org_id="customer", billing_owner_org_id="owner"),
        pb.SendPaymentRequiredEmailResponse(),
        None,
    ),
    "GetAvailableBillingTiers": (
        lambda billing: billing.get_available_billing_tiers(),
        pb.GetAvailableBillingTiersRequest(),
        pb.GetAvailableBillingTiersResponse(tiers=["gold", "silver"]),
        ["gold", "silver"],
    ),
    "UpdateOrganizationBillingTier": (
        lambda billing: billing.update_organization_billing_tier(ORG, "gold"),
        pb.UpdateOrganizationBillingTierRequest(organization_id=ORG, billing_tier="gold"),
        pb.UpdateOrganizationBillingTierResponse(),
        None,
    ),
    "GetLocationBillingOrganization": (
        lambda billing: billing.get_location_billing_organization("abcdefghij"),
        pb.GetLocationBillingOrganizationRequest(location_id="abcdefghij"),
        pb.GetLocationBillingOrganizationResponse(billing_organization_id=ORG),
        ORG,
    ),
    "UpdateLocationBillingOrganization": (
        lambda billing: billing.update_location_billing_organization("abcdefghij", ORG),
        pb.UpdateLocationBillingOrganizationRequest(location_id="abcdefghij", billing_organization_id=ORG),
        pb.UpdateLocationBillingOrganizationResponse(),
        None,
    ),
}


@pytest.mark.parametrize("rpc", OTHERS)
def test_the_newer_methods_take_their_arguments_in_order(rpc: str, server: FakeService, billing: BillingClient) -> None:
    call, request, answer, result = OTHERS[rpc]
    server.unary[rpc] = lambda request, context: answer.SerializeToString()
    assert call(billing) == result
    assert type(request).FromString(server.calls[0].requests[0]) == request
