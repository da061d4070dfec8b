"""Clients that connect when a call is first made."""

import os
import pickle
import socket
import subprocess
import sys
import threading
from typing import Any, Callable, Dict

import pytest
from servers import KEY_ID, FakeService, answering

from viam_sync import ViamClient, ViamError
from viam_sync.errors import ClosedError, UnauthenticatedError, UnavailableError
from viam_sync.profiles import Profile, save_profile
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import DialOptions
from viam_sync.sandbox import Sandbox

SECRET = "abc123def456"


pytestmark = pytest.mark.usefixtures("no_variables")


@pytest.fixture
def variables(sandbox: Sandbox) -> Dict[str, str]:
    return sandbox.env_vars()


def of_variables(**options: Any) -> ViamClient:
    return ViamClient.create_from_env_vars(connect=False, **options)


@pytest.mark.parametrize("make", [ViamClient.lazy, of_variables])
def test_neither_key_nor_network_is_needed_until_a_call_is_made(
    make: Callable[[], ViamClient], sandbox: Sandbox, variables: Dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make()
    app, data = client.app_client, client.options(timeout=30).data_client
    for _ in "12":
        with pytest.raises(ValueError, match="the environment variable VIAM_API_KEY is missing; set it to what"):
            app.list_organizations()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert app.list_organizations()[0].id == sandbox.organization_id
    assert data.list_datasets_by_organization_id(sandbox.organization_id)
    client.close()


def test_a_module_is_imported_without_grpc_key_and_network_and_used_with_them(variables: Dict[str, str]) -> None:
    code = """
import os, sys
from viam_sync import ViamClient
client = ViamClient.lazy()
app = client.app_client
print(client, app, sep="\\n")
os.environ.update(eval(sys.argv[1]))
print(app.list_organizations()[0].name, client.app_client is app)
print(client, app, sep="\\n")
"""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("VIAM_")}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, repr(variables)],
        env=inherited,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    before, app, organization, after, connected = run.stdout.splitlines()
    assert before.startswith("<ViamClient, not connected yet: app_client, ")
    assert app.startswith("<AppClient, not connected yet: ")
    assert organization == "Lesson Robotics True"
    where = variables["VIAM_APP_URL"].partition("//")[2]
    assert after.startswith(f"<ViamClient of '{variables['VIAM_API_KEY_ID']}' at {where}: ")
    assert connected.startswith(f"<AppClient at {where}: ")


def test_many_threads_that_make_the_first_call_connect_once() -> None:
    with FakeService() as server:
        server.unary["GetRobot"] = answering(pb.GetRobotResponse(robot=pb.Robot(name="rover")))
        client = ViamClient.lazy(DialOptions.with_api_key(SECRET, KEY_ID), server.url)
        app = client.app_client
        together = threading.Barrier(16)
        names = []

        def call() -> None:
            together.wait(30)
            names.append(app.get_robot("r").name)

        threads = [threading.Thread(target=call) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (names, server.tokens) == (["rover"] * 16, 1)
        client.close()


def test_a_call_raises_what_connecting_raises_and_a_later_one_tries_again(sandbox: Sandbox) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        client = ViamClient.lazy(DialOptions.with_api_key(SECRET, KEY_ID), url)
        app = client.app_client
        with pytest.raises(UnavailableError, match=r"Nothing listens at 127.0.0.1, port "):
            app.list_organizations()
    with Sandbox(port=int(url.rpartition(":")[2])), pytest.raises(UnauthenticatedError, match="check the API key"):
        app.list_organizations()
    client.close()


def test_a_lazy_client_that_is_closed_never_connects() -> None:
    with FakeService() as server:
        client = ViamClient.lazy(DialOptions.with_api_key(SECRET, KEY_ID), server.url)
        app = client.app_client
        client.close()
        with pytest.raises(ClosedError, match="The client is closed"):
            app.get_robot("r")
        with pytest.raises(ClosedError):
            _ = client.app_client
        assert server.tokens == 0


def test_a_pickle_of_one_that_reads_the_environment_holds_no_key(
    sandbox: Sandbox, variables: Dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with ViamClient.lazy(DialOptions(timeout=7)) as client:
        assert client.app_client.list_organizations()
        pickled = pickle.dumps(client)
        assert sandbox.api_key.encode() not in pickled
        with pickle.loads(pickled) as landed:
            assert landed.app_client.list_organizations()[0].id == sandbox.organization_id
        with pytest.raises(TypeError, match="pickle its ViamClient, which dials where it lands"):
            pickle.dumps(client.app_client)


def test_the_first_call_of_a_child_connects_in_the_child(sandbox: Sandbox, variables: Dict[str, str]) -> None:
    code = """
import os
from viam_sync import ViamClient
client = ViamClient.lazy()
app = client.app_client
for _ in range(2):
    child = os.fork()
    if not child:
        os._exit(0 if app.list_organizations()[0].name == "Lesson Robotics" else 1)
    assert os.waitpid(child, 0)[1] == 0
print(app.list_organizations()[0].name)
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "Lesson Robotics\n"), run.stderr


def test_a_profile_connects_late_too(sandbox: Sandbox, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    save_profile(Profile("lesson", sandbox.api_key_id, sandbox.api_key, "http://127.0.0.1:1"))
    client = ViamClient.create_from_profile("lesson", connect=False)
    with pytest.raises(ViamError, match=r"Nothing listens at 127.0.0.1, port 1"):
        client.app_client.list_organizations()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("x",), {}, r"^dial_options takes a viam_sync.DialOptions, got a str; an address goes into app_url"),
        ((DialOptions.with_api_key(SECRET, KEY_ID), "ftp://x"), {}, r"^app_url "),
        ((), {"retry": 3}, r"^retry takes "),
        ((), {"tz": "UTC"}, r"^tz takes "),
    ],
)
def test_arguments_are_checked_before_the_first_call(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ViamClient.lazy(*arguments, **options)


def test_an_address_in_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_APP_URL", "ftp://x")
    monkeypatch.setenv("VIAM_API_KEY", SECRET)
    monkeypatch.setenv("VIAM_API_KEY_ID", KEY_ID)
    with pytest.raises(ValueError, match=r"^VIAM_APP_URL "):
        ViamClient.lazy().app_client.list_organizations()
