"""Code that users write with the client: the documented types are inferred, and mistakes are found."""

from datetime import datetime, timezone
from typing import Any, List, Optional, Tuple

from grpc import RpcError, StatusCode
from typing_extensions import assert_type

from viam_sync import Credentials, DialOptions, GRPCError, NotFoundError, ViamClient
from viam_sync.app.app_client import AppClient, RobotPart, RobotPartHistoryEntry
from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox


def connect(sandbox: Sandbox) -> ViamClient:
    options = DialOptions(auth_entity="id", credentials=Credentials("api-key", "key"), timeout=5)
    assert_type(DialOptions.with_api_key("key", "id"), DialOptions)
    assert_type(ViamClient.create_from_env_vars(tz=timezone.utc).options(tz=timezone.utc), ViamClient)
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        assert_type(client, ViamClient)
    return ViamClient.create_from_dial_options(options, app_url="localhost")


def fleet(app: AppClient) -> None:
    assert_type(app.options(tz=timezone.utc), AppClient)
    assert_type(app.list_organizations(), List[pb.Organization])
    assert_type(app.list_organization_members("o"), Tuple[List[pb.OrganizationMember], List[pb.OrganizationInvite]])
    assert_type(app.get_organization_namespace_availability("name", timeout=3), bool)
    assert_type(app.update_location("l", parent_location_id=""), pb.Location)
    assert_type(app.list_robots(), List[pb.Robot])
    assert_type(app.new_robot("scout"), str)
    assert_type(app.get_robot_parts("r"), List[RobotPart])
    assert_type(app.get_robot_part("p", "config.json", indent=2), RobotPart)
    assert_type(app.get_robot_part_history("p", start=datetime.now()), List[RobotPartHistoryEntry])
    assert_type(app.rotate_key("k"), Tuple[str, str])
    app.update_robot_part("p", "brain", {"components": []}, last_known_update=datetime.now())
    app.update_robot_metadata("r", {"colour": "red"})


def part(found: RobotPart) -> None:
    assert_type(found.created_on, Optional[datetime])
    assert_type(found.proto, pb.RobotPart)
    assert_type(RobotPart.from_proto(found.proto), RobotPart)


def failures(app: AppClient) -> str:
    try:
        app.delete_robot("r")
    except NotFoundError as error:
        return error.message
    except GRPCError as error:
        assert_type(error.details(), str)
        assert_type(error.code(), StatusCode)
        assert_type([detail.type_url for detail in error.details], List[Any])
        assert_type([entry.key for entry in error.trailing_metadata()], List[str])
        return error.status.name
    except RpcError as error:
        return f"{error.code()}: {error.details()}"
    return ""


def mistakes(app: AppClient) -> None:
    app.get_robot(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    app.get_robot()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    app.get_robot("r", 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
