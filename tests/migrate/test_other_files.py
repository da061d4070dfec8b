"""A function that becomes plain in one file is called without ``await`` in the others."""

from viam_sync.migrate.migration import Migration
from viam_sync.migrate.script_files import read

HELPERS = """\
from viam.app.viam_client import ViamClient

async def connect():
    return await ViamClient.create_from_env_vars()

class Fleet:
    async def names(self, client):
        return [robot.name for robot in await client.app_client.list_robots("x")]
"""


def migrated(folder, files):
    """Return the texts of files once they are migrated together, and the reasons of what is left of each."""
    paths = {}
    for name, text in files.items():
        paths[name] = folder / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(text, encoding="utf-8")
    migration = Migration([*paths.values()], threads=False)
    results = {name: migration.migrated(path, read(path)) for name, path in paths.items()}
    return {name: text for name, (text, _) in results.items()}, {name: left for name, (_, left) in results.items()}


def test_awaits_go_however_the_function_is_imported(tmp_path):
    files = {
        "app/helpers.py": HELPERS,
        "app/__init__.py": "from .helpers import connect\n",
        "app/main.py": "from .helpers import connect as c, Fleet\nasync def f():\n    await Fleet().names(await c())\n",
        "script.py": "import app.helpers as h, app\nasync def g():\n    await h.connect()\n",
        "package.py": "from app import connect\nasync def h():\n    return await connect()\n",
        "chain.py": "from script import g\nasync def i():\n    await g()\n",
    }
    after, left = migrated(tmp_path, files)
    assert after["app/main.py"].endswith("def f():\n    Fleet().names(c())\n")
    assert after["script.py"].endswith("\ndef g():\n    h.connect()\n")
    assert after["chain.py"].endswith("\ndef i():\n    g()\n")
    assert after["package.py"].endswith("\ndef h():\n    return connect()\n")
    assert {name for name, reasons in left.items() if reasons} == set()


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
    assert {name for name, reasons in left.items() if reasons} == set()


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
    assert left["fleet/main.py"] == [("5", "`roads` is asynchronous code of `jobs`")]
