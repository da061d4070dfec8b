"""``viam-sync call``: any RPC by its name, in a pipe and in terminals of two widths."""

import base64
import json
from pathlib import Path
from typing import Dict, List

import grpc
import pytest
from command_line import Terminal, in_pipe, in_terminal, settings_of
from servers import KEY_ID, FakeService, answering, refuse

from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")

WIDTHS = (60, 120)


@pytest.fixture
def fake_settings(server: FakeService, settings: Dict[str, str]) -> Dict[str, str]:
    """The same with a fake service as the cloud."""
    return {**settings, "VIAM_APP_URL": server.url, "VIAM_API_KEY": "abc", "VIAM_API_KEY_ID": KEY_ID}


def request(**fields: object) -> str:
    return json.dumps(fields)


@pytest.mark.parametrize(
    "name", ["viam.app.v1.AppService/GetRobot", "AppService/GetRobot", "AppService.GetRobot", "GetRobot"]
)
def test_an_rpc_is_called_by_its_name(name: str, sandbox: Sandbox, settings: Dict[str, str]) -> None:
    ended = in_pipe(["call", name, request(id=sandbox.robot_id)], settings)
    assert (ended.status, ended.errors, len(ended.lines)) == (0, "", 1)
    robot = json.loads(ended.out)["robot"]
    assert (robot["id"], robot["name"]) == (sandbox.robot_id, "rover")
    assert robot["onlineState"].startswith("ONLINE_STATE_")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_answer_is_indented_on_a_terminal(width: int, settings: Dict[str, str]) -> None:
    ended = in_terminal(["call", "ListOrganizations"], settings, width)
    assert ended.status == 0
    assert ended.lines[:2] == ["{", '  "organizations": [']
    one_line = in_terminal(["call", "ListOrganizations", "--json"], settings, width)
    assert [json.loads(line) for line in one_line.lines] == [json.loads("\n".join(ended.lines))]


def test_a_request_comes_from_a_pipe(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    ended = in_pipe(["call", "GetRobot", "-"], settings, f'\n{{\n  "id":\n"{sandbox.robot_id}"}}\n')
    assert json.loads(ended.out)["robot"]["name"] == "rover"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["GetRobt"], "SERVICE/METHOD is no RPC of the cloud, got 'GetRobt'; did you mean AppService/GetRobot"),
        (["AppService/ListMachines"], "did you mean AppService/ListRobots"),
        (["nix"], "SERVICE/METHOD is no RPC of the cloud, got 'nix'; viam-sync call --list lists them"),
        ([], "SERVICE/METHOD is missing; viam-sync call --list lists them"),
        (["GetRobot", request(robot_id="a")], "JSON: GetRobotRequest has no field 'robot_id'; it has id\n"),
        (["GetRobot", request(id=5)], "JSON.id takes a text, got 5\n"),
        (["GetRobot", "{"], "JSON is no JSON: Expecting property name"),
        (["GetRobot", "[]"], "JSON is no JSON object, which begins with {\n"),
        (["GetRobot", '{"id": "a", "id": "b"}'], "JSON has 'id' twice in one object\n"),
        (["GetRobot", "{} {}"], "AppService/GetRobot takes one object, got 2"),
        (["GetRobot", "5"], "JSON is no JSON object, which begins with {"),
        (["FileUpload"], "DataSyncService/FileUpload takes a stream of objects: give them by a pipe"),
        (["GetRobot", "--timeout", "0"], "Invalid value for '--timeout'"),
        (["--list", "AppServce"], "SERVICE is none of the cloud, got 'AppServce'; did you mean AppService"),
        (["--describe", "GetRobotRequst"], "did you mean GetRobotRequest"),
        (["--describe", "APIKey"], "NAME fits several, got 'APIKey'; give one of viam.app.v1.APIKey or viam.provisio"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_is_sent(words: List[str], said: str, settings: Dict[str, str]) -> None:
    ended = in_pipe(["call", *words], {**settings, "VIAM_APP_URL": "http://127.0.0.1:1"})
    assert (ended.status, ended.out, ended.errors.count("\n")) == (2, "", 1)
    assert said in ended.errors


def test_a_service_that_says_no_is_status_one(settings: Dict[str, str]) -> None:
    ended = in_pipe(["call", "GetRobot", request(id=KEY_ID)], settings)
    assert (ended.status, ended.out) == (1, "")
    assert ended.errors.startswith("error: viam.app.v1.AppService/GetRobot: NOT_FOUND: ")


def test_a_stream_is_one_object_a_line(settings: Dict[str, str]) -> None:
    part = json.loads(in_pipe(["show", "plant-watcher-main", "--json"], settings).out)
    query = request(
        partId=part["id"], resourceName="air", resourceSubtype="rdk:component:sensor", methodName="Readings"
    )
    lines = in_pipe(["call", "ExportTabularData", query], settings).lines
    assert len(lines) > 10
    assert all(json.loads(line)["resourceName"] == "air" for line in lines)


def test_a_stream_without_an_end_ends_with_control_c(sandbox: Sandbox, tmp_path: Path) -> None:
    words = ["call", "TailRobotPartLogs", request(id=sandbox.robot_part_id)]
    with Terminal(words, settings_of(sandbox, tmp_path)) as terminal:
        sandbox.wait_for_tail(sandbox.robot_part_id)
        sandbox.log(sandbox.robot_part_id, "The battery is low", level="warn")
        terminal.read_until("The battery is low")
        terminal.type("\x03")
        ended = terminal.end()
    assert ended.status == 130
    assert "Traceback" not in ended.out


def test_a_stream_of_objects_is_uploaded(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox, tmp_path)
    head = {"partId": sandbox.robot_part_id, "type": "DATA_TYPE_FILE", "fileName": "note.txt", "fileExtension": ".txt"}
    lines = [
        {"metadata": head},
        *({"fileContents": {"data": base64.b64encode(each).decode()}} for each in (b"moi", b"n")),
    ]
    sent = in_pipe(["call", "FileUpload", "-"], settings, "\n".join(map(json.dumps, lines)))
    assert sent.status == 0, sent.errors
    id = json.loads(sent.out)["binaryDataId"]
    query = request(binaryDataIds=[id], includeBinary=True)
    (stored,) = json.loads(in_pipe(["call", "BinaryDataByIDs", query], settings).out)["data"]
    assert base64.b64decode(stored["binary"]) == b"moin"


def test_secrets_are_hidden_until_they_are_asked_for(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    words = ["call", "GetRobotPart", request(id=sandbox.robot_part_id)]
    ended = in_pipe(words, settings)
    assert json.loads(ended.out)["part"]["secret"] == "(hidden)"
    assert ended.errors == "Secrets are hidden; --show-secrets prints them.\n"
    shown = in_pipe([*words, "--show-secrets"], settings)
    assert shown.errors == ""
    assert json.loads(shown.out)["part"]["robotConfig"]["components"]


def test_the_mark_of_a_hidden_secret_is_never_sent_back(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    for field in ("robotConfigJson", "robot_config"):
        change = request(id=sandbox.robot_part_id, name="rover-main", **{field: "(hidden)"})
        ended = in_pipe(["call", "UpdateRobotPart", change], settings)
        assert ended.status == 2
        assert ended.errors == f"error: JSON.{field} is (hidden), which stands for a secret that was not printed\n"


@pytest.mark.parametrize(("answer", "status", "left"), [("y\n", 0, False), ("n\n", 1, True), ("\x03", 130, True)])
def test_what_deletes_asks_first(answer: str, status: int, left: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox, tmp_path)
    with Terminal(["call", "DeleteRobot", request(id=sandbox.robot_id)], settings) as terminal:
        asked = terminal.read_until("[y/N]: ")
        terminal.type(answer)
        ended = terminal.end()
    assert f'Send AppService/DeleteRobot with {{"id": "{sandbox.robot_id}"}}?' in asked
    assert ended.status == status
    assert (in_pipe(["call", "GetRobot", request(id=sandbox.robot_id)], settings).status == 0) == left


def test_what_deletes_takes_yes_without_a_terminal(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox, tmp_path)
    words = ["call", "DeleteRobot", request(id=sandbox.robot_id)]
    refused = in_pipe(words, settings)
    assert refused.status == 2
    assert "Say --yes" in refused.errors
    assert in_pipe([*words, "--yes"], settings).out == "{}\n"
    assert in_pipe(["call", "GetRobot", request(id=sandbox.robot_id)], settings).status == 1


@pytest.mark.parametrize(
    ("name", "times"),
    # A read, a charge, and an RPC that no method calls.
    [("GetRobot", 5), ("ChargeOrganization", 1), ("StartMappingSession", 1)],
)
def test_a_call_is_tried_again_as_its_class_says(
    name: str, times: int, server: FakeService, fake_settings: Dict[str, str]
) -> None:
    server.unary[name] = refuse(grpc.StatusCode.INTERNAL if times == 1 else grpc.StatusCode.UNAVAILABLE, "no")
    ended = in_pipe(["call", name, "--yes", "--timeout", "20"], fake_settings)
    assert ended.status == 1
    assert len(server.named(name)) == times


def test_the_limit_of_a_call_is_sent(server: FakeService, fake_settings: Dict[str, str]) -> None:
    server.unary["GetRobot"] = answering(pb.GetRobotResponse())
    assert in_pipe(["call", "GetRobot", "--timeout", "7"], fake_settings).out == "{}\n"
    (call,) = server.named("GetRobot")
    assert call.seconds is not None
    assert 0 < call.seconds < 8


def test_all_rpcs_are_listed_and_those_of_a_service(settings: Dict[str, str]) -> None:
    rows = [line.split("\t") for line in in_pipe(["call", "--list"], settings).lines]
    assert len(rows) > 240
    assert ["DataSyncService/FileUpload", "client streaming"] in [row[:2] for row in rows]
    datasets = in_pipe(["call", "--list", "DatasetService", "--json"], settings).lines
    assert json.loads(datasets[0])["rpc"] == "viam.app.dataset.v1.DatasetService/CreateDataset"
    assert all("DatasetService/" in line for line in datasets)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_fits_on_a_terminal(width: int, settings: Dict[str, str]) -> None:
    ended = in_terminal(["call", "--list", "DatasetService"], settings, width)
    assert ended.status == 0
    assert max(map(len, ended.lines)) <= width


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("AppService/GetRobot", "rpc GetRobot(GetRobotRequest) returns (GetRobotResponse);"),
        ("GetRobot", """// viam-sync call AppService/GetRobot '{"id": ""}'"""),
        ("FileUpload", "rpc FileUpload(stream FileUploadRequest) returns (FileUploadResponse);"),
        ("FileUploadRequest", "  oneof upload_packet {"),
        ("RobotPart", "  string secret = 3;  // secret"),
        ("UpdateRobotPartRequest", "  optional google.protobuf.Timestamp last_known_update = 4;"),
        ("viam.app.data.v1.Order", "  ORDER_ASCENDING = 2;"),
        ("AuthService", "  rpc Authenticate(AuthenticateRequest) returns (AuthenticateResponse);"),
    ],
)
def test_a_description_is_that_of_a_proto_file(name: str, line: str, settings: Dict[str, str]) -> None:
    assert line in in_pipe(["call", "--describe", name], settings).lines
    assert line in json.loads(in_pipe(["call", "--describe", name, "--json"], settings).out)["proto"].splitlines()


def test_names_of_rpcs_are_completed(settings: Dict[str, str]) -> None:
    def completed(word: str) -> List[str]:
        asked = {"COMP_WORDS": f"viam-sync call {word}", "COMP_CWORD": "2", "_VIAM_SYNC_COMPLETE": "bash_complete"}
        return [line.partition(",")[2] for line in in_pipe([], {**settings, **asked}).lines]

    assert completed("AppService/GetRobotPartH") == ["AppService/GetRobotPartHistory"]
    assert completed("viam.app.v1.AppService/ListOrganizationM") == ["viam.app.v1.AppService/ListOrganizationMembers"]
    assert len(completed("DatasetService/")) == 8


def test_the_help_says_what_scripts_must_know(settings: Dict[str, str]) -> None:
    text = in_pipe(["call", "--help"], settings).out
    for words in ("--show-secrets", "  viam-sync call --list AppService\n", "one object a line"):
        assert words in text
