"""The credentials of a store, which the texts of its errors do not show."""

from __future__ import annotations

from typing import Any, Iterator, Mapping
from urllib.parse import unquote

from viam_sync.checks.urls import is_url, redact_urls

_HIDDEN = "***"
_SHORTEST_SECRET = 6


def without_credentials(text: str, url: str, options: Any) -> str:
    """Return a text without the credentials in a URL and in the options that go with it.

    Example:
        >>> from viam_sync.transfer.output.store_credentials import without_credentials
        >>> without_credentials("bad key: k3ypass", "s3://bucket", {"secret": "k3ypass"})
        'bad key: ***'
    """
    hidden = {*_texts_of(options), *_passwords_of(url)}
    # The longest come first, as one may be the beginning of another.
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return redact_urls(text)


def _texts_of(options: Any) -> Iterator[str]:
    """Yield the texts among options that may be secrets, however deep; a shorter one is in a text by chance."""
    if isinstance(options, str) and len(options) >= _SHORTEST_SECRET and not is_url(options):
        yield options
    for value in options.values() if isinstance(options, Mapping) else ():
        yield from _texts_of(value)


def _passwords_of(url: str) -> Iterator[str]:
    """Yield what may be the password in a URL, and what it stands for: it may have a slash in it, and the path an @."""
    rest = url.partition("://")[2]
    for before in (rest, rest.partition("/")[0]):
        password = before.rpartition("@")[0].partition(":")[2]
        if password:
            yield from (password, unquote(password))
