"""Runs a script before its migration with an asynchronous client, and after it with a plain one."""

import sys
import types
from typing import Any, List, Tuple

from viam_sync.migrate.script import migrate_source

HEAD = "import asyncio\nfrom viam.app.viam_client import ViamClient\n"


class PlainClient:
    """Notes its calls, and answers each with its name and arguments."""

    def __init__(self, log: List[Any]) -> None:
        self.log = log
        self.app_client = self

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, timeout: Any = None) -> Any:
            self.log.append((name, *args))
            if "missing" in args:
                raise LookupError(name)
            return [f"{name} {arg}" for arg in args]

        return call


class AsynchronousClient(PlainClient):
    """The same, to be awaited."""

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)

        async def awaited(*args: Any) -> Any:
            return call(*args)

        return awaited


def _official() -> dict:
    """Return the modules of an official SDK that has types alone."""
    modules = {name: types.ModuleType(name) for name in ("viam", "viam.app", "viam.app.viam_client")}
    modules["viam.app.viam_client"].ViamClient = AsynchronousClient
    return modules


def run_script(text: str, client_type: Any) -> List[Any]:
    """Run a script that finds its client as CLIENT, and return what it and the client noted."""
    log: List[Any] = []
    names = {"CLIENT": client_type(log), "log": lambda *values: log.append(values), "__name__": "script"}
    exec(compile(text, "script.py", "exec"), names)
    return log


def run_official(text: str, monkeypatch: Any) -> List[Any]:
    """Run a script of the official SDK, and return what it and its client noted."""
    with monkeypatch.context() as patch:
        for name, module in _official().items():
            patch.setitem(sys.modules, name, module)
        return run_script(text, AsynchronousClient)


def run_both(text: str, monkeypatch: Any, threads: bool = False) -> Tuple[List[Any], List[Any], str]:
    """Return what a script noted before its migration, and after it, and its new text."""
    migrated, findings = migrate_source(text, threads=threads)
    assert findings == []
    return run_official(text, monkeypatch), run_script(migrated, PlainClient), migrated
