"""Runs that take long: a bar on a terminal, how to go on after Ctrl-C, and the failures that one ends with."""

from __future__ import annotations

import contextlib
import sys
from typing import Callable, Iterable, Iterator, Optional, Tuple

import click

from viam_sync.checks.urls import redact_urls
from viam_sync.display.cells import size_text
from viam_sync.display.text_blocks import one_line

#: What is told of a run: the amount done, the total if it is known, and the unit.
Tell = Callable[[int, Optional[int], str], object]

GOES_ON = "The same command goes on where this one stopped."
_BAR_WIDTH = 20

parallel_option = click.option(
    "--parallel", type=click.IntRange(1, 64), default=8, metavar="NUMBER", help="How many at a time; 8 by default."
)

durable_option = click.option(
    "--durable/--no-durable",
    default=True,
    help="Whether each file is on the disk before it gets its name; it is by default.",
)


@contextlib.contextmanager
def long_run(label: str, hint: str = GOES_ON, *, quiet: bool = False) -> Iterator[Optional[Tell]]:
    """Within this block, a bar shows how far a run is, if somebody reads the errors on a terminal.

    Args:
        label: What is done, such as ``exporting``.
        hint: How to go on after Ctrl-C.
        quiet: Whether there is no bar at all, as the run itself writes to the terminal.

    Yields:
        The argument ``progress`` of the run; None where there is no bar, and nothing has to be counted for one.
    """
    try:
        if sys.stderr.isatty() and not quiet:
            with _bar(label) as tell:
                yield tell
        else:
            yield None
    except KeyboardInterrupt:
        click.echo(f"Interrupted. {hint}", err=True)
        raise


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(_BAR_WIDTH),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeRemainingColumn(),
    ]
    console = Console(stderr=True)
    with Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(one_line(label), total=None, amount="")
        yield lambda done, total, unit: bar.update(
            task, completed=done, total=total, amount=_amount_text(done, total, unit)
        )


def _amount_text(done: int, total: Optional[int], unit: str) -> str:
    if unit == "bytes":
        return size_text(done) if total is None else f"{size_text(done)} of {size_text(total)}"
    return f"{done:,} {unit}" if total is None else f"{done:,} of {total:,} {unit}"


def end_with(failures: Iterable[Tuple[object, Optional[BaseException]]]) -> None:
    """Name what has failed, each in a line with its reason, and end with status 1 if there is any.

    Raises:
        click.exceptions.Exit: If there is any.
    """
    texts = [f"{name}: {error}" for name, error in failures]
    for text in texts:
        click.echo(f"error: {one_line(redact_urls(text))}", err=True)
    if texts:
        raise click.exceptions.Exit(1)
