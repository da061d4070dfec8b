"""Whether threads can be started: not while the interpreter shuts down, nor where the system has no more of them."""

import _thread
from typing import Optional


def can_start_threads() -> bool:
    """Tell whether a thread can be started now, by starting one that does nothing.

    grpc must not be the one that finds out: it sends a request before it starts the thread that waits for the response,
    and without that thread, the next call and the end of the process wait for ever.

    Example:
        >>> from viam_sync.rpc.threads import can_start_threads
        >>> can_start_threads()
        True
    """
    return _refusal() is None


def require_threads(what: str) -> None:
    """Require that a thread can be started.

    Args:
        what: The kind of call that needs one.

    Raises:
        RuntimeError: If none can be started.

    Example:
        >>> from viam_sync.rpc.threads import require_threads
        >>> require_threads("an upload")
    """
    refusal = _refusal()
    if refusal is not None:
        raise RuntimeError(
            f"{what} needs a new thread, and Python starts none ({refusal}). While a program ends, some versions of"
            " Python 3.12 start none in atexit and once the main thread is through: make the call before, and let the"
            " main thread wait for the others."
        )


def _refusal() -> Optional[RuntimeError]:
    try:
        _thread.start_new_thread(_end, ())
    except RuntimeError as error:
        return error
    return None


def _end() -> None:
    """End the thread that has begun with this."""
