"""A migrated script does what it did: the same calls in the same order, with the same results."""

import sys
from typing import List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from migrate.running import HEAD, run_both

from viam_sync.migrate.script import migrate_source

#: What the functions of a random script are made of; OTHER and NEXT are functions of the script.
STATEMENTS = [
    "y = await client.app_client.get_location(x)",
    "y = (await client.app_client.get_location(x))[0].upper()",
    "y = await OTHER(client, x)",
    "y = await (OTHER(client, x) if flag else NEXT(client, 1))",
    "y, z = await asyncio.gather(OTHER(client, 1), NEXT(client, x))",
    "y = await asyncio.gather(*[OTHER(client, i) for i in range(3)])",
    "y = await asyncio.gather(*(OTHER(client, i) for i in range(2)), client.app_client.get_location(7))",
    "y = await asyncio.gather(*map(client.app_client.get_location, range(2)))",
    "await asyncio.gather(OTHER(client, 1), NEXT(client, 2))",
    "await asyncio.gather(*[OTHER(client, i) for i in range(3)])",
    "task = asyncio.create_task(OTHER(client, x)); log('between'); y = await task",
    "coroutine = OTHER(client, x); log('between'); y = await coroutine",
    "coroutine = client.app_client.get_location(x); log('between'); y = await coroutine",
    "tasks = [asyncio.create_task(OTHER(client, i)) for i in range(2)]; y = await asyncio.gather(*tasks)",
    "jobs = []; jobs.append(OTHER(client, 5)); jobs.append(NEXT(client, 6)); y = [await job for job in jobs]",
    "y = [await OTHER(client, i) for i in range(2)]",
    "y = {i: await OTHER(client, i) for i in range(2) if await OTHER(client, i)}",
    "y = [entry async for entry in entries(client, x)]",
    "y = [await OTHER(client, entry) async for entry in entries(client, x) if entry]",
    "y = await asyncio.gather(OTHER(client, 'missing'), NEXT(client, 'missing'), return_exceptions=True); y = len(y)",
    "y = await asyncio.wait_for(client.app_client.get_location(x), timeout=5)",
    "y = await asyncio.wait_for(OTHER(client, x), None)",
    "y = await apply(OTHER, client, x)",
    "y = await apply(lambda c: NEXT(c, x), client)",
    "y = await measured(OTHER(client, x))",
    "y = await measured(client.app_client.get_location(x))",
    "y = await lazy(client, x)",
    "job = lazy(client, x); log('between'); y = await job",
    "await asyncio.sleep(0)",
    "y = [page async for page in Book(client)]",
    "permits = asyncio.Semaphore(2); await permits.acquire(); y = await OTHER(client, x); permits.release()",
    "y = await Fleet(client).robots(x)",
    "y = await decorated(client, x)",
    "y = [await call(client, x) for call in {'a': OTHER, 'b': NEXT}.values()]",
    "call = OTHER if flag else NEXT; y = await call(client, x)",
    "y = list(await client.app_client.get_location(x)) + [await OTHER(client, 3)]",
    "iterator = entries(client, x); y = await iterator.__anext__(); await iterator.aclose()",
]
if sys.version_info >= (3, 9):
    STATEMENTS.append("y = await asyncio.to_thread(str, x)")
if sys.version_info >= (3, 10):
    STATEMENTS.append("iterator = entries(client, x); y = await anext(iterator); await iterator.aclose()")
    STATEMENTS.append("async with contextlib.aclosing(entries(client, x)) as items: y = [item async for item in items]")
BLOCKS = [
    "async with Fleet(client) as fleet:",
    "async with Fleet(client) as fleet, opened(client, x) as other:",
    "async with opened(client, x) as other:",
    "async with lock:",
    "async with contextlib.AsyncExitStack() as stack, await stack.enter_async_context(Fleet(client)):",
    "async for page in Book(client):",
    "async for entry in entries(client, x):",
    "async for entry in Pages(client):",
    "for x in await client.app_client.list_robots(x):",
    "if await client.app_client.list_robots(x):",
    "if flag:",
]
SUPPORT = '''
import contextlib
import functools
lock = None
flag = FLAG

def logged(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        log("before", function.__name__)
        try:
            return await function(*args, **kwargs)
        finally:
            log("after")
    return wrapper

@logged
async def decorated(client, x):
    return await client.app_client.get_robot(x)

async def entries(client, x):
    for entry in await client.app_client.get_robot_part_logs(x):
        yield entry
        log("resumed")

async def apply(function, *args):
    return await function(*args)

async def measured(awaitable):
    log("start")
    result = await awaitable
    log("end")
    return result

def lazy(client, x):
    return client.app_client.get_robot_part(x)

@contextlib.asynccontextmanager
async def opened(client, x):
    yield await client.app_client.get_fragment(x)
    await client.app_client.delete_fragment(x)

class Fleet:
    def __init__(self, client):
        self.client = client

    async def __aenter__(self):
        log("enter")
        return self

    async def __aexit__(self, *error):
        log("exit", error[0])

    async def robots(self, x):
        return await self.client.app_client.list_robots(x)

class Pages:
    def __init__(self, client):
        self.client, self.page = client, 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        self.page += 1
        if self.page > 2:
            raise StopAsyncIteration
        return await self.client.app_client.get_organization(self.page)

class Book:
    def __init__(self, client):
        self.client = client

    def __aiter__(self):
        return Pages(self.client)

async def f0(client, x):
    return await client.app_client.get_robot(x)

async def use_all(client):
    """Calls the functions above, as nothing would say what those are that nobody calls."""
    global lock
    lock = asyncio.Lock()
    await apply(f0, client, 1)
    await measured(decorated(client, 1))
    async with opened(client, 1), Fleet(client) as fleet, lock:
        log(await lazy(client, 1), await fleet.robots(2))
    log([page async for page in Pages(client)], [page async for page in Book(client)])
    log([entry async for entry in entries(client, 1)])

asyncio.run(use_all(CLIENT))
'''

RUNNERS = [
    "asyncio.run(MAIN)",
    "loop = asyncio.new_event_loop()\ntry:\n    loop.run_until_complete(MAIN)\nfinally:\n    loop.close()",
]


@st.composite
def scripts(draw: st.DrawFn) -> str:
    """Return a script of a few functions, each of which awaits those above it."""
    text = HEAD + SUPPORT.replace("FLAG", str(draw(st.booleans())))
    count = draw(st.integers(1, 3))
    for number in range(1, count + 1):
        text += f"\nasync def f{number}(client, x):\n    y = z = None\n    await client.app_client.list_robots(0)\n"
        for _ in range(draw(st.integers(1, 3))):
            statement = draw(st.sampled_from(STATEMENTS))
            statement = statement.replace("OTHER", f"f{draw(st.integers(0, number - 1))}")
            statement = statement.replace("NEXT", f"f{draw(st.integers(0, number - 1))}")
            lines = [*draw(st.lists(st.sampled_from(BLOCKS), max_size=1)), statement, f"log('f{number}', x, y, z)"]
            if len(lines) == 3:
                lines[1:] = [f"    {line}" for line in lines[1:]]
            text += "".join(f"    {line}\n" for line in lines)
        text += "    return y\n"
    return text + "\n" + draw(st.sampled_from(RUNNERS)).replace("MAIN", f"f{count}(CLIENT, 1)") + "\n"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts())
def test_a_migrated_script_makes_the_same_calls(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    before, after, migrated = run_both(script, monkeypatch)
    # What is gathered ran in turns.
    assert sorted(map(repr, after)) == sorted(map(repr, before))
    assert "async " not in migrated
    assert "await " not in migrated
    assert migrate_source(migrated) == (migrated, [])


def script_of(statements: List[str]) -> str:
    """Return a script with a function for each statement."""
    text = HEAD + SUPPORT.replace("FLAG", "True")
    for number, statement in enumerate(statements):
        text += f"\nasync def main{number}(client, x):\n    await client.app_client.get_location({number})\n"
        text += f"    {statement.replace('OTHER', 'f0').replace('NEXT', 'decorated')}\n    return locals().get('y')\n"
        text += f"\nlog(asyncio.run(main{number}(CLIENT, 1)))\n"
    return text


def test_each_statement_makes_the_same_calls_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, migrated = run_both(script_of(STATEMENTS), monkeypatch)
    assert after == before
    assert "async " not in migrated
    assert "await " not in migrated


def test_what_is_gathered_in_threads_gives_the_same_results(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = [line for line in STATEMENTS if "gather" in line]
    before, after, migrated = run_both(script_of(gathered), monkeypatch, threads=True)
    assert [entry for entry in after if len(entry) == 1] == [entry for entry in before if len(entry) == 1]
    assert sorted(map(repr, after)) == sorted(map(repr, before))
    assert "ThreadPoolExecutor" in migrated
