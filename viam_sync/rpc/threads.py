"""Threads that grpc needs: whether any can be started, and what libraries have put in their place.

None can be started while the interpreter shuts down, nor where the system has no more of them. What gevent and eventlet
put in the place of threads waits for ever where grpc blocks, as all of it runs in one thread of the system.
"""

import _thread
import sys
import threading
from typing import Callable, List, Optional, TypeVar

T = TypeVar("T")


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


def result_within(seconds: float, work: Callable[[], T]) -> Optional[T]:
    """Return the result of what cannot be given a limit, such as looking up a name; it is left behind after some time.

    Returns:
        The result; None if it takes longer. Where no thread can be started, there is no limit.

    Example:
        >>> from viam_sync.rpc.threads import result_within
        >>> result_within(5, lambda: 1 + 1)
        2
    """
    found: List[T] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    if can_start_threads():
        thread.start()
        thread.join(seconds)
    else:
        thread.run()
    return found[0] if found else None


def require_threads(what: str) -> None:
    """Require that a thread can be started.

    Args:
        what: The kind of call that needs one.

    Raises:
        RuntimeError: If none can be started, or eventlet has replaced them.

    Example:
        >>> from viam_sync.rpc.threads import require_threads
        >>> require_threads("an upload")
    """
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        raise RuntimeError(
            f"{what} needs a thread of the system, and eventlet has replaced them, so that it would wait for ever. Call"
            " eventlet.monkey_patch(thread=False) in place of eventlet.monkey_patch(), or use gevent."
        )
    refusal = _refusal()
    if refusal is not None:
        raise RuntimeError(
            f"{what} needs a new thread, and Python starts none ({refusal}). While a program ends, some versions of"
            " Python 3.12 start none in atexit and once the main thread is through: make the call before, and let the"
            " main thread wait for the others."
        )


def adapt_to_gevent() -> None:
    """Let grpc switch between greenlets where it waits, if gevent has put them in the place of threads."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        from grpc.experimental.gevent import init_gevent

        # A second time, as after a fork or by the program itself, does nothing more.
        init_gevent()


def _refusal() -> Optional[RuntimeError]:
    try:
        _thread.start_new_thread(_end, ())
    except RuntimeError as error:
        return error
    return None


def _end() -> None:
    """End the thread that has begun with this."""
