"""The memory that Python and Arrow hand out."""

import contextlib
import importlib.util
import tracemalloc
from typing import Any, Iterator, List

#: The pools of Arrow that were in use. A table may outlive its test, in a traceback, and none may outlive its pool.
_pools: List[Any] = []


class Memory:
    """The bytes that were handed out since, and still are, or were at most, by Python and by a pool of Arrow."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @property
    def now(self) -> int:
        return tracemalloc.get_traced_memory()[0] + (self._pool.bytes_allocated() if self._pool else 0)

    @property
    def most(self) -> int:
        """The two peaks, added up, also where they were at different times."""
        return tracemalloc.get_traced_memory()[1] + (self._pool.max_memory() if self._pool else 0)


@contextlib.contextmanager
def measured_memory() -> Iterator[Memory]:
    """Measure the memory of a ``with`` block, that of Arrow if pyarrow is installed."""
    with contextlib.ExitStack() as stack:
        pool = None
        if importlib.util.find_spec("pyarrow"):
            import pyarrow as pa

            pool = pa.proxy_memory_pool(pa.system_memory_pool())
            _pools.append(pool)
            stack.callback(pa.set_memory_pool, pa.default_memory_pool())
            pa.set_memory_pool(pool)
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        yield Memory(pool)
