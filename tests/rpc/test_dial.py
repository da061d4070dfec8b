import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Iterator
from uuid import uuid4

import grpc
import pytest
import trustme
from servers import FakeService, SilentServer, closed_port, refuse

from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    DeadlineExceededError,
    GRPCError,
    InsecureConnectionError,
    UnauthenticatedError,
    UnavailableError,
)
from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.rpc.address import Address
from viam_sync.rpc.diagnose import find_problem
from viam_sync.rpc.dial import Channel, Credentials, DialOptions, dial, parse_address
from viam_sync.sandbox import Sandbox

KEY_ID = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
SECRET = "s3cret-payload"


def options(**settings: Any) -> DialOptions:
    given = {"timeout": 10, "auth_entity": KEY_ID, "credentials": Credentials("api-key", SECRET), **settings}
    return DialOptions(**given)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_credentials(authority: trustme.CA, name: str = "localhost") -> grpc.ServerCredentials:
    certificate = authority.issue_cert(name)
    pair = certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes()
    return grpc.ssl_server_credentials([pair])


def keyed_by_hand(api_key: str, api_key_id: str) -> DialOptions:
    return DialOptions(auth_entity=api_key_id, credentials=Credentials("api-key", api_key))


@pytest.mark.parametrize(
    ("address", "insecure", "target", "tls"),
    [
        ("app.viam.com", False, "app.viam.com:443", True),
        ("app.viam.com:8443", False, "app.viam.com:8443", True),
        ("https://app.viam.com", False, "app.viam.com:443", True),
        ("HTTPS://app.viam.com/some/path?x=1", False, "app.viam.com:443", True),
        ("http://127.0.0.1:5000", False, "127.0.0.1:5000", False),
        ("http://localhost", False, "localhost:80", False),
        ("localhost", True, "localhost:80", False),
        ("https://localhost:9", True, "localhost:9", False),
        ("[::1]:9", False, "[::1]:9", True),
        (" app.viam.com ", False, "app.viam.com:443", True),
    ],
)
def test_an_address_is_understood(address: str, insecure: bool, target: str, tls: bool) -> None:
    parsed = parse_address(address, insecure)
    assert (parsed.target, parsed.tls) == (target, tls)


@pytest.mark.parametrize("address", ["", "ftp://app.viam.com", "a b", "host:port", "host:0", "host:70000", None, 7])
def test_a_text_that_is_no_address_is_refused_by_name(address: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^address takes (an address such as|https://, http://|a port from 1 to 65535)"
    ):
        parse_address(address)


def test_an_address_of_a_client_is_named_as_its_parameter() -> None:
    options = DialOptions.with_api_key("abc", KEY_ID)
    with pytest.raises(ValueError, match=r"^app_url takes a port from 1 to 65535, got 'http://localhost:70000'$"):
        ViamClient.create_from_dial_options(options, "http://localhost:70000")


def test_an_address_in_the_environment_is_named_as_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_APP_URL", "'http://localhost'")
    options = DialOptions.with_api_key("abc", KEY_ID)
    with pytest.raises(ValueError, match=r"^VIAM_APP_URL takes an address such as .*, got \"'http://localhost'\"$"):
        ViamClient.create_from_dial_options(options)


def test_a_key_id_that_is_no_uuid_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(
        ValueError, match=r"api_key_id takes the key's ID, a UUID such as .*, got a text of 6 characters$"
    ):
        DialOptions.with_api_key(SECRET, "my-key")


def test_the_key_in_place_of_its_id_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError) as caught:
        DialOptions.with_api_key(SECRET, SECRET)
    assert SECRET not in str(caught.value)


def test_a_key_and_its_id_that_are_swapped_are_refused_without_showing_the_key() -> None:
    with pytest.raises(ValueError, match=r"api_key has one, so the two may be swapped$") as caught:
        DialOptions.with_api_key(KEY_ID, SECRET)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("payload", [str(uuid4()), SECRET], ids=["swapped", "the key twice"])
def test_a_key_in_place_of_its_id_is_refused_beside_credentials_as_well(payload: str) -> None:
    with pytest.raises(ValueError, match=r"^auth_entity .* UUID") as caught:
        DialOptions(credentials=Credentials("api-key", payload), auth_entity=f"{SECRET}\n")
    assert SECRET not in str(caught.value)


def test_what_is_assigned_to_options_is_checked_when_they_are_used() -> None:
    options = DialOptions()
    options.credentials, options.auth_entity = Credentials("api-key", SECRET), f"{KEY_ID}\n"
    with FakeService() as server:
        dial(server.url, options)[0].close()
    (call,) = server.named("Authenticate")
    assert auth_pb.AuthenticateRequest.FromString(call.requests[0]).entity == KEY_ID
    options.timeout = "5"  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"^timeout takes a number of seconds above 0, got a str; float"):
        dial(server.url, options)


@pytest.mark.parametrize("key", ["", "  ", "\ufeff\r\n", None])
def test_an_empty_key_is_refused(key: Any) -> None:
    with pytest.raises(ValueError, match="api_key is empty"):
        DialOptions.with_api_key(key, KEY_ID)


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {}\t", "\ufeff{}\r\n"])
@pytest.mark.parametrize("options", [DialOptions.with_api_key, keyed_by_hand])
def test_white_space_around_a_key_and_its_id_such_as_the_end_of_a_line_is_left_out(options: Any, around: str) -> None:
    with FakeService() as server:
        dial(server.url, options(around.format(SECRET), around.format(KEY_ID)))[0].close()
    request = auth_pb.AuthenticateRequest.FromString(server.named("Authenticate")[0].requests[0])
    assert (request.entity, request.credentials.payload) == (KEY_ID, SECRET)


def test_a_key_from_a_variable_that_is_not_set_is_refused_with_what_to_do() -> None:
    for make in (lambda: Credentials("api-key", None), lambda: DialOptions.with_api_key("abc", None)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"^(payload|api_key_id) takes a str, got None; .* set the variable$"):
            make()


@pytest.mark.parametrize(("key", "key_id", "name"), [(b"abc", KEY_ID, "api_key"), ("abc", b"abc", "api_key_id")])
def test_a_key_that_is_bytes_is_refused_with_what_to_do(key: Any, key_id: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} takes a str, got bytes; decode it$"):
        DialOptions.with_api_key(key, key_id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"timeout": float("nan")},
        {"max_reconnect_attempts": -1},
        {"initial_connection_attempts": 0},
        {"initial_connection_attempt_timeout": -1},
    ],
)
def test_a_number_that_makes_no_sense_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DialOptions(**wrong)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"timeout": "5"}, "timeout takes a number of seconds above 0, got a str; float(…) makes one of a text"),
        ({"max_reconnect_attempts": 1.5}, "max_reconnect_attempts takes an int from 0 to 2147483647, got 1.5"),
        ({"insecure": "false"}, "insecure takes a bool, got a str; write True or False, without quotation marks"),
        ({"ca_certificate": 5}, "ca_certificate takes a path, got 5"),
        ({"auth_entity": 5}, "auth_entity takes a str, got 5"),
    ],
)
def test_an_option_of_another_type_is_refused_by_name(wrong: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        DialOptions(**wrong)
    assert str(caught.value) == text


def test_credentials_must_be_credentials() -> None:
    with pytest.raises(TypeError, match=r"credentials takes a viam_sync\.Credentials, got a str"):
        DialOptions(credentials=SECRET)  # type: ignore[arg-type]


class Theirs:
    """An object of another package, with the attributes that it is given."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


def theirs(name: str, module: str, **attributes: Any) -> Any:
    """Return an object of a class of that name, derived from another one."""
    base = type(name, (Theirs,), {"__module__": module})
    return type(f"My{name}", (base,), {"__module__": "my_script"})(**attributes)


def official_options(**others: Any) -> Any:
    """Return options as an old version of the official SDK has them, which lacks some of ours, and has one more."""
    secret = theirs("Credentials", "viam.rpc.dial", type="api-key", payload=f"{SECRET}\n")
    entity = f" {KEY_ID}\r\n"
    return theirs("DialOptions", "viam.rpc.dial", auth_entity=entity, credentials=secret, more=5, timeout=7, **others)


def test_the_options_of_the_official_sdk_are_taken_as_they_are() -> None:
    with FakeService() as server:
        channel, _ = dial(server.url, official_options())
        channel.close()
        with ViamClient.create_from_dial_options(official_options(), server.url):
            pass
    asked = [auth_pb.AuthenticateRequest.FromString(call.requests[0]) for call in server.named("Authenticate")]
    assert [(each.entity, each.credentials.payload) for each in asked] == [(KEY_ID, SECRET)] * 2
    assert all(call.seconds is not None and call.seconds < 8 for call in server.calls)


def test_the_credentials_of_the_official_sdk_are_taken_as_they_are() -> None:
    made = DialOptions(credentials=official_options().credentials)
    assert made.credentials == Credentials("api-key", SECRET)


def test_what_is_wrong_with_the_options_of_the_official_sdk_is_named() -> None:
    with pytest.raises(TypeError, match="disable_webrtc takes a bool, got a str"):
        dial("localhost", official_options(disable_webrtc="false"))
    bad = theirs("Credentials", "viam.rpc.dial", type="api-key", payload=SECRET.encode())
    with pytest.raises(TypeError, match="payload takes a str, got bytes; decode it"):
        DialOptions(credentials=bad)


def test_options_of_the_same_name_from_elsewhere_are_refused_by_their_module() -> None:
    other = type("DialOptions", (), {"__module__": "grandma.rpc"})()
    text = r"^dial_options takes a viam_sync.DialOptions, got a DialOptions of the module grandma.rpc$"
    with pytest.raises(TypeError, match=text):
        ViamClient.create_from_dial_options(other)


@pytest.mark.parametrize("payload", ["abc\ndef", "abc def", 'ab"c', "abc\u200b"])
def test_a_key_with_what_no_key_has_is_named_and_not_sent(payload: str) -> None:
    text = "has in it white space, such as the end of a line, a quotation mark, or another character that no key has"
    with pytest.raises(ValueError, match=f"^payload {text}; give the key alone"):
        Credentials("api-key\n", payload)
    with pytest.raises(ValueError, match=f"^api_key {text}; give the key alone"):
        DialOptions.with_api_key(payload, KEY_ID)


@pytest.mark.parametrize("payload", ['"abc"', "'abc'", "<API-KEY>", 'abc"'])
def test_a_key_in_quotation_marks_or_the_brackets_of_an_example_is_named_and_not_sent(payload: str) -> None:
    text = "has quotation marks or brackets around it; give what is between them alone"
    with pytest.raises(ValueError, match=f"^payload {text}$"):
        Credentials("api-key\n", payload)
    with pytest.raises(ValueError, match=f"^api_key {text}$"):
        DialOptions.with_api_key(payload, KEY_ID)
    with pytest.raises(ValueError, match=f"^api_key_id {text}$"):
        DialOptions.with_api_key("abc", payload)


def test_the_owner_of_a_key_has_no_white_space_within() -> None:
    with pytest.raises(ValueError, match=r"^auth_entity has white space in it"):
        DialOptions(auth_entity=f"{KEY_ID}\nabc")


def test_no_secret_is_printed() -> None:
    shown = [repr(options()), str(options()), repr(Credentials("api-key", SECRET))]
    assert not [text for text in shown if SECRET in text]


def test_a_dial_authenticates_and_hands_on_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeService() as server:
        channel, metadata = dial(server.url, options())
        channel.close()
    assert dict(metadata) == {"authorization": "Bearer token-1"}
    assert "authorization" not in server.named("Authenticate")[0].metadata
    assert SECRET not in caplog.text + repr(metadata)
    assert "token-1" not in caplog.text + repr(metadata)


def test_a_wrong_key_is_one_clear_error_that_does_not_show_it(sandbox: Sandbox) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        ViamClient.create_from_dial_options(DialOptions.with_api_key(SECRET, sandbox.api_key_id), sandbox.url)
    assert f"The credentials of '{sandbox.api_key_id}' were refused: check the API key and its ID" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnavailableError, match=r"no-such-host.invalid has no address. Check its spelling"):
        dial("no-such-host.invalid", options())


def test_a_name_that_can_be_no_host_is_named() -> None:
    problem = find_problem(Address("a" * 70 + ".invalid", 443, tls=True), timeout=10)
    assert "has no address. Check its spelling" in problem.text


def test_a_port_that_nothing_listens_at_is_named() -> None:
    port = closed_port()
    with pytest.raises(UnavailableError, match=rf"Nothing listens at 127.0.0.1, port {port}. Check the address"):
        dial(f"127.0.0.1:{port}", options())


def test_the_text_of_the_error_is_all_that_it_says() -> None:
    port = closed_port()
    with pytest.raises(UnavailableError) as caught:
        dial(f"127.0.0.1:{port}", options())
    text = f"UNAVAILABLE: Nothing listens at 127.0.0.1, port {port}. Check the address, and that the server runs."
    assert str(caught.value) == text
    assert str(pickle.loads(pickle.dumps(caught.value))) == text


def test_a_server_that_says_nothing_does_not_hang_the_dial() -> None:
    with SilentServer() as server, pytest.raises(GRPCError, match=r"does not answer|No answer from"):
        dial(server.address, options(timeout=0.5))


def test_a_plaintext_server_that_says_nothing_does_not_hang_the_dial() -> None:
    with SilentServer() as server, pytest.raises(DeadlineExceededError, match=r"No answer from .* within 0.5 s"):
        dial(f"http://{server.address}", options(timeout=0.5))


def test_a_method_that_does_not_answer_does_not_hang_the_dial() -> None:
    with FakeService() as server:

        def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
            ended = threading.Event()
            context.add_callback(ended.set)
            ended.wait(30)
            return b""

        server.unary["Authenticate"] = wait
        with pytest.raises(DeadlineExceededError, match=r"No answer from .* within 0.5 s"):
            dial(server.url, options(timeout=0.5))


def test_a_plaintext_server_behind_tls_is_named_with_the_remedy() -> None:
    with FakeService() as server, pytest.raises(InsecureConnectionError, match=r"speaks no TLS.*http://") as caught:
        dial(server.address, options())
    assert server.calls == []
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_credentials_do_not_go_plaintext_by_allow_insecure_downgrade_alone() -> None:
    with FakeService() as server, pytest.raises(InsecureConnectionError):
        dial(server.address, options(allow_insecure_downgrade=True))
    assert server.calls == []


def test_without_credentials_a_downgrade_needs_allow_insecure_downgrade() -> None:
    with FakeService() as server:
        with pytest.raises(InsecureConnectionError):
            dial(server.address, DialOptions(timeout=10))
        channel, metadata = dial(server.address, DialOptions(timeout=10, allow_insecure_downgrade=True))
        channel.close()
    assert dict(metadata) == {}


def test_with_credentials_a_downgrade_needs_allow_insecure_with_creds_downgrade(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with FakeService() as server:
        channel, _ = dial(server.address, options(allow_insecure_with_creds_downgrade=True))
        channel.close()
        assert len(server.named("Authenticate")) == 1
    assert "speaks no TLS; going on without" in caplog.text


@pytest.mark.parametrize("where", ["address", "url"])
def test_insecure_connects_without_tls(where: str) -> None:
    with FakeService() as server:
        channel, _ = dial(getattr(server, where), options(insecure=True))
        channel.close()
        assert len(server.named("Authenticate")) == 1


def test_plaintext_against_a_tls_server_says_so(authority: trustme.CA) -> None:
    expected = r"does not speak HTTP/2 without TLS; it may want https://"
    with FakeService(server_credentials(authority)) as server, pytest.raises(UnavailableError, match=expected):
        dial(server.url, options())


def test_a_certificate_that_nobody_vouches_for_is_refused_with_the_reason(authority: trustme.CA) -> None:
    expected = r"The certificate of localhost cannot be trusted: .*GRPC_DEFAULT"
    with FakeService(server_credentials(authority)) as server, pytest.raises(InsecureConnectionError, match=expected):
        dial(f"localhost:{server.port}", options(allow_insecure_with_creds_downgrade=True))
    assert server.calls == []


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Iterator[FakeService]:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with FakeService(server_credentials(authority)) as server:
        yield server


def test_a_trusted_certificate_is_used(trusted: FakeService, tmp_path: Path) -> None:
    script = (
        "import sys; from viam_sync.rpc.dial import Channel, Credentials, DialOptions, dial\n"
        f"options = DialOptions(auth_entity={KEY_ID!r}, credentials=Credentials('api-key', 'x'))\n"
        "for options in (options, DialOptions()):\n"
        "    channel, metadata = dial(sys.argv[1], options); channel.close(); print(dict(metadata))"
    )
    ca = str(tmp_path / "ca.pem")
    done = subprocess.run(
        [sys.executable, "-c", script, f"https://localhost:{trusted.port}"],
        env={**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": ca},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["{'authorization': 'Bearer token-1'}", "{}"], done.stderr


def test_a_server_that_is_no_viam_service_is_named() -> None:
    with FakeService() as server:
        del server.unary["Authenticate"]
        with pytest.raises(GRPCError, match=rf"127.0.0.1:{server.port} is no Viam service"):
            dial(server.url, options())


def test_connecting_is_tried_as_often_as_the_options_say() -> None:
    with FakeService() as server:
        server.unary["Authenticate"] = refuse(grpc.StatusCode.UNAVAILABLE, "not yet")
        with pytest.raises(UnavailableError, match="not yet"):
            dial(server.url, options(initial_connection_attempts=2))
        assert len(server.named("Authenticate")) == 2


def test_one_attempt_may_take_as_long_as_the_options_say() -> None:
    with FakeService() as server:
        channel, _ = dial(server.url, options(initial_connection_attempt_timeout=3))
        channel.close()
        seconds = server.named("Authenticate")[0].seconds
    assert seconds is not None
    assert seconds < 4


def test_a_failed_dial_leaves_no_channel_open(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    real = Channel.close
    monkeypatch.setattr(Channel, "close", lambda self: (closed.append(self), real(self))[1])
    with pytest.raises(UnavailableError):
        dial(f"http://127.0.0.1:{closed_port()}", options())
    assert len(closed) == 1


def test_finding_the_problem_ends_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def stuck(*args: Any) -> Any:
        released.wait(30)
        raise OSError("too late")

    monkeypatch.setattr(socket, "create_connection", stuck)
    problem = find_problem(Address("app.viam.com", 443, tls=True), timeout=0.05)
    released.set()
    assert problem.text.startswith("app.viam.com, port 443 does not answer.")


@pytest.mark.parametrize("options", [3, "api-key", {}, Credentials("api-key", SECRET)])
def test_wrong_options_are_refused_before_anything_is_sent(options: Any) -> None:
    with FakeService() as server, pytest.raises(TypeError, match=r"options takes a viam_sync\.DialOptions"):
        dial(server.url, options)
    assert server.calls == []
