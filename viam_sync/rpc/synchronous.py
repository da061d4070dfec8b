"""The base of objects that half-migrated code may still await: it gets an error that says what to take out."""

from typing import TYPE_CHECKING, Any, NoReturn


class Synchronous:
    """The base of clients, pages and streams, which are used without ``async`` and ``await``.

    To be awaited is to be awaitable, for ``inspect.isawaitable`` and the frameworks that ask it. Messages, records and
    results are not: those go into templates, queues and callbacks, where an awaitable would be awaited.

    Example:
        >>> import asyncio
        >>> from viam_sync.rpc.synchronous import Synchronous
        >>> async def half_migrated():
        ...     await Synchronous()
        >>> asyncio.run(half_migrated())
        Traceback (most recent call last):
        TypeError: viam_sync is synchronous: take out `await`
    """

    if not TYPE_CHECKING:  # a type checker goes on saying that there is nothing to await
        # By this name unittest.mock looks behind an object. It finds nothing to await there, so that patch() goes on
        # replacing a client by a MagicMock, and not by an AsyncMock.
        __func__ = None

        def __await__(self) -> NoReturn:
            raise _error("take out `await`")

        def __aenter__(self) -> NoReturn:
            raise _error("take out `async` of `async with`")

        def __aexit__(self, *_: Any) -> NoReturn:
            raise _error("take out `async` of `async with`")

        def __aiter__(self) -> NoReturn:
            raise _error("take out `async` of `async for`")

        def __anext__(self) -> NoReturn:
            raise _error("take out `await`, and write `next` in place of `anext`")


def _error(advice: str) -> TypeError:
    return TypeError(f"viam_sync is synchronous: {advice}")
