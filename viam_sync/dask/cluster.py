"""The cluster of Dask: its packages, its client, and the tasks that it is given."""

from __future__ import annotations

import contextlib
import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Mapping, Sequence

from viam_sync.app.viam_client import ViamClient
from viam_sync.checks import wrong_type
from viam_sync.transfer.output.columns import optional

if TYPE_CHECKING:
    from distributed import Client, Future  # type: ignore[import-not-found, import-untyped, unused-ignore]

_PACKAGES = '"dask[dataframe,distributed]" pyarrow fsspec'
#: How often a task is done again that failed, as another worker may have what this one lacks. Where a worker dies,
#: another one does its task in any case.
_RETRIES = 2
#: The options of all tasks; those that are "pure" would not run again in the next export.
_OPTIONS: Mapping[str, Any] = {"pure": False, "retries": _RETRIES}


def dask_module(name: str, purpose: str) -> Any:
    """Return a module of the packages that go with Dask.

    Args:
        name: The name of the module.
        purpose: The function that takes it, for the error.

    Raises:
        ImportError: If it is not installed.
    """
    return optional(name, purpose, _PACKAGES)


def require_client(client: Any) -> ViamClient:
    """Return a client that can be sent to workers.

    Raises:
        TypeError: If it is none, or was made from an open channel.
    """
    if not isinstance(client, ViamClient):
        raise wrong_type("client", "a ViamClient", client)
    copy.copy(client)
    return client


def cluster_for(cluster: Any, purpose: str) -> Client:
    """Return the client of a cluster.

    Args:
        cluster: The client; None for the one that this program has.
        purpose: The function that takes it, for errors.

    Raises:
        ImportError: If a package is not installed.
        TypeError: If it is something else.
        ValueError: If there is none.
    """
    distributed = dask_module("distributed", purpose)
    for needed in ("pyarrow", "fsspec"):
        dask_module(needed, purpose)
    if cluster is None:
        with contextlib.suppress(ValueError):
            return distributed.get_client()
        raise ValueError(
            "cluster is None, and this program has no client of a cluster; make one first, with distributed.Client()"
        )
    if not isinstance(cluster, distributed.Client):
        raise wrong_type("cluster", "a distributed.Client", cluster)
    return cluster


def run_tasks(cluster: Client, act: Callable[..., Any], *items: Sequence[Any], **fixed: Any) -> List[Any]:
    """Let a cluster call a function with items, as ``map`` does, and return what comes of it.

    Args:
        cluster: The client of the cluster.
        act: The function; it may be called several times with the same items, also at the same time.
        items: The arguments of each call.
        fixed: The arguments that all calls have in common.
    """
    futures = cluster.map(act, *items, **_OPTIONS, **fixed)
    try:
        results: List[Any] = cluster.gather(futures)
    except BaseException:
        cluster.cancel(futures)
        raise
    return results


def submit_task(cluster: Client, act: Callable[..., Any], *arguments: Any, **fixed: Any) -> Future:
    """Let a cluster call a function, and return what will have its result."""
    return cluster.submit(act, *arguments, **_OPTIONS, **fixed)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a task a local folder, where Dask tidies up after a worker that died."""
    distributed = dask_module("distributed", "an export")
    with tempfile.TemporaryDirectory(dir=distributed.get_worker().local_directory) as folder:
        yield Path(folder)
