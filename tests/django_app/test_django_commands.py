"""The management commands, each in this process: what they write, what they refuse, and what is left after an error."""

import io
import json
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest

pytest.importorskip("django.core", reason="tox -e django-newest has it")

import django_settings  # noqa: F401
from django.core.management import CommandError, call_command
from django.db.models.signals import post_save
from django.test import override_settings
from django.utils.timezone import get_current_timezone
from django_shop.models import LooseReading, Machine, Reading

from viam_sync import NotFoundError, ViamClient
from viam_sync.django.management import ViamCommand
from viam_sync.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("account", "database")

MODEL = ["--model", "django_shop.Machine", "--map", "viam_id=id", "name=name"]
READING_MAP = ["machine__viam_id=metadata.robotId", "component=metadata.componentName", "time=timeRequested"]
READINGS = ["--model", "django_shop.Reading", "--map", *READING_MAP, "temperature=data.readings.temperature"]


def run(*words: str) -> List[str]:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().splitlines()


def refuse(*words: str) -> str:
    with pytest.raises(CommandError) as refused:
        run(*words)
    return str(refused.value)


def upload(client: ViamClient, sandbox: Sandbox, times: List[datetime], readings: List[Mapping[str, Any]]) -> None:
    client.data_client.tabular_data_capture_upload(
        part_id=sandbox.robot_part_id,
        component_type="rdk:component:sensor",
        component_name="porch",
        method_name="Readings",
        tabular_data=readings,
        data_request_times=[(time, time) for time in times],
    )


@pytest.fixture
def yesterday(client: ViamClient, sandbox: Sandbox) -> datetime:
    """Noon of yesterday by the clock of the project, when two readings were made; others are of the days around."""
    zone = get_current_timezone()
    noon = (datetime.now(zone) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    first = noon.replace(hour=0)
    times = [first - timedelta(seconds=1), first, noon, first + timedelta(days=1)]
    upload(client, sandbox, times, [{"readings": {"temperature": degrees}} for degrees in (1.5, 2.5, 3.5, 4.5)])
    return noon


def test_each_account_is_tried_and_each_that_is_not_let_in_is_named(account: Dict[str, str], sandbox: Sandbox) -> None:
    assert run("viam_check") == ["default: Lesson Robotics"]
    wrong = {"API_KEY_ID": account["API_KEY_ID"], "API_KEY": "k" * 32}
    with override_settings(VIAM={**account, "ALIASES": {"farm": wrong, "shed": {}}}):
        text = refuse("viam_check")
        assert "the account 'farm' cannot be used: " in text
        assert "the account 'shed' has no key" in text
        assert run("viam_check", "--alias", "default", "--verbosity", "0") == []


def test_machines_are_created_updated_and_kept(client: ViamClient, sandbox: Sandbox) -> None:
    Machine.objects.create(name="of our own")
    assert run("viam_sync_machines", *MODEL) == ["3 created."]
    long_ago = datetime(2020, 1, 1, tzinfo=timezone.utc)
    Machine.objects.filter(name__in=["rover", "arm"]).update(note="by hand", saved=long_ago)
    client.app_client.update_robot(sandbox.robot_id, "lawn-mower", sandbox.location_id)
    Machine.objects.create(name="gone", viam_id=str(uuid.uuid4()))
    lines = run("viam_sync_machines", *MODEL, "--verbosity", "2")
    assert lines[0] == f"~ update lawn-mower ({sandbox.robot_id}): name rover -> lawn-mower"
    assert lines[1].startswith("? keep gone (")
    assert lines[2] == "1 updated, 1 gone, kept."
    assert [machine.name for machine in Machine.objects.filter(note="by hand", saved=long_ago)] == ["arm"]
    assert Machine.objects.get(name="lawn-mower").note == "by hand"
    assert Machine.objects.count() == 5


def test_a_dry_run_tells_all_and_writes_nothing_nor_sends_a_signal() -> None:
    Machine.objects.create(name="gone", viam_id="gone")
    saved: List[Any] = []
    post_save.connect(lambda **about: saved.append(about), weak=False, dispatch_uid="seen")
    try:
        lines = run("viam_sync_machines", *MODEL, "--delete", "--dry-run")
    finally:
        post_save.disconnect(dispatch_uid="seen")
    assert [line.split()[:3] for line in lines[:4]] == [
        ["+", "create", "rover"],
        ["+", "create", "arm"],
        ["+", "create", "plant-watcher"],
        ["-", "delete", "gone"],
    ]
    assert lines[4] == "Nothing was written: --dry-run. Otherwise: 3 created, 1 deleted."
    assert ([machine.name for machine in Machine.objects.all()], saved) == (["gone"], [])


def test_what_is_gone_is_deleted_or_deactivated_and_comes_back(sandbox: Sandbox, client: ViamClient) -> None:
    run("viam_sync_machines", *MODEL)
    Machine.objects.create(name="gone", viam_id="gone")
    Machine.objects.filter(name="rover").update(is_active=False)
    lines = run("viam_sync_machines", *MODEL, "--deactivate", "is_active")
    assert lines == ["1 updated, 1 deactivated."]
    assert {machine.name: machine.is_active for machine in Machine.objects.all()} == {
        "rover": True,
        "arm": True,
        "plant-watcher": True,
        "gone": False,
    }
    assert run("viam_sync_machines", *MODEL, "--delete") == ["1 deleted."]
    assert not Machine.objects.filter(name="gone").exists()


def test_an_account_without_machines_removes_nothing(client: ViamClient) -> None:
    for organization in client.app_client.list_organizations():
        for robot in client.app_client.list_robots_for_org(organization.id):
            client.app_client.delete_robot(robot.id)
    Machine.objects.create(name="rover", viam_id="gone")
    assert "no machine at all" in refuse("viam_sync_machines", *MODEL, "--delete")
    assert Machine.objects.count() == 1


def test_a_machine_that_the_model_does_not_take_undoes_the_run(client: ViamClient, sandbox: Sandbox) -> None:
    client.app_client.new_robot("n" * 61, sandbox.location_id)
    text = refuse("viam_sync_machines", *MODEL)
    assert text.startswith("name of machine nnn")
    assert text.endswith("at most 60 characters (it has 61).")
    assert Machine.objects.count() == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["--model", "django_shop.Machines", "--map", "viam_id=id"],
            "--model takes app.Model, got 'django_shop.Machines'",
        ),
        (["--model", "Machine", "--map", "viam_id=id"], "--model takes app.Model, got 'Machine'"),
        (["--model", "django_shop.Machine"], "--model django_shop.Machine takes --map"),
        ([*MODEL, "nme=name"], "django_shop.Machine has no field nme; did you mean name?"),
        ([*MODEL, "note"], "--map takes field=path, got 'note'"),
        ([*MODEL, "note=nme"], "--map note=nme: did you mean name?"),
        ([*MODEL, "name=id"], "--map gives name twice"),
        ([*MODEL, "note__id=id"], "django_shop.Machine has no field note__id"),
        (["--model", "django_shop.Machine", "--map", "name=name"], "--map must give the field with the ID"),
        (["--model", "django_shop.Machine", "--map", "note=id"], "note of django_shop.Machine must be unique"),
        ([*MODEL, "--deactivate", "note"], "--deactivate takes a BooleanField of django_shop.Machine"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_before_a_call(sandbox: Sandbox, words: List[str], text: str) -> None:
    sandbox.stop()
    assert refuse("viam_sync_machines", *words).startswith(text)


def test_the_readings_of_yesterday_are_exported_by_the_clock_of_the_project(
    yesterday: datetime, tmp_path: Path
) -> None:
    path = tmp_path / "porch.jsonl"
    (line,) = run("viam_export_readings", "--file", str(path), "--component", "porch")
    assert line.startswith("2 readings from ")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["data"]["readings"]["temperature"] for row in rows] == [2.5, 3.5]


def test_another_run_brings_a_dataset_up_to_date(
    yesterday: datetime, client: ViamClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow.dataset import dataset

    command = ["viam_export_readings", "--dataset", str(tmp_path / "porch"), "--component", "porch"]
    run(*command)
    upload(client, sandbox, [yesterday + timedelta(hours=1)], [{"readings": {"temperature": 5.5}}])
    for _ in range(2):
        assert run(*command)[0].startswith("3 readings from ")
    table = dataset(tmp_path / "porch", partitioning="hive").to_table()
    assert sorted(table["data.readings.temperature"].to_pylist()) == [2.5, 3.5, 5.5]


def test_readings_are_in_a_model_once_and_as_they_are_now(
    yesterday: datetime, client: ViamClient, sandbox: Sandbox
) -> None:
    run("viam_sync_machines", *MODEL)
    command = ["viam_export_readings", *READINGS, "--component", "porch"]
    for _ in range(2):
        assert run(*command)[0].startswith("2 readings from ")
    assert list(Reading.objects.order_by("time").values_list("temperature", flat=True)) == [2.5, 3.5]
    assert Reading.objects.get(temperature=3.5).time == yesterday
    long_ago = datetime(2020, 1, 1, tzinfo=timezone.utc)
    Reading.objects.filter(temperature=3.5).update(temperature=0, saved=long_ago)
    run(*command)
    assert sorted(Reading.objects.values_list("temperature", flat=True)) == [2.5, 3.5]
    assert not Reading.objects.filter(saved=long_ago).exists()
    assert {reading.machine.viam_id for reading in Reading.objects.all()} == {sandbox.robot_id}


def test_times_are_those_of_the_project_where_it_has_naive_ones(yesterday: datetime) -> None:
    run("viam_sync_machines", *MODEL)
    with override_settings(USE_TZ=False):
        run("viam_export_readings", *READINGS, "--component", "porch")
        times = list(Reading.objects.order_by("time").values_list("time", flat=True))
        Reading.objects.all().delete()
        Machine.objects.all().delete()
    assert times[1] == yesterday.replace(tzinfo=None)


def test_readings_of_a_machine_that_the_model_lacks_undo_the_run(yesterday: datetime, sandbox: Sandbox) -> None:
    text = refuse("viam_export_readings", *READINGS, "--component", "porch")
    assert text.endswith(f"there is no django_shop.Machine whose viam_id is {sandbox.robot_id}")
    assert Reading.objects.count() == 0


def test_a_related_object_that_is_one_of_several_undoes_the_run(yesterday: datetime, sandbox: Sandbox) -> None:
    run("viam_sync_machines", *MODEL)
    Machine.objects.create(name="rover")
    by_name = ["machine__name=metadata.robotName" if pair.startswith("machine") else pair for pair in READINGS]
    text = refuse("viam_export_readings", *by_name, "--component", "porch")
    assert text.endswith("there is more than one django_shop.Machine whose name is rover")


def test_a_model_in_which_readings_would_come_twice_is_refused(yesterday: datetime) -> None:
    pairs = ["time=timeRequested", "temperature=data.readings.temperature"]
    text = refuse("viam_export_readings", "--model", "django_shop.LooseReading", "--map", *pairs)
    assert "another run would write everything twice" in text
    assert LooseReading.objects.count() == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--file", "air.csv", "--days", "0"], "--days takes a number from 1 on, got 0"),
        (["--file", "air.csv", "--days", "9999999"], "--days takes a number that leads to no year after 9999"),
        (["--file", "air.xls"], "--file is 'air.xls'; rows are written to files that end in"),
        (
            ["--file", "air.csv", "--day", "yesterday"],
            "Error: argument --day: 'yesterday' is no day such as 2024-05-31",
        ),
        (["--file", "air.csv", "--dataset", "air"], "Error: argument --dataset: not allowed with argument --file"),
        ([], "Error: one of the arguments --file --dataset --model is required"),
    ],
)
def test_wrong_use_of_the_export_is_refused_before_a_call(sandbox: Sandbox, words: List[str], text: str) -> None:
    sandbox.stop()
    assert refuse("viam_export_readings", *words).startswith(text)


def test_an_alias_that_is_not_there_is_an_error_of_the_command() -> None:
    assert refuse("viam_machines", "--alias", "farm").startswith("VIAM['ALIASES'] has no 'farm' (it has 'default')")


def test_readings_that_the_constraint_does_not_tell_apart_are_told(
    client: ViamClient, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    run("viam_sync_machines", *MODEL)
    noon = datetime.now(timezone.utc) - timedelta(days=1)
    upload(client, sandbox, [noon, noon], [{"readings": {"temperature": degrees}} for degrees in (1.5, 2.5)])
    run("viam_export_readings", *READINGS, "--component", "porch", "--days", "2")
    assert "1 readings had the machine, component, time of a later one" in capsys.readouterr().err
    assert Reading.objects.count() == 1


def test_a_whole_number_is_not_cut_from_another(yesterday: datetime) -> None:
    pairs = ["id=data.readings.temperature", "temperature=data.readings.temperature", "time=timeRequested"]
    text = refuse("viam_export_readings", "--model", "django_shop.LooseReading", "--map", *pairs)
    assert text.endswith("is no whole number")


class OwnCommand(ViamCommand):
    def __init__(self, act: Any) -> None:
        super().__init__()
        self.act = act

    def handle(self, *args: Any, **options: Any) -> None:
        self.act(self.client)


def test_the_errors_of_a_command_of_ones_own_are_command_errors_and_its_bugs_are_not() -> None:
    with pytest.raises(CommandError) as refused:
        call_command(OwnCommand(lambda client: client.app_client.get_robot(str(uuid.uuid4()))))
    assert (refused.value.returncode, type(refused.value.__cause__)) == (1, NotFoundError)
    with pytest.raises(CommandError, match="robot_id") as refused:
        call_command(OwnCommand(lambda client: client.app_client.get_robot("")))
    assert refused.value.returncode == 2
    with pytest.raises(ValueError, match="invalid literal"):
        call_command(OwnCommand(lambda client: int("x")))
