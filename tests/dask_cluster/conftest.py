"""The clusters that the tests of this folder share."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator

import pytest
from clusters import cluster

WHY = "tox -e dask has it"


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster whose workers live."""
    pytest.importorskip("distributed", reason=WHY)
    with cluster(tmp_path_factory.mktemp("dask")) as client:
        yield client


@pytest.fixture
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster of which a worker may be killed; not all versions of Dask are sure to start it anew."""
    pytest.importorskip("distributed", reason=WHY)
    with cluster(tmp_path_factory.mktemp("dask")) as client:
        yield client


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """A thread, which waits for what it does: a test asks for it before its cluster, whose end ends that."""
    with ThreadPoolExecutor(1) as pool:
        yield pool
