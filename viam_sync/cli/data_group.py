"""``data``: the group of the commands for captured data."""

from __future__ import annotations

import click

from viam_sync.cli.data_delete import delete_command
from viam_sync.cli.data_export import export_command
from viam_sync.cli.data_mirror import mirror_command
from viam_sync.cli.data_query import query_command
from viam_sync.cli.data_tag import tag_command
from viam_sync.cli.data_upload import upload_command
from viam_sync.cli.frame import FramedGroup


@click.group("data", cls=FramedGroup)
def data_command() -> None:
    """Export, upload, query, mirror, tag and delete captured data.

    Options choose the data by names or IDs; data must match all of them. Of an option that stands several times, such
    as --tag, one value is enough.
    """


for _command in (export_command, upload_command, query_command, mirror_command, tag_command, delete_command):
    data_command.add_command(_command)
