"""How a command ends as a process: its status, and what it does for that."""

import os
import sys

DONE, FAILED, WRONG_USE = 0, 1, 2
#: What a shell says of a program that Ctrl-C has ended, whose reader has gone, and that SIGTERM has ended.
INTERRUPTED, NO_READER, TERMINATED = 130, 141, 143


def status_after(error: Exception) -> int:
    """Return the status of a command that an error has ended: wrong arguments are found before anything is sent.

    Example:
        >>> from viam_sync.exit_status import status_after
        >>> status_after(ValueError("limit is -1")), status_after(OSError("no room"))
        (2, 1)
    """
    from viam_sync.errors import ViamError  # which needs grpc: commands that end at once do without it

    is_wrong_use = isinstance(error, (ValueError, TypeError)) and not isinstance(error, ViamError)
    return WRONG_USE if is_wrong_use else FAILED


def end_without_reader() -> int:
    """Let what is buffered go nowhere, as its reader, such as head, has seen enough; return the exit status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NO_READER


def silence_grpc() -> None:
    """Keep the core of grpc, which is loaded late, from writing lines of its own between those of a command."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
