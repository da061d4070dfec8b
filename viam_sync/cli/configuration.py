"""``config``: the configuration of a part, read, changed in an editor, compared, and its history."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, TextIO

import click

from viam_sync.app.app_client import RobotPart
from viam_sync.cli.fleet_things import Fleet
from viam_sync.cli.frame import FramedGroup, Session, confirm, pass_session, yes_option
from viam_sync.cli.printing import print_items, print_json, row_column
from viam_sync.display.text_blocks import one_line

_INDENT = 2
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


class _Configuration(NamedTuple):
    """A part, and its configuration as JSON text, in which whole numbers are whole."""

    part: RobotPart
    text: str


@click.group("config", cls=FramedGroup)
def config_command() -> None:
    """Read and change the configuration of a part.

    NAME is a name or ID of a part, or of a machine for its main part.
    """


@config_command.command("get")
@click.argument("name")
@pass_session
def _get(session: Session, name: str) -> None:
    """Print the configuration, with all that stands in it."""
    text = _fetch(session, name).text
    if session.json or not sys.stdout.encoding.lower().startswith("utf"):
        # Letters that another encoding may lack are escaped, as JSON does it.
        text = json.dumps(json.loads(text), indent=None if session.json else _INDENT)
    print(text)


@config_command.command("edit")
@click.argument("name")
@click.option(
    "--file",
    type=click.File(encoding="utf-8-sig"),
    metavar="FILE",
    help="Take the new configuration from a file, or - for a pipe.",
)
@yes_option
@pass_session
def _edit(session: Session, name: str, file: Any, yes: bool) -> None:
    """Change the configuration in $EDITOR, and send it.

    The difference is shown before. If the part has changed meanwhile, nothing is sent, and your text is kept.
    """
    before = _fetch(session, name)
    with contextlib.nullcontext(file.read()) if file is not None else _edited(before) as text:
        changed = _send(session, before, text, yes)
    if changed:
        click.echo(f"The configuration of {before.part.name} was changed.", err=True)
    else:
        hint = " An editor that returns at once needs to be told to wait, as code --wait." if file is None else ""
        click.echo(f"Nothing was changed.{hint}", err=True)


def _send(session: Session, before: _Configuration, text: str, yes: bool) -> bool:
    """Show what is different in a text, send it if that is confirmed, and return whether anything is."""
    after = _normal(text)
    lines = _difference(before.text, after, "in the cloud", "yours")
    if lines:
        _print_difference(lines, sys.stderr)
        confirm(f"Send this to {before.part.name}?", yes)
        session.client.app_client.update_robot_part(
            before.part.id, before.part.name, robot_config_json=after, last_known_update=before.part.last_updated
        )
    return bool(lines)


@config_command.command("diff")
@click.argument("name")
@click.argument("file", type=click.File(encoding="utf-8-sig"), required=False)
@click.option(
    "--change",
    type=click.IntRange(1),
    default=1,
    metavar="NUMBER",
    help="The change to show; 1, the latest, by default.",
)
@pass_session
def _diff(session: Session, name: str, file: Any, change: int) -> None:
    """Compare with FILE, or show what a change has changed."""
    now = _fetch(session, name)
    if file is not None:
        lines = _difference(now.text, _normal(file.read()), "in the cloud", file.name)
    else:
        history = session.client.app_client.get_robot_part_history(now.part.id, page_limit=change)
        if len(history) < change:
            raise click.ClickException(f"{now.part.name} has {len(history)} changes, and no change {change}")
        versions = [now.text, *(_text_of(entry.old) for entry in history)]
        lines = _difference(versions[change], versions[change - 1], "before", "after")
    if session.json:
        print_json({"lines": lines})
    else:
        _print_difference(lines, sys.stdout)


@config_command.command("history")
@click.argument("name")
@click.option(
    "--limit", type=click.IntRange(1), default=50, metavar="NUMBER", help="How many changes at most; 50 by default."
)
@pass_session
def _history(session: Session, name: str, limit: int) -> None:
    """List the changes of a part, the latest first."""
    now = _fetch(session, name)
    history = session.client.app_client.get_robot_part_history(now.part.id, page_limit=limit)
    versions = [now.text, *(_text_of(entry.old) for entry in history)]
    rows = []
    for number, entry in enumerate(history, 1):
        lines = _difference(versions[number], versions[number - 1], "before", "after")[2:]
        added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
        rows.append({"change": number, "when": entry.when, "added": added, "removed": removed})
    print_items(rows, [row_column(name) for name in ("change", "when", "added", "removed")], session.json)


def _fetch(session: Session, name: str) -> _Configuration:
    part_id = Fleet(session.client).find_part(name).id
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.json"
        part = session.client.app_client.get_robot_part(part_id, dest=str(path))
        return _Configuration(part, _normal(path.read_text(encoding="utf-8")))


def _normal(text: str) -> str:
    """Return JSON text, indented as we do it.

    Raises:
        click.ClickException: If it is no JSON object.
    """
    try:
        value = json.loads(text)
        # Python takes NaN for JSON, and nothing else does.
        normal = json.dumps(value, indent=_INDENT, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise click.ClickException(f"the configuration is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.ClickException("the configuration is no JSON object, which begins with {")
    return normal


def _text_of(part: Optional[RobotPart]) -> str:
    if part is not None and part.robot_config_json:
        return _normal(part.robot_config_json)
    return json.dumps((part.robot_config if part else None) or {}, indent=_INDENT, ensure_ascii=False, default=dict)


@contextlib.contextmanager
def _edited(before: _Configuration) -> Iterator[str]:
    """Within this block, there is the text as its editor has saved it; it is kept if the block fails."""
    number, name = tempfile.mkstemp(suffix=".json", prefix="viam-config-")
    path = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(f"{before.text}\n")
        click.edit(filename=name)
        text = path.read_text(encoding="utf-8-sig")
        # An empty file gives up, as it does with other programs that begin an editor.
        yield text if text.strip() else before.text
    except BaseException:
        if path.exists() and path.read_bytes().decode(errors="replace").strip() != before.text:
            click.echo(
                f"Your text is in {path}; viam-sync config edit {before.part.id} --file {path} sends it.", err=True
            )
        elif path.exists():
            path.unlink()
        raise
    path.unlink()


def _difference(before: str, after: str, before_name: str, after_name: str) -> List[str]:
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), before_name, after_name, lineterm=""))


def _print_difference(lines: Sequence[str], stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text(one_line(line), _COLOURS.get(line[:1], "")))
