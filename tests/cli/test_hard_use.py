"""The command line in hard use: many machines, keys of few rights, closed streams, and editors that fail."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator

import pytest
from command_line import COMMAND, Terminal, in_pipe, in_terminal

from viam_sync import ViamClient
from viam_sync.app.app_client import APIKeyAuthorization
from viam_sync.sandbox import Sandbox

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")


@pytest.fixture
def owner(sandbox: Sandbox) -> Iterator[ViamClient]:
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        yield client


@pytest.mark.parametrize("command", ["show", "tree", "logs", "config get"])
def test_the_id_of_a_part_takes_no_call_for_each_machine(
    command: str, sandbox: Sandbox, settings: Dict[str, str]
) -> None:
    sandbox.faults.fail("GetRobotParts", "INTERNAL", times=None)
    ended = in_pipe([*command.split(), sandbox.robot_part_id], settings)
    assert (ended.status, ended.errors) == (0, "")


@pytest.mark.parametrize("command", ["show", "tree", "logs"])
@pytest.mark.parametrize("name", ["the ID", "Workshop/rover"])
def test_one_machine_takes_no_call_for_each_other_one(
    command: str, name: str, sandbox: Sandbox, settings: Dict[str, str]
) -> None:
    asked = sandbox.faults.delay("GetRobotParts", 0.001)
    words = [*command.split(), sandbox.robot_id if name == "the ID" else name]
    assert in_pipe(words, settings).status == 0
    assert asked.met <= 1


@pytest.mark.parametrize("command", ["logs", "config get"])
def test_a_machine_that_is_not_listed_is_found_by_its_id(
    command: str, sandbox: Sandbox, settings: Dict[str, str]
) -> None:
    sandbox.faults.fail("ListRobotsForOrg", "PERMISSION_DENIED", times=None)
    ended = in_pipe([*command.split(), sandbox.robot_id], settings)
    assert (ended.status, ended.errors) == (0, "")


def test_a_location_holds_what_the_locations_in_it_hold(settings: Dict[str, str]) -> None:
    listed = [line.split("\t")[0] for line in in_pipe(["ls", "machines", "Workshop"], settings).lines]
    drawn = in_pipe(["tree", "Workshop"], settings).out
    assert sorted(listed) == ["arm", "plant-watcher", "rover"]
    assert all(f"{name}\tmachine" in drawn for name in listed)
    assert in_pipe(["show", "Workshop/Greenhouse/plant-watcher"], settings).status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show Rover", "there is no thing 'Rover'; did you mean rover"),
        ("tree Workshp", "there is no organization, location, machine or part 'Workshp'; did you mean Workshop?"),
        ("logs rovr-main", "did you mean rover-main"),
        ("dataset delete tomatos --yes", "there is no dataset 'tomatos'; did you mean tomatoes?"),
    ],
)
def test_near_names_are_offered(words: str, said: str, settings: Dict[str, str]) -> None:
    ended = in_pipe(words.split(), settings)
    assert (ended.status, ended.out) == (1, "")
    assert said in ended.errors


@pytest.mark.parametrize("name", ["rover", "rover-main", "the ID of the machine", "the ID of the part"])
def test_a_key_for_one_machine_shows_it(
    name: str, sandbox: Sandbox, settings: Dict[str, str], owner: ViamClient
) -> None:
    role = APIKeyAuthorization(role="owner", resource_type="robot", resource_id=sandbox.robot_id)
    key, id = owner.app_client.create_key(sandbox.organization_id, [role], "one machine")
    name = {"the ID of the machine": sandbox.robot_id, "the ID of the part": sandbox.robot_part_id}.get(name, name)
    settings.update(VIAM_API_KEY=key, VIAM_API_KEY_ID=id)
    ended = in_pipe(["show", name, "--json"], settings)
    assert (ended.status, json.loads(ended.out)["name"][:5]) == (0, "rover")
    unknown = in_pipe(["show", "nix"], settings)
    assert (unknown.status, "PERMISSION_DENIED" in unknown.errors) == (1, True)


def test_an_empty_profile_is_not_the_default_one(settings: Dict[str, str]) -> None:
    ended = in_pipe(["ls", "--profile", ""], settings)
    assert (ended.status, ended.out) == (2, "")
    assert "'--profile': it is empty; leave it out, or say which" in ended.errors
    assert in_pipe(["whoami", "--profile", "nix"], settings).errors.startswith("error: --profile is no profile, got")


def test_a_profile_has_the_same_keys_wherever_it_is_printed(settings: Dict[str, str]) -> None:
    assert in_pipe(["login"], settings).status == 0
    (kept,) = map(json.loads, in_pipe(["whoami", "--all", "--json"], settings).out.splitlines())
    used = json.loads(in_pipe(["whoami", "--json"], settings).out)
    assert kept["default"] is True
    assert {name: kept[name] for name in ("api_key_id", "url")} == {name: used[name] for name in ("api_key_id", "url")}


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-"])
@pytest.mark.parametrize("command", ["whoami", "login"])
def test_a_stream_that_is_closed_stops_no_command(command: str, closed: str, settings: Dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, command], env=settings, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("path.write_text('{}'); sys.exit(3)", "Editing failed"),
        ("path.write_text('{')", "the configuration is no JSON"),
        ("path.write_text('{\"rpm\": NaN}')", "the configuration is no JSON"),
        ("path.write_bytes(b'\\xff')", "can't decode"),
    ],
)
def test_an_edited_text_is_kept_however_the_editing_ends(
    code: str, said: str, settings: Dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "editor.py"
    script.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n{code}", encoding="utf-8")
    settings.update(EDITOR=f"{sys.executable} {script}", TMPDIR=str(tmp_path))
    ended = in_pipe(["config", "edit", "rover", "--yes"], settings)
    assert ended.status != 0
    kept, error = ended.errors.splitlines()
    assert said in error
    (path,) = tmp_path.glob("viam-config-*")
    assert kept.startswith(f"Your text is in {path}; viam-sync config edit ")


def test_an_empty_text_gives_up(settings: Dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import sys\nopen(sys.argv[1], 'w').close()", encoding="utf-8")
    settings.update(EDITOR=f"{sys.executable} {script}", TMPDIR=str(tmp_path))
    ended = in_pipe(["config", "edit", "rover"], settings)
    assert (ended.status, ended.errors.startswith("Nothing was changed.")) == (0, True)
    assert not list(tmp_path.glob("viam-config-*"))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_configuration_is_json_in_every_encoding(encoding: str, settings: Dict[str, str]) -> None:
    attributes = {"names": "größe 日本 \U0001f916"}
    words = ["config", "edit", "rover", "--file", "-", "--yes"]
    assert in_pipe(words, settings, json.dumps(attributes)).status == 0
    done = subprocess.run(
        [*COMMAND, "config", "get", "rover"],
        env={**settings, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout.decode(encoding)) == attributes


def test_an_editor_that_is_not_there_leaves_nothing(settings: Dict[str, str], tmp_path: Path) -> None:
    ended = in_pipe(["config", "edit", "rover"], {**settings, "EDITOR": "nix", "TMPDIR": str(tmp_path)})
    # Old versions of click begin it by a shell, which says so, too.
    assert (ended.status, ended.errors.splitlines()[-1].startswith("error: nix: Editing failed")) == (1, True)
    assert not list(tmp_path.glob("viam-config-*"))


def test_a_mark_at_the_beginning_of_a_file_is_no_error(settings: Dict[str, str], tmp_path: Path) -> None:
    marked = tmp_path / "marked.json"
    marked.write_text(in_pipe(["config", "get", "rover"], settings).out, encoding="utf-8-sig")
    ended = in_pipe(["config", "edit", "rover", "--file", str(marked)], settings)
    assert (ended.status, ended.errors) == (0, "Nothing was changed.\n")


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_difference_has_no_colours_where_none_are_wanted(
    plain: Dict[str, str], settings: Dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "new.json").write_text("{}", encoding="utf-8")
    words = ["config", "diff", "rover", str(tmp_path / "new.json")]
    assert "\x1b[" not in in_terminal(words, {**settings, **plain}).out
    assert "\x1b[31m-" in in_terminal(words, settings).out


@pytest.mark.parametrize(("answer", "status"), [("\x04", 130), ("\x03", 130), ("\n", 1), ("n\n", 1)])
def test_no_answer_deletes_nothing(answer: str, status: int, settings: Dict[str, str]) -> None:
    with Terminal(["data", "delete", "binary", "--tag", "ripe"], settings) as terminal:
        terminal.read_until("Delete 12 files (tag ripe)? [y/N]: ")
        terminal.type(answer)
        assert terminal.end().status == status
    assert (
        "exported\t12"
        in in_pipe(["data", "export", "binary", "-d", f"{settings['HOME']}/left", "--tag", "ripe"], settings).out
    )


def test_names_of_all_kinds_are_found(sandbox: Sandbox, settings: Dict[str, str], owner: ViamClient) -> None:
    for name in ("with space", "größe", "-dash", "--help", "日本語", "[red]", "a/b", "x\x1b[31m"):
        owner.app_client.new_robot(name, sandbox.location_id)
        ended = in_pipe(["show", "--json", "--", name], settings)
        assert (ended.status, json.loads(ended.out)["name"]) == (0, name)


def test_a_terminal_without_unicode_gets_escapes(sandbox: Sandbox, settings: Dict[str, str], owner: ViamClient) -> None:
    owner.app_client.new_robot("größe", sandbox.location_id)
    for encoding, name in (("ascii", "gr\\xf6\\xdfe"), ("utf-8", "größe")):
        assert f"{name}\t" in in_pipe(["ls"], {**settings, "PYTHONIOENCODING": encoding}).out
