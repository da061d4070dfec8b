import base64
import json

import pytest

from sandbox.calls import AUTH, authenticate, call, refused

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_the_token_is_a_jwt_that_names_the_key(sandbox, owner):
    header, claims, _ = owner.metadata[0][1][len("Bearer ") :].split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
    assert decoded[0] == {"alg": "HS256", "kid": "sandbox", "typ": "JWT"}
    assert decoded[1]["sub"] == sandbox.api_key_id
    assert decoded[1]["rpc_creds_type"] == "api-key"
    assert set(decoded[1]) == {"aud", "iat", "iss", "jti", "rpc_auth_md", "rpc_creds_type", "sub"}


def test_authenticating_with_a_token_in_the_header_is_refused(sandbox, owner):
    with refused("INVALID_ARGUMENT", "takes no authorization header"):
        call(owner.channel, "Authenticate", AUTH, owner.metadata, entity=sandbox.api_key_id)


@pytest.mark.parametrize("credentials", [{}, {"credentials": {"type": "password", "payload": "x"}}])
def test_credentials_that_are_missing_or_of_an_unknown_type_are_refused(sandbox, owner, credentials):
    with refused("INVALID_ARGUMENT", "use type 'api-key'"):
        call(owner.channel, "Authenticate", AUTH, entity=sandbox.api_key_id, **credentials)


def test_an_unknown_key_id_is_refused(sandbox, owner):
    with refused("UNAUTHENTICATED", "No API key has this ID"):
        authenticate(owner.channel, NOBODY, sandbox.api_key)


@pytest.mark.parametrize("payload", ["wrong", "", "ключ"])
def test_a_wrong_key_is_refused(sandbox, owner, payload):
    with refused("UNAUTHENTICATED", "does not go with this ID"):
        authenticate(owner.channel, sandbox.api_key_id, payload)


def test_a_key_in_the_place_of_its_id_does_not_come_back_in_the_message(sandbox, owner):
    with pytest.raises(Exception, match="UNAUTHENTICATED") as raised:
        authenticate(owner.channel, sandbox.api_key, sandbox.api_key_id)
    assert sandbox.api_key not in raised.value.details()


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        ([], "this one has 0 authorization headers"),
        ([("authorization", "Basic abc")], "does not start with 'Bearer '"),
        ([("authorization", "bearer abc")], "does not start with 'Bearer '"),
        ([("authorization", "Bearer a"), ("authorization", "Bearer b")], "this one has 2 authorization headers"),
        ([("authorization", "Bearer ")], "not made by this sandbox"),
        ([("authorization", "Bearer malformed")], "not made by this sandbox"),
        ([("authorization", "Bearer a.b.c")], "not made by this sandbox"),
        ([("authorization", "Bearer e30.W10.c")], "not made by this sandbox"),
    ],
)
def test_a_call_without_one_good_token_is_unauthenticated(owner, metadata, text):
    with refused("UNAUTHENTICATED", text):
        call(owner.channel, "ListOrganizations", metadata=metadata)


def test_a_changed_token_is_unauthenticated(owner):
    token = owner.metadata[0][1]
    head, claims, signature = token.split(".")
    for changed in (f"{head}.{claims}.{signature[::-1]}", f"{head}.{claims[:-4]}AAAA.{signature}", token[:-4]):
        with refused("UNAUTHENTICATED", "not made by this sandbox"):
            call(owner.channel, "ListOrganizations", metadata=[("authorization", changed)])


def test_the_token_is_checked_before_anything_else(owner):
    for rpc in ("GetRobot", "ListFragments", "UploadDevicePushToken"):
        with refused("UNAUTHENTICATED"):
            call(owner.channel, rpc)
    with refused("UNAUTHENTICATED"):
        owner.channel.unary_unary("/viam.app.v1.AppService/GetRobot")(b"\xff", timeout=10)


@pytest.mark.parametrize("end", ["DeleteKey", "RotateKey"])
def test_the_token_of_a_key_that_is_gone_is_unauthenticated(sandbox, owner, caller_with, end):
    other = caller_with("owner", "organization", sandbox.organization_id)
    assert other.ListOrganizations().organizations
    getattr(owner, end)(id=other.id)
    with refused("UNAUTHENTICATED", "was deleted or rotated"):
        other.ListOrganizations()


def test_a_part_gets_in_with_its_secret_and_sees_its_own_machine(sandbox, owner, callers):
    part = owner.GetRobotPart(id=sandbox.robot_part_id).part
    machine = callers(part.id, part.secret, "robot-secret")
    seen = machine.GetRobotPart(id=part.id).part
    assert (seen.name, seen.secret) == ("rover-main", "")
    with refused("PERMISSION_DENIED"):
        machine.UpdateRobot(id=sandbox.robot_id, name="freed")
    with refused("PERMISSION_DENIED", "use an API key"):
        machine.CreateOrganization(name="of machines")
    owner.DeleteRobotPartSecret(part_id=part.id, secret_id=part.secrets[0].id)
    with refused("UNAUTHENTICATED", "was deleted"):
        machine.GetRobotPart(id=part.id)


@pytest.mark.parametrize("address", ["{}", "rover-main.{}.viam.cloud"])
def test_a_location_secret_opens_the_machines_in_it(sandbox, owner, callers, address):
    secret = owner.LocationAuth(location_id=sandbox.location_id).auth.secret
    place = callers(address.format(sandbox.location_id), secret, "robot-location-secret")
    assert [robot.name for robot in place.ListRobots(location_id=sandbox.location_id).robots] == ["rover", "arm"]
    with refused("PERMISSION_DENIED"):
        place.UpdateLocation(location_id=sandbox.location_id, name="taken over")


@pytest.mark.parametrize("type", ["robot-secret", "robot-location-secret"])
def test_a_wrong_secret_is_refused(sandbox, owner, type):
    with refused("UNAUTHENTICATED", "No part or location with this secret"):
        authenticate(owner.channel, sandbox.robot_part_id, "wrong", type)


def test_a_long_header_is_taken(owner):
    metadata = [*owner.metadata, ("viam-note", "n" * 100_000)]
    assert call(owner.channel, "ListOrganizations", metadata=metadata).organizations
