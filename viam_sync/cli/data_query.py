"""``data query``: SQL or MQL, whose rows are a table, lines, or a file."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any, Dict, List, Optional, Sequence, Union

import click

import viam_sync
from viam_sync.checks import parameter_names
from viam_sync.cli.data_destinations import (
    FORMATS,
    OPTION_NAMES,
    STANDARD_OUTPUT,
    confirm_overwriting,
    format_of,
    output_of,
)
from viam_sync.cli.data_filters import choose_data, filter_options, one_organization
from viam_sync.cli.frame import FramedCommand, Session, pass_session, yes_option
from viam_sync.cli.printing import Column, on_terminal, print_items, print_record
from viam_sync.display.cells import Look, cell_text
from viam_sync.display.tables import flat_row

Query = Union[str, List[Dict[str, Any]]]
_STANDARD_INPUT = "-"
_TIME = "time_received"


_EPILOG = """\
\b
Examples:
  viam-sync data query "SELECT component_name, COUNT(*) AS n FROM readings GROUP BY component_name"
  viam-sync data query '[{"$match": {"component_name": "air"}}, {"$limit": 5}]'
"""


@click.command("query", cls=FramedCommand, epilog=_EPILOG)
@click.argument("query")
@filter_options(["organization"])
@click.option("--format", type=click.Choice(FORMATS), help="Write the rows in this format.")
@click.option("--destination", "-d", metavar="FILE", help="Write the rows to this file, or its URL in a bucket.")
@yes_option
@pass_session
def query_command(
    session: Session, /, query: str, format: Optional[str], destination: Optional[str], yes: bool, **options: Any
) -> None:
    """Ask for readings with SQL or MQL.

    MQL is a list of stages in JSON, in which a time is {"$date": "2024-01-31T00:00:00Z"}. A - reads the QUERY from a
    pipe.
    """
    source = _query(sys.stdin.buffer.read().decode() if query == _STANDARD_INPUT else query)
    organization_id = one_organization(session, choose_data(session, options))
    if destination is None and format is None:
        _print_rows(_ask(session, organization_id, source), session.json)
        return
    destination = destination or STANDARD_OUTPUT
    confirm_overwriting(destination, yes)
    with parameter_names(**OPTION_NAMES):
        rows = session.client.data_client.export_tabular_data_to(
            source, output_of(destination), format=format_of(destination, format), organization_id=organization_id
        )
    if destination != STANDARD_OUTPUT:
        print_record({"destination": destination, "rows": rows}, session.json)


def _ask(session: Session, organization_id: str, source: Query) -> List[Dict[str, Any]]:
    if not isinstance(source, str):
        return session.client.data_client.tabular_data_by_mql(organization_id, source)
    rows = session.client.data_client.tabular_data_by_sql(organization_id, source)
    if not rows and _TIME not in source:
        click.echo(f"No rows. The service may need a time, as in WHERE {_TIME} > '2024-01-31'.", err=True)
    return rows


def _query(text: str) -> Query:
    """Return a query: SQL as it is, MQL as its stages.

    Raises:
        click.UsageError: If it is empty, or no JSON.
    """
    if not text.strip():
        raise click.UsageError("QUERY is empty; give SQL, or a list of stages of MQL")
    if text.lstrip()[0] not in "[{":
        return text
    from bson.json_util import loads

    try:
        stages = loads(text)
    except (ValueError, TypeError) as error:
        raise click.UsageError(f"QUERY is no JSON, in which MQL is a list of stages: {error}") from None
    if not isinstance(stages, list):
        raise click.UsageError("QUERY is one stage; MQL is a list of them: put it in [ ]")
    return stages


def _print_rows(rows: Sequence[Dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_items(rows, [], as_json)
        return
    flat = [flat_row(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    if on_terminal() and "organization_id" in names:
        # Whole readings have more columns than a terminal has room for; those that say most come first.
        names.sort(key=_rank)
    print_items(flat, [_column(name) for name in names], as_json)


def _rank(name: str) -> int:
    if name in ("time_requested", "component_name"):
        return 0
    return 1 if name.startswith("data.") else 3 if name.endswith("_id") else 2


def _column(name: str) -> Column:
    return Column(name, lambda row: _text(row.get(name)))


def _text(value: Any) -> str:
    """Return a value in full: a text as it is, a time as it is read best, all else as JSON has it."""
    if isinstance(value, datetime) and on_terminal():
        return cell_text(value, Look())
    form = viam_sync.to_dict([value], secrets=False)[0]
    if form is None:
        return ""
    return form if isinstance(form, str) else json.dumps(form, ensure_ascii=False)
