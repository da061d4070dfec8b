"""URLs of files: which arguments are one, which of them name a local file, and how they are shown in an error."""

import os
import re
from typing import Any

_SCHEME = "[A-Za-z][A-Za-z0-9+.-]+"
#: The drive of a path on Windows has one letter. In fsspec, what comes before a ``::`` wraps the file system after it.
_URL = rf"({_SCHEME}::)*(?P<scheme>{_SCHEME})://"
_USER = rf"(?P<user>{_SCHEME}://[^/@:\s]*):\S*@"
_QUERY = rf"(?P<place>{_SCHEME}://[^?\s]*)\?[^\s'\"]+"
_LOST_SLASH = rf"(?P<folder>{_SCHEME}:)[/\\](?![/\\])"
_LOCAL = ("file", "local")


def is_url(given: Any) -> bool:
    """Tell whether an argument is the URL of a remote file or folder, and not a path on this computer.

    Example:
        >>> from viam_sync.checks.urls import is_url
        >>> [is_url(path) for path in ("s3://bucket/rows.csv", "rows.csv", "C:/rows.csv", "file:///tmp/rows.csv")]
        [True, False, False, False]
    """
    return url_scheme(given) not in ("", *_LOCAL)


def url_scheme(given: Any) -> str:
    """Return the scheme of a URL in lower case; an empty text for all else."""
    found = re.compile(_URL).match(path_text(given))
    return found["scheme"].lower() if found else ""


def path_text(given: Any) -> str:
    """Return a path or a URL as text, also where it is an object of pathlib or the like; for all else, an empty one."""
    if isinstance(given, str):
        return given
    return str(given) if isinstance(given, os.PathLike) or hasattr(given, "as_uri") else ""


def redact_urls(text: str) -> str:
    """Return a text without the passwords and queries of its URLs; queries hold signatures and tokens.

    Example:
        >>> from viam_sync.checks.urls import redact_urls
        >>> redact_urls("no such file: sftp://me:secret@host/rows.csv?signature=abc")
        'no such file: sftp://me:***@host/rows.csv?***'
    """
    return re.compile(_QUERY).sub(r"\g<place>?***", re.compile(_USER).sub(r"\g<user>:***@", text))


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
    text = path_text(given)
    if is_url(text):
        raise ValueError(f"{name} takes a path on this computer, got the URL {redact_urls(text)!r}")
    if url_scheme(text):
        computer, _, path = text.partition("://")[2].partition("/")
        if computer not in ("", "localhost"):
            raise ValueError(f"{name} is {text!r}, a file of the computer {computer!r}; write file:///")
        from urllib.request import url2pathname  # it brings a client for HTTP, which takes long to load

        return url2pathname(f"/{path}")
    lost = re.compile(_LOST_SLASH).match(text)
    if lost and not os.path.exists(lost["folder"]):  # noqa: PTH110 (a str, as it was given)
        raise ValueError(f"{name} is {text!r}, a URL that has lost a slash, as in a pathlib.Path; give it as a str")
    return given
