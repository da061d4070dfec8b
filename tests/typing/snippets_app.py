"""The documented type of what each method of AppClient returns is inferred."""

from typing import List, Tuple

from typing_extensions import assert_type

from viam_sync.app.app_client import (
    APIKeyAuthorization,
    AppClient,
    Fragment,
    FragmentHistoryEntry,
    LogEntry,
    RobotPart,
    RobotPartHistoryEntry,
)
from viam_sync.proto import app as pb
from viam_sync.proto.app import packages


def organizations(app: AppClient) -> None:
    assert_type(app.get_user_id_by_email("ada@example.com"), str)
    assert_type(app.create_organization("Night School"), pb.Organization)
    assert_type(app.list_organizations(), List[pb.Organization])
    assert_type(app.get_organizations_with_access_to_location("l"), List[pb.OrganizationIdentity])
    assert_type(app.list_organizations_by_user("u"), List[pb.OrgDetails])
    assert_type(app.get_organization("o"), pb.Organization)
    assert_type(app.get_organization_namespace_availability("acme"), bool)
    assert_type(app.update_organization("o", "Name", default_fragments=[pb.FragmentImport()]), pb.Organization)
    assert_type(app.delete_organization("o"), None)


def members(app: AppClient) -> None:
    roles = [pb.Authorization(authorization_id="organization_owner")]
    assert_type(app.list_organization_members("o"), Tuple[List[pb.OrganizationMember], List[pb.OrganizationInvite]])
    assert_type(app.create_organization_invite("o", "ada@example.com", roles), pb.OrganizationInvite)
    assert_type(
        app.update_organization_invite_authorizations("o", "ada@example.com", roles, None), pb.OrganizationInvite
    )
    assert_type(app.delete_organization_member("o", "u"), None)
    assert_type(app.delete_organization_invite("o", "ada@example.com"), None)
    assert_type(app.resend_organization_invite("o", "ada@example.com"), pb.OrganizationInvite)


def locations(app: AppClient) -> None:
    assert_type(app.create_location("o", "Shelf", "l"), pb.Location)
    assert_type(app.get_location(), pb.Location)
    assert_type(app.update_location("l", "Shelf", ""), pb.Location)
    assert_type(app.delete_location("l"), None)
    assert_type(app.list_locations("o"), List[pb.Location])
    assert_type(app.share_location("o", "l"), None)
    assert_type(app.unshare_location("o", "l"), None)
    assert_type(app.location_auth(), pb.LocationAuth)
    assert_type(app.create_location_secret(), pb.LocationAuth)
    assert_type(app.delete_location_secret("s"), None)


def machines(app: AppClient) -> None:
    assert_type(app.get_robot("r"), pb.Robot)
    assert_type(app.get_rover_rental_robots("o"), List[pb.RoverRentalRobot])
    assert_type(app.get_robot_api_keys("r"), List[pb.APIKeyWithAuthorizations])
    assert_type(app.list_robots("l"), List[pb.Robot])
    assert_type(app.new_robot("scout"), str)
    assert_type(app.update_robot("r", "scout"), pb.Robot)
    assert_type(app.delete_robot("r"), None)


def parts(app: AppClient) -> None:
    assert_type(app.get_robot_parts("r"), List[RobotPart])
    assert_type(app.get_robot_part("p", "part.json"), RobotPart)
    assert_type(app.get_robot_part_history("p"), List[RobotPartHistoryEntry])
    assert_type(app.update_robot_part("p", "brain", {"components": []}), RobotPart)
    assert_type(app.set_config_property("p", {"debug": True}), List[pb.ConfigPropertyChangeResult])
    assert_type(app.new_robot_part("r", "arm"), str)
    assert_type(app.delete_robot_part("p"), None)
    assert_type(app.mark_part_as_main("p"), None)
    assert_type(app.mark_part_for_restart("p"), None)
    assert_type(app.create_robot_part_secret("p"), RobotPart)
    assert_type(app.delete_robot_part_secret("p", "s"), None)


def logs(app: AppClient) -> List[str]:
    assert_type(app.get_robot_part_logs("p", "text", None, ["error"], 5), List[LogEntry])
    found: List[str] = []
    with app.tail_robot_part_logs("p", errors_only=False) as stream:
        assert_type(stream.next(), List[LogEntry])
        for entries in stream:
            assert_type(entries, List[LogEntry])
            found += [entry.message for entry in entries]
    return found


def fragments(app: AppClient) -> None:
    assert_type(app.list_fragments("o", visibilities=[Fragment.Visibility.PUBLIC]), List[Fragment])
    assert_type(app.get_fragment("f"), Fragment)
    assert_type(app.create_fragment("o", "wheels", {"components": []}), Fragment)
    assert_type(app.update_fragment("f", "wheels", None, True), Fragment)
    assert_type(app.get_fragment_history("f"), List[FragmentHistoryEntry])
    assert_type(app.delete_fragment("f"), None)


def roles(app: AppClient) -> None:
    assert_type(app.add_role("o", "u", "owner", "robot", "r"), None)
    assert_type(app.remove_role("o", "u", "operator", "location", "l"), None)
    assert_type(app.change_role("o", "u", "operator", "robot", "r", "v", "owner", "organization", "o"), None)
    assert_type(app.list_authorizations("o", ["r"]), List[pb.Authorization])
    asked = [pb.AuthorizedPermissions(resource_id="r", permissions=["read_robot"])]
    assert_type(app.check_permissions(asked), List[pb.AuthorizedPermissions])
    app.add_role("o", "u", "king", "robot", "r")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def registry(app: AppClient) -> None:
    kind, public = packages.PackageType.PACKAGE_TYPE_MODULE, pb.Visibility.VISIBILITY_PUBLIC
    assert_type(app.get_registry_item("acme:arm"), pb.RegistryItem)
    assert_type(app.create_registry_item("o", "arm", kind), None)
    assert_type(app.update_registry_item("acme:arm", kind, "Words.", public), None)
    assert_type(app.list_registry_items("o", [kind], [public], [], []), List[pb.RegistryItem])
    assert_type(app.delete_registry_item("acme:arm"), None)
    assert_type(app.create_module("o", "arm"), Tuple[str, str])
    assert_type(app.update_module("acme:arm", "https://a", "Words.", [pb.Model()], "run.sh"), str)
    assert_type(app.upload_module_file(pb.ModuleFileInfo(module_id="acme:arm"), b"contents"), str)
    assert_type(app.get_module("acme:arm"), pb.Module)
    assert_type(app.list_modules("o"), List[pb.Module])


def keys(app: AppClient) -> None:
    assert_type(app.create_key("o", [APIKeyAuthorization("owner", "robot", "r")], "mine"), Tuple[str, str])
    assert_type(app.delete_key("k"), None)
    assert_type(app.create_key_from_existing_key_authorizations("k"), Tuple[str, str])
    assert_type(app.list_keys("o"), List[pb.APIKeyWithAuthorizations])
    assert_type(app.rotate_key("k"), Tuple[str, str])
