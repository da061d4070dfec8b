"""``data delete``: files and readings, counted and named before they go."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Sequence

import click

from viam_sync.app.data_client import DeleteTabularFilter, Filter
from viam_sync.cli.chosen_files import choose_files, file_options
from viam_sync.cli.data_filters import choose_data, filter_options, one_organization
from viam_sync.cli.frame import FramedGroup, Session, confirm, pass_session, yes_option
from viam_sync.cli.long_runs import long_run
from viam_sync.cli.printing import print_record

_FILTERS = ("organization", "location", "machine", "part", "component", "component_type", "method", "tag")


@click.group("delete", cls=FramedGroup)
def delete_command() -> None:
    """Delete data for good, after a question that says how much it is."""


@delete_command.command("binary")
@file_options
@yes_option
@pass_session
def _delete_binary(session: Session, /, ids: Sequence[str], everything: bool, yes: bool, **options: Any) -> None:
    """Delete files, such as images, which leave their datasets, too."""
    chosen = choose_files(session, ids, everything, options)
    if chosen.count:
        confirm(f"Delete {chosen.text}?", yes)
    with long_run("deleting") as progress:
        deleted = sum(map(session.client.data_client.delete_binary_data_by_ids, chosen.batches(progress)))
    print_record({"deleted": deleted}, session.json)


@delete_command.command("tabular")
@filter_options(_FILTERS)
@click.option(
    "--older-than",
    "--delete-older-than-days",
    "days",
    type=click.IntRange(0, 36_500),
    required=True,
    metavar="DAYS",
    help="Only what is from before so many days of UTC: 1 is all from before today, and 0 is all.",
)
@yes_option
@pass_session
def _delete_tabular(session: Session, /, days: int, yes: bool, **options: Any) -> None:
    """Delete readings that are older than some days.

    They are of one organization.
    """
    choice = choose_data(session, options)
    organization_id = one_organization(session, choice)
    old = _with_age(choice.filter, organization_id, days)
    data = session.client.data_client
    _, count, _ = data.tabular_data_by_filter(old, count_only=True)
    if count:
        confirm(f"Delete {count:,} readings ({', '.join(filter(None, [choice.words, _age_text(old)]))})?", yes)
    deleted = data.delete_tabular_data(organization_id, days, _narrowed(old)) if count else 0
    print_record({"deleted": deleted}, session.json)


def _with_age(chosen: Filter, organization_id: str, days: int) -> Filter:
    """Return a filter for what is deleted now, in the organization and up to the day that the service counts from."""
    old = Filter()
    old.CopyFrom(chosen)
    old.organization_ids[:] = [organization_id]
    if days:
        today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        old.interval.end.FromDatetime(today - timedelta(days=days - 1))
    return old


def _age_text(old: Filter) -> str:
    return f"before {old.interval.end.ToDatetime():%Y-%m-%d}" if old.HasField("interval") else "of any age"


def _narrowed(chosen: Filter) -> DeleteTabularFilter:
    return DeleteTabularFilter(
        location_ids=chosen.location_ids,
        robot_id=chosen.robot_id,
        part_id=chosen.part_id,
        component_type=chosen.component_type,
        component_name=chosen.component_name,
        method=chosen.method,
        tags_filter=chosen.tags_filter,
    )
