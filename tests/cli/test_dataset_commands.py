"""``dataset``: datasets that are made, renamed, deleted, exported, imported, and checked before training."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from command_line import Ended, Terminal, in_pipe, in_terminal
from dataset_images import image_names

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")

WIDTHS = (60, 120)
IMAGES = 24


@pytest.fixture
def exported(client: ViamClient, sandbox: Sandbox, tmp_path: Path) -> Path:
    """A folder with the images of the sample, and labels for YOLO."""
    folder = tmp_path / "tomatoes"
    client.data_client.export_dataset(sandbox.dataset_id, folder, format="yolo")
    return folder


def run(command: str, settings: Dict[str, str]) -> Ended:
    return in_pipe(["dataset", *command.split()], settings)


def json_of(command: str, settings: Dict[str, str], status: int = 0) -> List[Any]:
    """Return what a command prints as JSON."""
    ended = run(f"{command} --json", settings)
    assert ended.status == status, ended.errors
    return [json.loads(line) for line in ended.out.splitlines()]


def test_a_dataset_is_made_renamed_and_listed_with_the_number_of_its_images(settings: Dict[str, str]) -> None:
    (made,) = json_of("create cats", settings)
    assert (made["name"], made["images"]) == ("cats", 0)
    assert run(f"rename {made['id']} dogs", settings).status == 0
    listed = {each["name"]: each for each in json_of("ls", settings)}
    assert listed["dogs"] == {**made, "name": "dogs"}
    assert listed["tomatoes"]["images"] == IMAGES
    line = run("create fast --sequences", settings).lines[0].split("\t")
    assert (line[0], line[3]) == ("fast", "sequences")
    again = run("create fast", settings)
    assert (again.status, "ALREADY_EXISTS" in again.errors) == (1, True)


def test_the_organization_of_a_dataset_is_said_where_there_are_several(
    client: ViamClient, settings: Dict[str, str]
) -> None:
    other = client.app_client.create_organization("Others")
    ended = run("create cats", settings)
    assert ended.status == 2
    assert ended.errors.startswith("error: --organization is missing; there are: ")
    (made,) = json_of("create cats --organization Others", settings)
    assert made["organizationId"] == other.id
    assert json_of(f"ls {other.id}", settings) == [made]


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\x03", 130)])
def test_a_dataset_is_deleted_when_that_is_confirmed(answer: str, status: int, settings: Dict[str, str]) -> None:
    with Terminal(["dataset", "delete", "tomatoes"], settings) as terminal:
        asked = terminal.read_until("[y/N]: ")
        assert "Delete the dataset Lesson Robotics/tomatoes of 24 images? The images themselves stay." in asked
        terminal.type(answer)
        assert terminal.end().status == status
    assert len(json_of("ls", settings)) == bool(status)


def test_a_name_obeys_no_terminal(sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]) -> None:
    id = client.data_client.create_dataset("x\x1b[31m", sandbox.organization_id)
    with Terminal(["dataset", "delete", id], settings) as terminal:
        terminal.read_until("[y/N]: ")
        terminal.type("y\n")
        ended = terminal.end()
    assert ended.status == 0
    assert ended.out.count("x\\x1b[31m") == 2
    assert "\x1b[31m" not in ended.out


def test_without_a_terminal_only_yes_deletes(client: ViamClient, settings: Dict[str, str]) -> None:
    ended = run("delete tomatoes", settings)
    assert (ended.status, "Say --yes" in ended.errors) == (2, True)
    assert run("delete tomatoes --yes", settings).status == 0
    assert json_of("ls", settings) == []
    assert client.data_client.binary_data_by_filter(count_only=True)[1] == IMAGES


@pytest.mark.parametrize("width", WIDTHS)
def test_an_export_shows_how_far_it_is_on_a_terminal(width: int, settings: Dict[str, str], tmp_path: Path) -> None:
    ended = in_terminal(["dataset", "export", "tomatoes", str(tmp_path / "out")], settings, width)
    assert ended.status == 0
    assert "exporting tomatoes" in ended.out
    assert "24 of 24 files" in ended.out
    assert len(image_names(tmp_path / "out")) == IMAGES


def test_an_export_in_a_pipe_is_plain_and_another_one_adds_what_is_missing(
    settings: Dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    first = run(f"export tomatoes {folder}", settings)
    assert (first.status, first.errors) == (0, "")
    assert "exported\t24" in first.lines
    (removed, *_) = (path for path in (folder / "images").iterdir() if path.is_file())
    removed.unlink()
    (again,) = json_of(f"export tomatoes {folder} --format yolo --class unripe --class ripe", settings)
    assert (again["exported"], again["already_there"], again["classes"]) == (1, IMAGES - 1, ["unripe", "ripe"])
    assert (folder / "data.yaml").is_file()


def test_an_export_is_split(settings: Dict[str, str], tmp_path: Path) -> None:
    assert run(f"export tomatoes {tmp_path / 'out'} --split 0.5,0.5", settings).status == 0
    assert {name.partition("/")[0] for name in image_names(tmp_path / "out")} == {"train", "val"}


def test_an_image_that_cannot_be_exported_is_named_and_the_others_are_there(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str], tmp_path: Path
) -> None:
    part, data = sandbox.robot_part_id, client.data_client
    data.file_upload(part, b"text", file_name="notes.txt", dataset_ids=[sandbox.dataset_id])
    broken = data.file_upload(part, b"PNG", file_name="broken.png", dataset_ids=[sandbox.dataset_id])
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    ended = run(f"export tomatoes {tmp_path / 'out'} --parallel 2", settings)
    assert ended.status == 1
    assert "left out notes.txt: " in ended.errors
    assert f"error: {broken.binary_data_id}: " in ended.errors
    assert "failed\t25" in ended.lines
    sandbox.faults.clear(fault)
    assert run(f"export tomatoes {tmp_path / 'out'}", settings).status == 0
    assert len(image_names(tmp_path / "out")) == IMAGES + 1


def test_control_c_ends_an_export_and_the_same_command_goes_on(
    sandbox: Sandbox, settings: Dict[str, str], tmp_path: Path
) -> None:
    command = ["dataset", "export", "tomatoes", str(tmp_path / "out")]
    sandbox.faults.delay("BinaryDataByIDs", 1000)
    with Terminal(command, settings) as terminal:
        terminal.read_until("0 of 24 files")
        terminal.type("\x03")
        ended = terminal.end()
    assert ended.status == 130
    assert "The same command goes on where this one stopped." in ended.out
    assert "Traceback" not in ended.out
    sandbox.faults.clear()
    assert in_pipe(command, settings).status == 0
    assert len(image_names(tmp_path / "out")) == IMAGES


@pytest.mark.parametrize("width", WIDTHS)
def test_an_import_shows_how_far_it_is_on_a_terminal(width: int, exported: Path, settings: Dict[str, str]) -> None:
    words = ["dataset", "import", str(exported), "fruit", "--format", "yolo", "--part", "rover"]
    ended = in_terminal(words, settings, width)
    assert ended.status == 0
    assert "importing fruit" in ended.out
    assert "24 of 24 images" in ended.out


def test_a_folder_is_imported_once_into_a_dataset_of_a_name_or_an_id(
    sandbox: Sandbox, exported: Path, settings: Dict[str, str]
) -> None:
    options = "--format yolo --part rover-main"
    (first,) = json_of(f"import {exported} fruit {options}", settings)
    assert (first["uploaded"], first["boxes_added"]) == (IMAGES, IMAGES)
    (again,) = json_of(f"import {exported} {first['dataset_id']} --format yolo --part {sandbox.robot_id}", settings)
    assert (again["name"], again["dataset_id"]) == ("fruit", first["dataset_id"])
    assert (again["already_there"], again["boxes_added"]) == (IMAGES, 0)
    plain = run(f"import {exported} fruit {options}", settings)
    assert (plain.status, plain.errors) == (0, "")
    assert "uploaded\t0" in plain.lines
    assert {each["name"]: each["images"] for each in json_of("ls", settings)}["fruit"] == IMAGES


def test_control_c_ends_an_import_and_the_same_command_goes_on(
    sandbox: Sandbox, exported: Path, settings: Dict[str, str]
) -> None:
    command = ["dataset", "import", str(exported), "fruit", "--format", "yolo", "--part", "rover"]
    sandbox.faults.delay("FileUpload", 1000)
    with Terminal(command, settings) as terminal:
        terminal.read_until("importing fruit")
        terminal.type("\x03")
        ended = terminal.end()
    assert ended.status == 130
    assert "The same command goes on where this one stopped." in ended.out
    sandbox.faults.clear()
    assert in_pipe(command, settings).status == 0
    assert {each["name"]: each["images"] for each in json_of("ls", settings)}["fruit"] == IMAGES


def test_wrong_labels_are_listed_and_nothing_is_sent(exported: Path, settings: Dict[str, str], tmp_path: Path) -> None:
    label = min((exported / "labels").iterdir())
    label.write_text(f"{label.read_text(encoding='utf-8')}0 0.1 0.1 0.5 0.1 0.5 0.5\n9 0 0 1 1\n", encoding="utf-8")
    options = "--format yolo --part rover"
    ended = run(f"import {exported} fruit {options}", settings)
    assert ended.status == 1
    assert ended.errors == "error: nothing was sent, as the labels have 2 problems\n"
    polygon, unknown = (line.split("\t") for line in ended.lines)
    assert polygon[0].endswith(f"{label.name}:2")
    assert "--ignore segmentation" in polygon[1]
    assert unknown[0].endswith(f"{label.name}:3")
    (left,) = json_of(f"import {exported} fruit {options} --ignore segmentation", settings, status=1)
    assert left["line"] == 3
    assert [each["name"] for each in json_of("ls", settings)] == ["tomatoes"]


def test_what_no_label_has_cannot_be_ignored(exported: Path, settings: Dict[str, str]) -> None:
    ended = run(f"import {exported} fruit --format yolo --part rover --ignore nix", settings)
    assert (ended.status, ended.out) == (2, "")
    assert ended.errors.startswith("error: --ignore")


def test_an_image_that_cannot_be_imported_is_named(sandbox: Sandbox, exported: Path, settings: Dict[str, str]) -> None:
    sandbox.faults.fail("FileUpload", "PERMISSION_DENIED", times=1)
    ended = run(f"import {exported} fruit --format yolo --part rover", settings)
    assert ended.status == 1
    assert "failed\t1" in ended.lines
    assert ended.errors.startswith(f"error: {exported}/images/")


def test_a_dataset_that_suffices_has_no_problems(settings: Dict[str, str]) -> None:
    ended = run("check tomatoes --type object-detection", settings)
    assert (ended.status, ended.out) == (0, "")
    assert ended.errors == "tomatoes suffices: 24 images, 24 labelled; labels: ripe 12, unripe 12\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_problems_of_a_dataset_are_a_table(width: int, settings: Dict[str, str]) -> None:
    words = ["dataset", "check", "tomatoes", "--type", "object-detection", "--label", "ripe"]
    ended = in_terminal(words, settings, width)
    assert ended.status == 1
    assert "what to do" in ended.out
    assert max(map(len, ended.lines[:-1])) <= width
    plain = in_pipe(words, settings)
    assert plain.status == 1
    assert plain.lines[1] == "it trains on 1 label, and takes 2\tadd images with another one"
    (check,) = json_of("check tomatoes --type object-detection --label ripe", settings, status=1)
    assert (check["labeled"], len(check["problems"])) == (12, 2)


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("ls nix", 1, "error: there is no organization 'nix';"),
        ("rename nix x", 1, "error: there is no dataset 'nix'; viam-sync ls datasets shows what there is"),
        ("export tomatoes out --format nix", 2, "error: Invalid value for '--format': 'nix' is not one of 'viam',"),
        ("export tomatoes out --split 0.8,x", 2, "error: Invalid value for '--split': '0.8,x' are no shares"),
        ("export tomatoes out --split 0.8,0.9", 2, "error: --split takes the shares for train, val and test,"),
        ("import nix fruit --format yolo --part rover", 2, "error: Invalid value for 'FOLDER': Directory 'nix'"),
        ("import . fruit --format viam --part nix", 1, "error: there is no machine or part 'nix';"),
        ("check tomatoes", 2, "error: Missing option '--type'."),
    ],
)
def test_an_error_is_one_line_and_names_what_is_wrong(
    command: str, status: int, said: str, settings: Dict[str, str]
) -> None:
    ended = run(command, settings)
    assert (ended.status, ended.out) == (status, "")
    assert ended.errors.startswith(said)
    assert ended.errors.count("\n") == 1


def test_the_formats_are_those_of_the_client() -> None:
    from viam_sync.cli.dataset_commands import FORMATS
    from viam_sync.transfer.labels import formats

    assert tuple(formats.FORMATS) == FORMATS
