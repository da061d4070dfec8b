"""``data mirror``: a copy of readings at home, which each run brings up to date."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from viam_sync.cli.data_filters import READING_FILTERS, choose_data, filter_options
from viam_sync.cli.frame import FramedCommand, Session, pass_session
from viam_sync.cli.long_runs import long_run, parallel_option
from viam_sync.cli.printing import print_record


@click.command("mirror", cls=FramedCommand)
@click.argument("destination", metavar="FILE.duckdb|FOLDER")
@filter_options(READING_FILTERS)
@click.option("--table", default="readings", metavar="NAME", help="The table in a file of DuckDB; readings by default.")
@click.option(
    "--look-back",
    type=click.IntRange(0),
    default=7,
    metavar="DAYS",
    help="How many days late readings may arrive; 7 by default.",
)
@click.option("--compare-all", is_flag=True, help="Compare all readings anew, however old.")
@parallel_option
@pass_session
def mirror_command(
    session: Session,
    /,
    destination: str,
    table: str,
    look_back: int,
    compare_all: bool,
    parallel: int,
    **options: Any,
) -> None:
    """Bring a copy of readings up to date.

    The copy is a table of DuckDB, or a folder of Parquet files. The first run brings all of them, a later one what is
    new or was changed meanwhile. Its filter stays the same, so --start is a date or a time, and none that moves.
    """
    choice = choose_data(session, options)
    with long_run("mirroring") as progress:
        result = session.client.data_client.mirror_tabular_data(
            choice.filter,
            destination,
            table=table,
            look_back=None if compare_all else timedelta(days=look_back),
            workers=parallel,
            progress=progress,
        )
    new = {"new_columns": result.new_columns, "changed_columns": result.changed_columns}
    counts = {"rows": result.rows, "added": result.added, "removed": result.removed}
    print_record({"destination": result.dest, **counts, **new}, session.json)
