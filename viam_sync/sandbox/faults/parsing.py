"""Parsing of faults that are given as text, as on the command line."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

from viam_sync.sandbox.faults.faults import Fault, Faults

#: The help of the command line about faults.
HELP = """\
faults, each given as RPC:WHAT, or RPC:WHAT:NAME=VALUE:NAME=VALUE…
  RPC   GetRobot, or viam.app.v1.AppService/GetRobot, or all for every RPC
  WHAT  a status code such as UNAVAILABLE: calls fail     [times rate after pushback_ms]
        delay: calls wait before they take effect         [seconds times rate]
        drop: calls lose their connection                 [after_messages after times rate]
  disk:full, without an RPC: uploads of files fail        [times]

  times=2            the number of calls that meet it, or times=all; without it, 1,
                     but all for delay and disk:full
  rate=0.1           the probability that a call meets it
  after=yes          after the call took effect
  pushback_ms=500    the metadata grpc-retry-pushback-ms, in milliseconds
  seconds=1.5        the length of the delay
  after_messages=3   in mid-stream, after that many messages

examples
  --fault GetRobot:UNAVAILABLE:times=2
  --fault all:delay:seconds=0.2:rate=0.5
  --fault ExportTabularData:drop:after_messages=3
"""

_FORM = "it is RPC:WHAT:NAME=VALUE…, such as GetRobot:UNAVAILABLE:times=2"
_FAILING = ("times", "rate", "after", "pushback_ms")
_KINDS = {"delay": ("seconds", "times", "rate"), "drop": ("after_messages", "after", "times", "rate")}


def plan_from_text(faults: Faults, text: str) -> Fault:
    """Plan the fault that a text such as ``GetRobot:UNAVAILABLE:times=2`` describes.

    Raises:
        ValueError: If the text describes none; the error shows the form.
        RuntimeError: If this operating system does not allow the fault.

    Example:
        >>> from viam_sync.sandbox import Faults
        >>> plan_from_text(Faults(), "GetRobot:delay:seconds=0.5").seconds
        0.5
    """
    rpc, what, settings = _split_fault(text)
    if (rpc, what) == ("disk", "full"):
        return faults.fill_disk(**_typed_settings(settings, "disk:full", ("times",)))
    values = _typed_settings(settings, what, _KINDS.get(what, _FAILING))
    if what == "delay":
        if "seconds" not in values:
            raise ValueError("a delay needs its length, such as seconds=0.5")
        return faults.delay(rpc, **values)
    if what == "drop":
        return faults.drop(rpc, **values)
    return faults.fail(rpc, what, **values)


def _split_fault(text: str) -> Tuple[str, str, Dict[str, str]]:
    rpc, *rest = text.split(":")
    if not rpc or not rest or not rest[0]:
        raise ValueError(f"{text!r} is no fault; {_FORM}")
    settings: Dict[str, str] = {}
    for setting in rest[1:]:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"{setting!r} is no setting; {_FORM}")
        if name in settings:
            raise ValueError(f"{name} is given twice; give it once")
        settings[name] = value
    return rpc, rest[0], settings


def _typed_settings(settings: Dict[str, str], what: str, known: Tuple[str, ...]) -> Dict[str, Any]:
    values: Dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            raise ValueError(f"{what} takes no {name!r}; it takes {', '.join(known)}")
        try:
            values[name] = _READERS[name](value)
        except (ValueError, KeyError):
            raise ValueError(f"{name} takes {_TAKES[name]}, got {value!r}") from None
    return values


def _times(value: str) -> Any:
    return None if value == "all" else int(value)


_READERS: Dict[str, Callable[[str], Any]] = {
    "times": _times,
    "rate": float,
    "after": {"yes": True, "no": False}.__getitem__,
    "pushback_ms": int,
    "seconds": float,
    "after_messages": int,
}
_TAKES = {
    "times": "a whole number, or all",
    "rate": "a number from 0 to 1",
    "after": "yes or no",
    "pushback_ms": "a whole number of milliseconds",
    "seconds": "a number of seconds",
    "after_messages": "a whole number",
}
