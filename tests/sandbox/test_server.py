import contextlib
import logging
import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import threading

import pytest

from viam_sync.messages.pool import message, pool
from viam_sync.sandbox import Sandbox

from .calls import APP, call, entered, refused
from .commands import ROOT, Printed, process

# Types of frames of HTTP/2.
PING, GO_AWAY = 6, 7
NAMES = ("api_key", "api_key_id", "organization_id", "location_id", "robot_id", "robot_part_id")


def shown(sandbox):
    return [getattr(sandbox, name) for name in NAMES]


def test_its_address_and_url_name_the_same_port_on_loopback(sandbox):
    assert sandbox.address.startswith("127.0.0.1:")
    assert sandbox.url == f"http://{sandbox.address}"


def test_the_sample_world_hangs_together(sandbox, owner):
    organization = owner.GetOrganization(organization_id=sandbox.organization_id).organization
    locations = owner.ListLocations(organization_id=sandbox.organization_id).locations
    robots = owner.ListRobotsForOrg(org_id=sandbox.organization_id).robots
    part = owner.GetRobotPart(id=sandbox.robot_part_id).part
    members = owner.ListOrganizationMembers(organization_id=sandbox.organization_id).members
    assert organization.name == "Lesson Robotics"
    assert [location.name for location in locations] == ["Workshop", "Greenhouse"]
    assert locations[1].parent_location_id == locations[0].id == sandbox.location_id
    assert [robot.name for robot in robots] == ["rover", "arm", "plant-watcher"]
    assert (part.robot, part.name, part.main_part) == (sandbox.robot_id, "rover-main", True)
    assert [len(owner.GetRobotParts(robot_id=robot.id).parts) for robot in robots] == [1, 2, 1]
    assert [list(member.emails) for member in members] == [["ada@example.com"]]
    assert all(robot.last_access.seconds for robot in robots)
    assert part.robot_config["components"][0]["name"] == "left"


def test_two_sandboxes_in_one_process_have_nothing_in_common(sandbox, owner):
    with Sandbox() as other, entered(other) as stranger:
        assert set(shown(sandbox)).isdisjoint(shown(other))
        with refused("NOT_FOUND", "No organization has the ID"):
            stranger.GetOrganization(organization_id=sandbox.organization_id)
        with refused("UNAUTHENTICATED", "not made by this sandbox"):
            call(stranger.channel, "ListOrganizations", metadata=owner.metadata)


def test_the_same_seed_gives_the_same_ids_and_another_seed_others():
    with Sandbox(seed=7) as one, Sandbox(seed=7) as two, Sandbox(seed=8) as three:
        assert shown(one) == shown(two)
        assert set(shown(one)).isdisjoint(shown(three))


def test_stopping_twice_is_harmless_and_frees_the_port():
    sandbox = Sandbox().start()
    port = int(sandbox.address.split(":")[1])
    sandbox.stop()
    sandbox.stop()
    with Sandbox(port=port) as again:
        assert again.address == sandbox.address


def frames_of(stream):
    """Yield the type and the payload of each frame of HTTP/2, until the connection ends."""
    while header := stream.read(9):
        yield header[3], stream.read(int.from_bytes(header[:3], "big"))


def test_at_its_end_connections_are_asked_to_close_and_get_no_error():
    """An error is a line on the terminal of the client's program, even where that was just about to close it."""
    error_codes = []
    with Sandbox() as sandbox, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(sandbox.address.split(":"), 30)) for _ in range(10)]
        frames = [frames_of(stack.enter_context(connection.makefile("rb"))) for connection in connections]
        for connection, received in zip(connections, frames):
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")  # no settings
            next(received)
        stopping = threading.Thread(target=sandbox.stop)
        stopping.start()
        for connection, received in zip(connections, frames):
            for kind, payload in received:
                if kind == PING:
                    connection.sendall(b"\0\0\x08\6\1\0\0\0\0" + payload)  # the answer to it
                elif kind == GO_AWAY:
                    error_codes.append(int.from_bytes(payload[4:8], "big"))
        stopping.join()
    assert set(error_codes) == {0}


def test_starting_twice_is_refused_and_leaves_it_running(sandbox, owner):
    with pytest.raises(RuntimeError, match="runs already"):
        sandbox.start()
    assert owner.ListOrganizations().organizations


def test_a_port_in_use_is_one_clear_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sandbox = Sandbox(port=port)
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1.*choose another port"):
            sandbox.start()
        sandbox.stop()


def test_a_port_in_use_by_another_sandbox_is_an_error_and_frees_the_folder(sandbox, tmp_path):
    port = int(sandbox.address.split(":")[1])
    with pytest.raises(OSError, match="choose another port"):
        Sandbox(tmp_path, port).start()
    with Sandbox(tmp_path) as other:
        assert other.address != sandbox.address


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_folder_that_cannot_be_used_is_one_clear_error(tmp_path, folder):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"cannot keep its data in .*give another folder"):
        Sandbox(tmp_path / folder).start()


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path):
    (tmp_path / "sandbox.db").write_text("something else " * 100)
    with pytest.raises(OSError, match="not a database; give another folder"):
        Sandbox(tmp_path).start()


def test_a_folder_in_use_is_one_clear_error(tmp_path):
    with Sandbox(tmp_path), pytest.raises(OSError, match="another sandbox is using it"):
        Sandbox(tmp_path).start()


def test_a_world_of_a_newer_version_is_refused(tmp_path):
    with Sandbox(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(str(tmp_path / "sandbox.db"))) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(OSError, match=r"layout 99 is newer.*update viam_sync"):
        Sandbox(tmp_path).start()


def test_a_restart_gives_the_same_world_and_the_old_tokens_still_work(tmp_path):
    folder = tmp_path / "made" / "for it"
    with Sandbox(folder, seed=3) as sandbox, entered(sandbox) as owner:
        before = shown(sandbox)
        robot_id = owner.NewRobot(name="new", location=sandbox.location_id).id
    with Sandbox(folder, seed=3) as sandbox, entered(sandbox) as again:
        assert shown(sandbox) == before
        assert again.GetRobot(id=robot_id).robot.name == "new"
        assert call(again.channel, "GetRobot", metadata=owner.metadata, id=robot_id).robot.id == robot_id
        assert again.NewRobot(name="newer", location=sandbox.location_id).id != robot_id


def test_without_a_folder_everything_is_forgotten():
    sandbox = Sandbox()
    with sandbox:
        before = shown(sandbox)
    with sandbox:
        assert set(shown(sandbox)).isdisjoint(before)


def test_after_its_key_was_rotated_a_restart_shows_the_new_one(tmp_path):
    with Sandbox(tmp_path) as sandbox, entered(sandbox) as owner:
        rotated = owner.RotateKey(id=sandbox.api_key_id)
    with Sandbox(tmp_path) as sandbox:
        assert (sandbox.api_key_id, sandbox.api_key) == (rotated.id, rotated.key)


def test_after_its_key_was_deleted_a_restart_makes_a_new_one(tmp_path):
    with Sandbox(tmp_path) as sandbox, entered(sandbox) as owner:
        before = shown(sandbox)
        owner.DeleteKey(id=sandbox.api_key_id)
    with Sandbox(tmp_path) as sandbox, entered(sandbox) as owner:
        assert shown(sandbox)[2:] == before[2:]
        assert shown(sandbox)[:2] != before[:2]
        assert owner.GetRobot(id=sandbox.robot_id).robot.name == "rover"


def test_every_rpc_that_is_not_built_says_so_by_name(owner):
    with refused("UNIMPLEMENTED", "viam.app.v1.AppService/SearchOrganizations is not part of the sandbox yet"):
        owner.SearchOrganizations()
    with refused("UNIMPLEMENTED", "viam.app.packages.v1.PackageService/GetPackage is not part of the sandbox yet"):
        call(owner.channel, "GetPackage", "viam.app.packages.v1.PackageService", owner.metadata)


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_streams_that_are_not_built_say_so_too(owner, kind):
    path = "viam.app.packages.v1.PackageService/CreatePackage"
    send = getattr(owner.channel, kind)(f"/{path}")
    with refused("UNIMPLEMENTED", f"{path} is not part of the sandbox yet"):
        answer = send(iter([b"", b""]), metadata=owner.metadata, timeout=10)
        list(answer if kind != "stream_unary" else ())
    with refused("UNAUTHENTICATED"):
        answer = send(iter([b"", b""]), timeout=10)
        list(answer if kind != "stream_unary" else ())


@pytest.mark.parametrize(
    "path", ["/no.such.Service/Method", f"/{APP}/NoSuch", f"/{APP}.GetRobot", "/viam.app.v1/x", "/"]
)
def test_a_path_that_is_not_in_the_schema_is_unimplemented(owner, path):
    with refused("UNIMPLEMENTED"):
        owner.channel.unary_unary(path)(b"", metadata=owner.metadata, timeout=10)


def test_a_malformed_request_is_an_invalid_argument(owner):
    with refused("INVALID_ARGUMENT", "is not a viam.app.v1.GetRobotRequest"):
        owner.channel.unary_unary(f"/{APP}/GetRobot")(b"\xff\xff\xff", metadata=owner.metadata, timeout=10)


def nested(levels):
    """Return the bytes of a request whose second field is a Struct in a Struct in a Struct."""
    data = b""
    # A struct_value of a Value, which is the value of an entry of fields.
    for tag in (*[0x2A, 0x12, 0x0A] * levels, 0x12):
        length, size = len(data), bytearray()
        while length > 0x7F:
            size.append(length & 0x7F | 0x80)
            length >>= 7
        data = bytes([tag, *size, length]) + data
    return data


@pytest.mark.parametrize(
    ("rpc", "data"),
    [
        ("GetRobot", b"\x0a\x02\xff\xfe"),
        ("GetRobot", b"\x0a\x03\xed\xa0\x80"),
        ("GetRobot", b"\x0a\xff\xff\xff\xff\x0f"),
        ("UpdateRobotMetadata", nested(3000)),
    ],
    ids=["no UTF-8", "half of a surrogate pair", "longer than it is", "nested"],
)
def test_malformed_bytes_of_any_kind_are_an_invalid_argument(owner, rpc, data):
    with refused("INVALID_ARGUMENT", "is not a viam.app.v1."):
        owner.channel.unary_unary(f"/{APP}/{rpc}")(data, metadata=owner.metadata, timeout=10)


def test_a_message_above_32_mib_is_refused(owner):
    with refused("RESOURCE_EXHAUSTED"):
        owner.UpdateRobot(name="n" * (33 << 20))


def test_a_large_message_is_taken(sandbox, owner):
    data = {"text": "n" * (5 << 20)}
    owner.UpdateRobotMetadata(id=sandbox.robot_id, data=data)


def test_a_failure_inside_is_internal_and_its_traceback_is_in_the_log_alone(sandbox, owner, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(sandbox._world, "robot", broken)
    with caplog.at_level(logging.ERROR, "viam_sync.sandbox"), refused("INTERNAL", f"failed at {APP}/GetRobot"):
        owner.GetRobot(id=sandbox.robot_id)
    assert "secret detail" in caplog.text
    assert owner.ListOrganizations().organizations


def test_a_call_that_fails_leaves_nothing_behind(sandbox, owner, monkeypatch):
    before = len(owner.ListRobots(location_id=sandbox.location_id).robots)
    monkeypatch.setattr(sandbox._world.ids, "secret", lambda: 1 / 0)
    with refused("INTERNAL"):
        owner.NewRobot(name="half", location=sandbox.location_id)
    assert len(owner.ListRobots(location_id=sandbox.location_id).robots) == before


def test_it_answers_many_threads_at_once(sandbox, owner):
    method = owner.channel.unary_unary(f"/{APP}/NewRobot")
    request = pool().FindMethodByName(f"{APP}.NewRobot").input_type
    futures = [
        method.future(
            message(request)(name=f"robot {number}", location=sandbox.location_id).SerializeToString(),
            metadata=owner.metadata,
        )
        for number in range(100)
    ]
    assert len({future.result() for future in futures}) == 100
    assert owner.GetLocation(location_id=sandbox.location_id).location.robot_count == 102


@pytest.mark.skipif(os.name == "nt", reason="these signals are not those of Windows")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_command_prints_its_settings_serves_and_ends_well_on_a_signal(name, tmp_path):
    with process(env={**os.environ, "TMPDIR": str(tmp_path)}) as (run, settings):
        assert list(settings) == ["VIAM_APP_URL", "VIAM_API_KEY", "VIAM_API_KEY_ID"]
        with entered(Printed(settings)) as owner:
            assert owner.ListOrganizations().organizations
        for _ in range(2):  # as somebody does who cannot wait
            run.send_signal(signal.Signals[name])
        assert run.communicate(timeout=20) == ("", "")
        assert run.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_the_command_goes_on_after_the_end_of_its_terminal_where_it_was_told_to():
    with process(before=["nohup"], stdin=subprocess.DEVNULL) as (run, settings), entered(Printed(settings)) as owner:
        run.send_signal(signal.SIGHUP)
        assert owner.ListOrganizations().organizations
        run.send_signal(signal.SIGTERM)
        assert run.wait(20) == 0


def test_a_killed_command_has_lost_nothing_that_it_answered(tmp_path):
    with process("--data", str(tmp_path)) as (run, settings), entered(Printed(settings)) as owner:
        organization = owner.ListOrganizations().organizations[0]
        location = owner.ListLocations(organization_id=organization.id).locations[0]
        robots = [owner.NewRobot(name=f"robot {number}", location=location.id).id for number in range(20)]
        run.kill()
        run.wait()
    with Sandbox(tmp_path) as sandbox, entered(sandbox) as again:
        assert sandbox.api_key == settings["VIAM_API_KEY"]
        assert [again.GetRobot(id=id).robot.name for id in robots] == [f"robot {number}" for number in range(20)]
        assert call(again.channel, "GetRobot", metadata=owner.metadata, id=robots[0]).robot.id == robots[0]


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--port", "70000"], 2, "from 0 to 65535"),
        (["--port", "http"], 2, "invalid int value"),
        (["--ui-port", "70000"], 2, "--ui-port takes a number from 0 to 65535"),
        (["--port", "8080", "--ui-port", "8080"], 2, "--ui-port is 8080, as --port is"),
        (["--ui", "8080"], 2, "--ui takes no port; say --ui-port 8080"),
        (
            ["--tls", "python", "a.py", "-x"],
            2,
            "'python' is no option; a command stands behind --, such as -- python a.py -x",
        ),
        (["--verbose"], 2, "unknown: --verbose; --help tells the options"),
        (["--data", __file__], 1, "give another folder"),
        (["--seed", "one"], 2, "invalid int value"),
        (["--token-lifetime", "0"], 2, "a number of seconds above 0"),
        (["--token-lifetime", "nan"], 2, "a number of seconds above 0"),
        (["--fault", "GetRobot"], 2, "--fault GetRobot: 'GetRobot' is no fault; it is RPC:WHAT:NAME=VALUE"),
        (["--fault", "GetRobo:UNAVAILABLE"], 2, "'GetRobo' is no RPC of the cloud; did you mean GetRobot"),
        (["--fault", "GetRobot:UNAVAILABLE:often=yes"], 2, "UNAVAILABLE takes no 'often'; it takes times, rate, after"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_arguments(arguments, status, text):
    command = [sys.executable, "-m", "viam_sync.sandbox", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (run.returncode, run.stdout) == (status, "")
    assert text in run.stderr
    assert "Traceback" not in run.stderr


def test_the_command_says_how_faults_are_written():
    command = [sys.executable, "-m", "viam_sync.sandbox", "--help"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    assert "--fault GetRobot:UNAVAILABLE:times=2\n" in run.stdout


def test_the_command_plans_the_faults_that_it_is_given():
    faults = ("--fault", "GetRobot:UNAVAILABLE:times=2", "--fault", "all:delay:seconds=0.001")
    with process("--seed", "7", *faults) as (_, settings), entered(Printed(settings)) as owner:
        robot_id = owner.ListRobotsForOrg(org_id=owner.ListOrganizations().organizations[0].id).robots[0].id
        for _ in range(2):
            with refused("UNAVAILABLE"):
                owner.GetRobot(id=robot_id)
        assert owner.GetRobot(id=robot_id).robot.name == "rover"
    with Sandbox(seed=7) as sandbox:
        assert (sandbox.api_key_id, sandbox.robot_id) == (settings["VIAM_API_KEY_ID"], robot_id)


def test_the_command_hands_out_tokens_that_expire():
    expired = refused("UNAUTHENTICATED", "has expired")
    with process("--token-lifetime", "1e-6") as (_, settings), entered(Printed(settings)) as owner, expired:
        owner.ListOrganizations()


def test_the_command_speaks_tls_and_says_whom_to_trust(tmp_path):
    script = (
        "from viam_sync import ViamClient as C; print(C.create_from_env_vars().app_client.list_organizations()[0].name)"
    )
    with process("--tls", "--data", str(tmp_path / "a folder")) as (run, settings):
        assert settings["VIAM_APP_URL"].startswith("https://127.0.0.1:")
        name, value = shlex.split(run.stdout.readline())[1].split("=", 1)
        assert (name, value) == ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(tmp_path / "a folder" / "tls" / "ca.pem"))
        environment = {**os.environ, **settings, name: value}
        client = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (client.stdout, client.stderr) == ("Lesson Robotics\n", "")


def test_the_command_has_one_line_for_a_port_in_use(sandbox):
    port = sandbox.address.split(":")[1]
    command = [sys.executable, "-m", "viam_sync.sandbox", "--port", port]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert f"port {port} of 127.0.0.1" in run.stderr


def test_naming_the_package_loads_neither_grpc_nor_protobuf():
    code = "import sys, viam_sync.sandbox; print([name for name in sys.modules if name in ('grpc', 'google.protobuf')])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_misspelt_name_of_the_package_is_an_attribute_error():
    import viam_sync.sandbox

    with pytest.raises(AttributeError, match="has no attribute 'Sandbocks'"):
        _ = viam_sync.sandbox.Sandbocks


def test_it_listens_on_loopback_only(sandbox):
    port = int(sandbox.address.split(":")[1])
    with socket.socket() as other:
        other.settimeout(1)
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_a_call_after_the_end_is_unavailable():
    sandbox = Sandbox().start()
    with entered(sandbox) as owner:
        sandbox.stop()
        with refused("UNAVAILABLE"):
            owner.ListOrganizations()


def test_signing_in_takes_a_running_sandbox():
    with pytest.raises(RuntimeError, match="use `with"):
        Sandbox().sign_in("bob@example.com")


def test_its_dial_options_carry_its_key_and_ask_for_plain_text(sandbox):
    options = sandbox.dial_options()
    assert options.insecure
    assert (options.credentials.payload, options.auth_entity) == (sandbox.api_key, sandbox.api_key_id)


ATTRIBUTES = sorted(Sandbox.__annotations__)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_sandbox_that_was_not_started_says_how_to_start_it(name):
    with pytest.raises(AttributeError) as raised:
        getattr(Sandbox(), name)
    text = f"{name} is set when the sandbox starts; use `with Sandbox() as sandbox:`, or start()."
    assert str(raised.value) == text


def test_the_methods_of_a_sandbox_that_was_not_started_say_how_to_start_it():
    for method in (lambda sandbox: sandbox.reset(), lambda sandbox: sandbox.sign_in("ann@example.com")):
        with pytest.raises(RuntimeError, match=r"not running; use `with Sandbox\(\) as sandbox:`, or start\(\)"):
            method(Sandbox())
    with pytest.raises(AttributeError, match=r"api_key is set when the sandbox starts"):
        Sandbox().dial_options()
    with pytest.raises(AttributeError, match=r"^Sandbox has no attribute 'adress'; did you mean address\?$"):
        Sandbox().adress  # noqa: B018


def test_a_sandbox_that_runs_has_all_of_its_attributes(sandbox):
    assert {name: hasattr(sandbox, name) for name in ATTRIBUTES} == dict.fromkeys(ATTRIBUTES, True)
    assert (sandbox.ui_url, sandbox.ca_certificate) == ("", None)
