from datetime import datetime
from typing import Any, Callable, List, Tuple, Type

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.app_client import APIKeyAuthorization, AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    AlreadyExistsError,
    AmbiguousResultError,
    FailedPreconditionError,
    NotFoundError,
    PermissionDeniedError,
)
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Channel, DialOptions
from viam_sync.sandbox import Sandbox


@pytest.fixture
def bob(sandbox: Sandbox) -> str:
    return sandbox.sign_in("bob@example.com")


@pytest.fixture
def server(server: FakeService) -> FakeService:
    server.unary["AddRole"] = lambda request, context: b""
    server.unary["RemoveRole"] = lambda request, context: b""
    server.unary["ChangeRole"] = lambda request, context: b""
    answer = pb.CreateKeyResponse(key="secret", id="k-1").SerializeToString()
    server.unary["CreateKey"] = lambda request, context: answer
    return server


@pytest.fixture
def recorded(channel: Channel) -> AppClient:
    return AppClient(channel, {})


class OldAuthorization:
    """The record of a role as old versions of the official SDK have it, without public attributes."""

    def __init__(self, role: str, resource_type: str, resource_id: str) -> None:
        self._role, self._resource_type, self._resource_id = role, resource_type, resource_id


class NewAuthorization:
    """The record of a role as the newest versions of the official SDK have it."""

    def __init__(self, role: str, resource_type: str, resource_id: str) -> None:
        self.role, self.resource_type, self.resource_id = role, resource_type, resource_id


@pytest.fixture(params=[OldAuthorization, NewAuthorization])
def official(request: pytest.FixtureRequest) -> Any:
    return type("APIKeyAuthorization", (request.param,), {"__module__": "viam.app.app_client"})


def test_a_role_of_the_official_sdk_is_taken_as_it_is(recorded: AppClient, server: FakeService, official: Any) -> None:
    recorded.create_key("o-1", [APIKeyAuthorization("owner", "robot", "r-1"), official("operator", "location", "l-1")])
    (sent,) = server.named("CreateKey")
    roles = pb.CreateKeyRequest.FromString(sent.requests[0]).authorizations
    assert [(role.authorization_id, role.resource_id, role.organization_id) for role in roles] == [
        ("robot_owner", "r-1", "o-1"),
        ("location_operator", "l-1", "o-1"),
    ]


def test_a_role_of_the_official_sdk_that_makes_no_sense_is_named(recorded: AppClient, official: Any) -> None:
    with pytest.raises(ValueError, match=r"^authorizations\[0\] takes one of 'owner', 'operator', got 'king'$"):
        recorded.create_key("o-1", [official("king", "robot", "r-1")])


def test_a_role_of_another_package_is_refused_by_its_module(recorded: AppClient) -> None:
    other = type("APIKeyAuthorization", (NewAuthorization,), {"__module__": "grandma.app"})
    ours = r"a viam_sync\.app\.app_client\.APIKeyAuthorization"
    with pytest.raises(TypeError, match=rf"takes {ours}, got an APIKeyAuthorization of the module grandma\.app$"):
        recorded.create_key("o-1", [other("owner", "robot", "r-1")])


def test_a_role_in_place_of_a_list_of_them_is_named_as_a_role(recorded: AppClient) -> None:
    text = "^authorizations takes a list of APIKeyAuthorization, got an APIKeyAuthorization; a list of one is written"
    with pytest.raises(TypeError, match=text):
        recorded.create_key("o-1", APIKeyAuthorization("owner", "robot", "r-1"))  # type: ignore[arg-type]


@pytest.mark.parametrize("around", ["{}\n", " {}", "{}\t"])
def test_white_space_around_the_id_of_a_key_is_named(recorded: AppClient, server: FakeService, around: str) -> None:
    with pytest.raises(ValueError, match=r"^id has white space around it, such as the end of a line; it takes an ID$"):
        recorded.delete_key(around.format("k-1"))
    assert server.calls == []


def held(sandbox: Sandbox, app: AppClient, identity_id: str) -> List[Tuple[str, str]]:
    found = app.list_authorizations(sandbox.organization_id)
    return [(role.authorization_id, role.resource_id) for role in found if role.identity_id == identity_id]


def test_a_role_is_given_changed_and_taken(sandbox: Sandbox, app: AppClient, bob: str) -> None:
    organization, location, robot = sandbox.organization_id, sandbox.location_id, sandbox.robot_id
    app.add_role(organization, bob, "operator", "location", location)
    assert held(sandbox, app, bob) == [("location_operator", location)]
    app.change_role(organization, bob, "operator", "location", location, bob, "owner", "robot", robot)
    assert held(sandbox, app, bob) == [("robot_owner", robot)]
    app.remove_role(organization, bob, "owner", "robot", robot)
    assert held(sandbox, app, bob) == []


def test_a_role_moves_to_somebody_else(sandbox: Sandbox, app: AppClient, bob: str) -> None:
    anna, organization, location = sandbox.sign_in("anna@example.com"), sandbox.organization_id, sandbox.location_id
    app.add_role(organization, bob, "owner", "location", location)
    app.change_role(organization, bob, "owner", "location", location, anna, "owner", "location", location)
    assert held(sandbox, app, bob) == []
    assert held(sandbox, app, anna) == [("location_owner", location)]


def test_what_the_service_says_no_to_is_our_exception(sandbox: Sandbox, app: AppClient, bob: str) -> None:
    organization, location = sandbox.organization_id, sandbox.location_id
    with pytest.raises(NotFoundError, match="does not have the role owner"):
        app.remove_role(organization, bob, "owner", "location", location)
    app.add_role(organization, bob, "owner", "location", location)
    with pytest.raises(AlreadyExistsError, match="has the role owner"):
        app.add_role(organization, bob, "owner", "location", location)
    members, _ = app.list_organization_members(organization)
    with pytest.raises(FailedPreconditionError):
        app.remove_role(organization, members[0].user_id, "owner", "organization", organization)


@pytest.mark.parametrize(
    ("name", "request_type", "role"),
    [("add_role", pb.AddRoleRequest, "owner"), ("remove_role", pb.RemoveRoleRequest, "operator")],
)
@pytest.mark.parametrize("resource_type", ["organization", "location", "robot"])
def test_a_role_in_words_becomes_an_authorization(
    server: FakeService, recorded: AppClient, name: str, request_type: Any, role: str, resource_type: str
) -> None:
    assert getattr(recorded, name)("o-1", "u-1", role, resource_type, "r-1") is None
    (call,) = server.calls
    assert request_type.FromString(call.requests[0]).authorization == pb.Authorization(
        authorization_type="role",
        authorization_id=f"{resource_type}_{role}",
        resource_type=resource_type,
        resource_id="r-1",
        identity_id="u-1",
        organization_id="o-1",
        identity_type="",
    )


def test_a_change_names_both_roles(server: FakeService, recorded: AppClient) -> None:
    recorded.change_role("o-1", "u-1", "owner", "location", "l-1", "u-2", "operator", "robot", "r-2")
    (call,) = server.calls
    assert pb.ChangeRoleRequest.FromString(call.requests[0]) == pb.ChangeRoleRequest(
        old_authorization=pb.Authorization(
            authorization_type="role",
            authorization_id="location_owner",
            resource_type="location",
            resource_id="l-1",
            identity_id="u-1",
            organization_id="o-1",
        ),
        new_authorization=pb.Authorization(
            authorization_type="role",
            authorization_id="robot_operator",
            resource_type="robot",
            resource_id="r-2",
            identity_id="u-2",
            organization_id="o-1",
        ),
    )


ROLES = "'owner', 'operator'"
TYPES = "'organization', 'location', 'robot'"


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda app: app.add_role("o", "u", "king", "robot", "r"),
            ValueError,
            f"role takes one of {ROLES}, got 'king'",
        ),
        (
            lambda app: app.add_role("o", "u", "owner", "planet", "r"),
            ValueError,
            f"resource_type takes one of {TYPES}, got 'planet'",
        ),
        (
            lambda app: app.remove_role("o", "u", "robot_owner", "robot", "r"),
            ValueError,
            f"role takes one of {ROLES}, got 'robot_owner'",
        ),
        (
            lambda app: app.change_role("o", "u", "Owner", "robot", "r", "u", "owner", "robot", "r"),
            ValueError,
            f"old_role takes one of {ROLES}, got 'Owner'",
        ),
        (
            lambda app: app.change_role("o", "u", "owner", "", "r", "u", "owner", "robot", "r"),
            ValueError,
            f"old_resource_type takes one of {TYPES}, got ''",
        ),
        (
            lambda app: app.change_role("o", "u", "owner", "robot", "r", "u", None, "robot", "r"),
            ValueError,
            f"new_role takes one of {ROLES}, got None",
        ),
        (
            lambda app: app.change_role("o", "u", "owner", "robot", "r", "u", "owner", "machine", "r"),
            ValueError,
            f"new_resource_type takes one of {TYPES}, got 'machine'",
        ),
        (lambda app: app.create_key("o", []), ValueError, "authorizations is an empty list; give at least one"),
        (
            lambda app: app.create_key("o", "owner"),
            TypeError,
            "authorizations takes a list of APIKeyAuthorization, got a str",
        ),
        (
            lambda app: app.create_key("o", APIKeyAuthorization("owner", "robot", "r")),
            TypeError,
            "authorizations takes a list of APIKeyAuthorization, got an APIKeyAuthorization",
        ),
        (
            lambda app: app.create_key("o", [APIKeyAuthorization("owner", "robot", "r"), "owner"]),
            TypeError,
            r"authorizations\[1\] takes a viam_sync.app.app_client.APIKeyAuthorization, got a str",
        ),
    ],
)
def test_a_wrong_argument_is_found_before_anything_is_asked(
    server: FakeService, recorded: AppClient, call: Callable[[AppClient], Any], kind: Type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        call(recorded)
    assert server.calls == []


@pytest.mark.parametrize(
    ("rpc", "call"),
    [
        ("AddRole", lambda app: app.add_role("o", "u", "owner", "robot", "r")),
        (
            "ChangeRole",
            lambda app: app.change_role("o", "u", "owner", "robot", "r", "u", "operator", "robot", "r"),
        ),
        ("CreateKey", lambda app: app.create_key("o", [APIKeyAuthorization("owner", "robot", "r")])),
    ],
)
def test_what_may_have_been_done_is_not_sent_again(
    server: FakeService, recorded: AppClient, rpc: str, call: Callable[[AppClient], Any]
) -> None:
    server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "maybe")
    with pytest.raises(AmbiguousResultError, match=rpc):
        call(recorded)
    assert len(server.calls) == 1


def test_a_new_key_opens_what_it_was_made_for(sandbox: Sandbox, app: AppClient) -> None:
    role = APIKeyAuthorization("operator", "robot", sandbox.robot_id)
    api_key, api_key_id = app.create_key(sandbox.organization_id, [role], "for the rover")
    with ViamClient.create_from_dial_options(DialOptions.with_api_key(api_key, api_key_id), sandbox.url) as client:
        assert client.app_client.get_robot(sandbox.robot_id).id == sandbox.robot_id
        with pytest.raises(PermissionDeniedError):
            client.app_client.create_key(sandbox.organization_id, [role])
    names = {each.api_key.id: each.api_key.name for each in app.list_keys(sandbox.organization_id)}
    assert names[api_key_id] == "for the rover"


def test_each_authorization_of_a_key_names_its_organization(server: FakeService, recorded: AppClient) -> None:
    roles = [APIKeyAuthorization("owner", "robot", "r-1"), APIKeyAuthorization("operator", "location", "l-1")]
    assert recorded.create_key("o-1", roles, "mine") == ("secret", "k-1")
    (call,) = server.calls
    assert pb.CreateKeyRequest.FromString(call.requests[0]) == pb.CreateKeyRequest(
        authorizations=[
            pb.Authorization(
                authorization_type="role",
                authorization_id="robot_owner",
                resource_type="robot",
                resource_id="r-1",
                identity_id="",
                organization_id="o-1",
                identity_type="api-key",
            ),
            pb.Authorization(
                authorization_type="role",
                authorization_id="location_operator",
                resource_type="location",
                resource_id="l-1",
                identity_id="",
                organization_id="o-1",
                identity_type="api-key",
            ),
        ],
        name="mine",
    )


def test_a_key_without_a_name_is_called_after_the_time(server: FakeService, recorded: AppClient) -> None:
    before = datetime.now()
    recorded.create_key("o-1", [APIKeyAuthorization("owner", "robot", "r-1")])
    recorded.create_key("o-1", [APIKeyAuthorization("owner", "robot", "r-1")], "")
    named, unnamed = (pb.CreateKeyRequest.FromString(call.requests[0]).name for call in server.calls)
    assert str(before) <= named <= str(datetime.now())
    assert unnamed == ""


@pytest.mark.parametrize(("role", "resource_type"), [("king", "robot"), ("owner", "planet"), ("", "")])
def test_a_record_of_no_role_is_refused(role: Any, resource_type: Any) -> None:
    with pytest.raises(ValueError, match="takes one of"):
        APIKeyAuthorization(role, resource_type, "r-1")


def test_a_role_of_a_key_survives_the_way_into_a_message_and_back(sandbox: Sandbox, app: AppClient) -> None:
    role = APIKeyAuthorization("operator", "location", sandbox.location_id)
    assert (role.role, role.resource_type, role.resource_id) == ("operator", "location", sandbox.location_id)
    assert APIKeyAuthorization.from_proto(role.proto) == role
    _, api_key_id = app.create_key(sandbox.organization_id, [role])
    listed = app.list_authorizations(sandbox.organization_id, [sandbox.location_id])
    assert [APIKeyAuthorization.from_proto(each) for each in listed if each.identity_id == api_key_id] == [role]


def test_a_message_that_holds_no_role_is_refused() -> None:
    with pytest.raises(ValueError, match="role takes one of 'owner', 'operator', got 'location_owner'"):
        APIKeyAuthorization.from_proto(pb.Authorization(authorization_id="location_owner", resource_type="robot"))
