"""Asynchronous code that is left to a person: it stays as it is, and each line has its reason."""

import textwrap
from pathlib import Path
from typing import List, Tuple

import pytest

from viam_sync.migrate.plain import make_plain
from viam_sync.migrate.script import UnparsableError, migrate_source, parse

MACHINES = "drives a machine, which viam-sdk does, asynchronously"
PATH = Path("script.py")
HEAD = "import asyncio\nfrom viam.app.viam_client import ViamClient\n"


def left(body: str) -> Tuple[str, List[str]]:
    """Return the new text of a script below its imports, and each line that is left, with the reason."""
    script = HEAD + textwrap.dedent(body).lstrip("\n")
    module, findings = make_plain({PATH: parse(script)})[PATH]
    lines = script.splitlines()
    reasons = [f"{lines[finding.line - 1].strip()} -- {finding.reason}" for finding in findings]
    after, named = migrate_source(script)
    again, named_again = migrate_source(after)
    assert again == after
    assert {each.reason for each in named_again} == {each.reason for each in named}
    return module.code.partition("viam_client import ViamClient\n")[2], reasons


def test_machines_stay_asynchronous_and_calls_of_the_cloud_beside_them_become_plain() -> None:
    text, reasons = left(
        """
        from viam.components.board import Board
        from viam.robot.client import RobotClient

        async def robot():
            return await RobotClient.at_address(ROBOT)

        async def names(client: ViamClient):
            return [place.name for place in await client.app_client.list_locations("org")]

        async def main():
            client = await ViamClient.create_from_env_vars()
            print(await names(client))
            async with await robot() as machine:
                board = Board.from_robot(machine, "pi")
                await board.set_power_mode(1)
                await asyncio.sleep(1)

        asyncio.run(main())
        """
    )
    assert reasons == [
        f"return await RobotClient.at_address(ROBOT) -- `RobotClient.at_address` {MACHINES}",
        f"async with await robot() as machine: -- `await robot()` {MACHINES}",
        f"await board.set_power_mode(1) -- `board.set_power_mode` {MACHINES}",
    ]
    assert "def names(client: ViamClient):\n    return [place.name for place in client.app_client" in text
    assert "\n    client = ViamClient.create_from_env_vars()\n    print(names(client))\n    async with await" in text
    assert text.endswith("        await asyncio.sleep(1)\n\nasyncio.run(main())\n")


def test_a_machine_of_a_client_of_the_cloud_stays() -> None:
    _, reasons = left(
        """
        async def main():
            client = await ViamClient.create_from_env_vars()
            machine = await client.connect_to_machine("robot")
            await machine.close()
        """
    )
    assert [reason.split(" -- ")[0] for reason in reasons] == [
        'machine = await client.connect_to_machine("robot")',
        "await machine.close()",
    ]


def test_a_component_of_their_own_stays() -> None:
    text, reasons = left(
        """
        from viam.components.sensor import Sensor

        class Weather(Sensor):
            async def get_readings(self, **kwargs):
                return {"places": len(await self.client.app_client.list_locations("org"))}
        """
    )
    assert "async def get_readings" in text
    assert "len(self.client.app_client.list_locations" in text
    reason = "`viam.components.sensor.Sensor` may call `get_readings` and await it"
    assert reasons == [f"async def get_readings(self, **kwargs): -- {reason}"]


def test_other_libraries_stay_with_all_that_awaits_them() -> None:
    text, reasons = left(
        """
        import aiohttp

        async def post(session: aiohttp.ClientSession, place):
            async with session.post("https://example.com", json=place) as response:
                return await response.json()

        async def places(client):
            return await client.app_client.list_locations("org")

        async def main():
            client = await ViamClient.create_from_env_vars()
            async with aiohttp.ClientSession() as session:
                for place in await places(client):
                    await post(session, place.name)

        asyncio.run(main())
        """
    )
    assert "def places(client):\n    return client.app_client" in text
    assert "for place in places(client):\n            await post(session, place.name)" in text
    assert [reason.split(" -- ")[1] for reason in reasons] == [
        "`session.post` is asynchronous code of `aiohttp`",
        "`response.json` is asynchronous code of `aiohttp`",
        "`aiohttp.ClientSession` is asynchronous code of `aiohttp`",
    ]


def test_a_method_of_another_library_is_not_taken_for_the_clouds() -> None:
    text, reasons = left(
        """
        import maps

        async def main(client: ViamClient):
            atlas = maps.Atlas()
            print(await atlas.get_location("here"), await client.app_client.get_location("there"))
        """
    )
    assert 'await atlas.get_location("here"), client.app_client.get_location("there")' in text
    assert [reason.split(" -- ")[1] for reason in reasons] == ["`atlas.get_location` is asynchronous code of `maps`"]


def test_a_client_of_the_cloud_is_one_in_an_object_of_another_library_too() -> None:
    text, reasons = left(
        """
        import web

        async def main(request: web.Request):
            print(await request.app.client.app_client.list_locations("org"))
            await request.answer()
        """
    )
    assert "print(request.app.client.app_client.list_locations" in text
    assert [reason.split(" -- ")[1] for reason in reasons] == ["`request.answer` is asynchronous code of `web`"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("server.on_request(job)", "`job` is handed to `server.on_request`"),
        ("server.callback = job", "`job` is handed to `server.callback`"),
        ("server.jobs['a'] = job", "`job` is handed to `server.jobs['a']`"),
        ("server.submit(job(client))", "`job(client)` is handed to `server.submit`"),
        ("asyncio.create_task(job(client))", "`asyncio.create_task(job(client))` runs beside the rest"),
        ("task = asyncio.create_task(job(client))", "nothing awaits `task`; it runs beside the rest"),
        ("task = asyncio.create_task(job(client)); task.cancel()", "plain code has no `.cancel` of a task"),
        ("task = asyncio.create_task(job(client)); await task; await task", "`task` is awaited at more than one place"),
        (
            "task = job(client)\n    while True: await task",
            "`task` may be awaited more than once, in a loop",
        ),
        (
            "await asyncio.wait_for(job(client), 5)",
            "plain code cannot be stopped by `wait_for`; give the calls a `timeout`",
        ),
        ("await asyncio.wait([job(client)])", "`[job(client)]` is handed to `asyncio.wait`"),
        ("group = asyncio.gather(job(client)); await group", "the gathered calls are not awaited at once"),
        ("loop.run_in_executor(None, print)", "`loop.run_in_executor(None, print)` runs beside the rest"),
        ("job(client)", "`job(client)` is never awaited"),
        ("await asyncio.gather(job(client), server.start())", "nothing says what `server.start` holds"),
        (
            "lock = asyncio.Lock(); lock.locked(); await job(client); await lock.acquire()",
            "plain code has no `.locked` of this kind",
        ),
        ("await job(client); await queue.get()", "`queue.get` has no counterpart in plain code"),
        ("await job(client); await event.wait()", "`event.wait` has no counterpart in plain code"),
        ("await job(client); await server.start()", "nothing says what `server.start` awaits"),
        ("await loop.run_in_executor(POOL, print, await job(client))", "an executor of the script's own runs it"),
    ],
)
def test_what_plain_code_cannot_do_stays(line: str, reason: str) -> None:
    text, reasons = left(
        f"""
        import builtins
        queue = asyncio.Queue()
        event = asyncio.Event()

        async def job(client: ViamClient):
            return await client.app_client.get_location("here")

        async def main(client, server, loop=asyncio.get_event_loop()):
            await client.app_client.list_locations("org")
            {line.replace(chr(10), chr(10) + " " * 8)}
        """
    )
    assert reason in [each.split(" -- ")[1] for each in reasons]
    assert "async def main" in text or "async def job" in text
    assert 'return client.app_client.get_location("here")' in text


def test_a_mock_that_gives_awaitables_is_named_in_each_run() -> None:
    text, reasons = left(
        """
        from unittest.mock import AsyncMock, MagicMock

        async def names(client):
            return await client.app_client.list_locations("org")

        async def test_names():
            client = MagicMock()
            client.app_client.list_locations = AsyncMock(return_value=[])
            assert await names(client) == []
        """
    )
    assert "assert names(client) == []" in text
    assert reasons == [
        (
            "client.app_client.list_locations = AsyncMock(return_value=[]) -- "
            "`AsyncMock` gives awaitables; for the clients of the cloud, `MagicMock` is right now"
        )
    ]


def test_a_client_in_a_context_of_its_own_is_asked_for_where_the_other_context_stays() -> None:
    text, reasons = left(
        """
        import aiofiles

        async def main():
            async with await ViamClient.create_from_env_vars() as client, aiofiles.open("x") as file:
                print(await client.app_client.list_locations("org"))
        """
    )
    assert "async with ViamClient.create_from_env_vars() as client, aiofiles.open" in text
    assert reasons[0].endswith(" -- `ViamClient.create_from_env_vars` is plain now; enter it by a `with` of its own")


def test_a_decorator_of_another_library_keeps_its_function() -> None:
    text, reasons = left(
        """
        import fastapi
        app = fastapi.FastAPI()

        @app.get("/places")
        async def places():
            return await CLIENT.app_client.list_locations("org")
        """
    )
    assert "async def places():\n    return CLIENT.app_client" in text
    assert reasons == ['@app.get("/places") -- `places` is handed to `@app.get("/places")`, which may await it']


def test_a_call_of_the_cloud_that_is_gathered_with_a_machine_runs_in_a_thread() -> None:
    text, reasons = left(
        """
        from viam.robot.client import RobotClient

        async def main(client: ViamClient, machine: RobotClient):
            await asyncio.gather(client.app_client.get_location("here"), machine.refresh())
        """
    )
    assert 'gather(asyncio.to_thread(client.app_client.get_location, "here"), machine.refresh())' in text
    assert len(reasons) == 1


UNTOUCHED = [
    "import asyncio\n\nasync def main():\n    await asyncio.sleep(1)\n\nasyncio.run(main())\n",
    "async def get(client):\n    return await client.get_location('here')\n",
    HEAD + "async def tick():\n    await asyncio.sleep(1)\n\nasyncio.run(tick())\n",
    HEAD + "async def tick():\n    async with asyncio.timeout(1):\n        await asyncio.sleep(1)\n",
    "import aiohttp\n\nasync def main():\n    async with aiohttp.ClientSession() as session:\n        pass\n",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_asynchronous_code_without_viam_is_not_touched(text: str) -> None:
    module, findings = make_plain({PATH: parse(text)})[PATH]
    assert (module.code, findings) == (text, [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = (\n", 1),
        ("import viam\ndef f(:\n    pass\n", 2),
        ("print 'x'\n", 1),
        ("if x:\nawait y\n", 2),
        ("x = 1\n\0", 2),
    ],
)
def test_a_text_that_is_not_python_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UnparsableError, match=f"line {line}: ") as caught:
        migrate_source(text)
    assert caught.value.line == line
