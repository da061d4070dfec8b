"""The commands for data, in a pipe and in terminals of two widths: what they do, what they print, and how they end."""

import csv
import json
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, List

import pytest
from command_line import COMMAND, Terminal, in_pipe, in_terminal

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")

COUNTS = "SELECT component_name, COUNT(*) AS n FROM readings GROUP BY component_name"
ONE = [{"$match": {"time_received": {"$gt": {"$date": "2020-01-01T00:00:00Z"}}}}, {"$limit": 1}]


def record_of(words: List[str], settings: Dict[str, str]) -> Dict[str, Any]:
    """Run a command that succeeds, and return the one object that it prints."""
    ended = in_pipe([*words, "--json"], settings)
    assert (ended.status, ended.errors) == (0, "")
    (line,) = ended.out.splitlines()
    record: Dict[str, Any] = json.loads(line)
    return record


def count_of(client: ViamClient, *tags: str) -> int:
    _, count, _ = client.data_client.binary_data_by_filter(create_filter(tags=tags), count_only=True)
    return count


@pytest.mark.parametrize("width", [60, 120])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "binary", "-d", "images"], "24 of 24 files"),
        (["export", "tabular", "-d", "air.jsonl"], "1,008 of 1,008 rows"),
        (["upload", "pictures", "--part", "rover"], "3 bytes of 3 bytes"),
        (["query", COUNTS], "component_name  n"),
        (["query", "SELECT * FROM readings LIMIT 2"], "no room for"),
        (["tag", "add", "seen", "--all"], "24 of 24 files"),
        (["tag", "remove", "nix", "--tag", "ripe", "--yes"], "12 of 12 files"),
        (["delete", "binary", "--tag", "nix"], "deleted"),
        (["delete", "tabular", "--older-than", "1000"], "deleted"),
    ],
)
def test_a_command_fits_on_a_terminal(
    words: List[str],
    said: str,
    width: int,
    settings: Dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.txt").write_text("cat")
    ended = in_terminal(["data", *words], settings, width)
    assert ended.status == 0, ended.out
    assert any(said in line for line in ended.lines)
    # A bar is drawn over itself.
    assert max(len(line) for line in ended.lines if "━" not in line) <= width


def test_a_bar_is_for_terminals_alone(settings: Dict[str, str], tmp_path: Path) -> None:
    ended = in_pipe(["data", "export", "binary", "-d", str(tmp_path / "images")], settings)
    assert (ended.status, ended.errors) == (0, "")
    assert ended.lines[:2] == [f"folder\t{tmp_path / 'images'}", "exported\t24"]


def test_data_are_chosen_by_names_and_ids_and_by_the_words_of_the_official_command_line(
    sandbox: Sandbox, settings: Dict[str, str], tmp_path: Path
) -> None:
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        (rover,) = client.app_client.get_robot_parts(sandbox.robot_id)
    for number, (options, count) in enumerate(
        [
            ("--machine plant-watcher --tag ripe", 12),
            ("--machine-name plant-watcher --tags ripe,unripe", 24),
            ("--tag ripe --tag unripe --mime-type image/png", 24),
            (f"--org-ids {sandbox.organization_id} --location Greenhouse --bbox-labels ripe", 12),
            ("--organization Lesson_Robotics --component camera", 24),
            ("--dataset tomatoes --start 2020-01-01 --end now", 24),
            (f"--dataset-id {sandbox.dataset_id} --part plant-watcher-main", 24),
            ("--machine plant-watcher --part plant-watcher-main --method GetImages", 24),
            (f"--part-id {rover.id}", 0),
            ("--end 52w", 0),
        ]
    ):
        words = [word.replace("_", " ") for word in options.split()]
        found = record_of(["data", "export", "binary", "-d", str(tmp_path / str(number)), *words], settings)
        assert (found["exported"], found["complete"]) == (count, True), options


def test_data_of_a_machine_that_is_gone_are_found_by_its_id(
    client: ViamClient, settings: Dict[str, str], tmp_path: Path
) -> None:
    (file,), _, _ = client.data_client.binary_data_by_filter(limit=1, include_binary_data=False)
    machine = file.metadata.capture_metadata.robot_id
    client.app_client.delete_robot(machine)
    words = ["data", "export", "binary", "-d", str(tmp_path / "images"), "--machine"]
    assert in_pipe([*words, "plant-watcher"], settings).status == 1
    assert record_of([*words, machine], settings)["exported"] == 24


def test_what_does_not_match_any_more_goes_after_a_question(
    client: ViamClient, settings: Dict[str, str], tmp_path: Path
) -> None:
    words = ["data", "export", "binary", "-d", str(tmp_path / "images")]
    assert record_of(words, settings)["exported"] == 24
    client.data_client.delete_binary_data_by_filter(create_filter(tags=["unripe"]))
    assert record_of(words, settings)["gone"] == 12
    with Terminal([*words, "--remove-gone"], settings) as terminal:
        assert "Remove 12 files of " in terminal.read_until("? [y/N]: ")
        terminal.type("n\n")
        assert terminal.end().status == 1
    assert len(list((tmp_path / "images" / "data").rglob("*.png"))) == 24
    found = record_of([*words, "--remove-gone", "--yes"], settings)
    assert (found["already_there"], found["removed"]) == (12, 12)
    assert len(list((tmp_path / "images" / "data").rglob("*.png"))) == 12


def test_readings_go_to_a_file_which_is_replaced_after_a_question(settings: Dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "air.csv"
    words = ["data", "export", "tabular", "-d", str(path), "--component", "air"]
    assert record_of(words, settings) == {"destination": str(path), "rows": 1008}
    with path.open(newline="", encoding="utf-8") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 1008
    asked = in_pipe([*words[:-1], "nix"], settings)
    assert (asked.status, asked.out) == (2, "")
    assert f"{path} is there, " in asked.errors
    with Terminal([*words[:-1], "nix"], settings) as terminal:
        terminal.read_until("Replace it? [y/N]: ")
        terminal.type("n\n")
        assert terminal.end().status == 1
    assert len(path.read_text().splitlines()) == 1009
    assert record_of([*words[:-1], "nix", "--yes"], settings)["rows"] == 0
    assert "Say --yes" in in_pipe([*words[:4], f"file://{path}"], settings).errors


def test_readings_go_through_a_pipe_whose_reader_may_have_enough(settings: Dict[str, str]) -> None:
    words = ["data", "export", "tabular", "-d", "-"]
    rows = in_pipe([*words, "--machine", "plant-watcher"], settings).out.splitlines()
    assert len(rows) == 1008
    assert "temperature" in json.loads(rows[0])["data"]["readings"]
    assert in_pipe([*words, "--format", "csv"], settings).out.startswith("timeRequested,")
    shown = in_terminal([*words, "--machine", "plant-watcher"], settings)
    assert "exporting" not in shown.out
    assert sum(line.startswith('{"data"') for line in shown.lines) == 1008
    process = subprocess.Popen([*COMMAND, *words], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141


def test_readings_go_to_a_folder_by_days(settings: Dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    words = ["data", "export", "tabular", "-d", str(tmp_path / "days"), "--by-day"]
    for _ in range(2):
        assert record_of(words, settings)["rows"] == 1008
    assert {path.suffix for path in (tmp_path / "days").glob("day=*/*")} == {".parquet"}


def test_readings_are_mirrored_and_brought_up_to_date(
    client: ViamClient, settings: Dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    path = str(tmp_path / "air.duckdb")
    words = ["data", "mirror", path, "--component", "air"]
    first = record_of([*words, "--table", "air"], settings)
    assert (first["destination"], first["rows"], first["added"]) == (path, 1008, 1008)
    assert record_of([*words, "--table", "air"], settings)["added"] == 0
    with duckdb.connect(path) as database:
        assert database.execute("SELECT count(*) FROM air").fetchone() == (1008,)
    client.data_client.delete_tabular_data(client.app_client.list_organizations()[0].id, 0)
    assert record_of([*words, "--table", "air", "--compare-all"], settings)["removed"] == 1008
    assert "1,008" not in in_terminal([*words[:2], str(tmp_path / "days"), "--look-back", "1"], settings).out


def test_a_query_in_sql_or_mql_gives_lines_json_csv_or_a_file(settings: Dict[str, str], tmp_path: Path) -> None:
    query = ["data", "query"]
    assert in_pipe([*query, COUNTS], settings).out == "air\t1008\n"
    assert record_of([*query, COUNTS], settings) == {"component_name": "air", "n": 1008}
    assert in_pipe([*query, COUNTS, "--format", "csv"], settings).out.splitlines() == ["component_name,n", "air,1008"]
    assert json.loads(in_pipe([*query, COUNTS, "-d", "-"], settings).out) == {"component_name": "air", "n": 1008}
    path = tmp_path / "counts.jsonl"
    assert record_of([*query, COUNTS, "-d", str(path)], settings) == {"destination": str(path), "rows": 1}
    assert json.loads(path.read_text()) == {"component_name": "air", "n": 1008}
    assert in_pipe([*query, COUNTS, "-d", str(path)], settings).status == 2

    ended = in_pipe([*query, "-", "--json"], settings, json.dumps(ONE))
    assert json.loads(ended.out)["data"]["readings"]["temperature"] > 0
    line = in_pipe([*query, json.dumps(ONE)], settings).out.rstrip("\n").split("\t")
    assert '["greenhouse"]' in line
    none = in_pipe([*query, "SELECT * FROM readings WHERE component_name = 'nix'"], settings)
    assert (none.status, none.out) == (0, "")
    assert none.errors.startswith("No rows. The service may need a time, as in WHERE time_received > ")


def test_a_long_query_keeps_all_rows_columns_and_letters(settings: Dict[str, str]) -> None:
    rows = in_pipe(["data", "query", "SELECT * FROM readings"], settings).out.splitlines()
    assert len(rows) == 1008
    assert {row.count("\t") for row in rows} == {14}
    word = "é" * 5000
    assert in_pipe(["data", "query", "-"], settings, f"SELECT '{word}' AS word").out == f"{word}\n"


def test_on_a_terminal_readings_come_before_ids(settings: Dict[str, str]) -> None:
    head = in_terminal(["data", "query", "SELECT * FROM readings LIMIT 2"], settings, 120).lines[0]
    assert head.split()[:3] == ["component_name", "time_requested", "data.readings.co2"]


def test_files_are_uploaded_once_with_what_is_said_of_them(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.log"):
        (folder / name).write_text(name)
    single = tmp_path / "single.txt"
    single.write_text("single")
    described = ["--tag", "up", "--component", "camera", "--dataset", "tomatoes", "--method", "ReadImage"]
    words = ["data", "upload", str(folder), str(single), "--part", "rover", *described]

    ended = in_pipe([*words, "--pattern", "*.txt"], settings)
    assert (ended.status, ended.errors) == (0, "")
    ids = dict(line.split("\t") for line in ended.lines)
    assert [*ids] == [str(single), str(folder / "a.txt"), str(folder / "b.txt")]
    (file,) = client.data_client.binary_data_by_ids([ids[str(single)]])
    captured = file.metadata.capture_metadata
    assert (captured.part_id, captured.component_name) == (sandbox.robot_part_id, "camera")
    assert list(file.metadata.dataset_ids) == [sandbox.dataset_id]

    states = [json.loads(line)["state"] for line in in_pipe([*words, "--json"], settings).out.splitlines()]
    assert states == ["already there", "already there", "already there", "uploaded"]
    assert count_of(client, "up") == 4
    assert "already there  4" in in_terminal(words, settings).out
    assert count_of(client, "up") == 4
    none = in_pipe([*words[:3], *words[4:], "--pattern", "*.nix"], settings)
    assert (none.status, none.out, none.errors) == (0, "", "There is no file to upload.\n")
    assert in_pipe([*words, "--again"], settings).status == 0
    assert count_of(client, "up") == 8


def test_tags_are_added_and_removed_by_filter_and_by_id(client: ViamClient, settings: Dict[str, str]) -> None:
    assert record_of(["data", "tag", "add", "seen", "good", "--tag", "ripe"], settings) == {"files": 12}
    (file,), _, _ = client.data_client.binary_data_by_filter(create_filter(tags=["unripe"]), limit=1)
    id = file.metadata.binary_data_id
    record_of(["data", "tag", "add", "seen", "--id", id], settings)
    assert (count_of(client, "seen"), count_of(client, "good")) == (13, 12)
    with Terminal(["data", "tag", "remove", "seen", "--machine", "plant-watcher"], settings) as terminal:
        terminal.read_until("Remove seen from 24 files (machine plant-watcher)? [y/N]: ")
        terminal.type("y\n")
        assert terminal.end().status == 0
    assert (count_of(client, "seen"), count_of(client, "good")) == (0, 12)
    found = record_of(["data", "tag", "remove", "good", "--all", "--yes"], settings)
    assert found == {"files": 24, "changed": 12}


def test_files_are_deleted_after_a_question_that_says_how_many(client: ViamClient, settings: Dict[str, str]) -> None:
    words = ["data", "delete", "binary", "--tag", "ripe", "--start", "2020-01-01"]
    asked = "Delete 12 files (tag ripe, from 2020-01-01 00:00:00 UTC)? "
    assert asked in in_pipe(words, settings).errors
    for answer, status, left in (("n\n", 1, 24), ("\x03", 130, 24), ("y\n", 0, 12)):
        with Terminal(words, settings) as terminal:
            terminal.read_until(f"{asked}[y/N]: ")
            terminal.type(answer)
            assert terminal.end().status == status
        assert count_of(client) == left
    (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
    id = file.metadata.binary_data_id
    assert record_of(["data", "delete", "binary", "--id", id, "--yes"], settings) == {"deleted": 1}
    assert count_of(client) == 11


def test_readings_are_deleted_by_age_after_a_question_that_says_how_many(
    client: ViamClient, settings: Dict[str, str]
) -> None:
    words = ["data", "delete", "tabular", "--machine", "plant-watcher", "--older-than"]
    assert record_of([*words, "1000", "--yes"], settings) == {"deleted": 0}
    assert "Delete 1,008 readings (machine plant-watcher, of any age)? " in in_pipe([*words, "0"], settings).errors
    (asked,) = in_pipe([*words, "3"], settings).errors.splitlines()
    count = int(asked.split()[2].replace(",", ""))
    assert 0 < count < 1008
    assert record_of([*words, "3", "--yes"], settings) == {"deleted": count}
    _, left, _ = client.data_client.tabular_data_by_filter(count_only=True)
    assert left == 1008 - count


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("delete binary", 2, "say which files, in one way: by --machine, --tag and the like, by --id, or by --all"),
        ("delete binary --all --tag ripe", 2, "say which files, in one way"),
        ("delete binary --machine plant-watcher --tags=", 2, "--tag is empty; leave it out, or say what it is"),
        ("export binary -d x --machine rover --machine plant-watcher", 2, "--machine takes one value, and is given 2"),
        ("tag add seen", 2, "say which files, in one way"),
        (f"tag add seen --id {'a' * 64}", 1, f"there is no file with the ID {'a' * 64}; "),
        ("delete tabular", 2, "Missing option '--older-than'"),
        ("delete tabular --older-than 0 --machine nix", 1, "there is no machine 'nix'; viam-sync tree shows what"),
        ("export binary", 2, "Missing option '--destination'"),
        ("export binary -d x --tag=", 2, "--tag is empty; leave it out, or say what it is"),
        ("export binary -d x --dataset nix", 1, "there is no dataset 'nix'; "),
        (
            "export binary -d x --machine 00000000-0000-4000-8000-000000000000",
            1,
            "viam.app.v1.AppService/GetRobot: NOT",
        ),
        (
            "export binary -d x --start nix",
            2,
            "Invalid value for '--start': 'nix' is no time such as 1h, 7d, yesterday",
        ),
        ("export binary -d x --start now --end 1h", 2, "--end is before --start, so nothing is between them"),
        ("export binary -d s3://bucket/x", 1, "folder is 's3://bucket/x', which takes "),
        (
            "export tabular -d x.txt",
            2,
            "--destination is 'x.txt'; rows are written to files that end in .jsonl, .csv, .parquet, or",
        ),
        ("upload nix --part rover", 2, "Invalid value for 'FILE|FOLDER...': Path 'nix' does not exist"),
        ("query nix", 1, "viam.app.data.v1.DataService/TabularDataBySQL: INVALID_ARGUMENT: "),
        ("query [nix", 2, "QUERY is no JSON, in which MQL is a list of stages: "),
        ("query {}", 2, "QUERY is one stage; MQL is a list of them: put it in [ ]"),
        ("query -", 2, "QUERY is empty; give SQL, or a list of stages of MQL"),
    ],
)
def test_an_error_is_one_line_and_has_its_status(
    command: str, status: int, said: str, settings: Dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "s3:" in command and find_spec("s3fs"):
        pytest.skip("s3fs is there")
    monkeypatch.chdir(tmp_path)
    ended = in_pipe(["data", *command.split()], settings)
    assert (ended.status, ended.out) == (status, "")
    assert ended.errors.startswith(f"error: {said}")
    assert ended.errors.count("\n") == 1


def test_what_is_for_one_organization_asks_which_where_there_are_several(
    sandbox: Sandbox, client: ViamClient, settings: Dict[str, str]
) -> None:
    client.app_client.create_organization("Second")
    for words in (["query", COUNTS], ["delete", "tabular", "--older-than", "0", "--yes"]):
        ended = in_pipe(["data", *words], settings)
        assert ended.status == 2
        assert "--organization is missing; there are: " in ended.errors
    assert "air\t1008" in in_pipe(["data", "query", COUNTS, "--org", sandbox.organization_id], settings).out
    assert in_pipe(["data", "query", COUNTS, "--organization", "Second"], settings).out == ""
    words = ["data", "delete", "tabular", "--older-than", "0", "--yes"]
    assert (
        "give one --organization"
        in in_pipe([*words, "--org-ids", f"{sandbox.organization_id},Second"], settings).errors
    )
    assert record_of([*words, "--machine", "plant-watcher"], settings) == {"deleted": 1008}
