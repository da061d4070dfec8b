"""Plain code for the calls of asyncio."""

from __future__ import annotations

import itertools
from typing import Iterable, List, Sequence, Union

import libcst as cst

#: A function for scripts that gather with `return_exceptions=True`, one call after the other.
GATHER_IN_ORDER = '''def {name}(*calls, return_exceptions=False):
    """Make the calls one after the other; return their results, or the exceptions in their places, if asked to."""
    results = []
    for call in calls:
        try:
            results.append(call())
        except Exception as error:
            if not return_exceptions:
                raise
            results.append(error)
    return results
'''

#: The same with threads.
GATHER_IN_THREADS = '''def {name}(*calls, return_exceptions=False):
    """Make the calls in threads; return their results, or the exceptions in their places, if asked to."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        futures = [pool.submit(call) for call in calls]
    if return_exceptions:
        return [future.exception() or future.result() for future in futures]
    return [future.result() for future in futures]
'''


def dotted(name: str) -> cst.BaseExpression:
    """Return the expression of a dotted name."""
    return cst.parse_expression(name)


def partial(call: cst.Call, functools: str) -> cst.Call:
    """Return what calls the function later, with the arguments as they are now."""
    return call.with_changes(func=dotted(f"{functools}.partial"), args=_before(call.func, call.args))


def to_thread(call: cst.Call, asyncio: str) -> cst.Call:
    """Return an awaitable of a plain call."""
    return call.with_changes(func=dotted(f"{asyncio}.to_thread"), args=_before(call.func, call.args))


def call_of_arguments(call: cst.Call, args: Sequence[cst.Arg]) -> cst.Call:
    """Return the call that `to_thread` makes in a thread."""
    return call.with_changes(func=args[0].value, args=args[1:])


def with_timeout(call: cst.Call, seconds: cst.BaseExpression) -> cst.Call:
    """Return a call of the cloud that takes no longer than so many seconds."""
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return call.with_changes(args=[*_separated(call.args), cst.Arg(seconds, cst.Name("timeout"), equal)])


def sleep(call: cst.Call, time: str) -> cst.Call:
    """Return the call that sleeps and blocks."""
    return call.with_changes(func=dotted(f"{time}.sleep"))


def results(call: cst.Call, args: Sequence[cst.BaseExpression], stars: Sequence[bool]) -> cst.BaseExpression:
    """Return the display of what the gathered calls return; `args` are the calls, or iterables of their results."""
    if len(args) == 1 and stars[0]:
        return args[0]
    elements = [
        (cst.StarredElement if star else cst.Element)(arg, comma=_comma(old.comma, is_last=old is call.args[-1]))
        for arg, star, old in zip(args, stars, call.args)
    ]
    return cst.List(
        elements,
        lbracket=cst.LeftSquareBracket(call.whitespace_before_args),
        lpar=call.lpar,
        rpar=call.rpar,
    )


def called(node: cst.BaseExpression) -> cst.Call:
    """Return the call of what holds a function."""
    return cst.Call(node)


def each_called(node: cst.BaseExpression) -> cst.ListComp:
    """Return the results of all functions in an iterable."""
    return cst.ListComp(cst.Call(cst.Name("task")), cst.CompFor(cst.Name("task"), node))


def mapped(call: cst.Call, functools: str) -> cst.ListComp:
    """Return functions that make the calls of a `map`, each one."""
    function, *iterables = call.args
    is_one = len(iterables) == 1
    name = cst.Name("item" if is_one else "items")
    item = cst.Arg(name, star="" if is_one else "*")
    calls = cst.Call(cst.Name("zip"), iterables)
    later = partial(cst.Call(function.value, [item]), functools)
    return cst.ListComp(later, cst.CompFor(name, iterables[0].value if is_one else calls))


def listed(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return the results of an iterable that a `*` would have unpacked."""
    if isinstance(node, cst.GeneratorExp):
        return cst.ListComp(node.elt, node.for_in)
    if isinstance(node, (cst.List, cst.ListComp)):
        return node
    return cst.Call(cst.Name("list"), [cst.Arg(node)])


def _before(first: cst.BaseExpression, args: Sequence[cst.Arg]) -> List[cst.Arg]:
    """Return arguments with one more before them."""
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")) if args else cst.MaybeSentinel.DEFAULT
    return [cst.Arg(first, comma=comma), *args]


def _separated(args: Sequence[cst.Arg]) -> Iterable[cst.Arg]:
    """Return arguments that others can follow."""
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = [arg.with_changes(comma=comma) if isinstance(arg.comma, cst.MaybeSentinel) else arg for arg in args[-1:]]
    return itertools.chain(args[:-1], last)


def _comma(comma: Union[cst.Comma, cst.MaybeSentinel], *, is_last: bool) -> Union[cst.Comma, cst.MaybeSentinel]:
    return comma if isinstance(comma, cst.Comma) or is_last else cst.Comma()
