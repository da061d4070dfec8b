"""uvicorn with async views that hand their calls to threads, as the page of processes shows."""

import json
from pathlib import Path

import pytest
from page_blocks import ROOT, code_blocks
from reliability.processes import environment
from servers import FakeService
from worker_processes import only_together, running, variables

from viam_sync.sandbox import Sandbox

for package in ("uvicorn", "starlette", "anyio", "asgiref"):
    pytest.importorskip(package, reason="tox -e workers has it")

WEB = """
import asyncio, anyio
from asgiref.sync import sync_to_async
from viam_sync import ViamClient

app_client = ViamClient.lazy().app_client

WAYS = {
    "/asyncio": asyncio.to_thread,
    "/anyio": anyio.to_thread.run_sync,
    "/asgiref": lambda call: sync_to_async(call, thread_sensitive=False)(),
}

async def app(scope, receive, send):
    organizations = await WAYS[scope["path"]](app_client.list_organizations)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": organizations[0].name.encode()})
"""

UVICORN = ["-m", "uvicorn", "--port=0", "--lifespan=off", "web:app"]
IS_READY = r"running on http://(?P<address>[\d.]+:\d+)"


@pytest.mark.parametrize("path", ["/asyncio", "/anyio", "/asgiref"])
def test_calls_in_threads_do_not_hold_up_the_event_loop(server: FakeService, tmp_path: Path, path: str) -> None:
    (tmp_path / "web.py").write_text(WEB, encoding="utf-8")
    server.unary["ListOrganizations"] = only_together(4)
    with running(UVICORN, IS_READY, tmp_path, environment(**variables(server))) as running_server:
        assert running_server.get_together(4, path) == ["Lesson Robotics"] * 4


def test_the_application_of_the_page_runs_under_uvicorn(sandbox: Sandbox, tmp_path: Path) -> None:
    (block,) = [block for block in code_blocks(ROOT / "docs" / "processes.md") if "Starlette(" in block.code]
    (tmp_path / "web.py").write_text(block.code, encoding="utf-8")
    with running(UVICORN, IS_READY, tmp_path, environment(sandbox)) as running_server:
        assert json.loads(running_server.get(f"/machines/{sandbox.location_id}")) == ["rover", "arm"]
