"""ViamClient: the connection to the cloud, and the clients that share it."""

from __future__ import annotations

import copy
import logging
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NoReturn, Optional, Union, cast

from typing_extensions import Self

from viam_sync.app._call_rpc import NamedRpcs
from viam_sync.app._clients import CLIENTS, NamedMethods, client_class
from viam_sync.app._links import link_of_variables, link_to, location_of, options_of_variables, with_key
from viam_sync.errors import ClosedError, NotSupportedError
from viam_sync.rpc.channel import channel_error
from viam_sync.rpc.client_options import ClientOptions, Configurable
from viam_sync.rpc.closing import Closing
from viam_sync.rpc.connection import CLOSED
from viam_sync.rpc.dial import Channel, Credentials, DialOptions, LateLink, Link
from viam_sync.rpc.late_channel import LateChannel
from viam_sync.rpc.options import own_options
from viam_sync.rpc.policies import Retry
from viam_sync.viam_sdk import MACHINES, missing_name

if TYPE_CHECKING:
    from viam_sync.app.app_client import AppClient
    from viam_sync.app.billing_client import BillingClient
    from viam_sync.app.data_client import DataClient
    from viam_sync.app.ml_training_client import MLTrainingClient
    from viam_sync.app.provisioning_client import ProvisioningClient

__all__ = [
    "LOGGER",
    "AppClient",
    "BillingClient",
    "Credentials",
    "DataClient",
    "DialOptions",
    "MLTrainingClient",
    "ProvisioningClient",
    "ViamClient",
]

#: The logger of this module.
LOGGER = logging.getLogger(__name__)

#: The attributes that hold the clients, by the names of their classes.
_ATTRIBUTES = {name: attribute for attribute, name in CLIENTS.items()}

#: The attributes that a pickle of a ViamClient leaves behind.
_CONNECTED = ("_channel", "_metadata")

#: The clients as one finds them in a ViamClient.
_PROPERTIES = ", ".join(CLIENTS)


def __getattr__(name: str) -> Any:
    if name == "RobotClient":
        raise missing_name(__name__, name)
    if name not in _ATTRIBUTES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return client_class(_ATTRIBUTES[name])


def __dir__() -> List[str]:
    return [*globals(), *_ATTRIBUTES]


class ViamClient(NamedMethods, NamedRpcs, Configurable, Closing):
    """A connection to the cloud; make one with a ``create_from_…`` method, and close it when done.

    Any number of threads may share it. After a fork, each child process connects by itself when it first makes a call.
    A client can be pickled and copied: the copy has the same options, and connects when it is first used; the pickle
    holds the API key.

    Example:
        >>> from viam_sync.app.viam_client import ViamClient
        >>> with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        ...     client.app_client.get_location(sandbox.location_id).name
        'Workshop'
    """

    def __init__(
        self,
        channel: Channel,
        metadata: Mapping[str, str],
        location_id: Optional[str] = None,
        *,
        tz: Optional[tzinfo] = None,
    ) -> None:
        error = channel_error(channel)
        if error is not None:
            del channel, metadata, location_id  # one may be a key, and tools show the variables of each frame
            raise error
        self._channel: Union[Channel, LateChannel] = channel
        self._metadata = metadata
        #: Connects again; None for a client that was made from an open channel.
        self._link: Optional[Link] = None
        self._location_id = location_id
        self._clients: Dict[str, Any] = {}
        self._closed = False
        self._options = ClientOptions().override(tz=tz)

    @classmethod
    def create_from_dial_options(
        cls,
        dial_options: DialOptions,
        app_url: Optional[str] = None,
        *,
        retry: Union[Retry, bool, None] = None,
        tz: Optional[tzinfo] = None,
        connect: bool = True,
    ) -> Self:
        """Connect to the cloud and authenticate.

        Args:
            dial_options: Options of the connection; ``credentials`` and ``auth_entity`` are required. Those of the
                official SDK are taken, too.
            app_url: Address: ``host``, ``host:port``, ``https://host``, or ``http://host`` for a server without TLS.
                None for what the environment variable ``VIAM_APP_URL`` says, or app.viam.com where that is not set, or
                empty.
            retry: How often calls are tried, and for how long; False for never again, None for what each class of RPC
                has.
            tz: The time zone of all datetimes in results, such as ``datetime.timezone.utc``; None for UTC without a
                time zone. See ``docs/times.md``.
            connect: False to connect when a call is first made, which then raises the errors of connecting.

        Returns:
            The client.

        Raises:
            ValueError: If the options lack something, or the address is invalid.
            TypeError: If ``dial_options`` are none, ``retry`` is neither a ``Retry`` nor False, or ``tz`` no time zone.
            UnauthenticatedError: If the credentials are not accepted.
            InsecureConnectionError: If the server speaks no TLS, or has no certificate that can be trusted.
            GRPCError: If the cloud cannot be reached, or not within ``dial_options.timeout``.

        Example:
            >>> options = DialOptions.with_api_key(sandbox.api_key, sandbox.api_key_id)
            >>> client = ViamClient.create_from_dial_options(options, sandbox.url)
            >>> client.close()
        """
        dial_options = own_options("dial_options", dial_options)
        location_id = location_of(dial_options)
        options = ClientOptions().override(retry=retry, tz=tz)
        link = link_to(dial_options, app_url)
        del app_url  # it may have a password in it, and tools show the variables of each frame of a traceback
        link.parsed()
        client = cls._late(link, options, location_id)
        if connect:
            client._channel, client._metadata = link.get()
        return client

    @classmethod
    def _late(cls, link: Link, options: ClientOptions, location_id: Optional[str] = None) -> Self:
        """Return a client that connects when a call is first made."""
        client = cls(cast(Channel, LateChannel(link.get)), {}, location_id)
        client._link = link
        client._options = options
        return client

    @classmethod
    def create_from_env_vars(
        cls,
        dial_options: Optional[DialOptions] = None,
        app_url: Optional[str] = None,
        *,
        retry: Union[Retry, bool, None] = None,
        tz: Optional[tzinfo] = None,
        connect: bool = True,
    ) -> Self:
        """Connect to the cloud with the API key that the environment names.

        Reads ``VIAM_API_KEY`` and ``VIAM_API_KEY_ID``.

        Args:
            dial_options: Options of the connection, whose credentials are replaced. None for the defaults.
            app_url: Address; see :meth:`create_from_dial_options`.
            retry: How often calls are tried; see :meth:`create_from_dial_options`.
            tz: The time zone of all datetimes in results; see :meth:`create_from_dial_options`.
            connect: False to read the variables and connect when a call is first made, which then raises the errors
                of both. So a module may hold the client, and be imported where there is neither key nor network.

        Returns:
            The client.

        Raises:
            ValueError: If a variable is missing, or the key's ID is no UUID.
            TypeError: If ``dial_options`` are none, ``retry`` is neither a ``Retry`` nor False, or ``tz`` no time zone.
            UnauthenticatedError: If the key is not accepted.
            InsecureConnectionError: If the server speaks no TLS, or has no certificate that can be trusted.
            GRPCError: If the cloud cannot be reached, or not within ``dial_options.timeout``.

        Example:
            >>> os.environ.update(VIAM_API_KEY=sandbox.api_key, VIAM_API_KEY_ID=sandbox.api_key_id)
            >>> client = ViamClient.create_from_env_vars(app_url=sandbox.url)
            >>> client.close()
        """
        given = None if dial_options is None else own_options("dial_options", dial_options)
        del dial_options
        if not connect:
            options = ClientOptions().override(retry=retry, tz=tz)
            return cls._late(LateLink(partial(link_of_variables, given, app_url)), options)
        return cls.create_from_dial_options(options_of_variables(given), app_url, retry=retry, tz=tz)

    @classmethod
    def lazy(
        cls,
        dial_options: Optional[DialOptions] = None,
        app_url: Optional[str] = None,
        *,
        retry: Union[Retry, bool, None] = None,
        tz: Optional[tzinfo] = None,
    ) -> Self:
        """Return a client that costs nothing until it is used: the first call connects.

        So a module may hold it, and be imported where there is neither key nor network.

        Args:
            dial_options: Options of the connection. Where they hold no credentials, or are None, the first call reads
                the API key from the environment, as :meth:`create_from_env_vars` does.
            app_url: Address; see :meth:`create_from_dial_options`.
            retry: How often calls are tried; see :meth:`create_from_dial_options`.
            tz: The time zone of all datetimes in results; see :meth:`create_from_dial_options`.

        Returns:
            The client. Its first call raises what connecting raises.

        Raises:
            ValueError: If the options lack something.
            TypeError: If ``dial_options`` are none, ``retry`` is neither a ``Retry`` nor False, or ``tz`` no time zone.

        Example:
            >>> client = ViamClient.lazy(sandbox.dial_options(), sandbox.url)
            >>> client.app_client.get_location(sandbox.location_id).name
            'Workshop'
            >>> client.close()
        """
        if dial_options is None or own_options("dial_options", dial_options).credentials is None:
            return cls.create_from_env_vars(dial_options, app_url, retry=retry, tz=tz, connect=False)
        return cls.create_from_dial_options(dial_options, app_url, retry=retry, tz=tz, connect=False)

    @classmethod
    def create_from_profile(
        cls,
        name: Optional[str] = None,
        dial_options: Optional[DialOptions] = None,
        *,
        retry: Union[Retry, bool, None] = None,
        tz: Optional[tzinfo] = None,
        connect: bool = True,
    ) -> Self:
        """Connect to the cloud with an API key that ``viam-sync login`` has kept, at the address it is for.

        The profiles of the official command line are taken, too.

        Args:
            name: The name of the profile. None for the one that the environment variable ``VIAM_PROFILE`` names, else
                for the default one, else for the key that the official command line is logged in with.
            dial_options: Options of the connection, whose credentials are replaced. None for the defaults.
            retry: How often calls are tried; see :meth:`create_from_dial_options`.
            tz: The time zone of all datetimes in results; see :meth:`create_from_dial_options`.
            connect: False to connect when a call is first made; the profile is read now.

        Returns:
            The client.

        Raises:
            ValueError: If there is no such profile, or its file is damaged, or others may read it.
            TypeError: If ``name`` is no str, ``dial_options`` are none, ``retry`` is neither a ``Retry`` nor False, or
                ``tz`` no time zone.
            UnauthenticatedError: If the key is not accepted.
            InsecureConnectionError: If the server speaks no TLS, or has no certificate that can be trusted.
            GRPCError: If the cloud cannot be reached, or not within ``dial_options.timeout``.

        Example:
            >>> from viam_sync import profiles
            >>> profiles.save_profile(profiles.Profile("lesson", sandbox.api_key_id, sandbox.api_key, sandbox.url))
            >>> with ViamClient.create_from_profile("lesson") as client:
            ...     client.app_client.get_location(sandbox.location_id).name
            'Workshop'
        """
        from viam_sync.profiles import find_profile  # only of use here

        profile = find_profile(name)
        given = None if dial_options is None else own_options("dial_options", dial_options)
        options = with_key(given, profile.dial_options())
        return cls.create_from_dial_options(options, profile.url, retry=retry, tz=tz, connect=connect)

    def _copy(self) -> Self:
        other = super()._copy()
        other._clients = {}
        return other

    @property
    def app_client(self) -> AppClient:
        """The client for organizations, locations and machines."""
        client: AppClient = self._client("app_client", self._location_id)
        return client

    @property
    def data_client(self) -> DataClient:
        """The client for captured data and datasets."""
        client: DataClient = self._client("data_client")
        return client

    @property
    def ml_training_client(self) -> MLTrainingClient:
        """The client for training jobs."""
        client: MLTrainingClient = self._client("ml_training_client")
        return client

    @property
    def billing_client(self) -> BillingClient:
        """The client for usage and invoices."""
        client: BillingClient = self._client("billing_client")
        return client

    @property
    def provisioning_client(self) -> ProvisioningClient:
        """The client for the first setup of a machine."""
        client: ProvisioningClient = self._client("provisioning_client")
        return client

    def _client(self, name: str, *arguments: Any, cls: Any = None) -> Any:
        if self._closed:
            raise ClosedError(CLOSED)
        if name not in self._clients:
            client = (cls or client_class(name))(self._channel, self._metadata, *arguments)
            # setdefault() is atomic; another thread may have made the client in the meantime.
            self._clients.setdefault(name, client.options(**self._options._asdict()))
        return self._clients[name]

    def connect_to_machine(self, *, address: Optional[str] = None, id: Optional[str] = None) -> NoReturn:
        """Say what connects to a machine: not this package, but viam-sdk.

        Args:
            address: The address of the machine.
            id: Its ID.

        Raises:
            NotSupportedError: Always.

        Example:
            >>> client.connect_to_machine(address="rover-main.abcdef1234.viam.cloud")
            Traceback (most recent call last):
            viam_sync.errors.NotSupportedError: machines are driven by viam-sdk (pip install viam-sdk), ...
        """
        raise NotSupportedError(MACHINES)

    def close(self) -> None:
        """Close the connection; closing it again does nothing.

        Calls that other threads are making end with a ``ClosedError``.
        """
        self._closed = True
        if self._link is not None:
            self._link.close()
        elif not isinstance(self._channel, LateChannel):
            self._channel.close()

    def __getstate__(self) -> Dict[str, Any]:
        if self._link is None:
            raise TypeError(
                "this ViamClient was made from an open channel, which cannot be pickled or copied; make it with"
                " create_from_dial_options or create_from_env_vars"
            )
        fresh: Dict[str, Any] = {"_link": copy.copy(self._link), "_clients": {}, "_closed": False}
        return {name: fresh.get(name, value) for name, value in vars(self).items() if name not in _CONNECTED}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        vars(self).update(state, _channel=LateChannel(state["_link"].get), _metadata={})

    def __repr__(self) -> str:
        name = type(self).__name__
        if self._link is None:
            where = "" if isinstance(self._channel, LateChannel) else f" at {self._channel.target}"
        elif not self._link.address:
            where = ", not connected yet"
        else:
            where = f" of {self._link.options.auth_entity!r} at {self._link.parsed().target}"
        return f"<{name}{where}{', closed' if self._closed else f': {_PROPERTIES}'}>"
