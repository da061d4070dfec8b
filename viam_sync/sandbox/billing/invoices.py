"""The model of invoices, and their rendering as PDF."""

from __future__ import annotations

import datetime as dt
import sqlite3
import textwrap
from typing import List

from viam_sync.proto.app import billing as pb
from viam_sync.proto.google import Timestamp
from viam_sync.sandbox.billing.pdf import Line, render_page
from viam_sync.sandbox.core.world import World, timestamp

_DAY = 24 * 60 * 60 * 1_000_000
_DAYS_TO_PAY = 15
_COLUMNS = 80

PAID = "paid"
OVERDUE = "overdue"


def add_invoice(
    world: World,
    organization_id: str,
    description: str,
    subtotal: float,
    tax: float = 0.0,
    *,
    days_ago: int = 0,
    status: str = PAID,
    failure: str = "",
) -> pb.InvoiceSummary:
    """Add an invoice of an organization, in US dollars.

    Args:
        world: The state of the sandbox.
        organization_id: The organization that is charged.
        description: The description of the charge.
        subtotal: The amount without tax.
        tax: The tax.
        days_ago: The date of the invoice, in days before the present.
        status: "paid", or "overdue" after the due date.
        failure: The reason why the payment failed.
    """
    date = world.microseconds() - days_ago * _DAY
    invoice = pb.InvoiceSummary(
        id=world.ids.uuid(),
        invoice_date=timestamp(date),
        invoice_amount=round(subtotal + tax, 2),
        status=status,
        due_date=timestamp(date + _DAYS_TO_PAY * _DAY),
    )
    if status == PAID:
        invoice.paid_date.CopyFrom(timestamp(date))
    if failure:
        invoice.last_payment_failure_reason = failure
        invoice.last_payment_failure_at.CopyFrom(timestamp(date))
    world.store.insert(
        "invoices",
        id=invoice.id,
        organization_id=organization_id,
        created=date,
        description=description,
        subtotal=subtotal,
        tax=tax,
        body=invoice.SerializeToString(),
    )
    return invoice


def invoices_of(world: World, organization_id: str) -> List[pb.InvoiceSummary]:
    """Return the invoices of an organization, newest first."""
    sql = "SELECT body FROM invoices WHERE organization_id = ? ORDER BY created DESC, rowid DESC"
    return [pb.InvoiceSummary.FromString(row["body"]) for row in world.store.rows(sql, organization_id)]


def render_invoice(world: World, row: sqlite3.Row) -> bytes:
    """Return an invoice as a PDF file."""
    invoice = pb.InvoiceSummary.FromString(row["body"])
    organization = world.organization(row["organization_id"])
    lines = [
        Line("Invoice", 24),
        Line(f"Number: {invoice.id}"),
        Line(f"To: {organization.name[:_COLUMNS]}"),
        Line(f"Date: {_day(invoice.invoice_date)}    Due: {_day(invoice.due_date)}"),
        Line(""),
        *(Line(text) for text in textwrap.wrap(row["description"], _COLUMNS)),
        Line(f"Subtotal: {row['subtotal']:,.2f} USD"),
        Line(f"Tax: {row['tax']:,.2f} USD"),
        Line(f"Total: {invoice.invoice_amount:,.2f} USD", 14),
        Line(""),
        Line(f"Paid on {_day(invoice.paid_date)}" if invoice.HasField("paid_date") else f"Status: {invoice.status}"),
        Line("Made by a sandbox: nobody has to pay this.", 9),
    ]
    return render_page(lines)


def _day(time: Timestamp) -> str:
    return dt.datetime.fromtimestamp(time.seconds, dt.timezone.utc).date().isoformat()
