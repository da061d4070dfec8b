"""Pickles of clients, records and errors: which can be made, and what they hold."""

import copy
import pickle
import threading
from datetime import datetime
from typing import Any, Callable

import pytest
import servers
from servers import KEY_ID, FakeService, SilentServer, closed_port

from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import ClosedError, UnauthenticatedError, UnavailableError
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Credentials, DialOptions, Link
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

SECRET = "s3cret-payload"

Copying = Callable[[Any], Any]


def by_protocol(protocol: int) -> Copying:
    return lambda thing: pickle.loads(pickle.dumps(thing, protocol))


WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {protocol}": by_protocol(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.fixture(params=WAYS)
def copied(request: pytest.FixtureRequest) -> Copying:
    return WAYS[request.param]


def options(**settings: Any) -> DialOptions:
    return servers.options(credentials=Credentials("api-key", SECRET), **settings)


def undialled(address: str, **settings: Any) -> ViamClient:
    """Return a client that came from elsewhere, and has not dialled here yet."""
    with FakeService() as elsewhere:
        client = ViamClient.create_from_dial_options(options(**settings), elsewhere.url)
        client.close()
    client._link = Link(address, options(**settings))
    landed: ViamClient = pickle.loads(pickle.dumps(client))
    return landed


@pytest.fixture
def server(server: FakeService) -> FakeService:
    robot = pb.GetRobotResponse(robot=pb.Robot(name="rover")).SerializeToString()
    server.unary["GetRobot"] = lambda request, context: robot
    return server


def test_a_copy_dials_when_it_is_first_used(server: FakeService, copied: Copying) -> None:
    with ViamClient.create_from_dial_options(options(), server.url) as client:
        other = copied(client)
        assert server.tokens == 1
        assert other.app_client.get_robot("r").name == "rover"
        assert other.app_client.get_robot("r").name == "rover"
        assert server.tokens == 2
        other.close()
        assert client.app_client.get_robot("r").name == "rover"
    assert [call.metadata["authorization"][-1] for call in server.named("GetRobot")] == ["2", "2", "1"]


def test_the_copy_of_a_closed_client_is_open(sandbox: Sandbox, client: ViamClient, copied: Copying) -> None:
    client.close()
    with copied(client) as other:
        assert other.app_client.list_organizations()[0].id == sandbox.organization_id


def test_a_copy_that_was_never_used_can_be_closed(server: FakeService, copied: Copying) -> None:
    with ViamClient.create_from_dial_options(options(), server.url) as client:
        other = copied(client)
        other.close()
        with pytest.raises(ClosedError):
            _ = other.app_client
    assert server.tokens == 1


class Fleet(ViamClient):
    """A client of someone's own."""

    depot = "north"


def test_a_class_and_attributes_of_ones_own_stay(server: FakeService, copied: Copying) -> None:
    with Fleet.create_from_dial_options(options(), server.url) as client:
        client.depot = "south"
        other = copied(client)
        assert (type(other), other.depot) == (Fleet, "south")
        other.close()


def test_the_location_of_a_secret_stays(sandbox: Sandbox, client: ViamClient, copied: Copying) -> None:
    app = client.app_client
    secret = app.location_auth(sandbox.location_id).secrets[0].secret
    part = app.get_robot_part(sandbox.robot_part_id)
    own = DialOptions(auth_entity=part.fqdn, credentials=Credentials("robot-location-secret", secret))
    with ViamClient.create_from_dial_options(own, sandbox.url) as one, copied(one) as other:
        assert other.app_client.get_location().id == sandbox.location_id


def test_options_and_credentials_stay_what_they_are(copied: Copying) -> None:
    given = options(timeout=7, insecure=True, ca_certificate="authority.pem")
    landed = copied(given)
    assert vars(landed) == vars(given)
    assert repr(landed) == repr(given)


def test_a_filter_stays_what_it_is(copied: Copying) -> None:
    given = create_filter(tags=["night"], start_time=datetime(2024, 1, 1))
    assert copied(given) == given


def test_a_client_of_an_open_channel_says_why_it_does_not_pickle(client: ViamClient, copied: Copying) -> None:
    bare = ViamClient(client._channel, client._metadata)
    with pytest.raises(TypeError, match=r"made from an open channel.* make it with create_from_dial_options"):
        copied(bare)


def test_parts_of_a_client_say_that_the_client_can_be_pickled(client: ViamClient) -> None:
    app = client.app_client
    for dump in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="pickle its ViamClient, which dials where it lands"):
            dump(app)
    assert isinstance(copy.copy(app), AppClient)


def test_no_repr_shows_the_key(server: FakeService) -> None:
    with ViamClient.create_from_dial_options(options(), f"{server.url}/?key={SECRET}") as client:
        landed = pickle.loads(pickle.dumps(client))
        things = [client, landed, client._link, client._channel, client._metadata, client.app_client, options()]
        shown = [f"{thing!r} {thing} {thing!s:.999}" for thing in things]
        assert repr(landed).startswith(f"<ViamClient of '{KEY_ID}' at {server.address}: app_client, billing_client, ")
    assert repr(client) == f"<ViamClient of '{KEY_ID}' at {server.address}, closed>"
    assert not [text for text in shown if SECRET in text or "token-1" in text]
    assert SECRET.encode() in pickle.dumps(client), "else it could not dial"
    assert b"token-1" not in pickle.dumps(client)


def test_the_repr_of_a_client_of_an_open_channel_is_plain(client: ViamClient) -> None:
    bare = ViamClient(client._channel, client._metadata)
    assert repr(bare).startswith("<ViamClient at ")


def test_a_copy_that_cannot_dial_says_so_at_its_first_use() -> None:
    port = closed_port()
    landed = undialled(f"http://127.0.0.1:{port}")
    for _ in range(2):
        with pytest.raises(UnavailableError, match=f"Nothing listens at 127.0.0.1, port {port}"):
            landed.app_client.list_organizations()


def test_a_key_that_is_no_longer_good_is_said_at_the_first_use(sandbox: Sandbox, client: ViamClient) -> None:
    key, key_id = client.app_client.create_key_from_existing_key_authorizations(sandbox.api_key_id)
    with ViamClient.create_from_dial_options(DialOptions.with_api_key(key, key_id), sandbox.url) as other:
        landed = pickle.loads(pickle.dumps(other))
    client.app_client.delete_key(key_id)
    with pytest.raises(UnauthenticatedError, match="check the API key and its ID") as caught:
        landed.app_client.list_organizations()
    assert key not in str(caught.value)


def test_many_threads_that_use_it_first_dial_once(server: FakeService) -> None:
    landed = undialled(server.url)
    everyone = threading.Barrier(16)
    found = []

    def use() -> None:
        everyone.wait(30)
        app = landed.app_client
        found.append((app, app.get_robot("r").name))

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    landed.close()
    assert found == [(found[0][0], "rover")] * 16
    assert server.tokens == 1


def test_closing_ends_a_dial_of_other_threads() -> None:
    ends = []
    with SilentServer() as silent:
        landed = undialled(f"http://{silent.address}", timeout=60)

        def use() -> None:
            with pytest.raises(ClosedError, match="The client is closed") as caught:
                landed.app_client.list_organizations()
            ends.append(caught.value)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert silent.reached.wait(30)
        landed.close()
        for thread in threads:
            thread.join(10)
    assert len(ends) == 4
