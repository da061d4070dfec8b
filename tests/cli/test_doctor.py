"""``viam-sync doctor``, in a pipe and in terminals of two widths."""

import json
from typing import Dict

import pytest
from command_line import Terminal, in_pipe, in_terminal
from servers import ConnectProxy, SilentServer, closed_port

from viam_sync.checkup.check_up import CHECKS
from viam_sync.sandbox import Sandbox

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")
pytest.importorskip("pty", reason="terminals are those of Unix")


@pytest.fixture
def broken(settings: Dict[str, str]) -> Dict[str, str]:
    """The same with an address at which nothing listens."""
    return {**settings, "VIAM_APP_URL": f"http://127.0.0.1:{closed_port()}"}


@pytest.mark.parametrize("width", [60, 120])
def test_it_fits_on_a_terminal(width: int, sandbox: Sandbox, settings: Dict[str, str], broken: Dict[str, str]) -> None:
    well, ill = in_terminal(["doctor"], settings, width), in_terminal(["doctor"], broken, width)
    assert (well.status, ill.status) == (0, 1)
    assert "\x1b[32mok" in well.out
    assert "\x1b[31mwrong" in ill.out
    assert max(map(len, [*well.lines, *ill.lines])) <= width
    words = " ".join(" ".join(ill.lines).split())
    assert "Check the address, and that the server runs." in words
    assert sandbox.api_key not in well.out + ill.out


def test_it_is_plain_in_a_pipe(sandbox: Sandbox, broken: Dict[str, str]) -> None:
    ended = in_pipe(["doctor"], broken)
    assert (ended.status, ended.errors) == (1, "")
    rows = [line.split("\t") for line in ended.lines]
    assert tuple(row[0] for row in rows) == CHECKS
    assert {len(row) for row in rows} == {4}
    assert sandbox.api_key not in ended.out


def test_it_writes_json(settings: Dict[str, str], broken: Dict[str, str]) -> None:
    for variables, status in ((settings, 0), (broken, 1)):
        ended = in_pipe(["doctor", "--json"], variables)
        results = [json.loads(line) for line in ended.lines]
        assert ended.status == status
        assert tuple(each["check"] for each in results) == CHECKS
        assert ("wrong" in [each["status"] for each in results]) == bool(status)


def test_it_looks_at_the_profile_that_is_named(sandbox: Sandbox, settings: Dict[str, str]) -> None:
    assert in_pipe(["login", "--profile", "lesson"], settings, sandbox.api_key).status == 0
    without_key = {name: value for name, value in settings.items() if not name.startswith("VIAM_")}
    ended = in_pipe(["doctor", "--profile", "lesson"], without_key)
    assert ended.status == 0, ended.out
    assert "of the profile lesson" in ended.out
    missing = in_pipe(["doctor", "--profile", "nix", "--timeout", "5"], settings)
    assert missing.status == 1
    assert "profile is no profile, got 'nix'" in missing.out


def test_a_password_of_a_proxy_is_not_printed(settings: Dict[str, str]) -> None:
    with ConnectProxy(closed_port(), "407 Proxy Authentication Required") as proxy:
        url = proxy.url.replace("//", "//user:s3cret@")
        ended = in_pipe(["doctor"], {**settings, "VIAM_APP_URL": "cloud.invalid", "https_proxy": url, "no_proxy": ""})
    assert ended.status == 1
    assert "407 Proxy Authentication Required" in ended.out
    assert "s3cret" not in ended.out + ended.errors


def test_control_c_ends_it(settings: Dict[str, str]) -> None:
    with SilentServer() as server:
        variables = {**settings, "VIAM_APP_URL": f"https://{server.address}"}
        with Terminal(["doctor", "--timeout", "50"], variables) as terminal:
            terminal.read_until("authorities")
            assert server.reached.wait(30)
            terminal.type("\x03")
            ended = terminal.end()
    assert ended.status == 130
    assert "Traceback" not in ended.out
