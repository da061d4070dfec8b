"""Remote files: whole objects in a bucket or another store that fsspec reaches; the one module that knows fsspec."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Type, Union

from viam_sync.checks import path_from, wrong_type
from viam_sync.checks.descriptions import redact
from viam_sync.checks.urls import is_url, path_text, redact_urls, url_scheme
from viam_sync.transfer.output.names import UNFINISHED
from viam_sync.transfer.output.store_credentials import without_credentials

#: The packages for the stores that most people use, all of which have buckets; fsspec knows those of others.
_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
}
_S3 = {"s3", "s3a"}
#: The schemes of disks and file servers: others see how a file grows there, and renaming one costs nothing.
_FILE_SERVERS = {"", "arrow_hdfs", "ftp", "hdfs", "sftp", "smb", "ssh", "webdav", "webhdfs"}
_WEB = {"data", "http", "https"}
#: The bytes of a part of a large object, of which s3fs has several in memory; and the most parts that S3 takes.
_PART = 16 << 20
_PARTS_AT_A_TIME = 4
_MOST_PARTS = 10_000
_FORBIDDEN = 403
_KINDS: Tuple[Type[OSError], ...] = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError)


class Location:
    """A file or a folder as the caller gave it: a path, or a URL, whose credentials its ``repr`` does not show.

    A method makes one and deletes its arguments, since tools show the variables of each frame of a traceback.

    Args:
        name: The name of the parameter, for errors.
        given: The path or the URL; where one file is written, it may be an open file.
        storage_options: What the package for the URL needs besides, such as credentials.

    Attributes:
        name: The name of the parameter.
        is_remote: Whether it is a URL.
        scheme: The scheme of the URL; empty for a path.
        given: The beginning of errors: the name, and the path or the URL without credentials.

    Example:
        >>> from viam_sync.transfer.output.remote import Location
        >>> Location("folder", "sftp://me:secret@host/captures", {"port": 22})
        <folder is 'sftp://me:***@host/captures'>
    """

    def __init__(self, name: str, given: Any, storage_options: Optional[Mapping[str, Any]] = None) -> None:
        self.name = name
        self.is_remote = is_url(given)
        self.scheme = url_scheme(given)
        self._text = path_text(given)
        self.given = f"{name} is {redact_urls(self._text)!r}" if self._text else f"{name} is {redact(given)}"
        self._place = given
        self._options = storage_options

    def __repr__(self) -> str:
        return f"<{self.given}>"

    @property
    def url(self) -> str:
        """The URL as it was given, with its credentials."""
        return self._text

    @property
    def shown(self) -> str:
        """The path, or the URL without credentials."""
        return redact_urls(self._text)

    @property
    def suffix(self) -> str:
        """The ending of the name in lower case, such as ``.csv``."""
        return PurePosixPath(self._text.partition("?")[0]).suffix.lower()

    @property
    def has_secret(self) -> bool:
        """Whether there is a password or a query in the URL."""
        return redact_urls(self._text) != self._text

    def local(self) -> Any:
        """Return the path, or the open file.

        Raises:
            ValueError: If there are options for a URL.
        """
        if self._options is not None:
            raise ValueError(f"storage_options are for a URL, such as 's3://bucket/folder', which {self.name} is not")
        return self._place

    def path(self) -> Path:
        """Return the path.

        Raises:
            TypeError: If it is no path.
            ValueError: If it is a URL, or no file can be called so, or there are options for a URL.
        """
        return path_from(self.name, self.local())

    def beside(self, name: str) -> Location:
        """Return the location of another folder in the same one.

        Args:
            name: Its name, or its path within what has this folder in it; ``{}`` stands for the name of this one.

        Raises:
            ValueError: If this one is a whole bucket or disk.

        Example:
            >>> from viam_sync.transfer.output.remote import Location
            >>> Location("url", "s3://bucket/air/").beside(".{}.new")
            <url is 's3://bucket/.air.new'>
        """
        parent, _, last = self._text.rstrip("/").rpartition("/")
        if not last or (parent.endswith(":/") and self.scheme in _PACKAGES):
            raise ValueError(f"{self.given}, a bucket; name a folder in it, as the files of a run are kept beside it")
        return Location(self.name, f"{parent}/{name.format(last)}", self._options)

    def within(self, name: str) -> Location:
        """Return the location of a folder in this one."""
        return Location(self.name, f"{self._text.rstrip('/')}/{name}", self._options)

    def connect(self) -> Remote:
        """Return the remote file or folder; one on this computer's disks, too, if it is an absolute path.

        Raises:
            ImportError: If a package for it is not installed; the text says which.
            OSError: If the store refuses the connection, or has no such bucket.
            TypeError: If the options are no dict.
            ValueError: If there is no such scheme.
        """
        if not isinstance(self._options, (Mapping, type(None))):
            raise wrong_type("storage_options", "a dict", self._options)
        if "::" in self._text:
            raise ValueError(f"{self.given}; in fsspec, a '::' wraps one store in another, and this is not taken")
        _require_loadable(self.given, self.scheme)
        return Remote(self, *self.call("which cannot be opened", self._open))

    def call(self, failing: str, act: Callable[[], Any]) -> Any:
        """Call a file system.

        Args:
            failing: The words for what may fail, for the error.
            act: The call.

        Raises:
            OSError: If it fails. It comes without the original error, whose frames hold credentials, which tools show.
        """
        try:
            return act()
        except Exception as error:
            failure = self.failure(failing, error)
        raise failure

    def failure(self, failing: str, error: Exception) -> OSError:
        """Return the error that says what a file system has failed to do, without credentials."""
        kind = next((kind for kind in _KINDS if isinstance(error, kind)), OSError)
        text = f"{type(error).__name__}: {error}"
        return kind(f"{self.given}, {failing}: {without_credentials(text, self._text, self._options)}")

    def _open(self) -> Tuple[Any, str]:
        """Return the file system, and the path in it."""
        from fsspec.core import url_to_fs  # type: ignore[import-not-found, import-untyped, unused-ignore]

        options = {"max_concurrency": _PARTS_AT_A_TIME} if self.scheme in _S3 else {}
        fs, path = url_to_fs(self._text, **{**options, **(self._options or {})})
        return fs, path.rstrip("/")


class Remote:
    """A remote file, or a folder of them; they are written whole or not at all.

    S3, Google Cloud Storage and Azure show an object when it is complete. On a server of files, it is written under
    another name first, which begins with ``.viam-export-``.

    Args:
        location: Its location.
        fs: Its file system, of fsspec.
        root: Its path in the file system.

    Raises:
        OSError: If there is no such bucket.

    Example:
        >>> from viam_sync.transfer.output.remote import Location
        >>> remote = Location("folder", "memory://captures").connect()
        >>> remote.write(b"meow", "data/cat.txt")
        >>> remote.sizes(), remote.read("data/cat.txt")
        ({'data/cat.txt': 4}, b'meow')
        >>> remote.remove("data/cat.txt")
    """

    def __init__(self, location: Location, fs: Any, root: str) -> None:
        self._location = location
        self._scheme = location.scheme
        self._fs, self._root = fs, root
        del root  # it may have a signature in it, and tools show the variables of each frame of a traceback
        if self._scheme in _PACKAGES:
            self._require_bucket()

    def __repr__(self) -> str:
        return f"<Remote: {self._location.given}>"

    def write(self, contents: Union[bytes, Path], path: str = "") -> None:
        """Write an object; one of that name is replaced once the new one is complete.

        Args:
            contents: Its bytes, or the path of a local file that has them.
            path: Its path within the folder; none for the URL itself.

        Raises:
            OSError: If it cannot be written.
        """
        put = self._put_and_rename if self._scheme in _FILE_SERVERS else self._put
        self._call("written", path, lambda: put(contents, self._at(path)))

    def read(self, path: str = "", start: Optional[int] = None) -> bytes:
        """Return the bytes of an object.

        Args:
            path: Its path within the folder; none for the URL itself.
            start: The first byte to read; a negative one counts from the end.

        Raises:
            FileNotFoundError: If there is none.
            OSError: If it cannot be read.
        """
        # The cache of listings may know the size of what somebody else has replaced.
        self._fs.invalidate_cache()
        contents: bytes = self._call("read", path, lambda: self._fs.cat_file(self._at(path), start=start))
        return contents

    def sizes(self, folder: str = "") -> Dict[str, int]:
        """Return the sizes of all objects in the folder or one within it, in bytes, by their paths.

        Args:
            folder: The path of a folder within the folder; none for all of it.

        Raises:
            OSError: If they cannot be listed.
        """
        self._fs.invalidate_cache()
        found = self._call("listed", folder, lambda: self._fs.find(self._at(folder), detail=True))
        below = f"{self._root}/"
        return {
            path[len(below) :]: info["size"]
            for path, info in found.items()
            # Consoles make an empty object that ends in a slash for a folder.
            if path.startswith(below) and not path.endswith("/")
        }

    def remove(self, path: str = "") -> None:
        """Remove an object; if there is none, this does nothing.

        Args:
            path: Its path within the folder; none for the URL itself.

        Raises:
            OSError: If it cannot be removed.
        """
        with contextlib.suppress(FileNotFoundError):
            self._call("removed", path, lambda: self._fs.rm_file(self._at(path)))

    def clear(self) -> None:
        """Remove all objects in the folder.

        Raises:
            OSError: If one cannot be removed.
        """
        for path in self.sizes():
            self.remove(path)
        if self._scheme in _FILE_SERVERS:
            with contextlib.suppress(FileNotFoundError):
                self._call("removed", "", lambda: self._fs.rm(self._root, recursive=True))

    def download(self, path: str, local: Path) -> None:
        """Copy an object into a local file.

        Args:
            path: Its path within the folder.
            local: The path of the local file.

        Raises:
            FileNotFoundError: If there is none.
            OSError: If it cannot be read.
        """
        self._fs.invalidate_cache()
        self._call("read", path, lambda: self._fs.get_file(self._at(path), str(local)))

    def take(self, other: Remote, source: str, path: str) -> None:
        """Move an object of another folder of the same store into this one; one of that name is replaced.

        Args:
            other: The other folder.
            source: The path of the object within it.
            path: Its new path within this folder.

        Raises:
            OSError: If it cannot be moved.
        """
        move = self._rename if self._scheme in _FILE_SERVERS else self._copy_and_remove
        self._call("written", path, lambda: move(other._at(source), self._at(path)))

    def require_file(self) -> None:
        """Refuse the URL of a bucket or of a folder.

        Raises:
            IsADirectoryError: If it is one.
        """
        is_bucket = self._scheme in _PACKAGES and "/" not in self._root
        if self._location.given.endswith("/'") or not self._root.strip("/") or is_bucket:
            raise IsADirectoryError(f"{self._location.given}, a folder; name a file in it")

    def _call(self, done: str, path: str, act: Callable[[], Any]) -> Any:
        return self._location.call(f"{f'where {path!r}' if path else 'which'} cannot be {done}", act)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _put_and_rename(self, contents: Union[bytes, Path], target: str) -> None:
        folder = target.rpartition("/")[0]
        unfinished = f"{folder}/{UNFINISHED}{secrets.token_hex(8)}.part"
        self._fs.makedirs(folder, exist_ok=True)
        try:
            self._put(contents, unfinished)
            self._fs.mv(unfinished, target)
        except BaseException:
            with contextlib.suppress(Exception):
                self._fs.rm_file(unfinished)
            raise

    def _rename(self, source: str, target: str) -> None:
        self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._fs.mv(source, target)

    def _copy_and_remove(self, source: str, target: str) -> None:
        self._fs.cp_file(source, target)
        self._fs.rm_file(source)

    def _put(self, contents: Union[bytes, Path], target: str) -> None:
        size = len(contents) if isinstance(contents, bytes) else contents.stat().st_size
        options = {"chunksize": max(_PART, size // _MOST_PARTS + 1)} if self._scheme in _S3 else {}
        if isinstance(contents, bytes):
            self._fs.pipe_file(target, contents, **options)
        else:
            self._fs.put_file(str(contents), target, **options)

    def _require_bucket(self) -> None:
        """Notice that there is no such bucket, or nobody to ask, before anything is fetched."""
        failure = None
        try:
            # Nothing is called so; older s3fs find no information on an empty bucket.
            self._fs.find(self._root.partition("/")[0], prefix=UNFINISHED)
        except Exception as error:
            if not _is_refusal(error):
                failure = self._location.failure("which cannot be opened", error)
        if failure is not None:
            raise failure


def _require_loadable(begin: str, scheme: str) -> None:
    """Refuse a scheme for which a package is missing, or that nothing can be written to."""
    if scheme in _WEB:
        raise ValueError(f"{begin}; files are written to a bucket or a server of files, and not to the web")
    package = _PACKAGES.get(scheme, "")
    try:
        import fsspec  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise ImportError(f"{begin}, which takes fsspec; pip install {f'fsspec {package}'.strip()}") from error
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        advice = f"takes {package}; pip install fsspec {package}" if package else f"fsspec cannot open: {error}"
        raise ImportError(f"{begin}, which {advice}") from error
    except ValueError:
        advice = "give a path, or a URL such as 's3://bucket/rows.csv'"
        raise ValueError(f"{begin}, and fsspec knows no store called {scheme!r}; {advice}") from None


def _is_refusal(error: Exception) -> bool:
    """Tell whether a store only does not say what is in a bucket, which not everybody who may write to it may see."""
    is_refused = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
    return is_refused or getattr(error, "status_code", None) == _FORBIDDEN
