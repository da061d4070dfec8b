"""The lessons: each runs, is checked as it is and with its solution, and leaves no trace."""

import runpy
import sys
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from viam_sync import NotFoundError, ViamClient
from viam_sync.lessons import exercise, lesson_client, practice_part
from viam_sync.lessons.__main__ import main
from viam_sync.lessons.answers import ANSWERS, Missing
from viam_sync.lessons.course import course_folder, notebooks, scripts, solution_of, title_of
from viam_sync.sandbox import Sandbox

SCRIPTS = scripts()


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    """A sandbox that stands for the real cloud, and is never reset."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def learner(cloud: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of somebody whose environment names that cloud."""
    for name, value in {**cloud.env_vars(), "MPLBACKEND": "Agg"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(script: Path, *arguments: str) -> object:
    """Run a script in this process, and return its exit status."""
    before = sys.argv
    sys.argv = [str(script), *arguments]
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        return end.code
    finally:
        sys.argv = before
    return 0


def contents(client: ViamClient) -> List[Tuple[str, ...]]:
    """Return all that a lesson could leave behind, or take away."""
    app, data, found = client.app_client, client.data_client, []
    for organization in app.list_organizations():
        found += [("location", each.id) for each in app.list_locations(organization.id)]
        found += [("key", each.api_key.id) for each in app.list_keys(organization.id)]
        found += [("dataset", each.id) for each in data.list_datasets_by_organization_id(organization.id)]
        found += [("job", each.id) for each in client.ml_training_client.list_training_jobs(organization.id)]
        for machine in app.list_robots_for_org(organization.id):
            for part in app.get_robot_parts(machine.id):
                found.append(("part", part.id, str(part.last_updated), str(part.robot_config)))
    for file in data.iter_binary_data(include_binary_data=False):
        found.append(("file", file.metadata.binary_data_id, str(file.metadata)))
    found.append(("readings", str(data.tabular_data_by_filter(count_only=True)[1])))
    return found


@pytest.mark.parametrize("number", SCRIPTS)
def test_a_lesson_runs_says_what_is_missing_and_leaves_no_trace(
    number: str, cloud: Sandbox, learner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ViamClient.create_from_dial_options(cloud.dial_options(), cloud.url) as client:
        before = contents(client)
        assert run(SCRIPTS[number]) == 0
        assert "not yet" not in capsys.readouterr().out
        assert run(SCRIPTS[number], "--check") == 1
        assert capsys.readouterr().out.splitlines()[-1].startswith("not yet: ")
        assert contents(client) == before


@pytest.mark.parametrize("number", SCRIPTS)
def test_a_solution_is_right_and_leaves_no_trace(
    number: str, cloud: Sandbox, learner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ViamClient.create_from_dial_options(cloud.dial_options(), cloud.url) as client:
        before = contents(client)
        assert run(solution_of(SCRIPTS[number]), "--check") == 0
        assert capsys.readouterr().out.splitlines()[-1] == "right"
        assert contents(client) == before


def test_there_are_twelve_lessons_of_one_screen_each_and_two_notebooks() -> None:
    assert list(SCRIPTS) == [str(number) for number in range(1, 13)]
    assert list(ANSWERS) == list(range(1, 13))
    assert len(notebooks()) == 2
    for script in SCRIPTS.values():
        text = script.read_text(encoding="utf-8")
        assert text.count("\n") <= 60, script
        assert f"python {script.name} --check" in text
        assert title_of(script)
        assert solution_of(script).is_file()


@pytest.mark.parametrize(
    ("number", "printed", "said"),
    [
        (1, "machines: 2\n", "2 is not how many machines there are; count those of all locations."),
        (1, "there are 3 machines\n", 'the exercise has printed no line that begins with "machines: "; its lines go'),
        (2, "arm: \n", " is not the ID of the main part of arm."),
        (
            4,
            "rover: 2\narm: 0\nplant-watcher: 1\n",
            "0 is not how many errors arm has logged; count those of all of its",
        ),
        (6, "warm: many\n", "after \"warm: \" there is 'many' instead of a number."),
        (6, "warm: 1008\n", "1008 is not how many readings have a temperature above 25."),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(number: int, printed: str, said: str, client: ViamClient) -> None:
    with pytest.raises(Missing) as missing:
        ANSWERS[number](client, printed)
    assert str(missing.value).startswith(said)


def test_lines_that_end_the_program_are_not_right(
    client: ViamClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["01_first_call.py", "--check"])

    def learn() -> None:
        with exercise(1, client):
            print("machines: 3")
            sys.exit()

    with pytest.raises(SystemExit) as end:
        learn()
    assert end.value.code == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("not yet: the lines of the exercise end the program")


def test_the_lines_of_an_exercise_find_the_terminal_that_there_is(
    client: ViamClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries that draw look at its encoding, and whether it is a terminal."""
    monkeypatch.setattr(sys, "argv", ["01_first_call.py", "--check"])
    terminal = sys.stdout
    with exercise(1, client):
        print("  machines: 3")
        assert (sys.stdout.encoding, sys.stdout.isatty()) == (terminal.encoding, terminal.isatty())


@pytest.mark.parametrize("name", ["VIAM_API_KEY", "VIAM_API_KEY_ID"])
def test_half_of_a_key_is_not_taken_for_none(name: str, learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValueError, match=f"^the environment variable {name} is missing"), lesson_client():
        pass


def test_the_id_of_a_machine_is_not_taken_for_that_of_its_main_part(client: ViamClient, sandbox: Sandbox) -> None:
    arm = next(each for each in client.app_client.list_robots(sandbox.location_id) if each.name == "arm")
    with pytest.raises(Missing, match="is the ID of the machine; print that of its main part"):
        ANSWERS[2](client, f"arm: {arm.id}\n")


@pytest.mark.parametrize(
    ("number", "printed"),
    [(1, "machines: 3\n"), (1, "machines: 4\n"), (4, "rover: 2\narm: 1\nplant-watcher: 1\n")],
)
def test_the_practice_of_another_learner_makes_no_answer_wrong(number: int, printed: str, client: ViamClient) -> None:
    with practice_part(client):
        ANSWERS[number](client, printed)


def test_a_configuration_that_lost_its_sensor_is_not_right(client: ViamClient) -> None:
    with practice_part(client) as part:
        camera = {"name": "door", "api": "rdk:component:camera", "model": "rdk:builtin:fake"}
        client.app_client.update_robot_part(part.id, part.name, {"components": [camera]})
        with pytest.raises(Missing, match="the sensor air is gone"):
            ANSWERS[3](client, "", part)


def test_a_practice_machine_is_removed_after_an_error_and_nothing_else_is(client: ViamClient) -> None:
    before = contents(client)

    def fail() -> None:
        with practice_part(client) as part:
            client.data_client.file_upload(part.id, b"x", file_name="x.txt")
            assert len(contents(client)) == len(before) + 4  # a location, a part, its key, and the file
            client.app_client.get_robot(part.id)

    with pytest.raises(NotFoundError):
        fail()
    assert contents(client) == before


def test_the_command_lists_copies_and_checks(
    learner: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    assert main([]) == 0
    listed = capfd.readouterr().out
    assert " 5  05_readings.py              readings\n" in listed
    assert "fleet.ipynb" in listed
    assert main(["check", "1"]) == 1
    assert "01_first_call.py is not in this folder; `viam-sync lessons copy 1` puts it" in capfd.readouterr().err
    assert main(["copy", "1", "fleet"]) == 0
    assert capfd.readouterr().out == "01_first_call.py\nfleet.ipynb\n"
    assert Path("fleet.ipynb").read_bytes() == (course_folder() / "fleet.ipynb").read_bytes()
    assert main(["copy", "2", "1"]) == 1
    assert capfd.readouterr().err == "01_first_call.py is there already; rename it, or go to another folder.\n"
    assert not Path("02_names_and_ids.py").exists()
    assert main(["check", "1"]) == 1
    assert "not yet: " in capfd.readouterr().out
    assert main(["copy", "1", "--solution"]) == 0
    Path("01_first_call_solution.py").replace("01_first_call.py")
    assert main(["check", "1"]) == 0
    assert capfd.readouterr().out.endswith("right\n")


def test_all_lessons_are_copied_at_once(learner: Path) -> None:
    assert main(["copy", "all"]) == 0
    assert sorted(path.name for path in learner.iterdir()) == sorted(
        path.name for path in [*SCRIPTS.values(), *notebooks().values()]
    )


def test_a_lesson_may_be_named_by_its_file(learner: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copy", "05", "01_first_call.py", "02_names_and_ids", "fleet.ipynb"]) == 0
    assert capsys.readouterr().out == "05_readings.py\n01_first_call.py\n02_names_and_ids.py\nfleet.ipynb\n"


def test_a_folder_that_takes_no_files_is_one_line(
    learner: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = learner / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["copy", "1"]) == 1
    said = "01_first_call.py cannot be put into this folder: No such file or directory\n"
    assert capsys.readouterr().err == said


def test_a_notebook_has_no_solution(learner: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copy", "fleet", "--solution"]) == 1
    assert capsys.readouterr().err == "A notebook has no exercise, and so no solution.\n"


@pytest.mark.parametrize("arguments", [["copy"], ["copy", "13"], ["check", "all"], ["dance"]])
def test_a_wrong_command_is_a_usage_error(arguments: List[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: viam-sync lessons" in capsys.readouterr().err
