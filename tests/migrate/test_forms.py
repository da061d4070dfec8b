"""The form of what is migrated: comments, blank lines, parentheses, imports and hints."""

import ast
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

from viam_sync.migrate.plain import make_plain
from viam_sync.migrate.script import migrate_source, parse

PATH = Path("script.py")


def plain(text: str, threads: bool = False) -> str:
    """Return the new text of a script of which nothing is left, and which stays as it is from then on."""
    module, findings = make_plain({PATH: parse(text)}, threads=threads)[PATH]
    assert findings == []
    ast.parse(module.code)
    assert make_plain({PATH: parse(module.code)}, threads=threads)[PATH][0].code == module.code
    return module.code


def migrated(body: str, head: str = "import asyncio\nfrom viam.app.viam_client import ViamClient\n") -> str:
    """Return what becomes of a script, without the imports above it."""
    code = plain(head + textwrap.dedent(body).lstrip("\n"))
    return code.partition("viam_client import ViamClient\n")[2]


def test_comments_and_blank_lines_stay() -> None:
    text = plain(
        '''#!/usr/bin/env python3
"""Docstring."""

import asyncio  # loops

# Viam
from viam.app.viam_client import ViamClient


async def main( client : ViamClient ) :   # main
    # first
    places = await   client.app_client.list_locations(  # org
        "org",
    )   # listed

    for place in places : print ( place )
    # last


# The loop.
loop = asyncio.get_event_loop()
try:
    # Run.
    loop.run_until_complete(main(CLIENT))  # done
finally:
    # Close.
    loop.close()  # closed
# end
'''
    )
    assert (
        text
        == '''#!/usr/bin/env python3
"""Docstring."""

# loops

# Viam
from viam.app.viam_client import ViamClient


def main( client : ViamClient ) :   # main
    # first
    places = client.app_client.list_locations(  # org
        "org",
    )   # listed

    for place in places : print ( place )
    # last


# The loop.
# Run.
main(CLIENT)  # done
# Close.
# closed
# end
'''
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = (await CALL).name", "x = CALL.name"),
        ("x = (await CALL)", "x = CALL"),
        ("x = await (CALL)", "x = (CALL)"),
        ("return(await CALL).name", "return(CALL).name"),
        ("return await CALL", "return CALL"),
        ("x = not(await CALL)", "x = not(CALL)"),
        ("x = -(await CALL)", "x = -CALL"),
        ("x = 2 ** await CALL", "x = 2 ** CALL"),
        ("x = (\n        await CALL\n    )[0]", "x = (\n        CALL\n    )[0]"),
        ("x = (await # why\n        CALL)", "x = ( # why\n        CALL)"),
        ("x = f'{await CALL} {(await CALL)!r}'", "x = f'{CALL} {CALL!r}'"),
        ("print(await # why\n        CALL)", "print(( # why\n        CALL))"),
        ("if (await CALL): pass", "if CALL: pass"),
        ("print(await CALL, *(await CALL), **(await CALL))", "print(CALL, *CALL, **CALL)"),
        ("x = [y for y in await CALL if await CALL]", "x = [y for y in CALL if CALL]"),
        ("x = lambda: 1; await CALL; await CALL", "x = lambda: 1; CALL; CALL"),
        ("assert await CALL, await CALL", "assert CALL, CALL"),
        ("async  with   await CALL as x :pass", "with   CALL as x :pass"),
        ("async for x in await CALL: print(x)", "for x in CALL: print(x)"),
        ("x = {k async for k in await CALL}", "x = {k for k in CALL}"),
        ("if (x := await CALL): pass", "if (x := CALL): pass"),
        ("await asyncio.gather(CALL, CALL)", "CALL\n    CALL"),
        ("await asyncio.gather(*[CALL for x in y])", "for x in y:\n        CALL"),
        ("return await asyncio.gather(CALL, *[CALL for x in y])", "return [CALL, *[CALL for x in y]]"),
        (
            "x = await asyncio.gather(\n        CALL,  # a\n        CALL,\n    )",
            "x = [\n        CALL,  # a\n        CALL,\n    ]",
        ),
    ],
)
def test_an_await_goes_and_what_it_needed_with_it(before: str, after: str) -> None:
    call = 'client.app_client.list_locations("org")'
    text = migrated(f"async def main(client):\n    {before.replace('CALL', call)}\n")
    assert text == f"def main(client):\n    {after.replace('CALL', call)}\n"


@pytest.mark.parametrize(
    ("imports", "left"),
    [
        ("import asyncio\n", "import time\n"),
        ("import asyncio, sys\n", "import time\nimport sys\n"),
        ("import sys, asyncio\n", "import time\nimport sys\n"),
        ("import asyncio as aio\n", "import time\n"),
        ("import asyncio\nimport time\n", "import time\n"),
        ("import asyncio\nimport time as t\n", "import time as t\n"),
        ("import asyncio\nfrom time import time\n", "import time as time_module\nfrom time import time\n"),
        ("from asyncio import sleep, run\n", "import time\n"),
        ("from __future__ import annotations\nfrom asyncio import *\n", None),
    ],
)
def test_imports_follow_what_is_used(imports: str, left: str) -> None:
    module = "aio" if " as aio" in imports else "asyncio"
    sleep, run = ("sleep", "run") if "from asyncio" in imports else (f"{module}.sleep", f"{module}.run")
    script = f"async def main():\n    await CLIENT.app_client.list_locations()\n    await {sleep}(1)\n\n{run}(main())\n"
    if left is None:
        code = make_plain({PATH: parse(f"{imports}{script}")})[PATH][0].code
        assert code.startswith(imports)
        return
    name = next((line.split()[-1] for line in left.splitlines() if line.startswith("import time as")), "time")
    plain_script = f"def main():\n    CLIENT.app_client.list_locations()\n    {name}.sleep(1)\n\nmain()\n"
    assert plain(f"{imports}{script}") == f"{left}{plain_script}"


def test_hints_of_asynchronous_code_become_those_of_plain_code() -> None:
    text = plain(
        """\
import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, AsyncIterator, Awaitable, Callable, Coroutine, Dict, List, Optional

from viam.app.viam_client import ViamClient

Job = Callable[[ViamClient], Awaitable[List[str]]]
JOBS: Dict[str, Job] = {}


async def names(client: ViamClient) -> AsyncIterator[str]:
    for place in await client.app_client.list_locations("org"):
        yield place.name


async def pairs(client: "ViamClient") -> AsyncGenerator[str, None]:
    async for name in names(client):
        yield name


async def all_names(client: ViamClient) -> List[str]:
    return [name async for name in pairs(client)]


async def run(job: Job, other: "Optional[Callable[..., Coroutine[Any, Any, List[str]]]]" = None) -> None:
    task: "asyncio.Task[List[str]]" = asyncio.create_task(job(CLIENT))
    print(await task, await measured(all_names(CLIENT)))


async def measured(awaitable: Awaitable[List[str]]) -> List[str]:
    return await awaitable


def lazy(client: ViamClient) -> Awaitable[Any]:
    return client.app_client.list_locations("org")


async def main() -> None:
    await run(all_names)
    await lazy(CLIENT)
"""
    )
    assert (
        "from collections.abc import Generator\nfrom typing import Any, Iterator, Callable, Dict, List, Optional\n"
        in text
    )
    assert "Job = Callable[[ViamClient], List[str]]" in text
    assert "def names(client: ViamClient) -> Iterator[str]:" in text
    assert 'def pairs(client: "ViamClient") -> Generator[str, None, None]:' in text
    assert 'other: "Optional[Callable[..., List[str]]]" = None' in text
    assert 'task: "Callable[[], List[str]]" = functools.partial(job, CLIENT)' in text
    assert "def measured(awaitable: Callable[[], List[str]]) -> List[str]:\n    return awaitable()" in text
    assert "def lazy(client: ViamClient) -> Any:" in text
    assert "asyncio" not in text


def test_a_notebook_still_shows_all_results_of_a_gather() -> None:
    calls = "client.app_client.list_organizations(), client.app_client.list_locations('x')"
    text, _ = migrate_source(f"import asyncio, viam\nawait asyncio.gather({calls})\n")
    assert text == f"import viam_sync\n[{calls}]\n"


def test_a_gather_in_threads_has_a_function_of_its_own_below_the_imports() -> None:
    text = plain(
        "import asyncio\nfrom viam.app.viam_client import ViamClient\n\n\nasync def main(client: ViamClient):\n"
        "    return await asyncio.gather(*[client.app_client.get_location(id) for id in 'ab'])\n",
        threads=True,
    )
    assert text.startswith(
        "import concurrent.futures\nimport functools\nfrom viam.app.viam_client import ViamClient\n\n\ndef gather("
    )
    assert text.endswith("    return gather(*[functools.partial(client.app_client.get_location, id) for id in 'ab'])\n")


def test_timeouts_of_the_official_sdk_are_caught_as_those_of_this_package() -> None:
    text = plain(
        "import asyncio\nfrom viam.app.viam_client import ViamClient\n\nasync def main(client: ViamClient):\n    try:\n"
        "        await asyncio.wait_for(client.app_client.get_location('here'), timeout=5)\n"
        "    except (asyncio.TimeoutError, KeyError) as error:\n        pass\n"
    )
    assert "    client.app_client.get_location('here', timeout=5)\n" in text
    assert "    except (KeyError, DeadlineExceededError) as error:\n" in text
    assert "import DeadlineExceededError\n" in text
    assert "asyncio" not in text


def test_tests_of_a_script_become_plain_tests() -> None:
    text = plain(
        "import unittest\n\nimport pytest\nfrom viam.app.viam_client import ViamClient\n\n\n@pytest.mark.asyncio\n"
        "async def test_names(client: ViamClient):\n    assert await client.app_client.list_locations('org')\n\n\n"
        "class Test(unittest.IsolatedAsyncioTestCase):\n    async def test_places(self):\n"
        "        self.assertTrue(await CLIENT.app_client.list_locations('org'))\n"
    )
    assert "asyncio\n" not in text.replace("IsolatedAsyncio", "")
    assert "\n\ndef test_names(client: ViamClient):\n    assert client.app_client" in text
    assert "    def test_places(self):\n" in text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n    "])
def test_the_ends_of_lines_and_of_the_text_stay(newline: str, end: str) -> None:
    main = "async def main(c):\n\tawait c.app_client.get_location()\n"
    text = f"import asyncio\nimport viam\n{main}asyncio.run(main(1)){end}"
    new = f"import viam\ndef main(c):\n\tc.app_client.get_location()\nmain(1){end}"
    assert plain(text.replace("\n", newline)) == new.replace("\n", newline)


def test_no_file_of_the_standard_library_changes() -> None:
    folder = Path(sysconfig.get_paths()["stdlib"]) / "asyncio"
    # A quarter of the files for each version of Python, as all of them take long.
    for path in sorted(folder.glob("*.py"))[sys.version_info.minor % 4 :: 4]:
        text = path.read_text("utf-8")
        assert migrate_source(text) == (text, [])
