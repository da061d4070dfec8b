"""The sandbox itself: its server, its world, and their life."""

from __future__ import annotations

import os
import random
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Type, Union

import grpc

from viam_sync.sandbox import training_jobs
from viam_sync.sandbox.auth import Authentication
from viam_sync.sandbox.certificates import Certificate
from viam_sync.sandbox.dispatch import Dispatcher
from viam_sync.sandbox.downloads import Downloads
from viam_sync.sandbox.faults import Faults
from viam_sync.sandbox.ids import Ids
from viam_sync.sandbox.machine_logs import MachineLogs
from viam_sync.sandbox.members import sign_in
from viam_sync.sandbox.sample import Sample, sample_of
from viam_sync.sandbox.services import servicers_of
from viam_sync.sandbox.store import Store
from viam_sync.sandbox.threads import Threads
from viam_sync.sandbox.web import Route, Web
from viam_sync.sandbox.world import World

if TYPE_CHECKING:
    from viam_sync.rpc.dial import DialOptions

# No time that a message can carry is later than the year 9999.
_LAST_YEAR = 253_370_764_800

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


class Sandbox(MachineLogs):
    """A cloud on this computer, for as long as the ``with`` block runs.

    Args:
        data_dir: A folder to keep the world in; it is made if it is not there, and the next sandbox on it has
            the same things with the same IDs and keys. None forgets everything at the end.
        port: The port to listen on, on 127.0.0.1 alone; 0 takes a free one.
        seed: A number that makes IDs and keys the same in every run; None makes them random.
        clock: What tells the time, in seconds since 1970; `advance` turns it forward.
        token_lifetime: For how many seconds a token is accepted; None for as long as its key is there.
        tls: Whether it speaks TLS, with a certificate of its own; that takes ``pip install "viam-sync[sandbox]"``.
        ui: Whether to serve a page that shows what is in it, on loopback alone; see ``ui_url``.
        dataset_minima: Whether a training job is refused, as by the cloud, if its dataset has too few images or labels.

    Attributes:
        address: Where it listens, such as "127.0.0.1:5555".
        url: The same as a URL, with the scheme http, or https with TLS.
        ui_url: Where a browser finds the page that shows what is in it; empty without ``ui``.
        ca_certificate: With TLS, the file of the certificate authority that clients must trust; else None.
        faults: What is to go wrong, from its start on; see `Faults`.
        api_key: The value of an API key that owns the sample organization.
        api_key_id: The ID of that key.
        organization_id: The ID of the sample organization.
        location_id: The ID of a location in it.
        robot_id: The ID of a machine in that location.
        robot_part_id: The ID of the main part of that machine.
        dataset_id: The ID of a dataset of images that another machine took.
        fragment_id: The ID of a private fragment that another machine uses.

    Example:
        >>> with Sandbox() as cloud:
        ...     print(cloud.url[:17])
        http://127.0.0.1:
    """

    address: str
    url: str
    ui_url: str = ""
    ca_certificate: Optional[Path] = None
    faults: Faults
    api_key: str
    api_key_id: str
    organization_id: str
    location_id: str
    robot_id: str
    robot_part_id: str
    dataset_id: str
    fragment_id: str

    def __init__(
        self,
        data_dir: Union[str, os.PathLike[str], None] = None,
        port: int = 0,
        *,
        seed: Optional[int] = None,
        clock: Callable[[], float] = time.time,
        token_lifetime: Optional[float] = None,
        tls: bool = False,
        ui: bool = False,
        dataset_minima: bool = False,
    ) -> None:
        if token_lifetime is not None and not 0 < token_lifetime < float("inf"):
            raise ValueError(f"token_lifetime takes a number of seconds above 0, or None, got {token_lifetime!r}")
        self._data_dir = data_dir
        self._port = port
        self._seed = seed
        self._clock = clock
        self._ahead = 0.0
        self._token_lifetime = token_lifetime
        self._tls = tls
        self._ui = ui
        self._dataset_minima = dataset_minima
        self._ids_at_start: Any = None
        self._certificate: Optional[Certificate] = None
        self._world: Optional[World] = None
        self._web: Optional[Web] = None
        self._server: Optional[grpc.Server] = None
        self._threads: Optional[Threads] = None

    def start(self) -> Sandbox:
        """Open the world and begin to answer calls; in a ``with`` block this happens by itself.

        Raises:
            OSError: If the port is in use or the folder cannot be used; then nothing is left running.
            ImportError: If it is to speak TLS, and the package for certificates is not installed.
        """
        if self._world is not None:
            raise RuntimeError("This sandbox runs already; stop it before you start it again.")
        store = Store(self._data_dir)
        try:
            self._open(store)
            store.remember()
            if self._tls:
                self._certificate = Certificate(None if self._data_dir is None else Path(self._data_dir, "tls"))
                self.ca_certificate = self._certificate.authority
            self._listen()
        except BaseException:
            self.stop()
            store.close()
            raise
        return self

    def stop(self) -> None:
        """End all calls and let go of the port and the folder; doing it again is harmless."""
        server, threads, web, world = self._server, self._threads, self._web, self._world
        certificate = self._certificate
        self._server = self._threads = self._web = self._world = self._certificate = None
        if server is not None:
            server.stop(None).wait()
        if threads is not None:
            threads.shutdown()
        if web is not None:
            web.stop()
        if world is not None:
            world.store.close()
        if certificate is not None:
            certificate.close()

    @property
    def running(self) -> bool:
        """Whether it answers calls, which it does from its start until it is stopped."""
        return self._world is not None

    def reset(self) -> None:
        """Go back to the world that it started with: the same things with the same IDs and keys.

        Calls that are under way are ended, as are those that follow a log. Nothing that was made since is there any
        more, what was deleted is there again, and the clock is where it was; planned faults are forgotten. A token
        that was good stays so if its key was there at the start.

        Raises:
            RuntimeError: If the sandbox is not running.

        Example:
            >>> organization = cloud.create_organization("Not for long")
            >>> sandbox.reset()
            >>> [organization.name for organization in cloud.list_organizations()]
            ['Lesson Robotics']
        """
        world = self._running()
        self._dispatcher.end_calls()
        with self._authentication.kept(), world.store.restoring():
            self._ahead = float(world.store.setting("seconds_ahead") or 0)
            if self._ids_at_start is not None:
                self._random.setstate(self._ids_at_start)
            self.faults.reset()
            self._dispatcher.calls.forget()

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
        options.insecure = not self._tls
        options.ca_certificate = self.ca_certificate
        return options

    def sign_in(self, email: str) -> str:
        """Do what happens when a person signs in on the cloud's web page, and return the ID of that user.

        A user who is new is made, and gets the roles of all invites to this e-mail address.
        """
        world = self._running()
        with world.store.transaction():
            return sign_in(world, email)

    def advance(self, seconds: float) -> None:
        """Turn the clock forward, so that what takes time is over at once; a restart does not turn it back.

        Args:
            seconds: By how much; it cannot be turned back.

        Raises:
            ValueError: If the number of seconds is negative, or leads out of the calendar.
            RuntimeError: If the sandbox is not running.

        Example:
            >>> today = cloud.create_organization("Today")
            >>> sandbox.advance(86400)
            >>> tomorrow = cloud.create_organization("Tomorrow")
            >>> tomorrow.created_on.seconds - today.created_on.seconds >= 86400
            True
        """
        world = self._running()
        with world.store.transaction():
            ahead = self._ahead + seconds
            if not seconds >= 0 or not self._clock() + ahead < _LAST_YEAR:
                raise ValueError(f"seconds is {seconds!r}; the clock turns forward only, and not beyond the year 9998.")
            world.store.keep(seconds_ahead=repr(ahead))
            self._ahead = ahead
            training_jobs.settle(world)

    def _running(self) -> World:
        if self._world is None:
            raise RuntimeError("This sandbox is not running; start it first.")
        return self._world

    def _now(self) -> float:
        return self._clock() + self._ahead

    def _open(self, store: Store) -> None:
        with store.transaction():
            self._ahead = float(store.setting("seconds_ahead") or 0)
            store.keep(dataset_minima="yes" if self._dataset_minima else "")
            self._random = self._source(store)
            self._world = World(store, Ids(self._random), self._now)
            if store.setting("signing_secret") is None:
                store.keep(signing_secret=self._world.ids.secret())
            self._show(self._world, sample_of(self._world))
            self._ids_at_start = None if self._seed is None else self._random.getstate()

    def _source(self, store: Store) -> random.Random:
        if self._seed is None:
            return random.SystemRandom()
        # The same seed on a world that is there already must not make the IDs that it has again.
        times = int(store.setting("times_opened") or 0)
        store.keep(times_opened=str(times + 1))
        return random.Random(f"{self._seed}/{times}")

    def _show(self, world: World, sample: Sample) -> None:
        for name, value in sample._asdict().items():
            setattr(self, name, value)
        self.api_key = world.find("key", sample.api_key_id)["key"]

    def _listen(self) -> None:
        assert self._world is not None
        self._threads = Threads(_THREADS)
        self._server = grpc.server(self._threads, options=_OPTIONS)  # type: ignore[arg-type, unused-ignore]
        try:
            # grpc would write its own view of the trouble to the standard error.
            _require_free(self._port)
            port = self._add_port(self._server, f"127.0.0.1:{self._port}")
        except (OSError, RuntimeError) as error:
            raise OSError(
                f"The sandbox cannot listen on port {self._port} of 127.0.0.1 ({error}). "
                "Stop what is using it, or choose another port; port 0 takes a free one."
            ) from error
        self._authentication = Authentication(self._world, self._token_lifetime)
        self.faults = Faults(self._seed, self._authentication.expire_tokens)
        self._world.store.blobs.check = self.faults.check_disk
        self._dispatcher = Dispatcher(self._world, self._authentication, servicers_of(self._world), self.faults, port)
        self._serve_web(self._world)
        self._server.add_generic_rpc_handlers([self._dispatcher])
        self._server.start()
        self.address = f"127.0.0.1:{port}"
        self.url = f"{'https' if self._tls else 'http'}://{self.address}"

    def _serve_web(self, world: World) -> None:
        routes: Dict[str, Route] = {Downloads.PREFIX: Downloads(world, self._authentication)}
        if self._ui:
            # Loaded only if somebody wants to look.
            from viam_sync.sandbox.ui import Look

            routes[Look.PREFIX] = Look(world, self._dispatcher.calls)
        self._web = Web(routes, None if self._certificate is None else self._certificate.context())
        world.web_url = self._web.url
        self.ui_url = f"{self._web.url}/" if self._ui else ""

    def _add_port(self, server: grpc.Server, address: str) -> int:
        if self._certificate is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, self._certificate.credentials())


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
