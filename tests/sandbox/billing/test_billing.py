import datetime as dt
import re

import pytest

from sandbox.calls import Caller, call, refused
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import NotFoundError
from viam_sync.messages.pool import message, pool
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.billing.invoices import add_invoice, render_invoice
from viam_sync.sandbox.billing.pdf import Line, render_page

BILLING = "viam.app.v1.BillingService"
NOBODY = "00000000-0000-4000-8000-000000000000"
READING = ("GetCurrentMonthUsage", "GetOrgBillingInformation", "GetInvoicesSummary")


def bill(caller, rpc, **fields):
    return call(caller.channel, rpc, BILLING, caller.metadata, **fields)


def usage(caller, **fields):
    return bill(caller, "GetCurrentMonthUsage", org_id=caller.sandbox.organization_id, **fields)


def invoices(caller):
    return bill(caller, "GetInvoicesSummary", org_id=caller.sandbox.organization_id)


def charge(caller, **fields):
    given = {"org_id_to_charge": caller.sandbox.organization_id, "subtotal": 10, "tax": 1.9}
    return bill(caller, "ChargeOrganization", **{**given, **fields}).invoice_id


def pdf(caller, id, organization_id=None):
    """Return the pieces of an invoice."""
    method = pool().FindMethodByName(f"{BILLING}.GetInvoicePdf")
    send = caller.channel.unary_stream(
        f"/{BILLING}/GetInvoicePdf",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message(method.output_type).FromString,
    )
    request = message(method.input_type)(id=id, org_id=organization_id or caller.sandbox.organization_id)
    return [response.chunk for response in send(request, metadata=caller.metadata, timeout=10)]


def texts(file):
    """Return the lines of a PDF file, after a look at its structure."""
    assert file.startswith(b"%PDF-1.4\n")
    assert file.endswith(b"\n%%EOF\n")
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", file).group(1))
    first, *entries = (
        re.fullmatch(rb"xref\n0 6\n((?:.{18} \n){6})trailer\n.*", file[start:], re.DOTALL).group(1).splitlines()
    )
    assert first == b"0000000000 65535 f "
    for number, entry in enumerate(entries, 1):
        assert file[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    length, content = re.search(rb"<< /Length (\d+) >>\nstream\n(.*)\nendstream", file, re.DOTALL).groups()
    assert int(length) == len(content)
    found = re.findall(rb"^BT /F1 \d+ Tf 60 [0-9.]+ Td \((.*)\) Tj ET$", content, re.MULTILINE)
    assert len(found) == content.count(b"\n") + 1
    return [re.sub(rb"\\(.)", rb"\1", each).decode("cp1252") for each in found]


def test_the_sample_organization_has_paid_two_invoices_and_owes_the_third(sandbox, owner):
    summary = invoices(owner)
    assert [invoice.status for invoice in summary.invoices] == ["overdue", "paid", "paid"]
    assert [invoice.invoice_amount for invoice in summary.invoices] == [27.49, 22.55, 25.47]
    assert summary.outstanding_balance == 27.49
    owed, *paid = summary.invoices
    assert owed.last_payment_failure_reason == "The card was declined."
    assert owed.due_date.seconds < dt.datetime.now(dt.timezone.utc).timestamp()
    assert not owed.HasField("paid_date")
    assert all(invoice.HasField("paid_date") and not invoice.last_payment_failure_reason for invoice in paid)
    dates = [invoice.invoice_date.seconds for invoice in summary.invoices]
    assert dates == sorted(dates, reverse=True)


def test_an_invoice_is_a_pdf_file_that_says_what_it_is_for(sandbox, owner):
    invoice = invoices(owner).invoices[0]
    (file,) = pdf(owner, invoice.id)
    lines = texts(file)
    assert lines[0] == "Invoice"
    assert f"Number: {invoice.id}" in lines
    assert "To: Lesson Robotics" in lines
    assert lines[lines.index("Subtotal: 23.10 USD") :][:3] == [
        "Subtotal: 23.10 USD",
        "Tax: 4.39 USD",
        "Total: 27.49 USD",
    ]
    assert "Status: overdue" in lines


def test_an_invoice_comes_in_chunks_of_32_kib(sandbox, owner):
    world = sandbox._world
    with world.store.transaction():
        id = add_invoice(world, sandbox.organization_id, "a long description " * 3000, 1.0).id
        file = render_invoice(world, world.store.row("SELECT * FROM invoices WHERE id = ?", id))
    chunks = pdf(owner, id)
    assert b"".join(chunks) == file
    assert [len(chunk) for chunk in chunks] == [32768, 32768, len(file) - 65536]


def test_an_invoice_that_does_not_exist_is_not_found(sandbox, owner, other):
    id = invoices(owner).invoices[0].id
    with refused("NOT_FOUND", "The organization 'Lesson Robotics' has no invoice with the ID 'none'; get_invoices"):
        pdf(owner, "none")
    with refused("NOT_FOUND", "The organization 'Other' has no invoice"):
        pdf(owner, id, other)
    with refused("NOT_FOUND", "No organization has the ID"):
        pdf(owner, id, NOBODY)
    with refused("INVALID_ARGUMENT", "The ID of the invoice is empty"):
        pdf(owner, "")


def test_text_in_a_pdf_file_is_escaped_and_kept_to_what_its_font_has():
    given = [Line("a (b) \\ c"), Line("Größe, 5 €"), Line("東京"), Line("a\nb\0c"), Line("")]
    assert texts(render_page(given)) == ["a (b) \\ c", "Größe, 5 €", "??", "a b c", ""]


def test_usage_is_that_of_the_month_and_says_the_same_to_old_and_new_clients(sandbox, owner):
    before = dt.datetime.now(dt.timezone.utc)
    response = usage(owner)
    start, end = (
        dt.datetime.fromtimestamp(date.seconds, dt.timezone.utc) for date in (response.start_date, response.end_date)
    )
    assert start <= dt.datetime.now(dt.timezone.utc)
    assert before < end
    assert (start.day, end.day, start.hour, (end - start).days in range(28, 32)) == (1, 1, 0, True)
    (source,) = response.resource_usage_costs_by_source
    costs = source.resource_usage_costs
    assert (source.source_type, source.tier_name) == (1, "standard")
    assert sum(each.cost for each in costs.usage_costs) == pytest.approx(costs.total_without_discount)
    assert costs.total_without_discount - costs.discount == pytest.approx(costs.total_with_discount)
    assert response.subtotal == costs.total_with_discount == response.total_usage_with_discount
    assert response.total_usage_without_discount == costs.total_without_discount
    assert response.cloud_storage_usage_cost + response.data_upload_usage_cost + response.per_machine_usage_cost == (
        pytest.approx(response.total_usage_without_discount)
    )
    assert response.per_machine_usage_cost == 6


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ((2023, 12, 31, 23, 59, 59), (2023, 12, 1), (2024, 1, 1)),
        ((2024, 2, 29, 12, 0, 0), (2024, 2, 1), (2024, 3, 1)),
        ((2024, 1, 1, 0, 0, 0), (2024, 1, 1), (2024, 2, 1)),
    ],
)
def test_the_month_is_that_of_the_clock_in_utc(now, start, end):
    def seconds(when):
        return dt.datetime(*when, tzinfo=dt.timezone.utc).timestamp()

    with Sandbox(clock=lambda: seconds(now)) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        response = usage(caller)
        caller.channel.close()
    assert (response.start_date.seconds, response.end_date.seconds) == (seconds(start), seconds(end))


def test_storage_and_uploads_cost_something(sandbox, owner):
    before = usage(owner)
    world = sandbox._world
    with world.store.transaction():
        texts = ("location_id", "robot_id", "robot_name", "part_id", "part_name", "component_type", "component_name")
        told = dict.fromkeys((*texts, "method", "mime_type"), "")
        world.store.insert("captures", id=10**9, body=b"", organization_id=sandbox.organization_id, **told)
        for received in (world.microseconds(), 0):
            world.store.insert(
                "files",
                file_id=world.ids.file(),
                capture_id=10**9,
                requested=received,
                received=received,
                size=10**10,
                body=b"",
            )
    after = usage(owner)
    stored = after.binary_data_cloud_storage_usage_cost - before.binary_data_cloud_storage_usage_cost
    assert stored == pytest.approx(2.0)
    assert after.data_upload_usage_cost - before.data_upload_usage_cost == pytest.approx(1.5)
    assert after.subtotal - before.subtotal == pytest.approx(3.5)


def test_a_machine_more_costs_more(sandbox, owner):
    owner.NewRobot(name="new", location=sandbox.location_id)
    assert usage(owner).per_machine_usage_cost == 8


def test_the_sample_organization_pays_by_card(sandbox, owner):
    response = bill(owner, "GetOrgBillingInformation", org_id=sandbox.organization_id)
    assert (response.type, response.billing_email, response.billing_tier) == (1, "ada@example.com", "standard")
    assert (response.method.brand, response.method.last_four_digits) == ("visa", "4242")
    assert not response.HasField("method_us_bank_account")


def test_a_new_organization_has_no_means_to_pay_and_no_invoices(owner, other):
    response = bill(owner, "GetOrgBillingInformation", org_id=other)
    assert (response.type, response.billing_email, response.HasField("method")) == (0, "ada@example.com", False)
    assert not bill(owner, "GetInvoicesSummary", org_id=other).invoices
    assert bill(owner, "GetCurrentMonthUsage", org_id=other).subtotal == 0


def test_another_tier_gives_a_discount(sandbox, owner):
    tiers = bill(owner, "GetAvailableBillingTiers").tiers
    assert list(tiers) == ["standard", "education"]
    bill(owner, "UpdateOrganizationBillingTier", organization_id=sandbox.organization_id, billing_tier="education")
    response = usage(owner)
    assert response.resource_usage_costs_by_source[0].tier_name == "education"
    assert response.discount_amount == pytest.approx(response.total_usage_without_discount / 2)
    information = bill(owner, "GetOrgBillingInformation", org_id=sandbox.organization_id)
    assert (information.billing_tier, information.method.brand) == ("education", "visa")
    with refused("INVALID_ARGUMENT", "'gold' is not a billing tier; choose one of standard, education"):
        bill(owner, "UpdateOrganizationBillingTier", organization_id=sandbox.organization_id, billing_tier="gold")


def test_a_charge_makes_an_invoice_that_is_paid(sandbox, owner, other):
    before = invoices(owner).outstanding_balance
    id = charge(owner, description="A (very) long evening", org_id_for_branding=other)
    newest = invoices(owner).invoices[0]
    assert (newest.id, newest.invoice_amount, newest.status) == (id, 11.9, "paid")
    assert newest.paid_date == newest.invoice_date
    assert invoices(owner).outstanding_balance == before
    assert "A (very) long evening" in texts(b"".join(pdf(owner, id)))
    amount = {"org_id_to_charge": sandbox.organization_id, "amount": 3.5}
    second = bill(owner, "CreateInvoiceAndChargeImmediately", **amount).invoice_id
    assert [(each.id, each.invoice_amount) for each in invoices(owner).invoices[:2]] == [(second, 3.5), (id, 11.9)]


@pytest.mark.parametrize("value", [-0.01, float("nan"), float("inf"), float("-inf"), 1e300])
@pytest.mark.parametrize("field", ["subtotal", "tax", "amount"])
def test_an_amount_that_is_none_is_refused(sandbox, owner, field, value):
    with refused("INVALID_ARGUMENT", f"{field} is "):
        if field == "amount":
            given = {"org_id_to_charge": sandbox.organization_id, "amount": value}
            bill(owner, "CreateInvoiceAndChargeImmediately", **given)
        else:
            charge(owner, **{field: value})


def test_a_charge_names_organizations_that_exist(sandbox, owner):
    for fields in ({"org_id_to_charge": NOBODY}, {"org_id_for_branding": NOBODY}):
        with refused("NOT_FOUND", "No organization has the ID"):
            charge(owner, **fields)
    for fields in ({"org_id_to_charge": ""}, {"org_id_for_branding": "x"}):
        with refused("INVALID_ARGUMENT", "organization ID"):
            charge(owner, **fields)
    with refused("INVALID_ARGUMENT", "The description has 1001 characters"):
        charge(owner, description="x" * 1001)
    charge(owner, description="\0 \u202e" + "x" * 997)


def test_an_organization_can_pay_for_a_location_that_is_shared_with_it(sandbox, owner, other):
    location = {"location_id": sandbox.location_id}

    def payer():
        return bill(owner, "GetLocationBillingOrganization", **location).billing_organization_id

    def pay(organization_id):
        bill(owner, "UpdateLocationBillingOrganization", billing_organization_id=organization_id, **location)

    assert payer() == sandbox.organization_id
    with refused("FAILED_PRECONDITION", "'Workshop' is not shared with the organization 'Other'"):
        pay(other)
    owner.ShareLocation(organization_id=other, **location)
    pay(other)
    pay(other)
    assert payer() == other
    assert usage(owner).per_machine_usage_cost == 2
    assert bill(owner, "GetCurrentMonthUsage", org_id=other).per_machine_usage_cost == 4
    pay(sandbox.organization_id)
    assert payer() == sandbox.organization_id
    pay(other)
    owner.UnshareLocation(organization_id=other, **location)
    assert payer() == sandbox.organization_id
    with refused("NOT_FOUND", "No location"):
        bill(owner, "GetLocationBillingOrganization", location_id="a" * 10)
    with refused("NOT_FOUND", "No organization"):
        pay(NOBODY)


def test_an_email_about_payment_takes_two_organizations(sandbox, owner, other):
    fields = {"customer_org_id": sandbox.organization_id, "billing_owner_org_id": other}
    bill(owner, "SendPaymentRequiredEmail", **fields)
    for field in fields:
        with refused("NOT_FOUND", "No organization has the ID"):
            bill(owner, "SendPaymentRequiredEmail", **{**fields, field: NOBODY})
        with refused("INVALID_ARGUMENT", "organization ID"):
            bill(owner, "SendPaymentRequiredEmail", **{**fields, field: ""})


@pytest.mark.parametrize("rpc", READING)
def test_an_organization_that_does_not_exist_is_not_found(owner, rpc):
    with refused("NOT_FOUND", "No organization has the ID"):
        bill(owner, rpc, org_id=NOBODY)
    with refused("INVALID_ARGUMENT", "The organization ID is empty"):
        bill(owner, rpc)


@pytest.mark.parametrize(
    ("role", "level"),
    [("operator", "organization"), ("owner", "location"), ("owner", "robot"), ("stranger", "organization")],
)
def test_billing_is_for_owners_of_the_organization_alone(sandbox, owner, caller_with, other, role, level):
    if role == "stranger":
        caller = caller_with("owner", "organization", other, other)
    else:
        caller = caller_with(role, level, getattr(sandbox, f"{level}_id"))
    owner.ShareLocation(location_id=sandbox.location_id, organization_id=other)
    for rpc in READING:
        with refused("PERMISSION_DENIED", "write_organization"):
            bill(caller, rpc, org_id=sandbox.organization_id)
    with refused("PERMISSION_DENIED"):
        pdf(caller, invoices(owner).invoices[0].id)
    with refused("PERMISSION_DENIED"):
        charge(caller)
    calls = (
        ("CreateInvoiceAndChargeImmediately", {"org_id_to_charge": sandbox.organization_id, "amount": 1}),
        ("UpdateOrganizationBillingTier", {"organization_id": sandbox.organization_id, "billing_tier": "education"}),
        ("GetLocationBillingOrganization", {"location_id": sandbox.location_id}),
        ("UpdateLocationBillingOrganization", {"location_id": sandbox.location_id, "billing_organization_id": other}),
        ("SendPaymentRequiredEmail", {"customer_org_id": other, "billing_owner_org_id": sandbox.organization_id}),
    )
    for rpc, fields in calls:
        with refused("PERMISSION_DENIED"):
            bill(caller, rpc, **fields)


def test_nobody_is_made_to_pay_for_a_location_of_others(sandbox, owner, caller_with, other):
    owner.ShareLocation(location_id=sandbox.location_id, organization_id=other)
    caller = caller_with("owner", "organization", sandbox.organization_id)
    with refused("PERMISSION_DENIED", other):
        fields = {"location_id": sandbox.location_id, "billing_organization_id": other}
        bill(caller, "UpdateLocationBillingOrganization", **fields)


def test_invoices_survive_a_restart_and_read_the_same(tmp_path):
    files = []
    for _ in range(2):
        with Sandbox(tmp_path) as sandbox:
            caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
            files.append([pdf(caller, invoice.id) for invoice in invoices(caller).invoices])
            caller.channel.close()
    assert files[0] == files[1]


def test_the_real_client_reads_bills_and_writes_an_invoice(sandbox, tmp_path):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        bills, org_id = client.billing_client, sandbox.organization_id
        assert bills.get_current_month_usage(org_id).per_machine_usage_cost == 6
        assert bills.get_org_billing_information(org_id).billing_email == "ada@example.com"
        id = bills.charge_organization(org_id, 100, 19).invoice_id
        assert bills.get_invoices_summary(org_id).invoices[0].id == id
        bills.get_invoice_pdf(id, org_id, str(tmp_path / "invoice.pdf"))
        assert "Total: 119.00 USD" in texts((tmp_path / "invoice.pdf").read_bytes())
        with pytest.raises(NotFoundError):
            bills.get_invoice_pdf("none", org_id, str(tmp_path / "none.pdf"))
        assert not (tmp_path / "none.pdf").exists()
