"""Forks: connections and locks of the parent are left to it, and the child gets its own."""

from __future__ import annotations

import contextlib
import functools
import os
import time
import warnings
import weakref
from typing import Any, Generic, List, Optional, Set, Tuple, TypeVar

from typing_extensions import Protocol

from viam_sync.clock import now

T = TypeVar("T")

#: Seconds that grpc may need to end the threads of a channel that was closed.
_SETTLING = 0.1


class Forkable(Protocol):
    """An object that is told of forks."""

    def about_to_fork(self) -> int:
        """Return how many calls are under way that were not reported before."""
        ...

    def forked(self) -> None:
        """Replace, in the child process, all that belongs to the parent."""


class WeakBag(Generic[T]):
    """Holds objects for as long as somebody else does; threads may add and list at the same time.

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
        """Hold an object."""
        self._refs.add(weakref.ref(thing, self._refs.discard))

    def __len__(self) -> int:
        """Return the number of objects that are still alive."""
        return len(self._refs)

    def alive(self) -> List[T]:
        """Return the objects that are still alive."""
        # A WeakSet must not be iterated while another thread adds to it; a set is copied in one step.
        return [thing for ref in self._refs.copy() if (thing := ref()) is not None]


class _Process:
    """The state of the hooks: a hook cannot be removed, so there is one for all objects, and it keeps none alive."""

    present: WeakBag[Any] = WeakBag()
    closed_at = -_SETTLING
    #: Whether this process, or one that it comes from, was forked from one with an open channel.
    inherited = False
    #: A descriptor that is open for as long as those of grpc are, and the number of its file.
    witness: Optional[Tuple[int, int]] = None


def watch(thing: Forkable) -> None:
    """Tell an object of every fork of this process from now on, for as long as it lives."""
    _hook()
    _Process.present.add(thing)


def about_to_open() -> None:
    """Require that a channel can be opened.

    Raises:
        RuntimeError: If the descriptors that grpc had before a fork were closed: it would wait for them for ever.
    """
    if _Process.witness is not None and _is_open(*_Process.witness):
        return
    if _Process.inherited:
        raise RuntimeError(
            "The files of this process were closed after it was forked, as python-daemon does, and those of gRPC with"
            " them. Make the client after that, or close it before."
        )
    reader, writer = os.pipe()
    os.close(writer)
    _Process.witness = reader, os.fstat(reader).st_ino


def _is_open(descriptor: int, number: int) -> bool:
    try:
        return os.fstat(descriptor).st_ino == number
    except OSError:
        return False


def closed() -> None:
    """Remember that a channel was closed just now."""
    _Process.closed_at = now()


@functools.lru_cache(maxsize=None)
def _hook() -> None:
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(before=_before, after_in_child=_in_child)


def _before() -> None:
    # Loaded here, as a child must not wait for a thread of its parent that is loading the same.
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: F401
    # Some versions of grpc crash in a fork amid this.
    time.sleep(max(_Process.closed_at + _SETTLING - now(), 0))
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
    """Never free an object, not even at the end of the process.

    A channel of the parent that ended in a child would shut the parent's connection down.
    """
    _Process.inherited = True
    with contextlib.suppress(ImportError):
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
