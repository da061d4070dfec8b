"""The page on Django: a project of its blocks, in which its commands and views are run."""

import re
import shlex
from pathlib import Path

import pytest
from django_projects import ROOT, Project

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

pytest.importorskip("django.core", reason="tox -e django-newest has it")

PAGE = (ROOT / "docs" / "django.md").read_text(encoding="utf-8")
ASK = """
from django.test import Client
for path in {paths!r}:
    answer = Client().get(path, HTTP_HOST="localhost")
    print(answer.status_code, answer.content.decode().splitlines()[0][:40])
"""


def project_of_the_page(folder: Path) -> Project:
    project = Project(folder)
    settings = project.folder / "farm" / "settings.py"
    text = settings.read_text(encoding="utf-8").replace('INSTALLED_APPS += ["viam_sync.django", "shop"]', "")
    settings.write_text(f"import os\n{text}\nINSTALLED_APPS += ['shop']\n", encoding="utf-8")
    for name in ("models.py", "urls.py", "views.py"):
        for path in project.folder.glob(f"*/{name}"):
            path.unlink()
    for name, code in re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        path = project.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{code}")
    return project


def test_the_project_of_the_page_does_what_the_page_says(tmp_path: Path, sandbox: Sandbox, client: ViamClient) -> None:
    project = project_of_the_page(tmp_path)
    project.connect(sandbox)
    key = {"GREENHOUSE_KEY_ID": sandbox.api_key_id, "GREENHOUSE_KEY": sandbox.api_key}
    project.variables.update(key)
    for words in (["makemigrations", "shop"], ["migrate"]):
        assert project.manage(*words).status == 0
    commands = re.findall(r"^python manage\.py ((?:.*\\\n)*.*)$", PAGE.replace("\\\n    ", ""), re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        # The model has machines only once they are written.
        done = project.manage(*shlex.split(command.replace(" --dry-run", "")))
        assert done.status == 0, done.errors
    assert project.manage("count").out == "1 organizations\n"
    assert project.manage("viam_check").out == "default: Lesson Robotics\ngreenhouse: Lesson Robotics\n"
    location = client.app_client.get_robot(sandbox.robot_id).location
    paths = ["/health/", f"/locations/{location}/", "/readings.csv", f"/count/{location}/"]
    assert project.python(ASK.format(paths=paths)).splitlines() == [
        '200 {"ok": true}',
        f'200 {{"machines": [{{"id": "{sandbox.robot_id}'[:44],
        "200 timeRequested,timeReceived,metadata.orga",
        '200 {"machines": 2}',
    ]
    tests = project.manage("test")
    assert (tests.status, "Ran 1 test in " in tests.errors) == (0, True), tests.errors
