"""A project as ``django-admin startproject`` makes it, with three lines more: each command, as a process."""

import json
import os
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any, Iterator

import pytest
from django_projects import HAS_POSTGRESQL, Postgres, Project
from waiting import until

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

pytest.importorskip("django.core", reason="tox -e django-newest has it")

MACHINE_MAP = ["--map", "viam_id=id", "name=name", "location=location.name", "part_id=part.id", "last_seen=last_access"]
READING_MAP = [
    *("--map", "machine__viam_id=metadata.robotId", "component=metadata.componentName", "time=timeRequested"),
    "temperature=data.readings.temperature",
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    missing = "PostgreSQL is not installed; on Debian: apt-get install postgresql"
    if not HAS_POSTGRESQL and os.environ.get("VIAM_SYNC_POSTGRES") == "required":
        pytest.fail(missing)
    if not HAS_POSTGRESQL:
        pytest.skip(missing)
    with Postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    if request.param == "sqlite":
        return Project(tmp_path)
    name = f"farm_{uuid.uuid4().hex}"
    postgres = request.getfixturevalue("postgres")
    postgres.create_database(name)
    return Project(tmp_path, postgres.settings(name))


def succeed(project: Project, *words: str) -> str:
    done = project.manage(*words)
    assert done.status == 0, done.errors
    return done.out


def migrate(project: Project) -> None:
    succeed(project, "makemigrations", "shop")
    succeed(project, "migrate")


def test_nothing_needs_a_key_or_the_cloud_before_a_call_is_made(project: Project) -> None:
    views = "from viam_sync.django import client\nlocations = client.app_client.list_locations\n"
    (project.folder / "farm" / "views.py").write_text(views, encoding="utf-8")
    migrate(project)
    without_key = project.manage("check")
    assert without_key.status == 0
    assert "(viam.W001) VIAM['API_KEY_ID'] and VIAM['API_KEY'] are not set" in without_key.errors
    assert "HINT: set VIAM['API_KEY_ID']" in without_key.errors
    assert project.python("import farm.views; print('imported')") == "imported\n"
    # Nothing listens there.
    project.variables = {
        "VIAM_APP_URL": "http://127.0.0.1:1",
        "VIAM_API_KEY": "k" * 32,
        "VIAM_API_KEY_ID": str(uuid.uuid4()),
    }
    for words in (["check"], ["makemigrations", "--check"], ["migrate"]):
        done = project.manage(*words)
        assert (done.status, "viam" in done.errors) == (0, False), done.errors


def test_the_cloud_is_checked_where_that_is_asked_for(project: Project, sandbox: Sandbox) -> None:
    without_key = project.manage("check", "--tag", "viam")
    assert without_key.status == 1
    assert "(viam.E002) the account 'default' has no key to connect with" in without_key.errors
    project.connect(sandbox)
    assert "no issues" in succeed(project, "check", "--tag", "viam")
    sandbox.stop()
    assert "no issues" in succeed(project, "check")
    for words in (["--tag", "viam"], ["--deploy"]):
        done = project.manage("check", *words)
        assert done.status == 1
        assert "(viam.E002) the account 'default' cannot be used: " in done.errors


def test_every_command_works_as_a_process(
    project: Project, sandbox: Sandbox, client: ViamClient, tmp_path: Path
) -> None:
    migrate(project)
    project.connect(sandbox)
    assert succeed(project, "viam_check") == "default: Lesson Robotics\n"
    machines = [line.split("\t") for line in succeed(project, "viam_machines").splitlines()]
    assert [(words[0], words[2]) for words in machines] == [
        ("rover", "Workshop"),
        ("arm", "Workshop"),
        ("plant-watcher", "Greenhouse"),
    ]
    (green,) = succeed(project, "viam_machines", "--location", "Greenhouse", "--json").splitlines()
    assert json.loads(green)["name"] == "plant-watcher"

    sync = ["viam_sync_machines", "--model", "shop.Machine", *MACHINE_MAP]
    assert succeed(project, *sync, "--dry-run").endswith("Otherwise: 3 created.\n")
    assert succeed(project, *sync) == "3 created.\n"
    assert succeed(project, *sync) == "no change.\n"

    day = client.data_client.iter_tabular_data(limit=1)
    day = next(iter(day)).time_requested.date().isoformat()
    export = ["viam_export_readings", "--day", day]
    into_model = [*export, "--model", "shop.Reading", *READING_MAP]
    written = succeed(project, *into_model)
    assert succeed(project, *into_model) == written
    rows = succeed(project, *export, "--file", str(tmp_path / "air.jsonl"))
    count = int(rows.split()[0])
    assert written.startswith(f"{count} readings from {day}T00:00:00+00:00 to ")
    assert count == len((tmp_path / "air.jsonl").read_text("utf-8").splitlines()) > 0
    counted = "from shop.models import Reading; print(Reading.objects.filter(machine__name='plant-watcher').count())"
    assert int(project.python(counted)) == count


def test_errors_are_one_line_and_a_status(tmp_path: Path, sandbox: Sandbox) -> None:
    project = Project(tmp_path)
    refused = project.manage("viam_machines")
    assert (refused.status, refused.out) == (2, "")
    assert refused.errors.splitlines()[-1].startswith("CommandError: the environment variable VIAM_API_KEY is missing")
    project.connect(sandbox)
    assert project.manage("viam_export_readings").status == 2
    lost = project.manage("viam_tail_logs", "lawn-mower")
    assert lost.status == 1
    assert (
        lost.errors
        == "CommandError: there is no machine or part 'lawn-mower'; manage.py viam_machines lists the machines\n"
    )
    project.variables["VIAM_API_KEY"] = "k" * 32
    wrong_key = project.manage("viam_machines")
    assert (wrong_key.status, wrong_key.errors.count("\n")) == (1, 1)
    assert "UNAUTHENTICATED" in wrong_key.errors
    assert "Traceback" in project.manage("viam_machines", "--traceback").errors


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_tail(tmp_path: Path, sandbox: Sandbox, number: signal.Signals, status: int) -> None:
    project = Project(tmp_path)
    project.connect(sandbox)
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    command = project.command("viam_tail_logs", "rover")
    with subprocess.Popen(command, cwd=project.folder, env=project.environment(), **pipes) as tail:
        sandbox.wait_for_tail(sandbox.robot_part_id)
        sandbox.log(sandbox.robot_part_id, "Hot")
        assert tail.stdout is not None
        assert tail.stdout.readline().endswith("\tHot\n")
        tail.send_signal(number)
        out, errors = tail.communicate(timeout=60)
    assert (tail.returncode, out, errors) == (status, "", "")


@pytest.mark.parametrize("kind", ["robot_part_id", "robot_id"])
def test_a_tail_of_an_id_lists_no_fleet(tmp_path: Path, sandbox: Sandbox, kind: str) -> None:
    project = Project(tmp_path)
    project.connect(sandbox)
    sandbox.faults.fail("ListRobotsForOrg", "PERMISSION_DENIED", times=None)
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    command = project.command("viam_tail_logs", getattr(sandbox, kind))
    with subprocess.Popen(command, cwd=project.folder, env=project.environment(), **pipes) as tail:
        sandbox.wait_for_tail(sandbox.robot_part_id)
        tail.terminate()
        assert tail.communicate(timeout=60) == ("", "")


def test_sigterm_ends_an_export_and_leaves_no_file(tmp_path: Path, sandbox: Sandbox) -> None:
    project = Project(tmp_path)
    project.connect(sandbox)
    slow = sandbox.faults.delay("TabularDataByFilter", 600)
    folder = tmp_path / "air"
    folder.mkdir()
    command = project.command("viam_export_readings", "--file", str(folder / "air.csv"))
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen(command, cwd=project.folder, env=project.environment(), **pipes) as export:
        until(lambda: slow.met)
        export.send_signal(signal.SIGTERM)
        out, errors = export.communicate(timeout=60)
    sandbox.faults.clear()
    assert (export.returncode, out, errors) == (143, "", "")
    assert list(folder.iterdir()) == []


def test_a_reader_that_has_gone_ends_a_list(tmp_path: Path, sandbox: Sandbox) -> None:
    project = Project(tmp_path)
    project.connect(sandbox)
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        project.command("viam_machines"),
        cwd=project.folder,
        env=project.environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as listing:
        os.close(writing)
        _, errors = listing.communicate(timeout=60)
    assert (listing.returncode, errors) == (141, "")
