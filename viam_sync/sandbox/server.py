"""The sandbox: its server, its state, and their life cycle."""

from __future__ import annotations

import difflib
import os
import random
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, NoReturn, Optional, Type, Union

import grpc

from viam_sync.sandbox.core.ids import Ids
from viam_sync.sandbox.core.private_files import delete_abandoned_folders
from viam_sync.sandbox.core.store import Store
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.faults.faults import Faults
from viam_sync.sandbox.fleet.machine_logs import MachineLogs
from viam_sync.sandbox.fleet.members import sign_in
from viam_sync.sandbox.http.downloads import DownloadRoute
from viam_sync.sandbox.http.endpoint import HttpEndpoint
from viam_sync.sandbox.http.messages import Route
from viam_sync.sandbox.sample.sample import Sample, find_or_create_sample
from viam_sync.sandbox.servicers import servicers_of
from viam_sync.sandbox.training.jobs import advance_jobs
from viam_sync.sandbox.wire import grpc_server
from viam_sync.sandbox.wire.authentication import Authentication
from viam_sync.sandbox.wire.certificates import Certificate
from viam_sync.sandbox.wire.dispatch import Dispatcher
from viam_sync.sandbox.wire.thread_pool import DaemonThreadPool

if TYPE_CHECKING:
    from viam_sync.rpc.dial import DialOptions

# The start of the year 9999, in seconds since the epoch; no message can carry a time after its end.
_LAST_YEAR = 253_370_764_800

_HOW_TO_CONNECT = "ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url)"
_HOW_TO_START = "use `with Sandbox() as sandbox:`, or start()"

#: The attributes that a notebook shows, besides address and key.
_IDS = ("organization_id", "location_id", "robot_id", "robot_part_id", "dataset_id", "fragment_id")


class Sandbox(MachineLogs):
    """A simulation of the Viam cloud on this computer, which runs for the length of the ``with`` block.

    Args:
        data_dir: A folder to store the state in, for the sandbox alone: one that does not exist yet, is empty, or that
            a sandbox made, whose resources, IDs and keys the next one has again. Only its owner can read it then.
            None discards the state at the end.
        port: The port of 127.0.0.1 to listen on; 0 takes a free one.
        seed: A number that makes IDs and keys the same in every run; None makes them random.
        clock: Returns the time, in seconds since the epoch; `advance` adds to it.
        token_lifetime: Seconds until a token expires; None for a token that is valid until its key is deleted.
        tls: Whether to use TLS, with a certificate of its own; this needs ``pip install trustme``.
        ui: Whether to serve a page that shows its state, on loopback alone; see ``ui_url``.
        ui_port: The port of the page, which is served then without ``ui``, too; 0 takes a free one.
        dataset_minima: Whether to reject training jobs, as the cloud does, if their dataset has too few images or
            labels.

    Attributes:
        address: The address that it listens on, such as "127.0.0.1:5555".
        url: The address as a URL, with the scheme http, or https with TLS.
        ui_url: The URL of the page that shows its state, with a token that opens it; empty without ``ui``.
        ca_certificate: With TLS, the file of the certificate authority that clients must trust; else None.
        api_key: The value of an API key that owns the sample organization.
        api_key_id: The ID of that key.
        organization_id: The ID of the sample organization.
        location_id: The ID of a location in it.
        robot_id: The ID of a machine in that location.
        robot_part_id: The ID of the main part of that machine.
        dataset_id: The ID of a dataset of images that another machine took.
        fragment_id: The ID of a private fragment that another machine uses.

    Example:
        >>> with Sandbox() as sandbox:
        ...     print(sandbox.url[:17])
        http://127.0.0.1:
    """

    address: str
    url: str
    ui_url: str
    ca_certificate: Optional[Path]
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
        ui_port: Optional[int] = None,
    ) -> None:
        grpc_server.check_ports(port, ui_port)
        if token_lifetime is not None and not 0 < token_lifetime < float("inf"):
            raise ValueError(f"token_lifetime takes a number of seconds above 0, or None, got {token_lifetime!r}")
        # The program may change its working directory while the sandbox runs.
        self._data_dir = None if data_dir is None else Path(data_dir).expanduser().absolute()
        self._port = port
        self._seed = seed
        self._clock = clock
        self._ahead = 0.0
        self._token_lifetime = token_lifetime
        self._tls = tls
        self._ui = ui or ui_port is not None
        self._ui_port = ui_port or 0
        self._dataset_minima = dataset_minima
        self._ids_at_start: Any = None
        self._certificate: Optional[Certificate] = None
        self._world: Optional[World] = None
        self._web: Optional[HttpEndpoint] = None
        self._server: Optional[grpc.Server] = None
        self._threads: Optional[DaemonThreadPool] = None
        self._faults: Optional[Faults] = None
        #: The process that has started it.
        self._process = 0
        #: The server of a parent process, kept from being collected: its end here would be that of a copy.
        self._of_parent: Any = None

    def start(self) -> Sandbox:
        """Open the state and start the server; a ``with`` block does this by itself.

        Raises:
            OSError: If a port is in use, or the folder cannot be used or holds what no sandbox made.
            ImportError: If the package that TLS needs is not installed.
            RuntimeError: If the sandbox is running already, or the clock of this program is set to the future.
        """
        if self.running:
            raise RuntimeError("This sandbox runs already; stop it before you start it again.")
        self._leave_to_parent()
        self._process = os.getpid()
        store = Store(self._data_dir)
        try:
            for parent in {None, self._data_dir}:
                delete_abandoned_folders(parent)
            self._open(store)
            store.take_snapshot()
            if self._tls:
                self._certificate = Certificate(None if self._data_dir is None else Path(self._data_dir, "tls"))
            self.ca_certificate = None if self._certificate is None else self._certificate.authority
            self._listen()
        except BaseException:
            self.stop()
            store.close()
            raise
        return self

    def stop(self) -> None:
        """End all calls, and release the port and the folder; stopping it again has no effect.

        Calls under way have a second to end by themselves; a tail that nobody closes takes that second. In a child of
        the process that started it, the parent's goes on.
        """
        self._leave_to_parent()
        server, threads, web, world = self._server, self._threads, self._web, self._world
        certificate = self._certificate
        self._server = self._threads = self._web = self._world = self._certificate = None
        if server is not None and world is not None:
            grpc_server.stop(server, world.at_end.close)
        if threads is not None:
            threads.shutdown()
        if web is not None:
            web.close()
        if world is not None:
            world.at_end.close()
            world.store.close()
        if certificate is not None:
            certificate.close()

    @property
    def running(self) -> bool:
        """Whether the sandbox is running, from its start until it is stopped, in the process that started it."""
        return self._world is not None and self._process == os.getpid()

    @property
    def faults(self) -> Faults:
        """The planned faults, available after the start; see `Faults`."""
        self._require_own()
        if self._faults is None:
            raise AttributeError(f"faults is set when the sandbox starts; {_HOW_TO_START}.")
        return self._faults

    def reset(self) -> None:
        """Restore the state at the start: the same resources with the same IDs and keys.

        Active calls are cancelled, including those that follow a log. Resources that were created are removed, deleted
        ones are restored, the clock is set back, and planned faults are cancelled. A valid token stays valid if its
        key existed at the start.

        Raises:
            RuntimeError: If the sandbox is not running.

        Example:
            >>> organization = client.app_client.create_organization("Temporary")
            >>> sandbox.reset()
            >>> [organization.name for organization in client.app_client.list_organizations()]
            ['Lesson Robotics']
        """
        world = self._running()
        self._dispatcher.end_calls()
        with self._authentication.preserving_tokens(), world.store.restoring():
            self._ahead = float(world.store.setting("seconds_ahead") or 0)
            if self._ids_at_start is not None:
                self._random.setstate(self._ids_at_start)
            self.faults.reset()
            self._dispatcher.calls.clear()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, type: Optional[Type[BaseException]], value: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        self.stop()

    def dial_options(self) -> DialOptions:
        """Return the options for a client to connect to this sandbox as the owner of the sample organization."""
        from viam_sync.rpc.dial import DialOptions

        options = DialOptions.with_api_key(self.api_key, self.api_key_id)
        options.insecure = not self._tls
        options.ca_certificate = self.ca_certificate
        return options

    def env_vars(self) -> Dict[str, str]:
        """Return the variables that clients read: the address and key of this sandbox, and its authority with TLS.

        Example:
            >>> sorted(sandbox.env_vars())
            ['VIAM_API_KEY', 'VIAM_API_KEY_ID', 'VIAM_APP_URL']
        """
        found = {"VIAM_APP_URL": self.url, "VIAM_API_KEY": self.api_key, "VIAM_API_KEY_ID": self.api_key_id}
        if self.ca_certificate is not None:
            found["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(self.ca_certificate)
        return found

    def sign_in(self, email: str) -> str:
        """Sign a user in, as on the web page of the cloud, and return the ID of the user.

        A new user is created, and gets the roles of all invites to the e-mail address.

        Raises:
            RuntimeError: If the sandbox is not running.
        """
        world = self._running()
        with world.store.transaction():
            return sign_in(world, email)

    def advance(self, seconds: float) -> None:
        """Advance the clock, for example to complete training jobs; a restart does not set it back.

        Args:
            seconds: The number of seconds, from 0 on.

        Raises:
            ValueError: If the number of seconds is negative, or leads beyond the year 9998.
            TypeError: If it is no number.
            RuntimeError: If the sandbox is not running.

        Example:
            >>> today = client.app_client.create_organization("Today")
            >>> sandbox.advance(86400)
            >>> tomorrow = client.app_client.create_organization("Tomorrow")
            >>> tomorrow.created_on.seconds - today.created_on.seconds >= 86400
            True
        """
        world = self._running()
        if not isinstance(seconds, (int, float)):
            raise TypeError(f"seconds takes a number of seconds, got {seconds!r}")
        with world.store.transaction():
            ahead = self._ahead + seconds
            if not seconds >= 0 or not self._clock() + ahead < _LAST_YEAR:
                raise ValueError(f"seconds is {seconds!r}; the clock turns forward only, and not beyond the year 9998.")
            world.store.save_settings(seconds_ahead=repr(ahead))
            self._ahead = ahead
            advance_jobs(world)

    def __repr__(self) -> str:
        if self.running:
            return f"<Sandbox at {self.url}>"
        if self._world is not None:
            return f"<Sandbox of process {self._process} at {self.url}>"
        return f"<Sandbox, not running; {_HOW_TO_START}>"

    def _repr_html_(self) -> Optional[str]:
        if not self.running:
            return None
        from viam_sync.sandbox.notebook_view import sandbox_html

        facts = {name: getattr(self, name) for name in ("url", "api_key_id", *_IDS)}
        return sandbox_html(facts, self.api_key, self.ui_url)

    def _require_own(self) -> None:
        """Raise an error in a child process, whose copy of the state nothing reads."""
        if self._world is not None and not self.running:
            raise RuntimeError(
                f"This sandbox was started in process {self._process}, and process {os.getpid()} was forked from that"
                f" one. Clients of both reach it at {self.url}, but only the process that started it can reset it, plan"
                " faults and turn its clock. Start a sandbox of this process after the fork."
            )

    def _leave_to_parent(self) -> None:
        if self._world is not None and not self.running:
            self._of_parent = (self._server, self._threads, self._web, self._world, self._certificate)
            self._server = self._threads = self._web = self._world = self._certificate = None

    def _running(self) -> World:
        self._require_own()
        if self._world is None:
            raise RuntimeError(f"This sandbox is not running; {_HOW_TO_START}.")
        return self._world

    if not TYPE_CHECKING:  # the attributes are declared above

        def __getattr__(self, name: str) -> NoReturn:
            if name in Sandbox.__annotations__:
                raise AttributeError(f"{name} is set when the sandbox starts; {_HOW_TO_START}.")
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            near = difflib.get_close_matches(name, [*Sandbox.__annotations__, *dir(type(self))], 1, cutoff=0.8)
            advice = f"did you mean {near[0]}?" if near else f"what the cloud has, a client has: {_HOW_TO_CONNECT}"
            raise AttributeError(f"Sandbox has no attribute {name!r}; {advice}")

    def _now(self) -> float:
        return self._clock() + self._ahead

    def _open(self, store: Store) -> None:
        with store.transaction():
            self._ahead = float(store.setting("seconds_ahead") or 0)
            store.save_settings(dataset_minima="yes" if self._dataset_minima else "")
            self._random = self._source(store)
            self._world = World(store, Ids(self._random), self._now)
            if store.setting("signing_secret") is None:
                store.save_settings(signing_secret=self._world.ids.secret())
            self._set_attributes(self._world, find_or_create_sample(self._world))
            self._ids_at_start = None if self._seed is None else self._random.getstate()

    def _source(self, store: Store) -> random.Random:
        if self._seed is None:
            return random.SystemRandom()
        # On an existing world, the same seed must not generate its IDs again.
        times = int(store.setting("times_opened") or 0)
        store.save_settings(times_opened=str(times + 1))
        return random.Random(f"{self._seed}/{times}")

    def _set_attributes(self, world: World, sample: Sample) -> None:
        for name, value in sample._asdict().items():
            setattr(self, name, value)
        self.api_key = world.get("key", sample.api_key_id)["key"]

    def _listen(self) -> None:
        assert self._world is not None
        self._threads = DaemonThreadPool(grpc_server.MOST_THREADS)
        self._server = grpc_server.new_server(self._threads)
        port = grpc_server.listen(self._server, self._port, self._certificate)
        self._authentication = Authentication(self._world, self._token_lifetime)
        faults = self._faults = Faults(self._seed, self._authentication.expire_tokens)
        self._world.store.blobs.check = faults.check_disk
        self._dispatcher = Dispatcher(self._world, self._authentication, servicers_of(self._world), faults, port)
        self._serve_web(self._world)
        self._server.add_generic_rpc_handlers([self._dispatcher])
        self._server.start()
        self.address = f"127.0.0.1:{port}"
        self.url = f"{'https' if self._tls else 'http'}://{self.address}"

    def _serve_web(self, world: World) -> None:
        routes: Dict[str, Route] = {DownloadRoute.PREFIX: DownloadRoute(world, self._authentication)}
        token = None
        if self._ui:
            # Imported only with this option.
            from viam_sync.sandbox.http.page_token import PageToken
            from viam_sync.sandbox.http.ui import PageRoute

            token = PageToken(secure=self._tls)
            routes[PageRoute.PREFIX] = PageRoute(world, self._dispatcher.calls, token)
        tls = None if self._certificate is None else self._certificate.context()
        try:
            self._web = HttpEndpoint(routes, tls, self._ui_port)
        except OSError as error:
            raise grpc_server.cannot_listen("The page of the sandbox", self._ui_port, error) from error
        world.web_url = self._web.url
        self.ui_url = "" if token is None else f"{self._web.url}/{token.query}"
