"""The mark of RPC methods that open transactions of their own."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

_MARK = "opens_transactions"


def opens_transactions(method: Method) -> Method:
    """Mark the method of a unary RPC that opens transactions of its own, since it takes long between them."""
    setattr(method, _MARK, True)
    return method


def has_own_transactions(method: Callable[..., Any]) -> bool:
    """Return whether a method is marked so; every other method of a unary RPC runs within one transaction."""
    return hasattr(method, _MARK)
