"""Proxies that the environment names: which calls go through them, which do not, and what an error says of them."""

import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List

import grpc
import pytest
import trustme
from servers import ConnectProxy, FakeService, closed_port, options

import viam_sync
from viam_sync import InsecureConnectionError, UnavailableError, ViamClient
from viam_sync.rpc.address import is_loopback
from viam_sync.rpc.dial import Channel, dial, parse_address
from viam_sync.rpc.proxies import proxy_for_calls, proxy_for_downloads
from viam_sync.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy")
KEY = "s3cret-payload"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no proxy, until a test does."""
    for variable in (*VARIABLES, "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def cloud(authority: trustme.CA) -> Iterator[FakeService]:
    """A service with the certificate of a host that only a proxy can find."""
    certificate = authority.issue_cert("cloud.invalid")
    pair = certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes()
    with FakeService(grpc.ssl_server_credentials([pair])) as server:
        yield server


def asks_a_proxy(proxy: ConnectProxy, target: str) -> bool:
    """Tell whether a call to a target arrives at the proxy."""
    with Channel(parse_address(target), 0) as channel:
        call = channel.unary_unary("/zoo.Zoo/Feed")
        with pytest.raises(grpc.RpcError):
            call(b"", timeout=2)
    return bool(proxy.heads)


LOOPBACK = ["localhost", "LOCALHOST", "localhost.", "zoo.localhost", "127.0.0.1", "127.8.9.10", "0.0.0.0"]
LOOPBACK_V6 = ["::1", "::ffff:127.0.0.1", "::"]
ELSEWHERE = ["app.viam.com", "localhost.example.com", "notlocalhost", "127.0.0.1.example.com", "10.0.0.1", "128.0.0.1"]
ELSEWHERE_V6 = ["fe80::1", "::ffff:10.0.0.1"]


@pytest.mark.parametrize("host", [*LOOPBACK, *LOOPBACK_V6])
def test_a_host_that_is_this_computer_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [*ELSEWHERE, *ELSEWHERE_V6, "", "."])
def test_a_host_that_may_be_another_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("variable", ["grpc_proxy", "https_proxy", "http_proxy"])
def test_the_first_line_of_the_readme_works_behind_a_proxy(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(closed_port()) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        for name in ("VIAM_API_KEY", "VIAM_API_KEY_ID"):
            monkeypatch.delenv(name, raising=False)
        done = subprocess.run(
            [sys.executable, "examples/01_first_call.py"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert "Lesson Robotics" in done.stdout, done.stderr
    assert proxy.heads == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_sandbox_is_reached_behind_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox, ConnectProxy(closed_port()) as proxy:
        for variable in ("grpc_proxy", "https_proxy", "http_proxy"):
            monkeypatch.setenv(variable, proxy.url)
        url = sandbox.url.replace("127.0.0.1", host)
        with ViamClient.create_from_dial_options(sandbox.dial_options(), url) as client:
            assert client.app_client.list_organizations()
    assert proxy.heads == []


@pytest.mark.parametrize("host", [*LOOPBACK, *(f"[{host}]" for host in LOOPBACK_V6)])
def test_nothing_that_leads_to_this_computer_arrives_at_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(closed_port()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert not asks_a_proxy(proxy, f"http://{host}:{closed_port()}")


def test_a_key_does_not_pass_a_proxy_in_plaintext(
    cloud: FakeService, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    given = viam_sync.DialOptions.with_api_key(KEY, "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d")
    given.ca_certificate = tmp_path / "ca.pem"
    with ConnectProxy(cloud.port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        dial("cloud.invalid", given)[0].close()
    assert len(cloud.named("Authenticate")) == 1
    assert [head.split()[:2] for head in proxy.heads] == [[b"CONNECT", b"cloud.invalid:443"]]
    assert proxy.passed[:1] == b"\x16"  # a handshake of TLS
    assert KEY.encode() not in proxy.passed + b"".join(proxy.heads)


P = "http://127.0.0.1:PORT"
THROUGH: List[Dict[str, str]] = [
    {"grpc_proxy": P},
    {"https_proxy": P},
    {"http_proxy": P},
    {"http_proxy": "http://user:word@127.0.0.1:PORT/path"},
    {"grpc_proxy": P, "https_proxy": "http://127.0.0.1:1"},
    {"https_proxy": P, "http_proxy": "http://127.0.0.1:1"},
    {"http_proxy": P, "no_proxy": "b.invalid"},
    {"http_proxy": P, "no_proxy": "cloud.invalid:443"},
    {"http_proxy": P, "no_grpc_proxy": "b.invalid", "no_proxy": "cloud.invalid"},
    {"http_proxy": P, "NO_PROXY": "cloud.invalid"},
]
PAST: List[Dict[str, str]] = [
    {},
    {"HTTP_PROXY": P},
    {"HTTPS_PROXY": P},
    {"all_proxy": P},
    {"grpc_proxy": "", "https_proxy": P},
    {"https_proxy": "", "http_proxy": P},
    {"https_proxy": "https://127.0.0.1:PORT", "http_proxy": P},
    {"https_proxy": "127.0.0.1:PORT"},
    {"https_proxy": "http://127.0.0.1:none"},
    {"https_proxy": "http://"},
    {"http_proxy": P, "no_proxy": "cloud.invalid"},
    {"http_proxy": P, "no_proxy": "CLOUD.invalid"},
    {"http_proxy": P, "no_proxy": ".invalid"},
    {"http_proxy": P, "no_proxy": "invalid"},
    {"http_proxy": P, "no_proxy": "b.invalid, cloud.invalid"},
    {"http_proxy": P, "no_proxy": "*"},
    {"http_proxy": P, "no_grpc_proxy": "cloud.invalid"},
]


@pytest.mark.parametrize("environment", THROUGH)
def test_calls_go_through_the_proxy_of_grpc(environment: Dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(closed_port(), "403 Forbidden") as proxy:
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value.replace("PORT", str(proxy.port)))
        chosen = proxy_for_calls("cloud.invalid")
        assert chosen is not None
        assert (chosen.host, chosen.port) == ("127.0.0.1", proxy.port)
        assert asks_a_proxy(proxy, "cloud.invalid")


@pytest.mark.parametrize("environment", PAST)
def test_calls_go_past_other_proxies(environment: Dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(closed_port(), "403 Forbidden") as proxy:
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value.replace("PORT", str(proxy.port)))
        assert proxy_for_calls("cloud.invalid") is None
        assert not asks_a_proxy(proxy, "cloud.invalid")


@pytest.mark.parametrize(
    ("host", "entry", "past"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.0/24", True),
        ("203.0.113.7", "203.0.113.1/24", True),
        ("203.0.113.7", "203.0.112.0/24", False),
        ("203.0.113.7", "203.0.113.0/33", False),
        ("203.0.113.7", "3.7", False),
        ("203.0.113.7", "2001:db8::/32", False),
        ("2001:db8::1", "2001:db8::/32", True),
        ("cloud.invalid", "0.0.0.0/0", False),
        ("cloud.invalid", "valid", False),
        ("a.cloud.invalid", "cloud.invalid", True),
    ],
)
def test_hosts_domains_and_ranges_of_addresses_are_excepted(
    host: str, entry: str, past: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", f"b.invalid,{entry}")
    assert (proxy_for_calls(host) is None) == past


def test_downloads_have_the_proxy_of_pythons_urllib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "b.invalid")
    chosen = proxy_for_downloads("cloud.invalid")
    assert chosen is not None
    assert (chosen.host, chosen.port) == ("proxy.example", 3128)
    assert [proxy_for_downloads(host) for host in ("b.invalid", "localhost", "127.0.0.1")] == [None] * 3


def failed(address: str) -> str:
    """Return what the error of a dial says."""
    with pytest.raises(UnavailableError) as caught:
        dial(address, options(initial_connection_attempts=1))
    return str(caught.value)


def test_a_proxy_that_cannot_be_reached_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    monkeypatch.setenv("https_proxy", f"http://keeper:s3cret-word@127.0.0.1:{port}")
    assert failed("cloud.invalid") == (
        "UNAVAILABLE: The proxy does not connect to cloud.invalid, port 443: Connection refused. Check https_proxy, or"
        f" name the host in no_proxy to go past the proxy. grpc goes through the proxy 127.0.0.1:{port}, which"
        " https_proxy names."
    )
    assert "s3cret" not in repr(proxy_for_calls("cloud.invalid"))


def test_a_proxy_that_refuses_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(closed_port(), "407 Proxy Authentication Required") as proxy:
        monkeypatch.setenv("grpc_proxy", proxy.url)
        text = failed("cloud.invalid")
    assert "does not connect to cloud.invalid, port 443: Tunnel connection failed: 407 Proxy Auth" in text
    assert text.endswith(f"the proxy 127.0.0.1:{proxy.port}, which grpc_proxy names.")


@pytest.mark.parametrize(
    "environment",
    [{"HTTPS_PROXY": P}, {"https_proxy": P, "no_proxy": "cloud.invalid"}, {"https_proxy": "", "http_proxy": P}],
)
def test_a_proxy_that_grpc_does_not_use_is_not_blamed(
    environment: Dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value.replace("PORT", str(closed_port())))
    assert failed("cloud.invalid") == (
        "UNAVAILABLE: cloud.invalid has no address. Check its spelling, and the network."
    )


def test_a_certificate_that_is_not_trusted_is_found_behind_a_proxy(
    cloud: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(cloud.port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        expected = r"The certificate of cloud\.invalid cannot be trusted: .* grpc goes through the proxy 127"
        with pytest.raises(InsecureConnectionError, match=expected):
            dial("cloud.invalid", options(initial_connection_attempts=1))
