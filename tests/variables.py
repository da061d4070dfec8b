"""The variables of frames, as tools show them beside a traceback: ``rich``, ``pytest -l``, Sentry and their like."""

import contextlib
import dataclasses
import sys
from collections import abc
from pathlib import Path

import viam_sync

_TESTS = str(Path(__file__).parent)
_SANDBOX = str(Path(viam_sync.__file__).parent / "sandbox")
#: How deep tools look into a variable.
_DEPTH = 6


def texts_of(value, depth=_DEPTH):
    """Yield the texts that stand for a variable.

    That is its repr, and the same of all that tools go through: mappings and sequences by their type, of whatever class
    (Sentry, Rollbar), dataclasses (rich), and texts, of which they cut off the end.
    """
    with contextlib.suppress(Exception):  # an object that is being made; tools survive that, too
        yield repr(value)
        if isinstance(value, (str, bytes)):
            if type(value) not in (str, bytes):  # its repr may hide what it holds
                yield repr(value[:])
        elif depth:
            for each in _inside(value):
                yield from texts_of(each, depth - 1)


def _inside(value):
    if isinstance(value, abc.Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, (abc.Sequence, abc.Set)) and not isinstance(value, (bytearray, memoryview, range)):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value) if field.repr]
    return []


def is_of_tests(frame):
    """Tell whether a frame is one of the tests, or of a module that is being imported."""
    file = frame.f_code.co_filename
    return file.startswith((_TESTS, _SANDBOX, "<frozen")) or frame.f_code.co_name == "<module>"


def variables_of(frame, seen=()):
    """Yield the place of each variable of a frame, and the texts that stand for it; ``seen`` are IDs to leave out."""
    place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"
    for name, value in list(frame.f_locals.items()):
        if id(value) not in seen:
            yield f"{place}: {name}", "\n".join(texts_of(value))


def variables_of_error(error):
    """Yield the same for all frames of the tracebacks that are shown with an exception, but for those of tests.

    A frame hands most of its variables on to the next: each object comes once, where it is first.
    """
    seen = set()
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            if not is_of_tests(trace.tb_frame):
                yield from variables_of(trace.tb_frame, seen)
                seen.update(map(id, trace.tb_frame.f_locals.values()))
            trace = trace.tb_next
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class VariableWatch:
    """Looks at the variables of all that a thread does in a ``with`` block, at each line of each frame.

    A signal handler may raise at any of them.

    Args:
        finds: Tells whether a text has a secret in it.

    Attributes:
        found: The places of the variables that have.
        looks: How many lines it has seen.
    """

    def __init__(self, finds):
        self.found = set()
        self.looks = 0
        self._finds = finds

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._enter)
        return self

    def __exit__(self, *error):
        sys.settrace(self._before)

    def _enter(self, frame, event, argument):
        return None if is_of_tests(frame) else self._look(frame, event, argument)

    def _look(self, frame, event, argument):
        self.looks += 1
        self.found.update(place for place, text in variables_of(frame) if self._finds(text))
        return self._look
