"""What becomes of connections and locks when the process forks."""

from __future__ import annotations

import contextlib
import functools
import os
import time
import warnings
import weakref
from typing import Any, Generic, List, Set, TypeVar

from typing_extensions import Protocol

T = TypeVar("T")

#: Seconds that grpc may need to end the threads of a channel that was closed.
_SETTLING = 0.1


class Forkable(Protocol):
    """Something that must know of a fork."""

    def about_to_fork(self) -> int:
        """Tell how many calls are under way that it has not told of before."""
        ...

    def forked(self) -> None:
        """Take what a child process needs in place of what belongs to its parent."""


class WeakBag(Generic[T]):
    """Holds things for as long as somebody else does; threads may add and look at the same time.

    Example:
        >>> from viam_sync.rpc.forks import WeakBag
        >>> bag = WeakBag()
        >>> bag.add(client)
        >>> len(bag.alive())
        1
    """

    def __init__(self) -> None:
        self._refs: Set[weakref.ref[T]] = set()

    def add(self, thing: T) -> None:
        """Hold a thing."""
        self._refs.add(weakref.ref(thing, self._refs.discard))

    def alive(self) -> List[T]:
        """Return the things that are still there."""
        # A WeakSet must not be looked at while another thread adds to it; a set is copied in one step.
        return [thing for ref in self._refs.copy() if (thing := ref()) is not None]


class _Process:
    """What the hooks know: a hook cannot be taken back, so there is one for all, which holds none of them."""

    present: WeakBag[Any] = WeakBag()
    closed_at = -_SETTLING


def watch(thing: Forkable) -> None:
    """Tell a thing of every fork of this process from now on, for as long as it is there."""
    _hook()
    _Process.present.add(thing)


def closed() -> None:
    """Remember that a channel was closed just now."""
    _Process.closed_at = time.monotonic()


@functools.lru_cache(maxsize=None)
def _hook() -> None:
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(before=_before, after_in_child=_in_child)


def _before() -> None:
    # Loaded here, as a child must not wait for a thread of its parent that is loading the same.
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: F401
    # Some versions of grpc crash in a fork amid this.
    time.sleep(max(_Process.closed_at + _SETTLING - time.monotonic(), 0))
    count = sum(thing.about_to_fork() for thing in _Process.present.alive())
    if count:
        warnings.warn(
            f"this process forks with {count} call{'s' if count > 1 else ''} of viam_sync under way: the child may"
            " crash or hang. Fork when none is under way, or use the start method spawn or forkserver of"
            " multiprocessing.",
            RuntimeWarning,
            stacklevel=2,
        )


def _in_child() -> None:
    for thing in _Process.present.alive():
        thing.forked()


def keep_for_good(thing: object) -> None:
    """Never let a thing go, not even at the end of the process.

    A channel of the parent that ended in a child would shut the parent's connection down.
    """
    with contextlib.suppress(ImportError):
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
