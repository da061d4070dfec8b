"""The destination of a response, which most callers leave out: what writes files is loaded where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Sequence

if TYPE_CHECKING:
    from viam_sync.transfer.output.atomic import StrPath
    from viam_sync.transfer.output.destination import Destination


def optional_output(
    dest: Optional[StrPath], *, secret: bool = False, rejected: Sequence[str] = ()
) -> Optional[Destination]:
    """Return the destination of a response; None where the caller names none.

    The arguments and errors are those of ``response_output``.

    Example:
        >>> from viam_sync.transfer.output.response_outputs import optional_output
        >>> optional_output(None) is None
        True
    """
    if dest is None:
        return None
    from viam_sync.transfer.output.outputs import response_output

    return response_output(dest, secret=secret, rejected=rejected)
