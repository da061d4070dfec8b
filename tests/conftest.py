"""The fixtures that all tests share: a sandbox in its first state, a fake service, and connections to them."""

import gc
import os
import shutil
import signal
import threading
import uuid
from typing import Any, Iterator, Tuple

import pytest
from browsers import chromium
from object_store import ObjectStore, create_bucket, use_only
from secret_watch import SecretWatch
from servers import FakeService
from worker_processes import redis_server

from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.sandbox import Sandbox

# pytest-xdist may ignore Ctrl-C in its workers, and what they start inherits that; some tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No test is about the proxy of the computer that it runs on; plain grpc and urllib would take it even to loopback.
os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), "localhost", "127.0.0.1", ".invalid"]))
# Nor is any about the cloud that the shell of a developer names.
os.environ.pop("VIAM_APP_URL", None)


def pytest_configure(config: pytest.Config) -> None:
    # No key may be printed, logged or raised by any test.
    config.pluginmanager.register(SecretWatch(config), "secret-watch")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    # Many tests wait, for deadlines and for other processes; half as many workers again keep the processors busy then.
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors * 3 // 2


@pytest.hookimpl(hookwrapper=True)
def pytest_collection() -> Iterator[None]:
    # What is collected stays to the end; to look through it for cycles, again and again, took half of the collection.
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """See to it that the threads of pages and workers that a test has started have ended; others may still end."""
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()).difference(before)
    assert [thread.name for thread in left if thread.name.startswith("viam-sync-")] == []


@pytest.fixture
def server() -> Iterator[FakeService]:
    """A service without methods, for a test to give it some."""
    with FakeService() as running:
        yield running


@pytest.fixture
def max_reconnect_attempts() -> int:
    """How often calls on ``channel`` may be made again after a lost connection; a module may say otherwise."""
    return 3


@pytest.fixture
def channel(server: FakeService, max_reconnect_attempts: int) -> Iterator[Channel]:
    with Channel(parse_address(server.url), max_reconnect_attempts) as opened:
        yield opened


@pytest.fixture(scope="module")
def recorder() -> Iterator[Tuple[FakeService, Channel]]:
    """A service that answers every call with something in each field, and a channel to it."""
    from parity.recording import recording  # loads the whole schema

    with recording() as both:
        yield both


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for the tests of a module, which is faster than one for each; they take it as ``sandbox``."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    """A sandbox in its first state."""
    if shared.running:
        shared.reset()
    else:  # a test has stopped it
        shared.start()
    return shared


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[ViamClient]:
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as connected:
        yield connected


@pytest.fixture
def app(client: ViamClient) -> AppClient:
    return client.app_client


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium, for modules that are left out where it is not there."""
    with chromium(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="session")
def object_store_server() -> Iterator[ObjectStore]:
    for package in ("s3fs", "moto", "boto3"):
        pytest.importorskip(package, reason="tox -e buckets has it")
    with ObjectStore() as running:
        yield running


@pytest.fixture
def object_store(object_store_server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The S3 server, which s3fs finds by itself."""
    object_store_server.reset()
    use_only(object_store_server, monkeypatch)
    return object_store_server


@pytest.fixture
def bucket(object_store: ObjectStore) -> str:
    """The URL of an empty bucket on a real S3 server."""
    return create_bucket(object_store)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis, which tox -e workers must find installed."""
    if shutil.which("redis-server") is None and os.environ.get("VIAM_SYNC_REDIS") != "required":
        pytest.skip("Redis is not installed; on Debian: apt-get install redis-server")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["memory", "s3"])
def remote_folder(request: pytest.FixtureRequest) -> str:
    """The URL of a folder that is not there yet, in a store that fsspec reaches."""
    pytest.importorskip("fsspec")
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/exports"
    return f"memory://{uuid.uuid4().hex}"
