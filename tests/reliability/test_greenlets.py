"""A program whose threads are greenlets: every kind of call works or is refused, and none waits for ever."""

import importlib.util
from typing import Dict, Iterator

import pytest

from .kinds import RESULTS
from .processes import environment, run, sandbox_process

#: Seconds after which a program that does not end is killed.
HANGS = 60.0

CALLS = """
import threading
from reliability.kinds import calls
from viam_sync import ViamClient

with ViamClient.create_from_env_vars() as client:
    for name, call in calls(client).items():
        try:
            print(name, call(), sep=": ")
        except RuntimeError as error:
            print(name, error, sep=": ")
    done = threading.Event()
    threading.Timer(0.01, done.set).start()
    print("another", done.wait(20), sep=": ")
"""

#: What a program does first, and whether greenlets are threads of the system then.
PATCHES = {
    "gevent": ("from gevent import monkey; monkey.patch_all()", True),
    "gevent that grpc knows": (
        "from gevent import monkey; monkey.patch_all()\nfrom grpc.experimental import gevent; gevent.init_gevent()",
        True,
    ),
    "eventlet": ("import eventlet; eventlet.monkey_patch()", False),
    "eventlet without threads": ("import eventlet; eventlet.monkey_patch(thread=False)", True),
}


@pytest.fixture(scope="module")
def environ() -> Iterator[Dict[str, str]]:
    with sandbox_process() as variables:
        yield {**environment(), **variables}


@pytest.mark.parametrize("name", PATCHES)
def test_every_kind_of_call_works_under_greenlets_or_says_what_to_do(environ: Dict[str, str], name: str) -> None:
    if importlib.util.find_spec(name.split()[0]) is None:
        pytest.skip(f"{name} is missing")
    patch, has_uploads = PATCHES[name]
    lines = run(f"{patch}\n{CALLS}", env={**environ, "PYTHONWARNINGS": "ignore"}, seconds=HANGS)
    found = dict(line.split(": ", 1) for line in lines)
    advice = "Call eventlet.monkey_patch(thread=False) in place of eventlet.monkey_patch(), or use gevent."
    refused = [call for call, text in found.items() if text.endswith(advice)]
    assert refused == ([] if has_uploads else ["file", "several files", "stream", "tail"])
    works = {**RESULTS, "another": True}
    assert {call: text for call, text in found.items() if call not in refused} == {
        call: str(result) for call, result in works.items() if call not in refused
    }
