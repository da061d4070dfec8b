"""Where one file is written: to a path, a URL or an open file, and what is left of it after an error."""

import codecs
import gzip
import io
import json
import os
import socket
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Optional

import pytest
from object_store import ObjectStore
from variables import variables_of_error

from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import InternalError
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.remote import Location
from viam_sync.transfer.output.table_file import TableFile
from viam_sync.utils import create_filter

AIR = create_filter(component_name="air")
ROWS = [{"name": "é", "speed": 1}, {"name": 'a "b",\nc'}]
CSV = 'name,speed\r\né,1\r\n"a ""b"",\nc",\r\n'
PASSWORD = "hunter2hunter2"


def write(path: Any, rows: Any = ROWS, **options: Any) -> int:
    return TableFile(path, **options).write(rows, Progress(None))


def read(url: str) -> bytes:
    return Location("url", url).connect().read()


class Response:
    """Takes text and bytes, as the response of a web framework does."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, content: Any) -> None:
        self.content += content.encode() if isinstance(content, str) else content


class Trickle(io.RawIOBase):
    """A file without a buffer, which takes 3 bytes at a time."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self.content += bytes(block[:3])
        return len(block[:3])


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_an_export_can_go_to_a_bucket(client: ViamClient, remote_folder: str, tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    url = f"{remote_folder}/a/{name}"
    assert client.data_client.export_tabular_data_to(AIR, url) == 1008
    assert client.data_client.export_tabular_data_to(AIR, tmp_path / name) == 1008
    assert read(url) == (tmp_path / name).read_bytes()
    assert Location("url", remote_folder).connect().sizes() == {f"a/{name}": (tmp_path / name).stat().st_size}
    assert not list(Path.cwd().glob("s3:*"))


def test_a_bucket_has_what_pandas_and_duckdb_read(client: ViamClient, bucket: str) -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    client.data_client.export_tabular_data_to(AIR, f"{bucket}/rows.parquet")
    assert len(pandas.read_parquet(f"{bucket}/rows.parquet")) == 1008
    assert pyarrow.read_table(f"{bucket}/rows.parquet").num_rows == 1008


def test_an_object_stays_until_the_new_one_is_complete(remote_folder: str) -> None:
    def rows() -> Iterator[Mapping[str, Any]]:
        yield ROWS[0]
        raise RuntimeError("enough")

    url = f"{remote_folder}/rows.csv"
    write(url)
    with pytest.raises(RuntimeError, match=r"enough"):
        write(url, rows())
    assert read(url).decode() == CSV


def test_a_failing_export_leaves_nothing_in_a_bucket(sandbox: Sandbox, client: ViamClient, remote_folder: str) -> None:
    sandbox.faults.fail("TabularDataByFilter", "INTERNAL")
    with pytest.raises(InternalError):
        client.data_client.export_tabular_data_to(AIR, f"{remote_folder}/rows.csv")
    assert Location("url", remote_folder).connect().sizes() == {}


def test_a_bucket_that_is_not_there_is_said_before_anything_is_asked(
    sandbox: Sandbox, client: ViamClient, bucket: str
) -> None:
    fault = sandbox.faults.fail("TabularDataByFilter", "INTERNAL")
    with pytest.raises(FileNotFoundError, match=r"path is 's3://nobodys-bucket/rows.csv', which cannot be opened"):
        client.data_client.export_tabular_data_to(AIR, "s3://nobodys-bucket/rows.csv")
    assert fault.met == 0


def test_options_reach_the_store_and_no_traceback(
    client: ViamClient, object_store: ObjectStore, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    options = {"key": "mykeymykey", "secret": PASSWORD, "endpoint_url": object_store.url}
    export = client.data_client.export_tabular_data_to
    assert export(AIR, f"{bucket}/rows.csv", storage_options=options) == 1008
    object_store.refuse(lambda method, path, query: method == "PUT")
    for path in (
        f"{bucket}/rows.csv",
        "s3://nobodys-bucket/rows.csv",
        f"{bucket}/rows.xlsx",
        f"s4://me:{PASSWORD}@x/y",
    ):
        with pytest.raises((OSError, ValueError), match=r"^path is 's[34]://") as raised:
            export(AIR, path, storage_options=options)
        assert PASSWORD not in str(raised.value)
        assert [place for place, text in variables_of_error(raised.value) if PASSWORD in text] == []


def test_options_are_for_urls(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"storage_options are for a URL, such as 's3://bucket/folder', which path is not"
    ):
        write(Location("path", tmp_path / "rows.csv", {"key": "x"}))


@pytest.mark.parametrize(
    ("file", "contents"),
    [
        (io.BytesIO(), lambda file: file.getvalue().decode()),
        (io.StringIO(), lambda file: file.getvalue()),
        (io.StringIO(newline=""), lambda file: file.getvalue()),
        (Response(), lambda file: file.content.decode()),
        (Trickle(), lambda file: file.content.decode()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_open_file_is_written(file: Any, contents: Callable[[Any], str]) -> None:
    assert write(file, format="csv") == 2
    assert contents(file) == CSV
    assert not getattr(file, "closed", False)


def test_an_open_file_is_written_from_where_it_stands_and_flushed(tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("wb") as file:
        file.write(b"# air\n")
        write(file)
        assert (tmp_path / "rows.csv").read_bytes() == b"# air\n" + CSV.encode()
        file.write(b"# end\n")
    assert (tmp_path / "rows.csv").read_bytes() == b"# air\n" + CSV.encode() + b"# end\n"


def test_files_of_the_standard_library_are_written(tmp_path: Path) -> None:
    opened: List[Any] = [
        (tmp_path / "text.csv").open("w", encoding="utf-8", newline=""),
        (tmp_path / "unbuffered.csv").open("wb", buffering=0),
        codecs.getwriter("utf-8")((tmp_path / "codecs.csv").open("wb")),
    ]
    for file in opened:
        with file:
            write(file, format="csv")
        assert Path(file.name).read_bytes() == CSV.encode()
    for mode, options in (("wb", {}), ("wt", {"encoding": "utf-8", "newline": ""})):
        with gzip.open(tmp_path / "rows.csv.gz", mode, **options) as zipped:  # type: ignore[call-overload]
            write(zipped, format="csv")
        assert gzip.decompress((tmp_path / "rows.csv.gz").read_bytes()) == CSV.encode()
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive, archive.open("rows.csv", "w") as member:
        write(member, format="csv")
    assert zipfile.ZipFile(tmp_path / "rows.zip").read("rows.csv") == CSV.encode()
    for temporary in (tempfile.NamedTemporaryFile, tempfile.SpooledTemporaryFile, tempfile.TemporaryFile):
        with temporary() as file:
            write(file, format="csv")
            file.seek(0)
            assert file.read() == CSV.encode()
    with tempfile.SpooledTemporaryFile(mode="w+", encoding="utf-8", newline="") as spooled:
        write(spooled, format="csv")
        spooled.seek(0)
        assert spooled.read() == CSV


def test_pipes_sockets_and_the_output_of_the_program_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    write(sys.stdout, format="jsonl")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source:
        with os.fdopen(writing, "wb") as target:
            write(target, format="csv")
        assert source.read() == CSV.encode()
    one, other = socket.socketpair()
    with one, other, one.makefile("wb", buffering=0) as file:
        write(file, format="csv")
        assert other.recv(1000) == CSV.encode()


def test_parquet_goes_into_an_open_file() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    write(file, format="parquet")
    assert parquet.read_table(io.BytesIO(file.getvalue())).to_pylist()[0] == ROWS[0]
    with pytest.raises(ValueError, match=r"path is an open file, of text, and Parquet is none; open it with mode 'wb'"):
        write(io.StringIO(), format="parquet")


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_an_open_file_gets_nothing_before_all_rows_are_there(format: str) -> None:
    def rows() -> Iterator[Mapping[str, Any]]:
        yield from ROWS * 1000
        assert file.getvalue() == b""
        raise RuntimeError("enough")

    file = io.BytesIO()
    with pytest.raises(RuntimeError, match=r"enough"):
        write(file, rows(), format=format)
    assert (file.getvalue(), file.closed) == (b"", False)


def closed_file() -> Any:
    file = io.BytesIO()
    file.close()
    return file


def closed_gzip(mode: str) -> Any:
    with gzip.open(io.BytesIO(), mode) as file:
        return file


def closed_member() -> Any:
    with zipfile.ZipFile(io.BytesIO(), "w") as archive, archive.open("rows.csv", "w") as member:
        return member


class ReadOnly:
    """A file for reading alone, as the wrappers of temporary files are."""

    def write(self, block: bytes) -> None:
        raise io.UnsupportedOperation("not writable")


def async_file() -> Any:
    class AsyncFile:
        async def write(self, block: bytes) -> None:
            """Do nothing."""

    return AsyncFile()


@pytest.mark.parametrize(
    ("make", "format", "error", "text"),
    [
        (closed_file, "csv", ValueError, "path is an open file, which cannot be written: I/O operation on closed file"),
        (lambda: closed_gzip("wb"), "csv", ValueError, "which cannot be written: I/O operation on closed file"),
        (lambda: closed_gzip("wt"), "csv", ValueError, "which cannot be written: I/O operation on closed file"),
        (closed_member, "csv", ValueError, "which cannot be written: I/O operation on closed file"),
        (
            lambda: io.FileIO(__file__),
            "csv",
            ValueError,
            "which cannot be written: it was opened for",
        ),
        (ReadOnly, "csv", ValueError, "path is an open file, which cannot be written: not writable"),
        (async_file, "csv", TypeError, "path takes a path, or an open file that is no asynchronous one"),
        (io.BytesIO, None, ValueError, r"path is an open file; rows are written to files that end in .*as format"),
        (io.BytesIO, "xlsx", ValueError, "format takes one of 'jsonl', 'csv', 'parquet', got 'xlsx'"),
        (io.BytesIO, ".csv", ValueError, "format takes one of"),
        (lambda: 7, "csv", TypeError, "path takes a path, got 7"),
        (lambda: "rows.csv", "jsonl", ValueError, "format is 'jsonl', but path is 'rows.csv'"),
    ],
)
def test_what_cannot_be_written_is_rejected(
    make: Callable[[], Any], format: Optional[str], error: Any, text: str
) -> None:
    file = make()
    with pytest.raises(error, match=text):
        TableFile(file, format=format)
    if hasattr(file, "close"):
        file.close()


def test_a_file_of_another_encoding_says_so(tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("w", encoding="ascii", newline="") as file, pytest.raises(
        ValueError, match=r"rows.csv', which cannot hold this text; open it with encoding='utf-8'"
    ):
        write(file)


def test_an_error_of_writing_names_the_file(tmp_path: Path, small_disk: None) -> None:
    with (tmp_path / "rows.csv").open("wb", buffering=0) as file:
        file.write(bytes(4090))
        with pytest.raises(OSError, match=r"rows.csv'$"):
            write(file)


def test_a_format_can_be_named_where_the_path_has_none(tmp_path: Path) -> None:
    write(tmp_path / "rows", format="csv")
    assert (tmp_path / "rows").read_bytes() == CSV.encode()


def test_a_response_can_go_to_a_bucket(sandbox: Sandbox, client: ViamClient, remote_folder: str) -> None:
    data, app, billing = client.data_client, client.app_client, client.billing_client
    rows, _, _ = data.tabular_data_by_filter(AIR, dest=f"{remote_folder}/page.jsonl")
    files, _, _ = data.binary_data_by_filter(dest=f"{remote_folder}/files.json")
    app.get_robot_part(sandbox.robot_part_id, dest=f"{remote_folder}/part.json")
    sandbox.log(sandbox.robot_part_id, "hello")
    app.get_robot_part_logs(sandbox.robot_part_id, dest=f"{remote_folder}/logs.json")
    invoice = billing.get_invoices_summary(sandbox.organization_id).invoices[0].id
    billing.get_invoice_pdf(invoice, sandbox.organization_id, dest=f"{remote_folder}/invoice.pdf")
    assert read(f"{remote_folder}/page.jsonl").count(b"\n") == len(rows)
    assert len(json.loads(read(f"{remote_folder}/files.json"))) == len(files)
    assert read(f"{remote_folder}/invoice.pdf").startswith(b"%PDF")
    assert len(Location("url", remote_folder).connect().sizes()) == 5


def test_a_response_that_does_not_reach_a_bucket_is_not_lost(
    client: ViamClient, object_store: ObjectStore, bucket: str
) -> None:
    object_store.refuse(lambda method, path, query: method == "PUT")
    with pytest.raises(PermissionError, match=r"^dest is 's3://.*/page.json', which cannot be written") as raised:
        client.data_client.tabular_data_by_filter(AIR, dest=f"{bucket}/page.json")
    assert len(raised.value.result[0]) == 50  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "error", "text"),
    [
        ("memory://files/", IsADirectoryError, "dest is 'memory://files/', a folder; name a file in it"),
        (
            "memory://files.CSV",
            ValueError,
            "dest is 'memory://files.CSV', but this cannot be written as .csv; use .json",
        ),
        (
            f"memory://me:{PASSWORD}@x.json",
            ValueError,
            r"dest is 'memory://me:\*\*\*@x.json'; leave out what is secret",
        ),
    ],
)
def test_what_no_response_can_go_to_is_rejected_before_the_call(
    sandbox: Sandbox, client: ViamClient, url: str, error: Any, text: str
) -> None:
    pytest.importorskip("fsspec")
    fault = sandbox.faults.fail("BinaryDataByFilter", "INTERNAL")
    with pytest.raises(error, match=text):
        client.data_client.binary_data_by_filter(dest=url)
    assert fault.met == 0


def test_an_upload_of_a_url_says_what_it_takes(sandbox: Sandbox, client: ViamClient) -> None:
    with pytest.raises(ValueError, match=r"filepath takes a path on this computer, got the URL 's3://bucket/cat.png'"):
        client.data_client.file_upload_from_path("s3://bucket/cat.png", sandbox.robot_part_id)
