"""Tracebacks show no key and no token: those of errors, and of what a signal handler raises amid a call.

Tools such as rich, Sentry and ``pytest -l`` show the variables of each frame.
"""

import io
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple
from uuid import uuid4

import grpc
import pytest
import trustme
from servers import KEY_ID, FakeService, SilentServer, answering, closed_port, options, refuse
from variables import VariableWatch, variables_of_error
from waiting import LONG, start

from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import InternalError, UnauthenticatedError, UnavailableError
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.rpc.dial import Credentials, DialOptions, dial, parse_address
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

from .interrupts import Retried, Stuck, interrupted

KEY = "k3y0fthecl1entwh1chn0b0dymays33"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJ3aG8iOiJtZSJ9.t0kenwh1chn0b0dymays33"
PASSWORD = "hunter2hunter2"
PART = "4a3b2c1d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"

#: Made here, as what makes them has secrets among its variables.
OPTIONS = options(credentials=Credentials("api-key", KEY), timeout=LONG)
GIVE_TOKEN = answering(auth_pb.AuthenticateResponse(access_token=TOKEN))
GIVE_BAD_TOKEN = answering(auth_pb.AuthenticateResponse(access_token=f"{TOKEN}\n"))


def shows_secret(text: str) -> bool:
    return any(secret in text for secret in (KEY, TOKEN, PASSWORD))


def connect(server: FakeService) -> ViamClient:
    return ViamClient.create_from_dial_options(OPTIONS, server.url)


def only_first(times: int, first: Callable[..., bytes], then: Callable[..., bytes]) -> Callable[..., bytes]:
    """Return a method that answers so many calls in another way than those that follow."""
    calls: List[None] = []

    def method(request: bytes, context: grpc.ServicerContext) -> bytes:
        calls.append(None)
        return (first if len(calls) <= times else then)(request, context)

    return method


def equip(server: FakeService) -> FakeService:
    """Give a service methods that succeed, of which some fail first."""
    robot = answering(pb.GetRobotResponse(robot=pb.Robot(id="r-1", name="rover")))
    point = data_pb.ExportTabularDataResponse(part_id=PART).SerializeToString()
    entry = pb.TailRobotPartLogsResponse(logs=[common_pb.LogEntry(message="hello")]).SerializeToString()
    stored = datasync_pb.FileUploadResponse(file_id="f-1").SerializeToString()
    server.unary["Authenticate"] = GIVE_TOKEN
    server.unary["GetRobot"] = robot
    server.unary["GetLocation"] = only_first(1, refuse(grpc.StatusCode.UNAVAILABLE, "busy"), robot)
    server.unary["GetRobotPart"] = only_first(1, refuse(grpc.StatusCode.UNAUTHENTICATED, "expired"), robot)
    server.stream["ExportTabularData"] = lambda request, context: iter([point] * 3)
    server.stream["TailRobotPartLogs"] = lambda request, context: iter([entry])
    server.upload["FileUpload"] = lambda requests, context: (list(requests), stored)[1]
    return server


@pytest.fixture
def server(server: FakeService) -> FakeService:
    return equip(server)


@contextmanager
def without_tls(folder: Path) -> Iterator[Tuple[DialOptions, str]]:
    with FakeService() as server:
        yield OPTIONS, equip(server).url


@contextmanager
def with_tls(folder: Path) -> Iterator[Tuple[DialOptions, str]]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("localhost")
    pair = certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes()
    with FakeService(grpc.ssl_server_credentials([pair])) as server:
        chosen = options(credentials=Credentials("api-key", KEY), ca_certificate=folder / "ca.pem")
        yield chosen, f"https://localhost:{equip(server).port}"


class Counting(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc, unused-ignore]
    """Reads the metadata as other people's interceptors do, and adds some."""

    def __init__(self) -> None:
        self.names: List[str] = []

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        self.names += [name for name, _ in details.metadata]
        return continuation(details._replace(metadata=[*details.metadata, ("counted", "yes")]), request)


def use(client: ViamClient) -> None:
    """Make a call of each kind: with retries, and with a token that is renewed."""
    app, data = client.app_client, client.data_client
    assert app.get_robot("r-1").name == "rover"
    app.get_location("l-1")
    app.get_robot_part(PART)
    assert len(data.export_tabular_data(PART, "air", "rdk:component:sensor", "Readings")) == 3
    assert data.file_upload(PART, b"text") == "f-1"
    with app.tail_robot_part_logs(PART) as entries:
        assert entries.next()
    assert list(data.upload_files([__file__], part_id=PART))


@pytest.fixture(scope="module")
def loaded() -> None:
    """Modules and messages that the first call loads, which has many lines of other people's code."""
    with FakeService() as server, connect(equip(server)) as client:
        use(client)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("connection", [without_tls, with_tls])
def test_no_line_of_a_call_has_a_key_or_token_in_a_variable(connection: Any, tmp_path: Path) -> None:
    with connection(tmp_path) as where, VariableWatch(shows_secret) as watch, ViamClient.create_from_dial_options(
        *where
    ) as client:
        use(client)
    assert watch.looks > 1000
    assert sorted(watch.found) == []


@pytest.mark.usefixtures("loaded")
def test_nor_has_one_of_a_call_in_another_thread(server: FakeService) -> None:
    watch = VariableWatch(shows_secret)
    with connect(server) as client:
        client.app_client.get_robot_part(PART)  # the token is renewed before

        def watched() -> None:
            with watch:
                use(client)

        start(watched)[0].join(LONG)
    assert watch.looks > 1000
    assert sorted(watch.found) == []


@pytest.mark.usefixtures("loaded")
def test_nor_has_one_where_the_caller_gave_the_token_and_the_channel(server: FakeService) -> None:
    counting = Counting()
    with grpc.insecure_channel(server.address) as channel:
        app = AppClient(grpc.intercept_channel(channel, counting), {"Authorization": f"Bearer {TOKEN}"})
        with VariableWatch(shows_secret) as watch:
            app.get_robot("r-1")
    assert counting.names == ["authorization"]
    sent = server.named("GetRobot")[0].metadata
    assert (sent["authorization"], sent["counted"]) == (f"Bearer {TOKEN}", "yes")
    assert sorted(watch.found) == []


@pytest.mark.usefixtures("loaded")
def test_nor_has_one_where_that_token_cannot_be_sent(server: FakeService, capfd: pytest.CaptureFixture[str]) -> None:
    with grpc.insecure_channel(server.address) as channel:
        app = AppClient(channel, {"authorization": f"Bearer {TOKEN}\n"})
        with pytest.raises(ValueError, match=r"^metadata\['authorization'\] has a character") as caught:
            app.get_robot("r-1")
        with pytest.raises(ValueError, match=r"^metadata\['authorization'\] has a character") as from_stream:
            app.tail_robot_part_logs(PART).next()
    assert not shows_secret(own(caught.value) + own(from_stream.value) + "".join(capfd.readouterr()))
    assert server.calls == []


def test_nor_has_one_of_an_export(sandbox: Sandbox, client: ViamClient, tmp_path: Path) -> None:
    data = client.data_client
    data.file_upload(sandbox.robot_part_id, b"text", tags=["one"])
    data.export_binary_data(create_filter(tags=["one"]), tmp_path / "out")  # loads modules
    secrets = sandbox.api_key, dict(client._metadata or {})["authorization"].rpartition(".")[2]
    with VariableWatch(lambda text: any(secret in text for secret in secrets)) as watch:
        assert data.export_binary_data(create_filter(tags=["one"]), tmp_path / "again").complete
    assert watch.looks > 1000
    assert sorted(watch.found) == []


def amid_unary(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.unary["CreateLocation"] = stuck.unary
    with connect(server) as client:
        return interrupted(lambda: client.app_client.create_location("o-1", "Barn"), stuck.reached)


def amid_stream(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.stream["ExportTabularData"] = stuck.stream
    with connect(server) as client:
        data = client.data_client
        return interrupted(
            lambda: data.export_tabular_data(PART, "air", "rdk:component:sensor", "Readings"), stuck.reached
        )


def amid_upload(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.upload["FileUpload"] = stuck.upload
    with connect(server) as client:
        return interrupted(lambda: client.data_client.file_upload(PART, b"text"), stuck.reached)


def amid_uploads(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.upload["FileUpload"] = stuck.upload
    with connect(server) as client:
        return interrupted(lambda: list(client.data_client.upload_files([__file__], part_id=PART)), stuck.reached)


def amid_tail(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.stream["TailRobotPartLogs"] = stuck.stream
    with connect(server) as client, client.app_client.tail_robot_part_logs(PART) as entries:
        return interrupted(entries.next, stuck.reached)


def amid_export(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.unary["BinaryDataByFilter"] = stuck.unary
    with connect(server) as client:
        export = client.data_client.export_binary_data
        return interrupted(lambda: export(create_filter(), folder / "out"), stuck.reached)


def amid_wait_before_another_attempt(server: FakeService, folder: Path) -> BaseException:
    server.unary["GetLocation"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy", pushback_ms=30_000)
    with connect(server) as client, Retried() as waiting:
        return interrupted(lambda: client.app_client.get_location("l-1"), waiting.reached)


def amid_authentication(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.unary["Authenticate"] = stuck.unary
    return interrupted(lambda: connect(server), stuck.reached)


def amid_renewal(server: FakeService, folder: Path) -> BaseException:
    stuck = Stuck()
    server.unary["Authenticate"] = only_first(1, server.unary["Authenticate"], stuck.unary)
    with connect(server) as client:
        return interrupted(lambda: client.app_client.get_robot_part(PART), stuck.reached)


def amid_connecting(server: FakeService, folder: Path) -> BaseException:
    with SilentServer() as silent:
        address = f"http://{silent.address}"
        return interrupted(lambda: ViamClient.create_from_dial_options(OPTIONS, address), silent.reached)


AMID = [
    amid_unary,
    amid_stream,
    amid_upload,
    amid_uploads,
    amid_tail,
    amid_export,
    amid_wait_before_another_attempt,
    amid_authentication,
    amid_renewal,
    amid_connecting,
]


def own(error: BaseException) -> str:
    return "\n".join(f"{place} = {text}" for place, text in variables_of_error(error))


def pytest_l(error: BaseException) -> str:
    return str(pytest.ExceptionInfo.from_exception(error).getrepr(showlocals=True, truncate_locals=False))  # type: ignore[arg-type]


def rich(error: BaseException) -> str:
    pytest.importorskip("rich")
    import rich.console
    import rich.traceback

    page = io.StringIO()
    console = rich.console.Console(file=page, width=2_000)
    for longest in (None, 80):  # rich shows the beginning of a longer text
        shown = rich.traceback.Traceback.from_exception(
            type(error),
            error,
            error.__traceback__,
            width=None,
            extra_lines=0,
            show_locals=True,
            locals_max_length=longest,
            locals_max_string=longest,
            max_frames=0,
        )
        console.print(shown)
    return page.getvalue()


def sentry(error: BaseException) -> str:
    pytest.importorskip("sentry_sdk")
    import sentry_sdk
    import sentry_sdk.scrubber
    import sentry_sdk.transport
    import sentry_sdk.utils

    sent: List[str] = []

    class Kept(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            sent.append(envelope.serialize().decode())

    scrubber = sentry_sdk.scrubber.EventScrubber(denylist=[], pii_denylist=[])
    client = sentry_sdk.Client(
        "https://public@sentry.invalid/1",
        transport=Kept,
        default_integrations=False,
        auto_enabling_integrations=False,
        event_scrubber=scrubber,
        max_value_length=100_000,
    )
    event, hint = sentry_sdk.utils.event_from_exception(error, client.options)
    client.capture_event(event, hint)
    client.close()
    return "".join(sent)


@pytest.mark.parametrize("tool", [own, pytest_l, rich, sentry])
@pytest.mark.parametrize("amid", AMID)
def test_what_ends_a_call_shows_no_key_and_no_token(
    amid: Any, tool: Callable[[BaseException], str], server: FakeService, tmp_path: Path
) -> None:
    text = tool(amid(server, tmp_path))
    # The variables are there: this is one of ours.
    assert "client" in text
    assert not [line for line in text.splitlines() if shows_secret(line)]


def refused_when_renewed(server: FakeService) -> None:
    refusal = refuse(grpc.StatusCode.UNAUTHENTICATED, "no such key")
    server.unary["Authenticate"] = only_first(1, server.unary["Authenticate"], refusal)
    server.unary["GetRobot"] = refusal
    with connect(server) as client:
        client.app_client.get_robot("r-1")


def refused_when_renewed_for_a_tail(server: FakeService) -> None:
    refusal = refuse(grpc.StatusCode.UNAUTHENTICATED, "no such key")
    server.unary["Authenticate"] = only_first(1, server.unary["Authenticate"], refusal)
    server.stream["TailRobotPartLogs"] = refusal  # type: ignore[assignment]
    with connect(server) as client, client.app_client.tail_robot_part_logs(PART) as entries:
        entries.next()


def refused_at_once(server: FakeService) -> None:
    server.unary["Authenticate"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "no such key")
    connect(server)


def given_a_token_that_cannot_be_sent(server: FakeService) -> None:
    server.unary["Authenticate"] = GIVE_BAD_TOKEN
    connect(server)


def given_a_token_that_cannot_be_read(server: FakeService) -> None:
    server.unary["Authenticate"] = lambda request, context: f"\xff{TOKEN}".encode("latin-1")
    connect(server)


def nobody_listens(server: FakeService) -> None:
    ViamClient.create_from_dial_options(OPTIONS, f"http://127.0.0.1:{closed_port()}")


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (refused_when_renewed, UnauthenticatedError),
        (refused_when_renewed_for_a_tail, UnauthenticatedError),
        (refused_at_once, UnauthenticatedError),
        (given_a_token_that_cannot_be_sent, InternalError),
        (given_a_token_that_cannot_be_read, InternalError),
        (nobody_listens, UnavailableError),
    ],
)
def test_the_failure_of_a_call_shows_no_key_and_no_token(fail: Any, kind: Any, server: FakeService) -> None:
    with pytest.raises(kind) as caught, VariableWatch(shows_secret) as watch:
        fail(server)
    assert not shows_secret(str(caught.value) + own(caught.value))
    assert sorted(watch.found) == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: DialOptions.with_api_key(KEY, "no uuid"), "api_key_id takes the key's ID"),
        (lambda: DialOptions.with_api_key(KEY, KEY), "api_key_id got the key itself"),
        (lambda: DialOptions.with_api_key(KEY_ID, KEY), "the two may be swapped"),
        (lambda: DialOptions.with_api_key(f"{KEY}\udc80", KEY_ID), "api_key takes a str, got a str with a lone surrog"),
        (lambda: DialOptions.with_api_key(KEY, f"{KEY_ID}\0"), "api_key_id takes a str without NUL"),
        (lambda: DialOptions.with_api_key(KEY.encode(), KEY_ID), "api_key takes a str, got bytes; decode it"),  # type: ignore[arg-type]
        (lambda: DialOptions.with_api_key(KEY, KEY.encode()), "api_key_id takes a str, got bytes; decode it"),  # type: ignore[arg-type]
        (lambda: Credentials("api-key", KEY.encode()), "payload takes a str, got bytes; decode it"),  # type: ignore[arg-type]
        (lambda: Credentials("api-key", f"{KEY}\udc80"), "payload takes a str, got a str with a lone surrogate"),
        (lambda: Credentials(None, KEY), "type takes a str, got None"),  # type: ignore[arg-type]
        (lambda: DialOptions(credentials=Credentials("api-key", str(uuid4())), auth_entity=KEY), "swap the two"),
        (
            lambda: DialOptions(credentials=Credentials("api-key", KEY), auth_entity=KEY),
            "auth_entity got the key itself",
        ),
        (lambda: DialOptions(credentials=KEY), "credentials takes a viam_sync.Credentials, got a str"),  # type: ignore[arg-type]
    ],
)
def test_the_error_of_a_wrong_key_does_not_show_it(make: Callable[[], Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert says in str(caught.value)
    assert not shows_secret(str(caught.value) + own(caught.value))


@pytest.mark.parametrize(
    "address",
    [
        "http://ada:{}@localhost:5000",
        "ada:{}@app.viam.com",
        "https://{}@app.viam.com",
        "https://ada:{}/2@app.viam.com:443/x",
        "ftp://ada:{}@app.viam.com",
        " HTTPS://ada:{}@app.viam.com:70000",
    ],
)
def test_the_password_in_an_address_is_not_shown(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_API_KEY", KEY)
    monkeypatch.setenv("VIAM_API_KEY_ID", KEY_ID)
    monkeypatch.setenv("VIAM_APP_URL", address.format(PASSWORD))
    with pytest.raises(ValueError, match=r"^VIAM_APP_URL takes .*, got '.*\*\*\*@(localhost|app\.viam\.com)") as caught:
        ViamClient.create_from_env_vars()
    assert not shows_secret(str(caught.value) + own(caught.value))


@pytest.mark.parametrize("use", [parse_address, dial])
@pytest.mark.parametrize("address", ["https://app.viam.com:70000/?key={}", "ftp://app.viam.com#{}", "a b?key={}"])
def test_nor_is_the_query_of_an_address(use: Callable[[str], Any], address: str) -> None:
    with pytest.raises(ValueError, match=r"^address takes .*, got '.*[?#]\*\*\*'$") as caught:
        use(address.format(PASSWORD))
    assert not shows_secret(str(caught.value) + own(caught.value))
