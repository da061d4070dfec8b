"""The errors that people meet most: each says what is wrong, where, and what to do; any words of grpc come last."""

import datetime as dt
import threading

import grpc
import pytest
import trustme
from servers import KEY_ID, FakeService, SilentServer, closed_port, options, refuse

from viam_sync.app.app_client import APIKeyAuthorization
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    AmbiguousResultError,
    ClosedError,
    DeadlineExceededError,
    InsecureConnectionError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Credentials, DialOptions

KEY = "h8s7g6f5" * 4
APP = "viam.app.v1.AppService"
CHECK_THE_KEY = (
    "were refused: check the API key and its ID (VIAM_API_KEY and VIAM_API_KEY_ID); a key that was rotated or deleted"
    " is refused at once."
)
TRUST = (
    "Check the address and this computer's clock; for a certificate authority of your own, name its file in"
    " DialOptions(ca_certificate=...), in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH or in SSL_CERT_FILE."
)


def connect(address, **settings):
    given = {"timeout": 10, "credentials": Credentials("api-key", KEY), **settings}
    return ViamClient.create_from_dial_options(options(**given), address)


def said(kind, act, *args, **kwargs):
    """Return the text of the error that a call ends with."""
    with pytest.raises(kind) as caught:
        act(*args, **kwargs)
    assert type(caught.value) is kind
    return str(caught.value)


def begins(text, ours):
    """Tell whether an error says this, and after it at most what grpc has said, in brackets."""
    rest = text[len(ours) :]
    return text.startswith(ours) and (not rest or (rest.startswith(" (") and rest.endswith(")")))


def test_the_error_names_the_caller_whose_key_is_wrong(sandbox):
    text = said(UnauthenticatedError, connect, sandbox.url, auth_entity=sandbox.api_key_id)
    assert text == (
        "UNAUTHENTICATED: The API key does not go with this ID; the sandbox prints both, and list_keys shows the IDs"
        f" of an organization's keys. The credentials of '{sandbox.api_key_id}' {CHECK_THE_KEY}"
    )


def test_the_error_says_that_an_id_is_no_uuid():
    assert said(ValueError, DialOptions.with_api_key, KEY, "my-key") == (
        "api_key_id takes the key's ID, a UUID such as 9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d, got a text of 6 characters"
    )


def test_the_error_says_that_a_key_and_its_id_may_be_swapped():
    assert said(ValueError, DialOptions.with_api_key, KEY_ID, KEY) == (
        "api_key_id takes the key's ID, a UUID such as 9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d, got a text of 32"
        " characters; api_key has one, so the two may be swapped"
    )


def test_the_error_names_a_missing_variable(monkeypatch):
    monkeypatch.delenv("VIAM_API_KEY", raising=False)
    assert said(ValueError, ViamClient.create_from_env_vars) == (
        "the environment variable VIAM_API_KEY is missing; set it to what the settings page of your organization shows"
    )


def test_the_error_of_a_deleted_key_says_where_keys_are_listed(sandbox, app):
    owner = APIKeyAuthorization("owner", "organization", sandbox.organization_id)
    key, key_id = app.create_key(sandbox.organization_id, [owner], "short-lived")
    with ViamClient.create_from_dial_options(DialOptions.with_api_key(key, key_id), sandbox.url) as client:
        app.delete_key(key_id)
        text = said(UnauthenticatedError, client.app_client.list_organizations)
    assert text == (
        "proto.rpc.v1.AuthService/Authenticate: UNAUTHENTICATED: No API key has this ID; the sandbox prints both, and"
        f" list_keys shows the IDs of an organization's keys. The credentials of '{key_id}' {CHECK_THE_KEY}"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_error_says_that_no_server_runs_there(scheme):
    port = closed_port()
    assert said(UnavailableError, connect, f"{scheme}://127.0.0.1:{port}") == (
        f"UNAVAILABLE: Nothing listens at 127.0.0.1, port {port}. Check the address, and that the server runs."
    )


def test_the_error_names_a_host_without_an_address():
    assert said(UnavailableError, connect, "no-such-host.invalid") == (
        "UNAVAILABLE: no-such-host.invalid has no address. Check its spelling, and the network."
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_error_says_that_a_server_does_not_answer(scheme):
    with SilentServer() as server:
        text = said(DeadlineExceededError, connect, f"{scheme}://{server.address}", timeout=0.5)
        assert text == (
            f"DEADLINE_EXCEEDED: No answer from {server.address} within 0.5 s. Check the address, the network and"
            " firewalls, or give DialOptions a longer timeout."
        )


def test_the_error_says_that_the_service_cannot_be_reached_any_more(sandbox):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        sandbox.stop()
        # A call right after that may still find the old connection, and lose it; the one that follows finds none.
        said(UnavailableError, client.options(timeout=1).app_client.list_organizations)
        hasty = client.options(retry=False).app_client
        ours = f"{sandbox.address} cannot be reached. Check the network; the client connects again by itself."
        text = said(UnavailableError, hasty.list_organizations)
        assert begins(text, f"{APP}/ListOrganizations: UNAVAILABLE: {ours}")
        # A request that could not be sent had no effect.
        text = said(UnavailableError, hasty.create_organization, "Night School")
        assert begins(text, f"{APP}/CreateOrganization: UNAVAILABLE: {ours}")


def test_the_error_says_how_to_connect_to_a_server_without_tls(server):
    assert said(InsecureConnectionError, connect, server.address) == (
        f"127.0.0.1, port {server.port} speaks no TLS. If it is a server of your own, use an address that begins"
        " with http://, or DialOptions(insecure=True); credentials then travel unencrypted."
    )
    assert server.calls == []


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def secure(authority, name="localhost", **validity):
    certificate = authority.issue_cert(name, **validity)
    pair = certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes()
    return FakeService(grpc.ssl_server_credentials([pair]))


def test_the_error_says_that_a_server_wants_tls(authority):
    with secure(authority) as server:
        assert said(UnavailableError, connect, server.url) == (
            f"UNAVAILABLE: 127.0.0.1, port {server.port} does not speak HTTP/2 without TLS; it may want https://."
        )


@pytest.fixture(params=["in the options", "in the environment"])
def trusting(request, authority, tmp_path):
    """Connect to a server of this computer, trusting the authority, and return what the error says."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    if request.param == "in the options":
        return lambda server: said(
            InsecureConnectionError, connect, f"localhost:{server.port}", ca_certificate=str(path)
        )
    monkeypatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(path))
    return lambda server: said(InsecureConnectionError, connect, f"localhost:{server.port}")


def test_the_error_says_that_a_certificate_has_expired(authority, trusting):
    with secure(authority, not_after=dt.datetime(2020, 1, 1)) as server:
        assert trusting(server) == (f"The certificate of localhost cannot be trusted: certificate has expired. {TRUST}")


def test_the_error_says_that_a_certificate_is_of_another_host(authority, trusting):
    with secure(authority, "elsewhere.example") as server:
        assert trusting(server) == (
            "The certificate of localhost cannot be trusted: Hostname mismatch, certificate is not valid for"
            f" 'localhost'. {TRUST}"
        )


def test_the_error_says_that_the_authority_of_a_certificate_is_unknown(authority):
    with secure(authority) as server:
        assert said(InsecureConnectionError, connect, f"localhost:{server.port}") == (
            f"The certificate of localhost cannot be trusted: unable to get local issuer certificate. {TRUST}"
        )


def test_the_error_says_that_a_certificate_is_self_signed(tmp_path):
    # An authority that serves with its own certificate, which nothing else signed.
    authority = trustme.CA()
    pair = authority.private_key_pem.bytes(), authority.cert_pem.bytes()
    with FakeService(grpc.ssl_server_credentials([pair])) as server:
        text = said(InsecureConnectionError, connect, f"localhost:{server.port}")
    # OpenSSL has written it in two ways.
    assert text.replace("self signed", "self-signed") == (
        f"The certificate of localhost cannot be trusted: self-signed certificate. {TRUST}"
    )


def test_the_error_says_that_a_call_took_too_long(server):
    ended = threading.Event()

    def wait(request, context):
        ended.wait(30)
        return b""

    server.unary["ListOrganizations"] = server.unary["CreateOrganization"] = wait
    ours = (
        f"No answer from {server.address} in the time that the call may take. Give it a longer timeout, or do less"
        " in it."
    )
    with connect(server.url) as client:
        app = client.app_client
        text = said(DeadlineExceededError, app.list_organizations, timeout=0.3)
        assert text == f"{APP}/ListOrganizations: DEADLINE_EXCEEDED: {ours}"
        text = said(AmbiguousResultError, app.create_organization, "Night School", timeout=0.3)
        assert text == (
            f"{APP}/CreateOrganization: DEADLINE_EXCEEDED: CreateOrganization may or may not have been carried out."
            f" Look, with list_organizations for example, before you call it again. ({ours})"
        )
    ended.set()


def test_the_error_says_that_a_quota_is_used_up(sandbox, client):
    sandbox.faults.fail("ListOrganizations", "RESOURCE_EXHAUSTED", times=None)
    assert said(ResourceExhaustedError, client.options(retry=False).app_client.list_organizations) == (
        f"{APP}/ListOrganizations: RESOURCE_EXHAUSTED: A limit of the service is reached. Wait before you call again,"
        f" or call less often. (The sandbox was told to let {APP}/ListOrganizations fail, before it took effect.)"
    )


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        *[
            (words, "This asks for more than the service does in one call. Narrow it down, or ask for less at a time.")
            for words in (
                "The query took longer than 30 seconds and was ended; narrow it down.",
                "The query needed more memory than there is for it; narrow it down.",
                "The answer is longer than 1000 bytes, as a message may be; ask for fewer rows or fields.",
                "PlanExecutor error during aggregation :: caused by :: Sort exceeded memory limit of 104857600 bytes",
                "operation exceeded time limit",
            )
        ],
        *[
            (words, "The service has no room left for this. Free some, or send less.")
            for words in (
                "[Errno 28] No space left on device",
                "database or disk is full",
                "the Disk quota is exceeded",
            )
        ],
        *[
            (words, "A limit of the service is reached. Wait before you call again, or call less often.")
            for words in ("Quota exceeded for quota metric 'Queries'.", "too many requests", "")
        ],
    ],
)
def test_the_error_says_which_limit_of_the_service_is_reached(server, words, advice):
    server.unary["TabularDataBySQL"] = refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, words)
    with connect(server.url) as client:
        data = client.options(retry=False).data_client
        text = said(ResourceExhaustedError, data.tabular_data_by_sql, "o", "SELECT 1")
    quoted = f" ({words})" if words else ""
    assert text == f"viam.app.data.v1.DataService/TabularDataBySQL: RESOURCE_EXHAUSTED: {advice}{quoted}"


def test_the_error_says_that_a_query_asks_for_more_memory_than_there_is(sandbox, client):
    huge = "SELECT string_agg(repeat('x', 1000000), '') AS text FROM range(4000)"
    text = said(ResourceExhaustedError, client.data_client.tabular_data_by_sql, sandbox.organization_id, huge)
    assert "RESOURCE_EXHAUSTED: This asks for more than the service does in one call. Narrow it down" in text


def test_the_error_keeps_the_words_of_the_service_on_a_missing_role(server):
    """The remedy depends on the method, so the service says it, and its text is kept whole."""
    server.unary["ListOrganizations"] = refuse(grpc.StatusCode.PERMISSION_DENIED, "Ask an owner for the role operator.")
    with connect(server.url) as client:
        assert said(PermissionDeniedError, client.app_client.list_organizations) == (
            f"{APP}/ListOrganizations: PERMISSION_DENIED: Ask an owner for the role operator."
        )


def test_the_error_says_how_to_find_a_robot_that_exists(sandbox, app):
    assert said(NotFoundError, app.get_robot, KEY_ID) == (
        f"{APP}/GetRobot: NOT_FOUND: No robot has the ID '{KEY_ID}'; list_robots shows those of a location."
    )


def test_the_error_says_that_a_response_is_too_large(server):
    large = pb.ListOrganizationsResponse(organizations=[pb.Organization(name="x" * (65 << 20))]).SerializeToString()
    server.unary["ListOrganizations"] = lambda request, context: large
    ours = "A message is larger than it may be. Ask for less at a time, or send less."
    with connect(server.url) as client:
        text = said(ResourceExhaustedError, client.app_client.list_organizations)
    assert begins(text, f"{APP}/ListOrganizations: RESOURCE_EXHAUSTED: {ours}")


def test_the_error_says_that_the_client_is_closed(client, app):
    client.close()
    text = "The client is closed; make a new one to call again."
    assert said(ClosedError, app.list_organizations) == text
    assert said(ClosedError, lambda: client.data_client) == text
