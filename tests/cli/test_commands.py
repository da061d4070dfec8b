"""Every command, in a pipe and in terminals of two widths: what it prints, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest
from command_line import COMMAND, Terminal, in_pipe, in_terminal

import viam_sync
from viam_sync import ViamClient
from viam_sync.proto.app.mltraining import ModelType
from viam_sync.sandbox import Sandbox

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")

WIDTHS = (60, 120)
KINDS = ["organizations", "locations", "machines", "parts", "fragments", "datasets", "modules", "jobs", "keys"]
#: Each command that ends by itself and changes nothing, and a word of what it prints.
READING = {
    **{f"ls {kind}": kind for kind in KINDS},
    "ls": "rover",
    "ls parts Workshop": "rover-main",
    "show rover": "created",
    "show rover-main": "(hidden)",
    "show tomatoes": "organization",
    "tree": "plant-watcher",
    "tree Workshop": "rover",
    "logs rover": "Checked in",
    "logs rover-main --level warn -n 2": "Moving",
    "config get rover": "components",
    "config history rover": "",
    "dataset ls": "tomatoes",
    "train ls": "ripeness",
    "train logs ripeness": "Queued",
    "whoami": "Lesson Robotics",
}
WORDS = {"organizations": "Lesson", "locations": "Greenhouse", "machines": "rover", "parts": "arm-camera"}
WORDS.update(fragments="data-capture", datasets="tomatoes", modules="soil-sensor", jobs="ripeness", keys="sandbox")


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A sandbox with a training job, which the sample has none of."""
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        client.ml_training_client.submit_training_job(
            sandbox.organization_id,
            sandbox.dataset_id,
            "ripeness",
            "1",
            ModelType.MODEL_TYPE_OBJECT_DETECTION,
            ["tomato"],
        )
    return sandbox


@pytest.fixture
def profile_settings(settings: Dict[str, str]) -> Dict[str, str]:
    """The same without the key."""
    return {name: value for name, value in settings.items() if name != "VIAM_API_KEY"}


@pytest.fixture
def secrets(sandbox: Sandbox) -> List[str]:
    """The key, and secrets of a part and of a location."""
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        part = client.app_client.get_robot_part(sandbox.robot_part_id)
        location = client.app_client.get_location(sandbox.location_id)
    return [sandbox.api_key, part.secret, location.auth.secret]


def word_of(command: str) -> str:
    return WORDS.get(READING[command], READING[command])


def test_every_command_is_tried() -> None:
    from viam_sync.cli.__main__ import MODULES

    elsewhere = {"call", "completion", "data", "doctor", "login", "logout"}
    assert {command.split()[0] for command in READING} | elsewhere == {*MODULES}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("command", READING)
def test_a_command_fits_on_a_terminal(command: str, width: int, settings: Dict[str, str], secrets: List[str]) -> None:
    ended = in_terminal(command.split(), settings, width)
    assert ended.status == 0, ended.out
    assert word_of(command) in ended.out
    assert not any(secret in ended.out for secret in secrets)
    # Lines of text are as long as they are.
    if not command.startswith(("logs", "train logs", "config get")):
        assert max(map(len, ended.lines), default=0) <= width


@pytest.mark.parametrize("command", READING)
def test_a_command_is_plain_in_a_pipe(command: str, settings: Dict[str, str], secrets: List[str]) -> None:
    ended = in_pipe(command.split(), settings)
    assert (ended.status, ended.errors) == (0, "")
    assert "\x1b" not in ended.out
    assert word_of(command) in ended.out
    assert not any(secret in ended.out for secret in secrets)
    if not command.startswith("config get"):
        assert all("\t" in line for line in ended.lines)


@pytest.mark.parametrize("command", READING)
def test_a_command_writes_json(command: str, settings: Dict[str, str], secrets: List[str]) -> None:
    ended = in_pipe([*command.split(), "--json", "--debug"], settings)
    assert ended.status == 0
    assert all(isinstance(json.loads(line), dict) for line in ended.out.splitlines())
    assert command.startswith("show") or word_of(command) in ended.out
    assert not any(secret in ended.out for secret in secrets)


def test_the_options_that_all_have_may_stand_before_the_command(settings: Dict[str, str]) -> None:
    assert in_pipe(["--json", "whoami"], settings) == in_pipe(["whoami", "--json"], settings)


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("nix", 2, "error: No such command 'nix' (viam-sync --help tells more)"),
        ("ls nix", 2, "error: Invalid value for '[KIND]': 'nix' is not one of 'organizations',"),
        ("ls organizations rover", 2, "error: NAME is where to look, and nothing holds organizations;"),
        ("show nix", 1, "error: there is no thing 'nix'; viam-sync tree shows what there is"),
        ("logs nix", 1, "error: there is no machine or part 'nix'; viam-sync tree shows what there is"),
        (
            "logs rover --since nix",
            2,
            "error: Invalid value for '--since': 'nix' is no time such as 1h, 7d, yesterday,",
        ),
        ("config diff rover", 1, "error: rover-main has 0 changes, and no change 1"),
        ("--profile nix ls", 2, "error: --profile is no profile, got 'nix'; there are none;"),
        ("logout", 1, "error: there is no profile default to forget"),
    ],
)
def test_an_error_is_one_line_and_has_its_status(
    command: str, status: int, said: str, settings: Dict[str, str]
) -> None:
    ended = in_pipe(command.split(), settings)
    assert (ended.status, ended.out) == (status, "")
    assert ended.errors.startswith(said)
    assert ended.errors.count("\n") == 1


def test_a_service_that_is_not_there_is_one_line(settings: Dict[str, str]) -> None:
    ended = in_pipe(["ls"], {**settings, "VIAM_APP_URL": "http://127.0.0.1:1"})
    assert ended.status == 1
    assert ended.errors.startswith("error: UNAVAILABLE: ")
    assert ended.errors.count("\n") == 1


def test_the_traceback_comes_where_it_is_asked_for(settings: Dict[str, str]) -> None:
    ended = in_pipe(["show", "nix", "--debug"], settings)
    assert ended.status == 1
    assert ended.errors.startswith("Traceback (most recent call last):")


def test_without_a_command_the_help_comes_and_the_use_is_wrong(settings: Dict[str, str]) -> None:
    ended = in_pipe([], settings)
    assert (ended.status, ended.out) == (2, "")
    assert "130  Ctrl-C" in ended.errors
    assert in_pipe(["--help"], settings).out == ended.errors


SCRIPT = "from viam.app.viam_client import ViamClient\n"
#: Commands that need neither click nor a cloud, and a word that each prints.
PLAIN = {
    "lessons": "05_readings.py",
    "lessons --json": '"file": "05_readings.py"',
    "migrate --diff old.py": "+from viam_sync.app.viam_client import ViamClient",
    "sandbox -- echo within": "within",
}


@pytest.mark.parametrize("width", [*WIDTHS, 0])
@pytest.mark.parametrize("command", PLAIN)
def test_a_plain_command_runs_on_a_terminal_and_in_a_pipe(
    command: str, width: int, settings: Dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if command.startswith("migrate"):
        pytest.importorskip("libcst")
    (tmp_path / "old.py").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = {**settings, "PYTHONPATH": str(Path(viam_sync.__file__).parents[1])}
    ended = in_terminal(command.split(), settings, width) if width else in_pipe(command.split(), settings)
    assert ended.status == 0, ended
    assert PLAIN[command] in ended.out
    if command.endswith("--json"):
        assert [json.loads(line)["lesson"] for line in ended.lines][:12] == [str(number) for number in range(1, 13)]


@pytest.mark.parametrize("words", [["logs", "rover"], ["lessons"], ["lessons", "--help"]], ids=" ".join)
def test_a_reader_that_has_seen_enough_ends_a_command_quietly(settings: Dict[str, str], words: List[str]) -> None:
    process = subprocess.Popen([*COMMAND, *words], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141


def test_a_name_that_fits_several_is_an_error_that_names_them(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        (greenhouse,) = [
            each.id
            for each in client.app_client.list_locations(sandbox.organization_id)
            if each.id != sandbox.location_id
        ]
        other = client.app_client.new_robot("rover", greenhouse)
    ended = in_pipe(["show", "rover"], settings)
    assert ended.status == 1
    for words in (f"Workshop/rover ({sandbox.robot_id})", f"Greenhouse/rover ({other})", "give the ID"):
        assert words in ended.errors
    for name, id in (("Workshop/rover", sandbox.robot_id), (other, other)):
        assert json.loads(in_pipe(["show", name, "--json"], settings).out)["id"] == id


def test_a_name_is_no_markup_and_obeys_no_terminal(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        client.app_client.update_robot(sandbox.robot_id, "[red]x\x1b[31m", sandbox.location_id)
    for command in ("ls", "tree"):
        assert "[red]x\\x1b[31m" in in_terminal([command], settings).out
        assert "[red]x\\x1b[31m" in in_pipe([command], settings).out


def test_following_a_log_loses_nothing_and_ends_with_control_c(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    with Terminal(["logs", "rover", "--follow", "--level", "warn"], settings) as terminal:
        terminal.read_until("Moving straight ended early")
        sandbox.wait_for_tail(sandbox.robot_part_id)
        sandbox.log(sandbox.robot_part_id, "not this", level="info")
        sandbox.log(sandbox.robot_part_id, "The battery is low", level="warn")
        terminal.read_until("The battery is low")
        terminal.type("\x03")
        ended = terminal.end()
    assert ended.status == 130
    assert "not this" not in ended.out
    assert "Traceback" not in ended.out


def test_the_latest_entries_since_a_time_are_printed(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    for number in range(5):
        sandbox.log(sandbox.robot_part_id, f"entry {number}", level="info")
    ended = in_pipe(["logs", "rover-main", "--since", "10s", "-n", "2"], settings)
    assert [line.split("\t")[-1] for line in ended.lines] == ["entry 3", "entry 4"]


def test_all_entries_since_a_time_are_printed_without_a_number(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    for number in range(101):
        sandbox.log(sandbox.robot_part_id, f"entry {number}", level="info")
    ended = in_pipe(["logs", "rover-main", "--since", "1m"], settings)
    messages = [line.split("\t")[-1] for line in ended.lines]
    assert [each for each in messages if each.startswith("entry")] == [f"entry {number}" for number in range(101)]
    assert len(in_pipe(["logs", "rover-main"], settings).lines) == 100


def editor(folder: Path, code: str) -> Dict[str, str]:
    """Return variables with an editor that changes a file by itself."""
    script = folder / "editor.py"
    script.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n{code}", encoding="utf-8")
    return {"EDITOR": f"{sys.executable} {script}"}


FASTER = "path.write_text(path.read_text().replace('120', '150'))"


def rpm_of(settings: Dict[str, str]) -> int:
    text = in_pipe(["config", "get", "rover", "--json"], settings).out
    rpm = json.loads(text)["components"][0]["attributes"]["max_rpm"]
    assert isinstance(rpm, int)
    return rpm


@pytest.mark.parametrize(("answer", "status", "rpm"), [("y\n", 0, 150), ("n\n", 1, 120), ("\x03", 130, 120)])
def test_a_configuration_is_edited_shown_and_sent_when_that_is_confirmed(
    answer: str, status: int, rpm: int, settings: Dict[str, str], tmp_path: Path
) -> None:
    with Terminal(["config", "edit", "rover"], {**settings, **editor(tmp_path, FASTER)}) as terminal:
        assert '-        "max_rpm": 120' in terminal.read_until("Send this to rover-main? [y/N]: ").replace(
            "\x1b[31m", ""
        )
        terminal.type(answer)
        ended = terminal.end()
    assert (ended.status, rpm_of(settings)) == (status, rpm)
    assert ("Your text is in " in ended.out) == (rpm == 120)


def test_a_change_meanwhile_is_not_overwritten_and_the_text_is_kept(
    sandbox: Sandbox, settings: Dict[str, str], tmp_path: Path
) -> None:
    meanwhile = f"""
import os
import viam_sync
from viam_sync import ViamClient
{FASTER}
with ViamClient.create_from_env_vars() as client:
    client.app_client.update_robot_part("{sandbox.robot_part_id}", "rover-main", {{"components": []}})
"""
    ended = in_pipe(["config", "edit", "rover", "--yes"], {**settings, **editor(tmp_path, meanwhile)})
    assert ended.status == 1
    *difference, kept, error = ended.errors.splitlines()
    assert '+        "max_rpm": 150' in difference
    assert ended.out == ""
    assert "FAILED_PRECONDITION" in error
    path = Path(kept.partition("Your text is in ")[2].partition(";")[0])
    assert '"max_rpm": 150' in path.read_text(encoding="utf-8")
    path.unlink()


def test_a_configuration_comes_from_a_pipe_and_its_changes_are_listed(settings: Dict[str, str]) -> None:
    text = in_pipe(["config", "get", "rover"], settings).out
    faster = text.replace("120", "150")
    compared = in_pipe(["config", "diff", "rover", "-"], settings, faster).out
    assert compared.startswith("--- in the cloud\n")
    asked = in_pipe(["config", "edit", "rover", "--file", "-"], settings, faster)
    assert asked.status == 2
    assert "Say --yes" in asked.errors
    assert in_pipe(["config", "edit", "rover", "--file", "-", "--yes"], settings, faster).status == 0
    (change,) = map(json.loads, in_pipe(["config", "history", "rover", "--json"], settings).out.splitlines())
    assert (change["change"], change["added"], change["removed"]) == (1, 2, 2)
    assert '+        "max_rpm": 150' in in_pipe(["config", "diff", "rover"], settings).out
    wrong = in_pipe(["config", "edit", "rover", "--file", "-"], settings, "{")
    assert (wrong.status, wrong.errors.count("\n")) == (1, 1)
    assert "Nothing was changed." in in_pipe(["config", "edit", "rover", "--file", "-"], settings, faster).errors


def test_a_key_from_a_pipe_is_checked_and_kept_as_a_profile(sandbox: Sandbox, profile_settings: Dict[str, str]) -> None:
    wrong = in_pipe(["login"], profile_settings, "wrong\n")
    assert (wrong.status, wrong.errors.count("\n")) == (1, 1)
    assert in_pipe(["whoami", "--all"], profile_settings).out == ""
    assert in_pipe(["login", "--profile", "lesson"], profile_settings, sandbox.api_key).status == 0
    (kept,) = map(json.loads, in_pipe(["whoami", "--all", "--json"], profile_settings).out.splitlines())
    assert (kept["name"], kept["api_key_id"]) == ("lesson", sandbox.api_key_id)
    assert "profile lesson" in in_pipe(["whoami"], profile_settings).out
    assert "rover" in in_pipe(["ls", "--profile", "lesson"], profile_settings).out
    assert in_pipe(["logout", "--profile", "lesson"], profile_settings).status == 0
    assert "run viam-sync login" in in_pipe(["ls"], profile_settings).errors


def test_a_key_is_asked_for_without_echo(sandbox: Sandbox, profile_settings: Dict[str, str]) -> None:
    with Terminal(["login"], profile_settings) as terminal:
        terminal.read_until("API key (it is not shown): ")
        terminal.type(f"{sandbox.api_key}\n")
        ended = terminal.end()
    assert (ended.status, sandbox.api_key in ended.out) == (0, False)
    assert "Logged in to Lesson Robotics, as the profile default." in ended.out


def test_a_key_is_taken_from_the_variable(settings: Dict[str, str], profile_settings: Dict[str, str]) -> None:
    assert in_pipe(["login"], settings).status == 0
    assert "profile default" in in_pipe(["whoami"], profile_settings).out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_shell_gets_its_script(shell: str, settings: Dict[str, str]) -> None:
    assert "_VIAM_SYNC_COMPLETE" in in_pipe(["completion", shell], settings).out


def completed(words: List[str], settings: Dict[str, str]) -> List[str]:
    asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1), "_VIAM_SYNC_COMPLETE": "bash_complete"}
    bash = [line.partition(",")[2] for line in in_pipe([], {**settings, **asked}).lines]
    asked = {"COMP_WORDS": "\n".join(words), "COMP_WORD": words[-1], "_VIAM_SYNC_COMPLETE": "powershell_complete"}
    powershell = [line.partition("\t")[0] for line in in_pipe([], {**settings, **asked}).lines]
    assert bash == powershell
    return bash


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["viam-sync", "lo"], ["login", "logout", "logs"]),
        (["viam-sync", "ls", "ma"], ["machines"]),
        (["viam-sync", "config", ""], ["diff", "edit", "get", "history"]),
        (["viam-sync", "logs", "--fo"], ["--follow"]),
        (["viam-sync", "san"], ["sandbox"]),
    ],
)
def test_words_are_completed(words: List[str], found: List[str], settings: Dict[str, str]) -> None:
    assert completed(words, settings) == found
