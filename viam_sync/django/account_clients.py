"""The clients of a project: one for each process and account, which follow its settings."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Tuple, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from viam_sync import ViamClient
from viam_sync.django.settings import DEFAULT, aliases, missing_keys, read_account

#: The settings that a client is made of.
_SETTINGS = ("TIME_ZONE", "USE_TZ", "VIAM")


class AccountClients:
    """The clients of all accounts, by their aliases; each is made when it is first used.

    Example:
        >>> from viam_sync.django import clients
        >>> clients["default"].app_client.get_location(sandbox.location_id).name
        'Workshop'
    """

    def __init__(self) -> None:
        self._made: Dict[Tuple[str, Optional[float]], ViamClient] = {}

    def __getitem__(self, alias: str) -> ViamClient:
        return cast(ViamClient, _AliasClient(alias))

    def __iter__(self) -> Iterator[str]:
        return iter(aliases())

    def current(self, alias: str, connecting: Optional[float] = None) -> ViamClient:
        """Return the client that the settings name now.

        Args:
            alias: The account.
            connecting: Seconds that connecting may take; None for what the settings say. Each number has a client, and
                a connection, of its own.

        Raises:
            ImproperlyConfigured: If the settings name no such account, or something in them has no meaning.
        """
        known = self._made.get((alias, connecting))
        # setdefault() is atomic; a client that another thread has made meanwhile has cost nothing.
        return known or self._made.setdefault((alias, connecting), _lazy_client(alias, connecting))

    def close(self) -> None:
        """Close all clients; what is used afterwards connects anew, by the settings of then."""
        while self._made:
            self._made.popitem()[1].close()


def _lazy_client(alias: str, connecting: Optional[float]) -> ViamClient:
    account = read_account(alias)
    if alias != DEFAULT and not account.has_key:
        raise ImproperlyConfigured(
            f"{' and '.join(missing_keys(alias))} must be set; the environment is for VIAM alone"
        )
    if connecting is not None:
        account.dial_options.timeout = connecting
    options = account.client_options
    client = ViamClient.lazy(account.dial_options, account.app_url, retry=options.retry, tz=options.tz)
    return client.options(timeout=options.timeout)


class _AliasClient:
    """Stands for the client of an account, which it looks up whenever it is used."""

    # As in the lazy objects of Django, isinstance() takes it for what it stands for.
    __class__ = property(lambda self: ViamClient)  # pyright: ignore

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(clients.current(self._alias), name)

    def __reduce__(self) -> Any:
        return _client_of, (self._alias,)

    def __dir__(self) -> List[str]:
        return dir(ViamClient)

    def __repr__(self) -> str:
        return f"<the client of the setting VIAM, alias {self._alias!r}>"


def _client_of(alias: str) -> ViamClient:
    return clients[alias]


def _follow_settings(*, setting: str, **about: Any) -> None:
    # A client of other settings, such as a test's, must not be used any more by whoever holds it.
    if setting in _SETTINGS:
        clients.close()


#: The clients of all accounts, by their aliases, such as ``clients["greenhouse"]``.
clients = AccountClients()
#: The client of the account that VIAM itself names, or the environment.
client: ViamClient = clients[DEFAULT]

setting_changed.connect(_follow_settings)
