"""What ``viam_sync.show`` does: shows a value as a table, in a notebook or on the terminal."""

from datetime import tzinfo
from typing import Any, Optional

from viam_sync.checks import time_zone
from viam_sync.checks.numbers import boolean
from viam_sync.display.cells import Look
from viam_sync.display.html_blocks import html_blocks
from viam_sync.display.notebook import running_shell
from viam_sync.display.tables import blocks_of
from viam_sync.display.text_blocks import text_blocks


def show(value: Any, *, secrets: bool = False, tz: Optional[tzinfo] = None) -> None:
    """Show a message, a record, a result, or a list of these or of rows as a table: in a notebook, or as printed text.

    A notebook shows messages, records and lists of them so by itself. This shows rows of a query, too, which are plain
    dicts, and it shows secrets where they are asked for. Of a long list, the first items are shown, and their number.

    Args:
        value: What to show.
        secrets: Whether to show secrets: those of locations, of parts and of keys, and configurations, in which there
            may be some.
        tz: The time zone of times; None for that of this computer, or for that which a time has by itself.

    Raises:
        TypeError: If ``secrets`` is no bool, or ``tz`` no time zone.

    Example:
        >>> import viam_sync
        >>> viam_sync.show(client.data_client.tabular_data_by_sql(
        ...     sandbox.organization_id, "SELECT component_name, count(*) AS rows FROM readings GROUP BY 1"))
        rows (1)
        component_name  rows
        air             1008
    """
    look = Look(boolean("secrets", secrets), None if tz is None else time_zone("tz", tz))
    blocks = blocks_of(value, look)
    text = text_blocks(blocks)
    shell = running_shell()
    if shell is None:
        print(text)
    else:
        shell.display_pub.publish({"text/plain": text, "text/html": html_blocks(blocks)})
