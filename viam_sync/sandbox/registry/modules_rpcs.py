"""The RPCs about modules, and uploads of their versions."""

from __future__ import annotations

import sqlite3
from typing import Iterator

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import already_exists, invalid_argument
from viam_sync.sandbox.core.request_checks import checked_item_name, required
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.usage import Usage
from viam_sync.sandbox.registry.archives import check_archive
from viam_sync.sandbox.registry.items import (
    MODULE,
    checked_visibility,
    create_item,
    get_item,
    replace_fields,
    require_may_become,
    require_may_change,
    require_visible,
    save_item,
)
from viam_sync.sandbox.registry.modules import clear_markdown, module_versions
from viam_sync.sandbox.registry.platforms import checked_platform
from viam_sync.sandbox.registry.search import visible_items, with_private_items
from viam_sync.sandbox.registry.triplets import check_models
from viam_sync.sandbox.registry.versions import checked_version

# The fields that a module and its registry item have in common, and those that their versions have in common.
_ITEM_FIELDS = ("name", "visibility", "url", "description", "organization_id", "public_namespace", "deprecated_status")
_MODULE_FIELDS = ("models", "entrypoint", "first_run", "apps", "markdown_description")
_VERSION_FIELDS = ("version", "files", "deprecated_status", *_MODULE_FIELDS)


class ModulesServicer:
    """The RPCs of AppService about modules."""

    def __init__(self, world: World) -> None:
        self._world = world

    def CreateModule(self, request: pb.CreateModuleRequest, caller: Caller) -> pb.CreateModuleResponse:
        """Create a private module without a version."""
        name = checked_item_name(request.name, "module")
        organization = self._world.organization(request.organization_id)
        caller.require("write_private_registry_item", "organization", organization.id)
        row = create_item(self._world, organization.id, name, MODULE)
        return pb.CreateModuleResponse(module_id=row["item_id"], url=_url(row))

    def UpdateModule(self, request: pb.UpdateModuleRequest, caller: Caller) -> pb.UpdateModuleResponse:
        """Replace the metadata of a module; that of its versions stays."""
        required(request.entrypoint, "The entrypoint of the module")
        check_models(request.models)
        visibility = checked_visibility(request.visibility)
        row = get_item(self._world, request.module_id, caller, "module")
        require_may_change(row, caller)
        require_may_become(self._world, row, visibility)
        item = pb.RegistryItem.FromString(row["body"])
        item.visibility = visibility
        item.url = request.url
        item.description = request.description
        replace_fields(item.module_metadata, request, _MODULE_FIELDS)
        save_item(self._world, row, item)
        return pb.UpdateModuleResponse(url=_url(row))

    def GetModule(self, request: pb.GetModuleRequest, caller: Caller) -> pb.GetModuleResponse:
        """Return a module."""
        row = get_item(self._world, request.module_id, caller, "module")
        require_visible(row, caller)
        module = self._to_message(row, Usage(self._world), request.include_markdown_documentation)
        return pb.GetModuleResponse(module=module)

    def ListModules(self, request: pb.ListModulesRequest, caller: Caller) -> pb.ListModulesResponse:
        """List the public modules, and all modules of the organization in the request, if it names one."""
        own = set()
        if request.organization_id:
            organization = self._world.organization(request.organization_id)
            caller.require_role_in(organization.id)
            own = with_private_items(caller, [organization.id])
        usage = Usage(self._world, of_many=True)
        modules = [
            self._to_message(row, usage, request.include_markdown_documentation)
            for row in visible_items(self._world, own)
            if row["type"] == MODULE
        ]
        # Deprecated modules are hidden from other organizations.
        visible = [each for each in modules if each.organization_id in own or not each.HasField("deprecated_status")]
        return pb.ListModulesResponse(modules=visible)

    def UploadModuleFile(
        self, requests: Iterator[pb.UploadModuleFileRequest], caller: Caller
    ) -> pb.UploadModuleFileResponse:
        """Store the file of a version for a platform, when it is complete."""
        first = next(requests, pb.UploadModuleFileRequest())
        if not first.HasField("module_file_info"):
            raise invalid_argument("The upload does not begin with a module_file_info; send one before the file.")
        info = first.module_file_info
        checked_version(info.version)
        checked_platform(info.platform)
        store = self._world.store
        with store.transaction():
            self._require_new_file(info, caller)
            file_id = self._world.ids.file()
        with store.new_blob(file_id):
            with store.blobs.writing(file_id) as file:
                for request in requests:
                    if request.WhichOneof("module_file") != "file":
                        raise invalid_argument(
                            "A message after the first has no chunk of the file; send only chunks there."
                        )
                    file.write(request.file)
            check_archive(store.blobs.path(file_id))
            with store.transaction():
                # The state may have changed during the upload: the module may be deleted, or have this version.
                row = self._require_new_file(info, caller)
                self._add_file(row, info, file_id)
                return pb.UploadModuleFileResponse(url=_url(row))

    def _require_new_file(self, info: pb.ModuleFileInfo, caller: Caller) -> sqlite3.Row:
        """Return the row of the module of a file, if the caller may upload it and it does not exist yet."""
        row = get_item(self._world, info.module_id, caller, "module")
        require_may_change(row, caller)
        sql = "SELECT 1 FROM module_files WHERE item = ? AND version = ? AND platform = ?"
        if self._world.store.row(sql, row["id"], info.version, info.platform):
            raise already_exists(
                f"{row['item_id']!r} has a file of version {info.version!r} for {info.platform!r} already, and that "
                "cannot be replaced; upload the new one as a new version."
            )
        return row

    def _add_file(self, row: sqlite3.Row, info: pb.ModuleFileInfo, file_id: str) -> None:
        """Add a file to a version; a new version is created with the present metadata of the module."""
        store, now = self._world.store, self._world.microseconds()
        if not store.row("SELECT 1 FROM item_versions WHERE item = ? AND version = ?", row["id"], info.version):
            metadata = pb.RegistryItem.FromString(row["body"]).module_metadata
            version = pb.ModuleVersion(version=info.version)
            replace_fields(version, metadata, (*_MODULE_FIELDS, "min_viam_server_version"))
            store.insert(
                "item_versions", item=row["id"], version=info.version, created=now, body=version.SerializeToString()
            )
        store.insert(
            "module_files",
            file_id=file_id,
            item=row["id"],
            version=info.version,
            platform=info.platform,
            uploaded=now,
        )

    def _to_message(self, row: sqlite3.Row, usage: Usage, markdown: bool) -> pb.Module:
        item = pb.RegistryItem.FromString(row["body"])
        item.public_namespace = row["namespace"] or ""
        module = pb.Module(module_id=row["item_id"])
        replace_fields(module, item, _ITEM_FIELDS)
        replace_fields(module, item.module_metadata, _MODULE_FIELDS)
        for version in module_versions(self._world, row["id"]):
            replace_fields(module.versions.add(), version, _VERSION_FIELDS)
        uses = usage.of_item(row)
        module.total_robot_usage = len({use.robot_id for use in uses})
        module.total_organization_usage = len({use.organization_id for use in uses})
        if not markdown:
            clear_markdown(module)
        return module


def _url(row: sqlite3.Row) -> str:
    return f"https://app.viam.com/module/{row['prefix']}/{row['name']}"
