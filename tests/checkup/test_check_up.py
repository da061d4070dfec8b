"""The check-up, with each thing broken for real, on loopback."""

import configparser
import datetime as dt
import json
import re
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

import grpc
import pytest
import trustme
from servers import KEY_ID, Answering, ConnectProxy, FakeService, SilentServer, closed_port

from viam_sync.checkup.check_result import CheckResult
from viam_sync.checkup.check_up import CHECKS, check_up
from viam_sync.checkup.installed import LIBRARIES
from viam_sync.checkup.network import check_clock
from viam_sync.profiles import Profile, profiles_file, save_profile
from viam_sync.rpc.address import Address
from viam_sync.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
KEY = "abcdefgh12345678abcdefgh12345678"
VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy", "all_proxy")
AUTHORITIES = ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment with a key, without a proxy, and a home of the test's own."""
    for name in (*VARIABLES, *map(str.upper, VARIABLES), *AUTHORITIES, "XDG_CONFIG_HOME", "VIAM_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VIAM_API_KEY", KEY)
    monkeypatch.setenv("VIAM_API_KEY_ID", KEY_ID)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """The authority, which the environment names."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    return authority


def found(url: str, monkeypatch: pytest.MonkeyPatch, timeout: float = 10) -> Dict[str, CheckResult]:
    """Return what the checks find with an address, by their names."""
    monkeypatch.setenv("VIAM_APP_URL", url)
    results = {each.check: each for each in check_up(from_environment=True, timeout=timeout)}
    assert tuple(results) == CHECKS
    assert all(each.advice for each in results.values() if each.status in ("wrong", "warning"))
    assert KEY not in str(results)
    return results


def wrong(results: Dict[str, CheckResult]) -> Dict[str, str]:
    return {name: f"{each.text} {each.advice}" for name, each in results.items() if each.status == "wrong"}


def secure(authority: trustme.CA, name: str = "localhost", not_after: Optional[dt.datetime] = None) -> FakeService:
    leaf = authority.issue_cert(name, not_after=not_after)
    pair = leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()
    return FakeService(grpc.ssl_server_credentials([pair]))


def test_nothing_is_wrong_with_a_sandbox(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
    results = found(sandbox.url, monkeypatch)
    assert wrong(results) == {}
    assert results["login"].text == "the key is accepted, and opens Lesson Robotics"
    assert results["key"].text == f"{sandbox.api_key_id}, of VIAM_API_KEY and VIAM_API_KEY_ID"


def test_nothing_is_wrong_with_tls_and_an_authority_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(tls=True) as sandbox:
        monkeypatch.setenv("VIAM_API_KEY", sandbox.api_key)
        monkeypatch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
        monkeypatch.setenv("SSL_CERT_FILE", str(sandbox.ca_certificate))
        results = found(sandbox.url, monkeypatch)
    assert wrong(results) == {}
    assert "of SSL_CERT_FILE" in results["authorities"].text


def test_a_closed_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    results = found(f"127.0.0.1:{port}", monkeypatch)
    said = f"Nothing listens at 127.0.0.1, port {port}. Check the address, and that the server runs."
    assert wrong(results) == {"connection": said}
    assert results["login"] == CheckResult("login", "skipped", "there is no connection")


def test_a_server_that_is_silent_does_not_hang_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with SilentServer() as server:
        results = found(f"https://{server.address}", monkeypatch, timeout=0.5)
    assert "does not answer. Check the address" in wrong(results)["connection"]
    assert results["clock"].status == "skipped"


def test_an_authority_that_is_unknown_is_named(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure(authority) as server:
        results = found(f"localhost:{server.port}", monkeypatch)
    assert "The certificate of localhost cannot be trusted: " in results["connection"].text
    assert "name its file in SSL_CERT_FILE" in results["connection"].advice
    assert list(wrong(results)) == ["connection"]


def test_a_certificate_that_has_expired_is_named(trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure(trusted, not_after=dt.datetime(2020, 1, 2)) as server:
        results = found(f"localhost:{server.port}", monkeypatch)
    assert "certificate has expired" in results["connection"].text
    assert results["connection"].advice.startswith("Check this computer's clock")


def test_a_certificate_of_another_host_is_named(trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure(trusted, "zoo.example") as server:
        results = found(f"localhost:{server.port}", monkeypatch)
    assert "localhost" in results["connection"].text
    assert results["connection"].advice == "Check the address: the server's certificate is of another host."


def test_a_server_that_wants_tls_is_named(trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure(trusted) as server:
        results = found(f"http://localhost:{server.port}", monkeypatch)
    assert "Use an address that begins with https://." in wrong(results)["connection"]


def test_a_server_without_tls_is_named(server: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    said = wrong(found(f"https://{server.address}", monkeypatch))["connection"]
    assert "speaks no TLS. For a server of your own, use an address that begins with http://" in said


def test_plaintext_is_a_warning_but_not_on_this_computer(server: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(server.url, monkeypatch)["address"].status == "ok"
    results = found("http://cloud.invalid", monkeypatch)
    assert results["address"].status == "warning"
    assert "the key and all data can be read on the way" in results["address"].text


def test_a_name_without_an_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    results = found("cloud.invalid", monkeypatch)
    assert wrong(results)["dns"].startswith("cloud.invalid has no address: ")
    assert results["connection"] == CheckResult("connection", "skipped", "the server has no address")


@pytest.mark.parametrize("url", ["ftp://app.viam.com", "https://", "app.viam.com:99999"])
def test_an_address_that_is_none_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    results = found(url, monkeypatch)
    assert wrong(results)["address"].startswith("VIAM_APP_URL takes ")
    assert results["dns"].status == "skipped"


def test_a_password_in_an_address_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    results = found("ftp://user:s3cret@app.viam.com", monkeypatch)
    assert "s3cret" not in str(results)


def test_a_proxy_is_gone_through(trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure(trusted, "cloud.invalid") as server, ConnectProxy(server.port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//user:s3cret@"))
        results = found("cloud.invalid", monkeypatch)
    assert results["proxy"].text == f"calls go through the proxy 127.0.0.1:{proxy.port}, which https_proxy names"
    assert (results["dns"].status, results["connection"].status) == ("skipped", "ok")
    assert "s3cret" not in str(results)


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(closed_port(), "403 Forbidden") as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        said = wrong(found("cloud.invalid", monkeypatch))["connection"]
    assert "The proxy does not connect to cloud.invalid, port 443: " in said
    assert "403 Forbidden" in said
    assert "Check https_proxy, or name the host in no_proxy to go past the proxy. grpc goes through the proxy" in said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>Log in</html>\n", "The proxy does not connect to cloud.invalid, port 443: "),
        (
            b"HTTP/1.1 200 OK\r\n\r\n<html>Log in</html>",
            "cloud.invalid, port 443 ends the connection before TLS",
        ),
    ],
)
def test_a_proxy_that_answers_with_a_page_is_named(answer: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Answering(answer) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        text = wrong(found("cloud.invalid", monkeypatch))["connection"]
    assert text.startswith(said)
    assert "http_proxy" in text


@pytest.mark.parametrize(("name", "value"), [("HTTPS_PROXY", "http://p:1"), ("https_proxy", "socks5://p:1")])
def test_a_proxy_that_calls_do_not_take_is_a_warning(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    result = found("cloud.invalid", monkeypatch)["proxy"]
    assert (result.status, result.text) == ("warning", f"{name} names a proxy that calls do not take.")


@pytest.mark.parametrize(
    ("name", "contents", "status", "said"),
    [
        ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", None, "wrong", "The authorities cannot be read: "),
        ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "no certificate", "wrong", "The authorities cannot be read: "),
        ("SSL_CERT_FILE", None, "warning", "SSL_CERT_FILE names what is not there, and does not count."),
    ],
)
def test_authorities_that_are_not_there_are_named(
    name: str, contents: Optional[str], status: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    if contents is not None:
        path.write_text(contents)
    monkeypatch.setenv(name, str(path))
    result = found(f"localhost:{closed_port()}", monkeypatch)["authorities"]
    assert result.status == status
    assert result.text.startswith(said)
    assert name in result.advice or status == "warning"


class _Dated(BaseHTTPRequestHandler):
    """Tells the time of its server, which is a day and an hour off."""

    def date_time_string(self, timestamp: Optional[float] = None) -> str:
        return format_datetime(dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=1, hours=1), usegmt=True)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def dated(authority: Optional[trustme.CA] = None) -> Iterator[int]:
    """Run a web server whose clock is off, with TLS if there is an authority, and return its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Dated) as server:
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("localhost").configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_clock_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with dated() as port:
        results = found(f"http://localhost:{port}", monkeypatch)
    assert wrong(results)["clock"].startswith("This computer's clock is 25 hours behind that of localhost. Set it")
    assert "answers with a web page" in results["connection"].text


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_clock_is_compared_though_the_certificate_may_look_wrong_for_it(
    is_trusted: bool, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dated(trusted if is_trusted else trustme.CA()) as port:
        results = found(f"localhost:{port}", monkeypatch)
    assert "25 hours behind" in results["clock"].text
    assert ("does not agree to HTTP/2" in results["connection"].text) == is_trusted


@pytest.mark.parametrize(
    ("ahead", "status", "said"),
    [
        (dt.timedelta(days=1, hours=1), "ok", "as that of localhost"),
        (dt.timedelta(days=1, hours=1, minutes=3), "wrong", "3 minutes ahead of"),
        (dt.timedelta(days=1, minutes=58, seconds=31), "wrong", "89 seconds behind"),
        (dt.timedelta(days=4, hours=1), "wrong", "3 days ahead of"),
    ],
)
def test_a_clock_may_be_a_minute_off(ahead: dt.timedelta, status: str, said: str) -> None:
    with dated() as port:
        now = dt.datetime.now(dt.timezone.utc) + ahead
        result = check_clock(Address("localhost", port, tls=False), 10, lambda: now)
    assert result.status == status
    assert said in re.sub("(88|90) seconds", "89 seconds", result.text)


def test_a_key_that_is_refused_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    results = found(sandbox.url, monkeypatch)
    assert "UNAUTHENTICATED" in wrong(results)["login"]
    assert list(wrong(results)) == ["login"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "VIAM_API_KEY",
            f"'{KEY}'",
            "VIAM_API_KEY has quotation marks or brackets around it; give what is",
        ),
        ("VIAM_API_KEY", KEY[:8] + " " + KEY[8:], "VIAM_API_KEY has in it white space"),
        ("VIAM_API_KEY_ID", "", "the environment variable VIAM_API_KEY_ID is missing; set it"),
        ("VIAM_API_KEY_ID", "lesson", "VIAM_API_KEY_ID takes the key's ID, a UUID such as"),
        ("VIAM_API_KEY_ID", KEY, "VIAM_API_KEY_ID got the key itself"),
    ],
)
def test_a_key_of_the_wrong_form_is_named(
    name: str, value: str, said: str, server: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    results = found(server.url, monkeypatch)
    assert wrong(results)["key"].startswith(said)
    assert results["login"] == CheckResult("login", "skipped", "there is no key")


def of_profile(profile: Optional[str] = None) -> Dict[str, CheckResult]:
    return {each.check: each for each in check_up(from_environment=False, profile=profile)}


def test_a_key_id_without_a_key_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIAM_API_KEY")
    monkeypatch.setenv("VIAM_APP_URL", "cloud.invalid")
    results = of_profile()
    assert results["variables"].status == "warning"
    assert results["variables"].text.startswith("VIAM_API_KEY_ID is set, and VIAM_API_KEY is not")
    assert "there is no API key: run viam-sync login" in results["key"].text


def test_a_profile_beside_a_key_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_PROFILE", "lesson")
    assert found("cloud.invalid", monkeypatch)["variables"].status == "warning"


def test_a_profile_is_checked_with_its_address(sandbox: Sandbox) -> None:
    save_profile(Profile("lesson", sandbox.api_key_id, sandbox.api_key, sandbox.url))
    results = of_profile("lesson")
    assert results["key"].text == f"{sandbox.api_key_id}, of the profile lesson"
    assert results["login"].status == "ok"
    assert of_profile("nix")["key"].text.startswith("profile is no profile, got 'nix'; there are: lesson")
    profiles_file().chmod(0o644)
    assert "others may read it: run chmod 600" in of_profile("lesson")["key"].text
    profiles_file().chmod(0o600)
    profiles_file().write_text("{")
    assert "is damaged" in of_profile("lesson")["key"].text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ImportError('no such symbol')", "grpcio cannot be loaded: ImportError: no such symbol"),
        ("__version__ = '1.20.0'", "grpcio 1.20.0 does not fit viam-sync."),
    ],
)
def test_a_library_that_does_not_fit_is_named(code: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "grpc").mkdir()
    (tmp_path / "grpc" / "__init__.py").write_text(code)
    script = f"""
import json, sys
sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]
from viam_sync.checkup.check_up import check_up
print(json.dumps(list(check_up(True))))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    first, *others = json.loads(done.stdout)
    assert first[:3] == ["versions", "wrong", said]
    assert 'Run pip install --force-reinstall "grpcio>=1.32,<2".' in first
    assert {each[1] for each in others} == {"skipped"}


def test_the_versions_are_those_of_the_package() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    required = settings["options"]["install_requires"].split("\n")
    for name, library in LIBRARIES.items():
        lowest, above = (".".join(map(str, version)) for version in (library.lowest, library.above))
        assert f"{name}>={lowest},<{above}" in required
