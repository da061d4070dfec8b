"""A project under gunicorn with two workers, before and after a reload."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import List, Set

import pytest
from django_projects import Project
from waiting import LONG, until

from viam_sync.sandbox import Sandbox

pytest.importorskip("django.core", reason="tox -e django-newest has it")
pytest.importorskip("gunicorn", reason="tox -e django-newest has it")

URLS = """
import os
from django.http import JsonResponse
from django.urls import path
from viam_sync.django import client

# To look at the client makes no call, so that no connection is there when gunicorn forks.
app = client.app_client


def organization(request):
    return JsonResponse({"pid": os.getpid(), "name": app.list_organizations()[0].name})


urlpatterns = [path("", organization)]
"""


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["", "preload"])
def test_two_workers_serve_before_and_after_a_reload(tmp_path: Path, sandbox: Sandbox, options: List[str]) -> None:
    project = Project(tmp_path)
    project.connect(sandbox)
    (project.folder / "farm" / "urls.py").write_text(URLS, encoding="utf-8")
    settings = ["--workers=2", "--bind=127.0.0.1:0", "--worker-tmp-dir", str(tmp_path), *options]
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *settings, "farm.wsgi"],
        cwd=project.folder,
        env={**project.environment(), "no_proxy": "*"},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        try:
            log = iter(server.stderr.readline, "")
            url = next(found[1] for found in (re.search(r"Listening at: (http://\S+)", line) for line in log) if found)
            before = _workers(url, set())
            server.send_signal(signal.SIGHUP)
            after = _workers(url, before)
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=LONG)
    assert (len(before), len(after), server.returncode) == (2, 2, 0)


def _workers(url: str, others: Set[int]) -> Set[int]:
    """Return the processes that answer beside others, once there are two."""
    found: Set[int] = set()

    def ask() -> bool:
        with urllib.request.urlopen(url, timeout=LONG) as answer:
            told = json.load(answer)
        assert told["name"] == "Lesson Robotics"
        found.add(told["pid"])
        return len(found - others) == 2

    until(ask)
    return found - others
