"""The mistakes that beginners make, and what they are told: one table, which is read as they would read it."""

import asyncio
import io
import json
import os
import re
import socket
import threading
import uuid
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from mistakes_table import MISTAKES, PYTHON_SAYS
from servers import closed_port

from viam_sync import utils
from viam_sync.app.app_client import APIKeyAuthorization, AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto import app as pb
from viam_sync.proto.app.data import Filter, Order
from viam_sync.rpc.dial import DialOptions
from viam_sync.sandbox import Sandbox
from viam_sync.tabular import to_pandas

#: The names that a beginner has imported.
IMPORTED = {
    **{module.__name__: module for module in (asyncio, io, json, uuid)},
    **{each.__name__: each for each in (date, datetime, time, timedelta, timezone)},
    **{each.__name__: each for each in (APIKeyAuthorization, AppClient, DialOptions, Filter, Sandbox, ViamClient)},
    **{name: getattr(utils, name) for name in utils.__all__},
    "Order": Order,
    "pb": pb,
    "to_pandas": to_pandas,
}
#: The attributes of a sandbox that stand in the table as ``<robot_id>`` and the like.
IDS = ("organization_id", "location_id", "robot_id", "robot_part_id", "dataset_id", "fragment_id", "api_key_id")
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>Please log in</html>"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dict[str, Any]]:
    """The names that a beginner's line may use."""
    here, before = tmp_path_factory.mktemp("beginner"), Path.cwd()
    (here / "folder").mkdir()
    (here / "notes.txt").write_text("text")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        for variable in ("VIAM_API_KEY", "VIAM_API_KEY_ID"):
            patch.delenv(variable, raising=False)
        os.chdir(here)
        stack.callback(os.chdir, before)
        yield _names(stack)


def _names(stack: ExitStack) -> Dict[str, Any]:
    sandbox, with_tls = stack.enter_context(Sandbox()), stack.enter_context(Sandbox(tls=True))
    web = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    threading.Thread(target=_serve_pages, args=(web,), daemon=True).start()

    def connect(address: str, key: str = sandbox.api_key, key_id: str = sandbox.api_key_id) -> ViamClient:
        options = DialOptions.with_api_key(key, key_id)
        return stack.enter_context(ViamClient.create_from_dial_options(options, address))

    client, closed = connect(sandbox.url), connect(sandbox.url)
    closed_app, closed_rows = closed.app_client, closed.data_client.iter_tabular_data()
    closed.close()
    app, data = client.app_client, client.data_client
    foreign = app.create_organization("Elsewhere")
    authorization = APIKeyAuthorization("owner", "organization", foreign.id)
    other = connect(sandbox.url, *app.create_key(foreign.id, [authorization]))
    (file,), _, _ = data.binary_data_by_filter(limit=1, include_binary_data=False)
    found = {
        "sandbox": sandbox,
        "client": client,
        "app": app,
        "data": data,
        "connect": connect,
        "other": other,
        "closed": closed,
        "closed_app": closed_app,
        "closed_rows": closed_rows,
        "file": file,
        "tls_port": int(with_tls.address.rpartition(":")[2]),
        "web_port": web.getsockname()[1],
        "closed_port": closed_port(),
        "training": client.ml_training_client,
        "billing": client.billing_client,
        "robot": app.get_robot(sandbox.robot_id),
        "part": app.get_robot_part(sandbox.robot_part_id),
        "organization": app.get_organization(sandbox.organization_id),
        "location": app.get_location(sandbox.location_id),
        "rows": data.tabular_data_by_filter(limit=2)[0],
        "file_id": file.metadata.binary_data_id,
    }
    return {
        **IMPORTED,
        **found,
        "awaited": awaited,
        "awaited_call": awaited_call,
        "failing": failing,
        "unknown": unknown,
    }


def _serve_pages(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(1 << 16)
            connection.sendall(PAGE)


async def awaited(client: ViamClient) -> None:
    await client.app_client  # type: ignore[misc]


async def awaited_call(client: ViamClient) -> None:
    await client.app_client.list_organizations()  # type: ignore[misc]


def failing(sandbox: Sandbox, status: str) -> AppClient:
    """Return a client whose next call fails with a status."""
    sandbox.faults.reset()
    sandbox.faults.fail("GetRobot", status)
    return ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url, retry=False).app_client


def unknown(sandbox: Sandbox, data: DataClient) -> DataClient:
    """Return a client, the next answer to whose creation of a dataset is lost."""
    sandbox.faults.fail("CreateDataset", "UNAVAILABLE", after=True)
    return data


def _said(line: str, names: Dict[str, Any]) -> BaseException:
    with pytest.raises(Exception) as raised:
        eval(line, names)
    return raised.value


def _with_names(text: str, names: Dict[str, Any]) -> str:
    """Return a text in which IDs, ports and the working folder have the names that they have in the table."""
    for name in IDS:
        text = text.replace(getattr(names["sandbox"], name), f"<{name}>")
    for name in ("tls_port", "web_port", "closed_port"):
        text = text.replace(f"port {names[name]}", f"port <{name}>")
    port = names["sandbox"].address.rpartition(":")[2]
    return text.replace(f"port {port}", "port <port>").replace(str(Path.cwd()), "<folder>")


@pytest.mark.parametrize(("line", "kind", "message"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_told_with_what_to_do(line: str, kind: str, message: str, names: Dict[str, Any]) -> None:
    if "to_pandas" in line:
        pytest.importorskip("pandas", reason="tox -e arrow has it")
    error = _said(line, names)
    assert (type(error).__name__, _with_names(str(error), names)) == (kind, message)


@pytest.mark.parametrize(
    ("line", "kind", "part"), [row[1:] for row in PYTHON_SAYS], ids=[row[0] for row in PYTHON_SAYS]
)
def test_a_mistake_that_python_finds_is_named_by_python(line: str, kind: str, part: str, names: Dict[str, Any]) -> None:
    error = _said(line, names)
    assert type(error).__name__ == kind
    assert part in str(error)


PAGE_OF_ERRORS = Path(__file__).resolve().parent.parent / "docs" / "errors.md"
RPC = re.compile(r"[\w.]+/\w+: ")


def documented() -> List[str]:
    """Return the texts of the page of errors, each the first code of a row of a table."""
    return re.findall(r"^\| `(.+?)`(?: \||, )", PAGE_OF_ERRORS.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("text", documented())
def test_a_text_on_the_page_of_errors_is_the_beginning_of_one_that_the_table_has(text: str) -> None:
    said = [RPC.sub("", row[3], count=1) for row in (*MISTAKES, *PYTHON_SAYS)]
    pattern = re.compile(".*".join(map(re.escape, text.split("…"))))
    assert [each for each in said if pattern.match(each)], text


def test_an_iterator_that_is_printed_says_how_it_is_used(names: Dict[str, Any]) -> None:
    rows = names["data"].iter_tabular_data()
    assert str(rows) == "<Pages of TabularData: go through it by a for loop, or give it to list()>"
    assert f"shows `{rows}`" in PAGE_OF_ERRORS.read_text(encoding="utf-8").replace("\n", " ")
