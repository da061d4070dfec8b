"""Scripts that cannot become plain as a whole: what is left runs as before, and is named."""

import ast
import sys
from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migrate.running import HEAD, PlainClient, run_official, run_script

from viam_sync.migrate.script import migrate_source

GET = "CLIENT.app_client.get_location"

#: What only Python 3.9 and later can do: `asyncio.to_thread` makes an awaitable of a call of the cloud.
NEEDS_THREADS = "an object that is awaited"

#: Statements for a function `main`, with functions above it; each does something that plain code may not do.
FRAGMENTS = {
    "a table of functions of which one waits for an event": (
        f"""
async def cloudy():
    return await {GET}("cloudy")

async def waiting():
    event = asyncio.Event()
    event.set()
    await event.wait()
    return "waited"

TABLE = {{"a": cloudy, "b": waiting}}
""",
        "    for name in TABLE:\n        log(await TABLE[name]())\n",
    ),
    "a property that gives an awaitable": (
        f"""
class Place:
    @property
    def where(self):
        return {GET}("where")
""",
        "    log(await Place().where)\n",
    ),
    "an object that is called": (
        f"class Operation:\n    async def __call__(self, x):\n        return await {GET}(x)\n",
        "    operation = Operation()\n    log(await operation('called'))\n",
    ),
    "an object that is awaited": (
        f"""
class Later:
    def __await__(self):
        return {GET}("later").__await__()
""",
        "    log(await Later())\n",
    ),
    "an object that awaits a method of its own": (
        f"""
class Own:
    async def go(self):
        return await {GET}("own")

    def __await__(self):
        return self.go().__await__()
""",
        "    log(await Own())\n",
    ),
    "a function in a dataclass": (
        f"""
import dataclasses

@dataclasses.dataclass
class Job:
    fetch: object

    async def go(self):
        return await self.fetch("job")

async def fetch(x):
    return await {GET}(x)
""",
        "    log(await Job(fetch).go())\n",
    ),
    "a decorator that is a class": (
        f"""
class Counted:
    def __init__(self, function):
        self.function = function

    async def __call__(self, *args):
        log("call")
        return await self.function(*args)

@Counted
async def counted(x):
    return await {GET}(x)
""",
        "    log(await counted('counted'))\n",
    ),
    "what only runs in a loop": (
        f"async def looping():\n    log(asyncio.current_task() is None)\n    return await {GET}('looping')\n",
        "    log(await looping())\n",
    ),
    "what only runs in a loop, in a plain function": (
        f"""
def time():
    return asyncio.get_running_loop().time()

async def timed():
    return time() > 0, await {GET}("timed")
""",
        "    log(await timed())\n",
    ),
    "a lock that is asked": (
        f"""
LOCK = None

async def locked():
    global LOCK
    LOCK = asyncio.Lock()
    async with LOCK:
        log(LOCK.locked())
        return await {GET}("locked")
""",
        "    log(await locked())\n",
    ),
    "tasks that are asked": (
        f"async def job(x):\n    return await {GET}(x)\n",
        "    task = asyncio.ensure_future(job('task'))\n    await task\n    log(task.done(), task.result())\n",
    ),
    "a loop that is handed on": (
        f"def use(loop):\n    return loop.is_running()\n\nasync def used():\n    return await {GET}('used')\n",
        "    log(use(asyncio.get_running_loop()), await used())\n",
    ),
    "a method of a generator": (
        f"async def rows():\n    for x in 'ab':\n        yield await {GET}(x)\n",
        "    log(await rows().__aiter__().__anext__())\n",
    ),
    "functions that a method registers": (
        f"""
class Poller:
    def __init__(self):
        self.callbacks = []

    def on(self, callback):
        self.callbacks.append(callback)
        return callback

    async def run(self):
        for callback in self.callbacks:
            await callback("poll")

POLLER = Poller()

@POLLER.on
async def polled(x):
    log(await {GET}(x))

@POLLER.on
async def unrelated(x):
    log(x)
""",
        "    await POLLER.run()\n",
    ),
    "methods by name": (
        f"""
class Named:
    async def do_this(self):
        return await {GET}("this")

    async def do_that(self):
        return await {GET}("that")
""",
        "    log(await getattr(Named(), 'do_' + 'this')(), await getattr(Named(), 'do_that')())\n",
    ),
    "a method that is set": (
        f"""
class Set:
    pass

async def method(self):
    return await {GET}("set")

setattr(Set, "method", method)
""",
        "    log(await Set().method())\n",
    ),
    "tasks that are keys": (
        f"async def keyed(x):\n    return await {GET}(x)\n",
        """    tasks = {asyncio.ensure_future(keyed(x)): x for x in 'ab'}
    for task, x in tasks.items():
        log(x, await task)
""",
    ),
    "a queue": (
        f"""
async def worker(queue):
    for x in iter(queue.get_nowait, None):
        log(await {GET}(x))
""",
        """    queue = asyncio.Queue()
    for x in ("first", None):
        await queue.put(x)
    await asyncio.wait_for(worker(queue), 60)
""",
    ),
    "a function or its result": (
        f"""
import inspect

def either(function):
    async def wrapper(*args):
        result = function(*args)
        return await result if inspect.isawaitable(result) else result
    return wrapper

@either
async def slow(x):
    return await {GET}(x)

@either
def quick(x):
    return x
""",
        "    log(await slow('slow'), await quick('quick'))\n",
    ),
}
if sys.version_info < (3, 9):
    del FRAGMENTS[NEEDS_THREADS]


def remains(text: str) -> bool:
    """Whether a script still has asynchronous code."""
    kinds = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    return any(isinstance(node, kinds) for node in ast.walk(ast.parse(text)))


def script(names: List[str]) -> str:
    """Return a script that does all that the fragments do."""
    above = "\n".join(FRAGMENTS[name][0] for name in names)
    return f"{HEAD}{above}\nasync def main():\n{''.join(FRAGMENTS[name][1] for name in names)}\nasyncio.run(main())\n"


def run_twice(text: str, monkeypatch: pytest.MonkeyPatch) -> Tuple[List[object], List[object]]:
    """Return what a script notes before its migration and after it; what is left of it is named both times."""
    after, findings = migrate_source(text)
    again, findings_again = migrate_source(after)
    assert again == after
    assert {finding.reason for finding in findings} == {finding.reason for finding in findings_again}
    assert findings or not remains(after)
    return run_official(text, monkeypatch), run_script(after, PlainClient)


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_script_that_is_plain_in_part_does_what_it_did(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = run_twice(script([name]), monkeypatch)
    assert before == after


@settings(max_examples=25, deadline=None)
@given(names=st.lists(st.sampled_from([*FRAGMENTS]), min_size=2, max_size=5, unique=True))
def test_what_stays_asynchronous_in_a_script_does_not_change_the_rest(names: List[str]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        before, after = run_twice(script(names), monkeypatch)
    assert before == after
