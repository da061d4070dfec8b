"""``logs``: the log of a part, and its tail."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any, Deque, List, Optional, Sequence, Tuple

import click

from viam_sync.app.app_client import LogEntry
from viam_sync.cli.fleet_things import Fleet
from viam_sync.cli.frame import FramedCommand, Session, pass_session
from viam_sync.cli.printing import on_terminal, print_json
from viam_sync.cli.time_options import time_option
from viam_sync.display.cells import time_text
from viam_sync.display.text_blocks import one_line

_LEVELS = ("debug", "info", "warn", "error")
_STYLES = {"debug": "dim", "warn": "yellow", "error": "red", "fatal": "red", "panic": "red", "dpanic": "red"}
#: How many entries are remembered, so that a tail repeats none of those that were printed before it.
_REMEMBERED = 1000


@click.command("logs", cls=FramedCommand)
@click.argument("name")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is logged, until Ctrl-C.")
@click.option(
    "--level",
    type=click.Choice(_LEVELS),
    default="debug",
    help="Only entries of this level, or a worse one; debug by default.",
)
@click.option(
    "--since", type=time_option, metavar="TIME", help="Only entries since a time: 10m or 1h ago, yesterday, 2024-01-31."
)
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(0),
    metavar="NUMBER",
    help="How many entries at most, the latest; without --since, 100 by default.",
)
@pass_session
def logs_command(
    session: Session, name: str, follow: bool, level: str, since: Optional[datetime], lines: Optional[int]
) -> None:
    """Print the log of a part, the oldest entry first.

    NAME is a name or ID of a part, or of a machine for its main part.
    """
    app = session.client.app_client
    part_id = Fleet(session.client).find_part(name).id
    wanted = _LEVELS[_LEVELS.index(level) :]
    if lines is None and since is None:
        lines = 100
    if not follow:
        _print_entries(_stored(app, part_id, wanted, since, lines), session.json)
        return
    # The tail begins before the stored log is read: no entry falls between the two.
    with app.tail_robot_part_logs(part_id, errors_only=level == "error") as tail:
        before = _stored(app, part_id, wanted, since, lines)
        _print_entries(before, session.json)
        printed: Deque[Tuple[Any, ...]] = deque(map(_identity, before), maxlen=_REMEMBERED)
        for entries in tail:
            new = [entry for entry in entries if _is_wanted(entry, level) and _identity(entry) not in printed]
            _print_entries(new, session.json)


def _stored(
    app: Any, part_id: str, levels: Sequence[str], since: Optional[datetime], lines: Optional[int]
) -> List[LogEntry]:
    """Return the latest stored entries, the oldest first."""
    some = () if levels == _LEVELS else levels
    return list(app.iter_robot_part_logs(part_id, log_levels=some, start=since, limit=lines))[::-1]


def _is_wanted(entry: LogEntry, level: str) -> bool:
    known = entry.level.lower()
    # A level that is not among them, such as fatal, is a worse one.
    return known not in _LEVELS or _LEVELS.index(known) >= _LEVELS.index(level)


def _identity(entry: LogEntry) -> Tuple[Any, ...]:
    return entry.time, entry.level, entry.logger_name, entry.message


def _print_entries(entries: Sequence[LogEntry], as_json: bool) -> None:
    for entry in entries:
        if as_json:
            print_json(entry)
        else:
            moment = time_text(entry.time, None) if entry.time else ""
            print_log_line(moment, entry.level, entry.message, entry.logger_name)


def print_log_line(moment: str, level: str, message: str, logger: Optional[str] = None) -> None:
    """Print an entry of a log, and flush: somebody may wait for it."""
    level = level.lower()
    if not on_terminal():
        words = [moment, level, *([] if logger is None else [logger]), message]
        print("\t".join(map(one_line, words)), flush=True)
        return
    from rich.console import Console
    from rich.text import Text

    line = Text.assemble((moment, "dim"), f" {level:5} ", (f"{logger}: " if logger else ""), message)
    line.plain = one_line(line.plain)
    line.stylize(_STYLES.get(level, ""), len(moment))
    Console(highlight=False, soft_wrap=True).print(line)
