"""``doctor``: what is wrong between this computer and the cloud, and what to do about it."""

from __future__ import annotations

import sys
from typing import Any

import click

from viam_sync.checks.urls import redact_urls
from viam_sync.cli.frame import FramedCommand, Session, pass_session
from viam_sync.cli.printing import on_terminal, print_json
from viam_sync.display.text_blocks import one_line

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "red", "skipped": "dim"}
#: The widths of the columns before the text, the gaps included.
_CHECK, _STATUS = 13, 9


@click.command("doctor", cls=FramedCommand)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=10,
    metavar="SECONDS",
    help="A limit for each check; 10 by default.",
)
@pass_session
def doctor_command(session: Session, timeout: float) -> None:
    """Find what is wrong between this computer and the cloud.

    Says what to do about it. Checks versions, variables, the key, the address, the proxy, DNS, the trusted
    authorities, the connection with its certificate, the clock of this computer, and whether the key is accepted. It
    changes nothing, and never prints the key. The exit code is 1 if something is wrong.
    """
    from viam_sync.checkup.check_result import WRONG
    from viam_sync.checkup.check_up import check_up

    wrong = 0
    for result in check_up(session.uses_environment, session.profile, timeout):
        wrong += result.status == WRONG
        _print_result(result, session.json)
    if wrong:
        raise click.exceptions.Exit(1)


def _print_result(result: Any, as_json: bool) -> None:
    """Print a result as soon as it is there."""
    words = result._replace(text=_clean(result.text), advice=_clean(result.advice))
    if as_json:
        print_json(words._asdict())
    elif on_terminal():
        _print_pretty(words)
    else:
        print("\t".join(words))
        sys.stdout.flush()


def _clean(text: str) -> str:
    return one_line(redact_urls(text))


def _print_pretty(result: Any) -> None:
    from rich.console import Console
    from rich.table import Table as PrettyTable
    from rich.text import Text

    grid = PrettyTable.grid()
    for width in (_CHECK, _STATUS, None):
        grid.add_column(width=width, overflow="fold")
    grid.add_row(Text(result.check, "bold"), Text(result.status, _STYLES[result.status]), Text(result.text))
    if result.advice:
        grid.add_row("", "", Text(result.advice, "italic"))
    Console(highlight=False).print(grid)
