"""The sandbox itself: its server, its world, and their life."""

from __future__ import annotations

import os
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Optional, Type, Union

import grpc

from viam_sync.sandbox.auth import Authentication
from viam_sync.sandbox.dispatch import Dispatcher
from viam_sync.sandbox.ids import Ids
from viam_sync.sandbox.members import sign_in
from viam_sync.sandbox.sample import Sample, sample_of
from viam_sync.sandbox.services import servicers_of
from viam_sync.sandbox.store import Store
from viam_sync.sandbox.world import World

if TYPE_CHECKING:
    from viam_sync.rpc.dial import DialOptions

# A tail of a log holds a thread for as long as it runs; a thread is only made when none is idle.
_THREADS = 256
_LARGEST = 32 * 1024 * 1024
_OPTIONS = (
    # Without this, a port in use would be shared with whoever has it.
    ("grpc.so_reuseport", 0),
    # The limits of the cloud; it allows pings every 5 seconds.
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.max_metadata_size", _LARGEST),
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class Sandbox:
    """A cloud on this computer, for as long as the ``with`` block runs.

    Args:
        data_dir: A folder to keep the world in; it is made if it is not there, and the next sandbox on it has
            the same things with the same IDs and keys. None forgets everything at the end.
        port: The port to listen on, on 127.0.0.1 alone; 0 takes a free one.
        seed: A number that makes IDs and keys the same in every run; None makes them random.
        clock: What tells the time, in seconds since 1970.

    Attributes:
        address: Where it listens, such as "127.0.0.1:5555".
        url: The same as a URL, with the scheme http since it speaks plain text.
        api_key: The value of an API key that owns the sample organization.
        api_key_id: The ID of that key.
        organization_id: The ID of the sample organization.
        location_id: The ID of a location in it.
        robot_id: The ID of a machine in that location.
        robot_part_id: The ID of the main part of that machine.

    Example:
        >>> with Sandbox() as cloud:
        ...     print(cloud.url[:17])
        http://127.0.0.1:
    """

    address: str
    url: str
    api_key: str
    api_key_id: str
    organization_id: str
    location_id: str
    robot_id: str
    robot_part_id: str

    def __init__(
        self,
        data_dir: Union[str, os.PathLike[str], None] = None,
        port: int = 0,
        *,
        seed: Optional[int] = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._data_dir = data_dir
        self._port = port
        self._seed = seed
        self._clock = clock
        self._world: Optional[World] = None
        self._server: Optional[grpc.Server] = None
        self._threads: Optional[ThreadPoolExecutor] = None

    def start(self) -> Sandbox:
        """Open the world and begin to answer calls; in a ``with`` block this happens by itself.

        Raises:
            OSError: If the port is in use or the folder cannot be used; then nothing is left running.
        """
        if self._world is not None:
            raise RuntimeError("This sandbox runs already; stop it before you start it again.")
        store = Store(self._data_dir)
        try:
            self._open(store)
            self._listen()
        except BaseException:
            self.stop()
            store.close()
            raise
        return self

    def stop(self) -> None:
        """End all calls and let go of the port and the folder; doing it again is harmless."""
        server, threads, world = self._server, self._threads, self._world
        self._server = self._threads = self._world = None
        if server is not None:
            server.stop(None).wait()
        if threads is not None:
            threads.shutdown()
        if world is not None:
            world.store.close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, type: Optional[Type[BaseException]], value: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        self.stop()

    def dial_options(self) -> DialOptions:
        """Return what a client needs to reach this sandbox as the owner of the sample organization."""
        from viam_sync.rpc.dial import DialOptions

        options = DialOptions.with_api_key(self.api_key, self.api_key_id)
        options.insecure = True
        return options

    def sign_in(self, email: str) -> str:
        """Do what happens when a person signs in on the cloud's web page, and return the ID of that user.

        A user who is new is made, and gets the roles of all invites to this e-mail address.
        """
        if self._world is None:
            raise RuntimeError("This sandbox is not running; start it first.")
        with self._world.store.transaction():
            return sign_in(self._world, email)

    def _open(self, store: Store) -> None:
        with store.transaction():
            self._world = World(store, Ids(self._source(store)), self._clock)
            if store.setting("signing_secret") is None:
                store.keep(signing_secret=self._world.ids.secret())
            self._show(self._world, sample_of(self._world))

    def _source(self, store: Store) -> random.Random:
        if self._seed is None:
            return random.SystemRandom()
        # The same seed on a world that is there already must not make the IDs that it has again.
        times = int(store.setting("times_opened") or 0)
        store.keep(times_opened=str(times + 1))
        return random.Random(f"{self._seed}/{times}")

    def _show(self, world: World, sample: Sample) -> None:
        self.api_key_id, self.organization_id, self.location_id, self.robot_id, self.robot_part_id = sample
        self.api_key = world.find("key", sample.api_key_id)["key"]

    def _listen(self) -> None:
        assert self._world is not None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="viam-sandbox")
        self._server = grpc.server(self._threads, options=_OPTIONS)
        dispatcher = Dispatcher(self._world, Authentication(self._world), servicers_of(self._world))
        self._server.add_generic_rpc_handlers([dispatcher])
        try:
            # grpc would write its own view of the trouble to the standard error.
            _require_free(self._port)
            port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        except (OSError, RuntimeError) as error:
            raise OSError(
                f"The sandbox cannot listen on port {self._port} of 127.0.0.1 ({error}). "
                "Stop what is using it, or choose another port; port 0 takes a free one."
            ) from error
        self._server.start()
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
