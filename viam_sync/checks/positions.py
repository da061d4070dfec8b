"""Positional arguments of the few methods that the newest official SDK orders otherwise than the reference does."""

import functools
import inspect
from typing import Any, Callable, Sequence, TypeVar, cast

M = TypeVar("M", bound=Callable[..., Any])


def _never(args: Sequence[Any]) -> bool:
    return False


def newest_order(*order: str, is_meant: Callable[[Sequence[Any]], bool] = _never) -> Callable[[M], M]:
    """Let a method take positional arguments in the order of the newest official SDK where they can mean no other.

    The method's own order is that of the reference. Arguments that do not fit it are refused with the keywords to use.

    Args:
        order: The parameters in the order of the newest SDK.
        is_meant: Tells from the positional arguments that they stand in this order.

    Example:
        >>> from viam_sync.checks.positions import newest_order
        >>> class Files:
        ...     @newest_order("contents", "dest", is_meant=lambda args: args[:1] in [(True,), (False,)])
        ...     def get(self, dest=None, contents=True):
        ...         return dest, contents
        >>> Files().get(False, "files.json") == Files().get("files.json", False)
        True
        >>> Files().get("files.json", False, 5)
        Traceback (most recent call last):
        TypeError: get() takes by position dest, contents, as the reference has it; ... give contents=, dest= by keyword
    """

    def decorate(method: M) -> M:
        parameters = inspect.signature(method).parameters.values()
        _, *own = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]

        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if len(args) <= len(order) and is_meant(args):
                return method(self, **dict(zip(order, args)), **kwargs)
            if len(args) > len(own) or kwargs.keys() & set(own[: len(args)]):
                raise TypeError(_advice(method.__name__, own, order))
            return method(self, *args, **kwargs)

        return cast("M", call)

    return decorate


def _advice(name: str, own: Sequence[str], order: Sequence[str]) -> str:
    """Return the error of positional arguments that do not fit, with the keywords of those that stand elsewhere."""
    alike = next(place for place, (one, other) in enumerate(zip(own, order)) if one != other)
    after = f" after {own[alike - 1]}" if alike else ""
    keywords = ", ".join(f"{each}=" for each in order[alike:])
    return (
        f"{name}() takes by position {', '.join(own[alike:])}{after}, as the reference has it; "
        f"the newest official SDK has another order, so give {keywords} by keyword"
    )
