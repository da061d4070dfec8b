"""The RPCs about registry items: modules, models and training scripts."""

from __future__ import annotations

import sqlite3
from typing import Any

from viam_sync.proto import app as pb
from viam_sync.proto.app.packages import PackageType
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import checked_item_name, required
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.usage import Usage
from viam_sync.sandbox.registry.items import (
    METADATA,
    MODULE,
    checked_visibility,
    create_item,
    get_item,
    item_to_message,
    replace_fields,
    require_may_become,
    require_may_change,
    require_visible,
    save_item,
)
from viam_sync.sandbox.registry.search import items_page
from viam_sync.sandbox.registry.triplets import check_models


class RegistryItemsServicer:
    """The RPCs of AppService about registry items of any type."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRegistryItem(self, request: pb.GetRegistryItemRequest, caller: Caller) -> pb.GetRegistryItemResponse:
        """Return an item."""
        row = get_item(self._world, request.item_id, caller)
        require_visible(row, caller)
        item = item_to_message(self._world, row, Usage(self._world), request.include_markdown_documentation)
        return pb.GetRegistryItemResponse(item=item)

    def CreateRegistryItem(
        self, request: pb.CreateRegistryItemRequest, caller: Caller
    ) -> pb.CreateRegistryItemResponse:
        """Create a private item without a version."""
        type = _checked_type(request.type)
        name = checked_item_name(request.name, METADATA[type][1])
        organization = self._world.organization(request.organization_id)
        caller.require("write_private_registry_item", "organization", organization.id)
        create_item(self._world, organization.id, name, type)
        return pb.CreateRegistryItemResponse()

    def UpdateRegistryItem(
        self, request: pb.UpdateRegistryItemRequest, caller: Caller
    ) -> pb.UpdateRegistryItemResponse:
        """Replace the description and the visibility of an item, and the other fields that are set in the request."""
        type = _checked_type(request.type)
        visibility = checked_visibility(request.visibility)
        given = request.WhichOneof("metadata")
        if given not in (None, f"update_{METADATA[type][0]}"):
            raise invalid_argument(f"{given} is not for a {METADATA[type][1]}; send update_{METADATA[type][0]}.")
        _check_metadata(request)
        row = get_item(self._world, request.item_id, caller)
        require_may_change(row, caller)
        if row["type"] != type:
            raise invalid_argument(
                f"{row['item_id']!r} is a {METADATA[row['type']][1]} and cannot become a {METADATA[type][1]}; "
                f"send the type {PackageType.Name(row['type'])}."
            )
        require_may_become(self._world, row, visibility)
        item = pb.RegistryItem.FromString(row["body"])
        item.visibility = visibility
        item.description = request.description
        if request.HasField("url"):
            item.url = request.url
        if request.HasField("billing"):
            item.billing.CopyFrom(request.billing)
        if given:
            update = getattr(request, given)
            replace_fields(getattr(item, METADATA[type][0]), update, [field.name for field in update.DESCRIPTOR.fields])
        # Only modules have a field for documentation.
        if type == MODULE and request.HasField("markdown_description"):
            item.module_metadata.markdown_description = request.markdown_description
        save_item(self._world, row, item)
        return pb.UpdateRegistryItemResponse()

    def ListRegistryItems(self, request: pb.ListRegistryItemsRequest, caller: Caller) -> pb.ListRegistryItemsResponse:
        """List a page of the items that the caller may read, ordered by ID; its token is the ID before the page."""
        return pb.ListRegistryItemsResponse(items=items_page(self._world, request, caller))

    def DeleteRegistryItem(
        self, request: pb.DeleteRegistryItemRequest, caller: Caller
    ) -> pb.DeleteRegistryItemResponse:
        """Delete an item that no machine uses, with its versions and files; its name stays reserved."""
        row = get_item(self._world, request.item_id, caller)
        require_may_change(row, caller)
        machines = {use.robot_id for use in Usage(self._world).of_item(row)}
        if machines:
            raise failed_precondition(
                f"{len(machines)} machines use {row['item_id']!r}; "
                "take it out of the configuration of their parts first (update_robot_part)."
            )
        store = self._world.store
        store.discard(
            each["file_id"] for each in store.rows("SELECT file_id FROM module_files WHERE item = ?", row["id"])
        )
        store.run("DELETE FROM item_versions WHERE item = ?", row["id"])
        store.update("items", row["id"], deleted=1, body=b"")
        return pb.DeleteRegistryItemResponse()

    def DeprecateRegistryItem(
        self, request: pb.DeprecateRegistryItemRequest, caller: Caller
    ) -> pb.DeprecateRegistryItemResponse:
        """Deprecate an item with a message, which hides it from the lists of other organizations."""
        row = get_item(self._world, request.item_id, caller)
        require_may_change(row, caller)
        item = pb.RegistryItem.FromString(row["body"])
        item.deprecated_status.CopyFrom(self._deprecated(request.message))
        save_item(self._world, row, item)
        return pb.DeprecateRegistryItemResponse()

    def UndeprecateRegistryItem(
        self, request: pb.UndeprecateRegistryItemRequest, caller: Caller
    ) -> pb.UndeprecateRegistryItemResponse:
        """Undo the deprecation of an item."""
        row = get_item(self._world, request.item_id, caller)
        require_may_change(row, caller)
        item = pb.RegistryItem.FromString(row["body"])
        item.ClearField("deprecated_status")
        save_item(self._world, row, item)
        return pb.UndeprecateRegistryItemResponse()

    def DeprecateRegistryItemVersion(
        self, request: pb.DeprecateRegistryItemVersionRequest, caller: Caller
    ) -> pb.DeprecateRegistryItemVersionResponse:
        """Deprecate a version of a module with a message."""
        row = self._version(request.item_id, request.version, caller)
        version = pb.ModuleVersion.FromString(row["body"])
        version.deprecated_status.CopyFrom(self._deprecated(request.message))
        self._save_version(row, version)
        return pb.DeprecateRegistryItemVersionResponse()

    def UndeprecateRegistryItemVersion(
        self, request: pb.UndeprecateRegistryItemVersionRequest, caller: Caller
    ) -> pb.UndeprecateRegistryItemVersionResponse:
        """Undo the deprecation of a version."""
        row = self._version(request.item_id, request.version, caller)
        version = pb.ModuleVersion.FromString(row["body"])
        version.ClearField("deprecated_status")
        self._save_version(row, version)
        return pb.UndeprecateRegistryItemVersionResponse()

    def _deprecated(self, message: str) -> pb.DeprecatedStatus:
        return pb.DeprecatedStatus(deprecated_at=self._world.now(), message=message)

    def _version(self, item_id: str, version: str, caller: Caller) -> sqlite3.Row:
        required(version, "The version")
        item = get_item(self._world, item_id, caller)
        require_may_change(item, caller)
        sql = "SELECT * FROM item_versions WHERE item = ? AND version = ?"
        row = self._world.store.row(sql, item["id"], version)
        if row is None:
            raise not_found(
                f"{item['item_id']!r} has no version {version[:256]!r}; get_registry_item shows its versions."
            )
        return row

    def _save_version(self, row: sqlite3.Row, version: pb.ModuleVersion) -> None:
        sql = "UPDATE item_versions SET body = ? WHERE item = ? AND version = ?"
        self._world.store.run(sql, version.SerializeToString(), row["item"], row["version"])


def _checked_type(type: int) -> Any:
    if type not in METADATA:
        names = ", ".join(PackageType.Name(each) for each in METADATA)
        raise invalid_argument(f"The type of the registry item is not given or not one of {names}; choose one of them.")
    return type


def _check_metadata(request: pb.UpdateRegistryItemRequest) -> None:
    if request.HasField("update_module_metadata"):
        required(request.update_module_metadata.entrypoint, "The entrypoint of the module")
        check_models(request.update_module_metadata.models)
