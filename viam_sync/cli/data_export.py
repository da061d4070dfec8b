"""``data export``: files to a folder, readings to a file or a dataset."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import click

from viam_sync.app.data_client import DataClient
from viam_sync.checks import parameter_names
from viam_sync.cli.data_destinations import (
    FORMATS,
    OPTION_NAMES,
    STANDARD_OUTPUT,
    confirm_overwriting,
    format_of,
    output_of,
)
from viam_sync.cli.data_filters import READING_FILTERS, choose_data, filter_options
from viam_sync.cli.frame import FramedGroup, Session, confirm, pass_session, yes_option
from viam_sync.cli.long_runs import GOES_ON, durable_option, end_with, long_run, parallel_option
from viam_sync.cli.printing import counted, print_record

_ANEW = "Nothing was written; the same command begins anew, while data mirror goes on where it stopped."


@click.group("export", cls=FramedGroup)
def export_command() -> None:
    """Write data to this computer, or to a bucket."""


@export_command.command("binary")
@click.option("--destination", "-d", metavar="FOLDER", required=True, help="The folder, or its URL in a bucket.")
@filter_options()
@click.option("--remove-gone", is_flag=True, help="Remove exported files that do not match any more; you are asked.")
@durable_option
@parallel_option
@yes_option
@pass_session
def _export_binary(
    session: Session, /, destination: str, remove_gone: bool, durable: bool, parallel: int, yes: bool, **options: Any
) -> None:
    """Download files, such as images, with their metadata.

    The same command again fetches what is missing, however the first one ended.
    """
    filter = choose_data(session, options).filter
    data = session.client.data_client
    with long_run("exporting") as progress, parameter_names(**OPTION_NAMES):
        runs = [data.export_binary_data(filter, destination, workers=parallel, durable=durable, progress=progress)]
    if remove_gone and runs[0].gone:
        confirm(f"Remove {counted(len(runs[0].gone), 'file')} of {destination} that do not match any more?", yes)
        with long_run("removing") as progress:
            runs += [
                data.export_binary_data(
                    filter, destination, workers=parallel, durable=durable, remove_gone=True, progress=progress
                )
            ]
    _print_runs(runs, session.json)
    kept = [(each.path, each.error) for each in runs[-1].gone if each.error is not None]
    end_with([*((file.id, file.error) for file in runs[-1].failed), *kept])


def _print_runs(runs: Sequence[DataClient.ExportResult], as_json: bool) -> None:
    """Print what one run has done, or two after each other."""
    last = runs[-1]
    record = {
        "folder": str(last.folder),
        "exported": sum(len(run.exported) for run in runs),
        "already_there": len(runs[0].already_there),
        "updated": sum(len(run.updated) for run in runs),
        "failed": len(last.failed),
        "gone": len(last.gone),
        "removed": sum(each.removed for each in last.gone),
        "complete": last.complete,
    }
    print_record(record, as_json)


@export_command.command("tabular")
@click.option(
    "--destination",
    "-d",
    metavar="FILE",
    required=True,
    help="A file that ends in .csv, .jsonl or .parquet, or its URL in a bucket; - for the standard output.",
)
@filter_options(READING_FILTERS)
@click.option("--format", type=click.Choice(FORMATS), help="The format, where the name of the file does not tell it.")
@click.option("--by-day", is_flag=True, help="Make a folder with a Parquet file for each day, or bring it up to date.")
@parallel_option
@yes_option
@pass_session
def _export_tabular(
    session: Session, /, destination: str, format: Optional[str], by_day: bool, parallel: int, yes: bool, **options: Any
) -> None:
    """Write readings to a file, or to a folder by days.

    A file is of CSV, JSON lines or Parquet, and appears once all is in it.
    """
    choice = choose_data(session, options)
    if not by_day:
        confirm_overwriting(destination, yes)
    hint = GOES_ON if by_day else _ANEW
    with long_run("exporting", hint, quiet=destination == STANDARD_OUTPUT) as progress, parameter_names(**OPTION_NAMES):
        rows = session.client.data_client.export_tabular_data_to(
            choice.filter,
            output_of(destination),
            format=format_of(destination, format),
            partition_by="day" if by_day else None,
            workers=parallel,
            progress=progress,
        )
    if destination != STANDARD_OUTPUT:
        print_record({"destination": destination, "rows": rows}, session.json)
