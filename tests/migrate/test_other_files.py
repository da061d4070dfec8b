"""Files that import each other are migrated as one program."""

import pytest

from viam_sync.migrate.migration import Migration
from viam_sync.migrate.script_files import read

HELPERS = """\
from viam.app.viam_client import ViamClient

async def connect():
    return await ViamClient.create_from_env_vars()

class Fleet:
    async def names(self, client):
        return [robot.name for robot in await client.app_client.list_robots("x")]

    async def __aenter__(self):
        self.client = await connect()
        return self

    async def __aexit__(self, *error):
        pass

async def parts(client):
    for part in await client.app_client.get_robot_parts("x"):
        yield part
"""
PLAIN = HELPERS.replace("async ", "").replace("await ", "").replace("__a", "__").replace("from viam", "from viam_sync")


def migrated(folder, files):
    """Return the texts of files once they are migrated together, and the reasons of what is left of each."""
    paths = {}
    for name, text in files.items():
        paths[name] = folder / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(text, encoding="utf-8")
    migration = Migration([*paths.values()], threads=False)
    results = {name: migration.migrated(path, read(path)) for name, path in paths.items()}
    left = {name: [reason for _, reason in left] for name, (_, left) in results.items() if left}
    return {name: text for name, (text, _) in results.items()}, left


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "from app.helpers import connect as c, Fleet\nasync def f():\n    await Fleet().names(await c())\n",
            "from app.helpers import connect as c, Fleet\ndef f():\n    Fleet().names(c())\n",
        ),
        (
            "import app.helpers as h, app\nasync def f():\n    await h.connect()\n    await app.connect()\n",
            "import app.helpers as h, app\ndef f():\n    h.connect()\n    app.connect()\n",
        ),
        (
            "from app import helpers\nasync def f():\n    await helpers.connect()\n",
            "from app import helpers\ndef f():\n    helpers.connect()\n",
        ),
        ("from app import *\nasync def f():\n    await connect()\n", "from app import *\ndef f():\n    connect()\n"),
        ("import asyncio, app\nclient = asyncio.run(app.connect())\n", "import app\nclient = app.connect()\n"),
        (
            "from app.helpers import parts\nasync def f(c):\n    return [x async for x in parts(c)]\n",
            "from app.helpers import parts\ndef f(c):\n    return [x for x in parts(c)]\n",
        ),
        (
            "from app.helpers import Fleet\nasync def f():\n    async with Fleet() as fleet:\n        pass\n",
            "from app.helpers import Fleet\ndef f():\n    with Fleet() as fleet:\n        pass\n",
        ),
        (
            "from app import Fleet\nclass A(Fleet):\n    async def names(self, c):\n        await super().names(c)\n",
            "from app import Fleet\nclass A(Fleet):\n    def names(self, c):\n        super().names(c)\n",
        ),
        (
            (
                "try:\n    from .app import connect\nexcept ImportError:\n    from app import connect\n"
                "async def f():\n    return await connect()\n"
            ),
            (
                "try:\n    from .app import connect\nexcept ImportError:\n    from app import connect\n"
                "def f():\n    return connect()\n"
            ),
        ),
    ],
)
def test_awaits_go_however_a_function_is_imported(tmp_path, script, expected):
    files = {"app/helpers.py": HELPERS, "app/__init__.py": "from .helpers import Fleet, connect\n", "main.py": script}
    after, left = migrated(tmp_path, files)
    assert (after["main.py"], left) == (expected, {})
    assert after["app/helpers.py"] == PLAIN
    assert migrated(tmp_path, after) == (after, {})


def test_functions_that_call_each_other_in_a_circle_of_files_become_plain(tmp_path):
    files = {
        "a.py": "import b\nasync def f(c, n):\n    return await b.g(c, n)\n",
        "b.py": "import a, d\nasync def g(c, n):\n    return await (a.f(c, n - 1) if n else d.connect())\n",
        "d.py": HELPERS,
    }
    after, left = migrated(tmp_path, files)
    assert after["b.py"] == "import a, d\ndef g(c, n):\n    return (a.f(c, n - 1) if n else d.connect())\n"
    assert (after["a.py"], left) == ("import b\ndef f(c, n):\n    return b.g(c, n)\n", {})


def test_functions_of_one_name_in_another_folder_are_others(tmp_path):
    script = "from helpers import connect\nasync def f():\n    await connect()\n"
    other = "import aiohttp\nasync def connect():\n    await aiohttp.request('GET', 'x')\n"
    files = {"a/helpers.py": HELPERS, "a/main.py": script, "b/helpers.py": other, "b/main.py": script}
    after, _ = migrated(tmp_path, files)
    assert after["a/main.py"] == script.replace("async ", "").replace("await ", "")
    assert after["b/helpers.py"] == other
    assert after["b/main.py"] == script


def test_a_function_that_stays_asynchronous_is_awaited_in_all_files(tmp_path):
    helpers = HELPERS + "\nasync def get(session):\n    async with session.get('x') as answer:\n        return answer\n"
    script = "from helpers import connect, get\nasync def f(session):\n    await get(session)\n    await connect()\n"
    after, _ = migrated(tmp_path, {"helpers.py": helpers, "main.py": script})
    assert "async def get(session):\n    async with session.get" in after["helpers.py"]
    assert after["main.py"] == script.replace("await connect", "connect")


@pytest.mark.parametrize(
    "use",
    [
        "import loop\nloop.call_later(1, helpers.connect)\n",
        "import fastapi\ndef f(client=fastapi.Depends(helpers.connect)):\n    pass\n",
        "import asyncio\nasync def f():\n    task = asyncio.create_task(helpers.connect())\n    task.cancel()\n",
    ],
)
def test_a_function_that_another_file_hands_to_other_code_stays_asynchronous(tmp_path, use):
    files = {"helpers.py": HELPERS, "main.py": f"import helpers\n{use}"}
    after, left = migrated(tmp_path, files)
    assert "async def connect():\n    return ViamClient" in after["helpers.py"]
    assert after["main.py"] == files["main.py"]
    assert list(left) == ["main.py"]


def test_methods_of_a_base_class_in_another_file_become_plain_together_with_those_that_override_them(tmp_path):
    base = "import abc\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    async def get(self): ...\n"
    twice = "    async def twice(self):\n        return [await self.get(), await self.get()]\n"
    sub = (
        HELPERS + "from base import Base\nclass Sub(Base):\n    async def get(self):\n        return await connect()\n"
    )
    after, left = migrated(tmp_path, {"base.py": base + twice, "sub.py": sub})
    assert after["base.py"] == (base + twice).replace("async ", "").replace("await ", "")
    assert after["sub.py"].endswith("class Sub(Base):\n    def get(self):\n        return connect()\n")
    assert left == {}


def test_a_file_that_is_not_among_them_is_named_as_one_of_another_library(tmp_path):
    script = (
        "from cloud import connect\nasync def f():\n    print(await (await connect()).app_client.list_robots('x'))\n"
    )
    after, left = migrated(tmp_path, {"main.py": script})
    assert "await connect()" in after["main.py"]
    assert left == {"main.py": ["`connect` is asynchronous code of `cloud`"]}


def test_an_object_of_another_file_is_entered_iterated_and_has_the_clients_that_it_keeps(tmp_path):
    cloud = """\
from viam.app.viam_client import ViamClient

class Cloud:
    async def __aenter__(self):
        self.client = await ViamClient.create_from_env_vars()
        return self

    async def __aexit__(self, *exc):
        self.client.close()
"""
    script = """\
from . import Cloud

async def main():
    async with Cloud() as cloud:
        for place in await cloud.client.app_client.list_locations("org"):
            print(place.name)
"""
    files = {"fleet/cloud.py": cloud, "fleet/__init__.py": "from .cloud import Cloud\n", "fleet/__main__.py": script}
    after, left = migrated(tmp_path, files)
    assert "def __enter__(self):\n        self.client = ViamClient.create" in after["fleet/cloud.py"]
    assert after["fleet/__main__.py"] == script.replace("async ", "").replace("await ", "")
    assert left == {}


def test_the_clients_that_an_object_of_another_file_or_library_keeps_are_those_of_the_cloud(tmp_path):
    context = "from viam.app.viam_client import ViamClient\n\nclass Context:\n    client: ViamClient\n"
    jobs = """\
import maps
from .context import Context

async def places(context: Context):
    return await context.client.app_client.list_locations("org")

async def roads():
    return await maps.Atlas().data_client.roads()
"""
    main = "from .jobs import places, roads\n\nasync def main(context):\n    await places(context)\n    await roads()\n"
    after, left = migrated(tmp_path, {"fleet/context.py": context, "fleet/jobs.py": jobs, "fleet/main.py": main})
    assert "\ndef places(context: Context):\n    return context.client.app_client.list" in after["fleet/jobs.py"]
    assert after["fleet/jobs.py"].endswith("\nasync def roads():\n    return await maps.Atlas().data_client.roads()\n")
    assert "    places(context)\n    await roads()\n" in after["fleet/main.py"]
    assert left == {"fleet/jobs.py": ["`maps.Atlas().data_client.roads` is asynchronous code of `maps`"]}
