import sys
from pathlib import Path
from typing import Any, List, Mapping, Optional

import pytest
from object_store import SECRET, ObjectStore
from variables import variables_of_error

from viam_sync.checks import path_from
from viam_sync.checks.urls import is_url, redact_urls
from viam_sync.transfer.output.remote import Location, Remote

fsspec = pytest.importorskip("fsspec")
LocalFileSystem: Any = pytest.importorskip("fsspec.implementations.local").LocalFileSystem

PASSWORD = "hunter2hunter2"
MIB = 1 << 20


def remote(url: str, options: Optional[Mapping[str, Any]] = None) -> Remote:
    return Location("folder", url, options).connect()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("s3://bucket/rows.csv", True),
        ("S3://bucket", True),
        ("memory://rows.csv", True),
        ("simplecache::s3://bucket/rows.csv", True),
        ("C://rows.csv", False),
        ("C:\\rows.csv", False),
        (Path("s3://bucket/rows.csv"), False),
        ("file:///tmp/rows.csv", False),
        ("rows.csv", False),
        ("a/b://c", False),
        ("", False),
        (None, False),
    ],
)
def test_a_url_is_told_from_a_path(given: Any, expected: bool) -> None:
    assert is_url(given) is expected


def test_a_url_of_a_local_file_is_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a b?.csv"
    assert path_from("path", path.as_uri()) == path
    assert path_from("path", f"file://localhost{tmp_path.as_posix()}") == tmp_path
    with pytest.raises(
        ValueError, match=r"path is 'file://tmp/rows.csv', a file of the computer 'tmp'; write file:///"
    ):
        path_from("path", "file://tmp/rows.csv")


def test_where_a_local_path_is_needed_a_url_is_refused_without_its_signature() -> None:
    with pytest.raises(ValueError, match=r"paths takes a path on this computer, got the URL 's3://b/x\?\*\*\*'"):
        path_from("paths", "s3://b/x?signature=abc")


@pytest.mark.parametrize("given", [Path("s3://bucket/rows.csv"), "s3:/bucket/rows.csv"])
def test_a_url_that_has_lost_a_slash_is_noticed(given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"path is 's3:/bucket/rows.csv', a URL that has lost a slash"):
        path_from("path", given)
    (tmp_path / "s3:").mkdir()
    assert path_from("path", given) == Path("s3:/bucket/rows.csv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://key:sec/ret@bucket/x", "s3://key:***@bucket/x"),
        ("abfs://box@me.dfs.core.windows.net/x", "abfs://box@me.dfs.core.windows.net/x"),
        ("GET https://h/x?sig=a%20b&t=1: failed", "GET https://h/x?*** failed"),
        ("is it here?", "is it here?"),
    ],
)
def test_passwords_and_signatures_are_left_out_of_urls(text: str, expected: str) -> None:
    assert redact_urls(text) == expected


def test_objects_are_written_listed_read_and_removed(remote_folder: str, tmp_path: Path) -> None:
    (tmp_path / "local").write_bytes(b"meow" * 10)
    folder = remote(f"{remote_folder}/")
    assert folder.sizes() == {}
    folder.write(b"one", "a/1 [x]*.txt")
    folder.write(tmp_path / "local", "a/b/2.txt")
    folder.write(b"", "empty")
    remote(f"{remote_folder}-2").write(b"beside", "x")
    assert folder.sizes() == {"a/1 [x]*.txt": 3, "a/b/2.txt": 40, "empty": 0}
    assert folder.sizes("a/b") == {"a/b/2.txt": 40}
    assert folder.read("a/1 [x]*.txt") == b"one"
    assert folder.read("a/b/2.txt", start=-4) == b"meow"
    folder.write(b"two", "a/1 [x]*.txt")
    assert folder.read("a/1 [x]*.txt") == b"two"
    folder.remove("a/1 [x]*.txt")
    folder.remove("a/1 [x]*.txt")
    assert folder.sizes() == {"a/b/2.txt": 40, "empty": 0}
    with pytest.raises(FileNotFoundError, match=r"folder is '.*', where 'a/1 \[x\]\*.txt' cannot be read: FileNotFou"):
        folder.read("a/1 [x]*.txt")


def test_what_others_write_is_seen(remote_folder: str) -> None:
    mine, theirs = remote(remote_folder), remote(remote_folder, {"use_listings_cache": True})
    assert mine.sizes() == {}
    theirs.write(b"1", "x")
    assert mine.sizes() == {"x": 1}
    theirs.write(b"22", "x")
    assert (mine.sizes(), mine.read("x")) == ({"x": 2}, b"22")


def test_a_url_can_name_one_object(remote_folder: str) -> None:
    one = remote(f"{remote_folder}/rows.csv")
    one.require_file()
    one.write(b"a,b")
    assert (one.read(), remote(remote_folder).sizes()) == (b"a,b", {"rows.csv": 3})


@pytest.mark.parametrize("url", ["memory://", "memory://folder/"])
def test_a_url_of_a_folder_is_none_of_a_file(url: str) -> None:
    with pytest.raises(IsADirectoryError, match=r"a folder; name a file in it"):
        remote(url).require_file()


def test_a_bucket_is_no_file(bucket: str) -> None:
    with pytest.raises(IsADirectoryError, match=r"a folder; name a file in it"):
        remote(bucket).require_file()


@pytest.mark.parametrize(
    "refused",
    [
        lambda method, path, query: "partNumber=" in query,
        lambda method, path, query: method + query[:9] == "POSTuploadId=",
    ],
    ids=["parts", "completion"],
)
def test_a_large_object_leaves_nothing_if_it_fails(
    object_store: ObjectStore, bucket: str, tmp_path: Path, refused: Any
) -> None:
    given = tmp_path / "large"
    given.write_bytes(bytes(40 * MIB))
    folder = remote(bucket)
    folder.write(b"old", "kept")
    object_store.refuse(refused)
    for name in ("new", "kept"):
        with pytest.raises(
            PermissionError, match=rf"folder is '{bucket}', where '{name}' cannot be written: .*refuses it"
        ):
            folder.write(given, name)
    assert (folder.sizes(), folder.read("kept")) == ({"kept": 3}, b"old")
    begun = [path for method, path, query in object_store.requests if (method, query) == ("POST", "uploads")]
    ended = [path for method, path, query in object_store.requests if method == "DELETE" and "uploadId=" in query]
    assert begun == ended != []


def test_a_large_object_comes_in_parts(object_store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(40 * MIB))
    for given in (tmp_path / "large", bytes(40 * MIB)):
        object_store.reset()
        remote(bucket).write(given, "new")
        assert remote(bucket).sizes() == {"new": 40 * MIB}
        assert sum("partNumber=" in query for _, _, query in object_store.requests) == 3


def test_a_bucket_that_is_not_there_is_said_at_once(bucket: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"folder is 's3://nobodys-bucket/x', which cannot be opened"):
        remote("s3://nobodys-bucket/x")


def test_who_may_only_write_may_write(object_store: ObjectStore, bucket: str) -> None:
    object_store.refuse(lambda method, path, query: method in ("HEAD", "GET"))
    remote(bucket).write(b"x", "x")
    with pytest.raises(PermissionError, match=r"cannot be listed"):
        remote(bucket).sizes()
    object_store.reset()
    assert remote(bucket).sizes() == {"x": 1}


def test_without_fsspec_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match=r"folder is 's3://b/x', which takes fsspec; pip install fsspec s3fs$"):
        remote("s3://b/x")
    with pytest.raises(ImportError, match=r"folder is 'memory://x', which takes fsspec; pip install fsspec$"):
        remote("memory://x")


def test_without_the_package_of_the_store_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("adlfs", "paramiko"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"folder is 'az://box/x', which takes adlfs; pip install fsspec adlfs$"):
        remote("az://box/x")
    with pytest.raises(ImportError, match=r"folder is 'ssh://h/x', which fsspec cannot open: .* requires \"paramiko\""):
        remote("ssh://h/x")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("s4://bucket/x", "folder is 's4://bucket/x', and fsspec knows no store called 's4'; give a path"),
        ("https://host/x?sig=abc", r"folder is 'https://host/x\?\*\*\*'; files are written to a bucket or a server"),
        ("simplecache::memory://x", "folder is 'simplecache::memory://x'; in fsspec, a '::' wraps"),
    ],
)
def test_other_urls_are_rejected(url: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        remote(url)


def test_options_that_are_none_are_rejected() -> None:
    with pytest.raises(TypeError, match=r"storage_options takes a dict, got a list"):
        remote("memory://x", ["key"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"storage_options are for a URL"):
        Location("folder", "x", {}).path()


class Refusal(Exception):
    """An error that is no OSError, as stores have them."""


class FileServer(LocalFileSystem):  # type: ignore[misc]
    """A folder in place of a server of files, which refuses files that are to be called ``refused``."""

    protocol = "webhdfs"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.replace("webhdfs://", "", 1)

    def __init__(self, fails: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.fails = fails

    def put_file(self, lpath: str, rpath: str, **options: Any) -> None:
        Path(rpath).write_bytes(Path(lpath).read_bytes()[:2] if self.fails else Path(lpath).read_bytes())
        if self.fails:
            raise Refusal(f"broken, said {PASSWORD}")


def test_on_a_server_of_files_nobody_sees_an_unfinished_one(tmp_path: Path) -> None:
    # No other test has one of these.
    fsspec.register_implementation("webhdfs", FileServer, clobber=True)
    (tmp_path / "local").write_bytes(b"meow")
    url = f"webhdfs://{tmp_path}/folder"
    remote(url).write(tmp_path / "local", "a/cat")
    remote(url).write(b"new", "a/cat")
    broken = remote(url, {"fails": True, "password": PASSWORD})
    with pytest.raises(OSError, match=r"where 'a/cat' cannot be written: Refusal: broken, said \*\*\*$"):
        broken.write(tmp_path / "local", "a/cat")
    assert remote(url).sizes() == {"a/cat": 3}
    assert [path.name for path in (tmp_path / "folder/a").iterdir()] == ["cat"]


def leaks(error: BaseException) -> List[str]:
    """Return the variables of a traceback, and the texts of its errors, that show a secret."""
    shown = [("the text", str(error)), ("the cause", repr(error.__cause__)), *variables_of_error(error)]
    return [place for place, text in shown if PASSWORD in text or SECRET in text]


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (f"s3://key:{PASSWORD}@bucket/x", {}),
        ("s3://nobodys-bucket/x", {"key": "mykeymykey", "secret": PASSWORD}),
        ("s3://nobodys-bucket/x", {"key": "mykeymykey", "secret": PASSWORD, "client_kwargs": PASSWORD}),
        (f"s3://nobodys-bucket/x?signature={PASSWORD}", {"anon": True}),
        (f"nothing://me:{PASSWORD}@host/x", {"password": PASSWORD}),
        (f"az://me:{PASSWORD}@host/x", {"password": PASSWORD}),
    ],
)
def test_no_error_shows_credentials(object_store: ObjectStore, url: str, options: Mapping[str, Any]) -> None:
    location = Location("folder", url, options)
    with pytest.raises((OSError, ImportError, ValueError), match=r"^folder is ") as raised:
        location.connect()
    assert leaks(raised.value) == []
    assert PASSWORD not in repr(location)


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("sftp://me:{secret}@host/mail@home", None, PASSWORD),
        ("sftp://me:%73{secret}@host/x", None, f"s{PASSWORD}"),
        ("sftp://host/x", {"username": PASSWORD[:6], "password": PASSWORD}, PASSWORD),
    ],
)
def test_no_error_shows_a_part_of_a_password(url: str, options: Any, said: str) -> None:
    location = Location("folder", url.format(secret=PASSWORD), options)
    text = str(location.failure("which cannot be opened", OSError(f"no entry for {said}.")))
    assert text.endswith(", which cannot be opened: OSError: no entry for ***.")


def test_no_error_of_writing_shows_credentials(object_store: ObjectStore, bucket: str) -> None:
    folder = remote(bucket, {"key": "mykeymykey", "secret": PASSWORD})
    object_store.refuse(lambda method, path, query: True, code="SignatureDoesNotMatch")
    with pytest.raises(PermissionError) as raised:
        folder.write(b"x", "x")
    assert leaks(raised.value) == []
    assert PASSWORD not in repr(folder)


@pytest.fixture(params=["disk", "memory", "s3"])
def sibling(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """A folder that has another one beside it: on a disk, or in a store."""
    if request.param == "disk":
        return Location("url", str(tmp_path / "a[b]c"))
    url = "memory://siblings" if request.param == "memory" else request.getfixturevalue("bucket")
    return Location("url", f"{url}/a/")


def test_an_object_moves_from_the_folder_beside_and_replaces_an_older_one(sibling: Location, tmp_path: Path) -> None:
    folder, other = sibling.connect(), sibling.beside(".{}.new").within("run").connect()
    folder.write(b"old", "data/cat")
    other.write(b"new", "cat")
    folder.take(other, "cat", "data/cat")
    assert (other.sizes(), folder.sizes()) == ({}, {"data/cat": 3})
    folder.download("data/cat", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"new"
    folder.clear()
    assert folder.sizes() == {}
    folder.clear()
    with pytest.raises(FileNotFoundError, match=r"^url is '.*', where 'cat' cannot be written: "):
        folder.take(other, "cat", "cat")


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "/", "memory://x"])
def test_all_of_a_store_has_nothing_beside_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^url is '.*', all of a store; name a folder in it"):
        Location("url", url).beside(".{}.new")
