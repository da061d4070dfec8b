"""The fixtures of several rooms of transfers."""

from typing import Iterator

import pytest


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file of this process may grow beyond 4 KiB, as if the disk were full then."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
