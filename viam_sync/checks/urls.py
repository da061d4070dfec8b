"""URLs of files: which arguments are one, which of them name a local file, and how they are shown in an error."""

import os
import re
from typing import Any
from urllib.request import url2pathname

_SCHEME = "[A-Za-z][A-Za-z0-9+.-]+"
#: The drive of a path on Windows has one letter. In fsspec, what comes before a ``::`` wraps the file system after it.
_URL = re.compile(rf"({_SCHEME}::)*(?P<scheme>{_SCHEME})://")
_USER = re.compile(rf"(?P<user>{_SCHEME}://[^/@:\s]*):\S*@")
_QUERY = re.compile(rf"(?P<place>{_SCHEME}://[^?\s]*)\?[^\s'\"]+")
_LOST_SLASH = re.compile(rf"(?P<folder>{_SCHEME}:)[/\\](?![/\\])")
_LOCAL = ("file", "local")


def is_url(given: Any) -> bool:
    """Tell whether an argument is the URL of a remote file or folder, and not a path on this computer.

    Example:
        >>> from viam_sync.checks.urls import is_url
        >>> [is_url(path) for path in ("s3://bucket/rows.csv", "rows.csv", "C:/rows.csv", "file:///tmp/rows.csv")]
        [True, False, False, False]
    """
    return url_scheme(given) not in ("", *_LOCAL)


def url_scheme(url: Any) -> str:
    """Return the scheme of a URL in lower case; an empty text for a path, and for whatever is none."""
    found = _URL.match(str(url)) if isinstance(url, (str, os.PathLike)) else None
    return found["scheme"].lower() if found else ""


def redact_urls(text: str) -> str:
    """Return a text without the passwords and queries of its URLs; queries hold signatures and tokens.

    Example:
        >>> from viam_sync.checks.urls import redact_urls
        >>> redact_urls("no such file: sftp://me:secret@host/rows.csv?signature=abc")
        'no such file: sftp://me:***@host/rows.csv?***'
    """
    return _QUERY.sub(r"\g<place>?***", _USER.sub(r"\g<user>:***@", text))


def local_path(name: str, given: Any) -> Any:
    """Return the path that a ``file://`` URL names, and any other path as it is.

    Args:
        name: The name of the parameter, for errors.
        given: The argument.

    Raises:
        ValueError: If it is a URL of something else, or of another computer.

    Example:
        >>> from viam_sync.checks.urls import local_path
        >>> local_path("path", "file:///tmp/my%20rows.csv")
        '/tmp/my rows.csv'
    """
    if is_url(given):
        raise ValueError(f"{name} takes a path on this computer, got the URL {redact_urls(str(given))!r}")
    if url_scheme(given):
        computer, _, path = str(given).partition("://")[2].partition("/")
        if computer not in ("", "localhost"):
            raise ValueError(f"{name} is {str(given)!r}, a file of the computer {computer!r}; write file:///")
        return url2pathname(f"/{path}")
    lost = _LOST_SLASH.match(str(given)) if isinstance(given, (str, os.PathLike)) else None
    if lost and not os.path.exists(lost["folder"]):  # noqa: PTH110 (a str, as it was given)
        raise ValueError(
            f"{name} is {str(given)!r}, a URL that has lost a slash, as in a pathlib.Path; give it as a str"
        )
    return given
