"""``data tag``: tags of files, added and removed."""

from __future__ import annotations

from typing import Any, Sequence

import click

from viam_sync.cli.chosen_files import choose_files, file_options
from viam_sync.cli.frame import FramedGroup, Session, confirm, pass_session, yes_option
from viam_sync.cli.long_runs import long_run
from viam_sync.cli.printing import print_record


@click.group("tag", cls=FramedGroup)
def tag_command() -> None:
    """Add tags to files, such as images, and remove them."""


@tag_command.command("add")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@file_options
@pass_session
def _add(session: Session, /, tags: Sequence[str], ids: Sequence[str], everything: bool, **options: Any) -> None:
    """Add tags to files; a file has each of them once."""
    chosen = choose_files(session, ids, everything, options)
    with long_run("tagging") as progress:
        for batch in chosen.batches(progress):
            session.client.data_client.add_tags_to_binary_data_by_ids(tags, batch)
    print_record({"files": chosen.count}, session.json)


@tag_command.command("remove")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@file_options
@yes_option
@pass_session
def _remove(
    session: Session, /, tags: Sequence[str], ids: Sequence[str], everything: bool, yes: bool, **options: Any
) -> None:
    """Remove tags from files, after a question that says from how many."""
    chosen = choose_files(session, ids, everything, options)
    if chosen.count:
        confirm(f"Remove {', '.join(tags)} from {chosen.text}?", yes)
    remove = session.client.data_client.remove_tags_from_binary_data_by_ids
    with long_run("removing tags") as progress:
        changed = sum(remove(tags, batch) for batch in chosen.batches(progress))
    print_record({"files": chosen.count, "changed": changed}, session.json)
