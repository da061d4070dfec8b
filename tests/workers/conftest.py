"""What the tests of this folder share: a queue, and an application with a client in a module."""

import shutil
from typing import Iterator

import pytest

from .worker_processes import redis_server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis."""
    if shutil.which("redis-server") is None:
        pytest.skip("apt-get install redis-server has it")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url
