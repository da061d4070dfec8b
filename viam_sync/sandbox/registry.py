"""The items of the registry: how they are found, made and shown, and who may see and change them."""

from __future__ import annotations

import sqlite3
from typing import Any, Collection, List, Optional

from viam_sync.proto import app as pb
from viam_sync.proto.app.mltraining import ModelFramework, ModelType
from viam_sync.proto.app.packages import PackageType
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.checks import HINTS
from viam_sync.sandbox.errors import already_exists, failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.usage import Usage
from viam_sync.sandbox.versions import precedence
from viam_sync.sandbox.world import World, timestamp

MODULE = PackageType.PACKAGE_TYPE_MODULE
ML_MODEL = PackageType.PACKAGE_TYPE_ML_MODEL

#: The field with what is special about the items of each type, and what such an item is called.
METADATA = {
    MODULE: ("module_metadata", "module"),
    ML_MODEL: ("ml_model_metadata", "model"),
    PackageType.PACKAGE_TYPE_ML_TRAINING: ("ml_training_metadata", "training script"),
}

PRIVATE = pb.Visibility.VISIBILITY_PRIVATE
PUBLIC = pb.Visibility.VISIBILITY_PUBLIC
_VISIBILITIES = (PRIVATE, PUBLIC, pb.Visibility.VISIBILITY_PUBLIC_UNLISTED)


def find_item(world: World, item_id: str, caller: Optional[Caller] = None, kind: str = "registry item") -> sqlite3.Row:
    """Return the row of an item, which has its ID, as of now, and the prefix of that too.

    The ID may begin with the namespace of the organization or with its ID. A name alone will do too: it means the
    item of an organization that the caller has a role in, or else the only one that others can see.

    Raises:
        CallError: INVALID_ARGUMENT if the ID is malformed or could mean several items, NOT_FOUND if nothing has it.
    """
    prefix, colon, name = item_id.rpartition(":")
    if not name or (colon and not prefix) or ":" in prefix:
        raise invalid_argument(
            f"{item_id[:64]!r} is no {kind} ID, which is the namespace or the ID of an organization, a colon and a "
            f"name; {HINTS[kind]}."
        )
    if colon:
        rows = world.store.rows(
            "SELECT * FROM registry WHERE name = ? AND ? IN (organization_id, namespace)", name, prefix
        )
    else:
        rows = _named(world, name, caller)
    if kind == "module":
        rows = [row for row in rows if row["type"] == MODULE]
    if not rows:
        raise not_found(f"No {kind} has the ID {item_id[:256]!r}; {HINTS[kind]}.")
    if len(rows) > 1:
        raise invalid_argument(
            f"Several organizations have a {kind} named {name!r}; put the namespace or the ID of one before it, "
            f"such as {rows[0]['item_id']!r}."
        )
    return rows[0]


def add_model_version(
    world: World,
    organization_id: str,
    name: str,
    version: str,
    type: ModelType.ValueType = ModelType.MODEL_TYPE_UNSPECIFIED,
    framework: ModelFramework.ValueType = ModelFramework.MODEL_FRAMEWORK_UNSPECIFIED,
) -> str:
    """Add a version to the model of an organization that has this name, which is made if it is not there.

    Returns:
        The ID of the model in the registry.

    Raises:
        CallError: ALREADY_EXISTS if the model has this version, or if the name belongs to something else.
    """
    sql = "SELECT * FROM registry WHERE organization_id = ? AND name = ? AND type = ?"
    row = world.store.row(sql, organization_id, name, ML_MODEL)
    if row is None:
        row = create_item(world, organization_id, name, ML_MODEL)
        item = pb.RegistryItem.FromString(row["body"])
        item.ml_model_metadata.model_type = type
        item.ml_model_metadata.model_framework = framework
        save_item(world, row, item)
    if world.store.row("SELECT 1 FROM item_versions WHERE item = ? AND version = ?", row["id"], version):
        raise already_exists(f"The model {row['item_id']!r} has the version {version!r} already; choose another one.")
    world.store.insert("item_versions", item=row["id"], version=version, created=world.microseconds())
    return str(row["item_id"])


def create_item(world: World, organization_id: str, name: str, type: PackageType.ValueType) -> sqlite3.Row:
    """Make a private item, and return its row.

    Raises:
        CallError: ALREADY_EXISTS if the organization has, or had, one of this name.
    """
    taken = world.store.row("SELECT * FROM items WHERE organization_id = ? AND name = ?", organization_id, name)
    if taken is not None:
        had = "had a registry item" if taken["deleted"] else f"has a {METADATA[taken['type']][1]}"
        raise already_exists(
            f"The organization {had} named {name!r}; choose another name"
            f"{', since that of a deleted item is not free again' if taken['deleted'] else ''}."
        )
    now = world.now()
    item = pb.RegistryItem(name=name, type=type, visibility=PRIVATE, created_at=now, updated_at=now)
    item.organization_id = organization_id
    getattr(item, METADATA[type][0]).SetInParent()
    world.store.insert(
        "items",
        organization_id=organization_id,
        name=name,
        type=type,
        visibility=PRIVATE,
        body=item.SerializeToString(),
    )
    return find_item(world, f"{organization_id}:{name}")


def save_item(world: World, row: sqlite3.Row, item: pb.RegistryItem) -> None:
    """Keep what has changed of an item."""
    item.updated_at.CopyFrom(world.now())
    world.store.update("items", row["id"], visibility=item.visibility, body=item.SerializeToString())


def require_visible(row: sqlite3.Row, caller: Caller) -> None:
    """Go on only if the caller may see an item: all may, unless it is private.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    if row["visibility"] == PRIVATE:
        caller.require("read_private_registry_item", "organization", row["organization_id"])


def require_may_change(row: sqlite3.Row, caller: Caller) -> None:
    """Go on only if the caller owns the organization of an item.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    kind = "private" if row["visibility"] == PRIVATE else "public"
    caller.require(f"write_{kind}_registry_item", "organization", row["organization_id"])


def checked_visibility(visibility: pb.Visibility.ValueType) -> pb.Visibility.ValueType:
    """Return a visibility that says something.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    if visibility not in _VISIBILITIES:
        names = ", ".join(pb.Visibility.Name(each) for each in _VISIBILITIES)
        raise invalid_argument(f"The visibility is not given or not known; choose one of {names}.")
    return visibility


def require_may_become(world: World, row: sqlite3.Row, visibility: int) -> None:
    """Go on only if an item can have a visibility.

    Raises:
        CallError: FAILED_PRECONDITION if all could see it and its organization has no namespace, or if it is to be
            private and other organizations use it.
    """
    if visibility != PRIVATE and row["namespace"] is None:
        raise failed_precondition(
            f"The organization of {row['item_id']!r} has no public namespace, which public items need; "
            "choose one first (update_organization, public_namespace)."
        )
    if visibility == PRIVATE and row["visibility"] != PRIVATE:
        others = {use.organization_id for use in Usage(world).of_item(row)} - {row["organization_id"]}
        if others:
            raise failed_precondition(
                f"{len(others)} other organizations use {row['item_id']!r}, so it has to stay public; "
                "you can deprecate it instead (deprecate_registry_item)."
            )


def with_versions(world: World, row: sqlite3.Row) -> pb.RegistryItem:
    """Return an item with its ID and its versions."""
    item = pb.RegistryItem.FromString(row["body"])
    item.item_id = row["item_id"]
    item.public_namespace = row["namespace"] or ""
    if row["type"] == MODULE:
        item.module_metadata.versions.extend(module_versions(world, row["id"]))
        return item
    metadata: Any = getattr(item, METADATA[row["type"]][0])
    of_model = row["type"] == ML_MODEL
    sql = "SELECT version, created FROM item_versions WHERE item = ? ORDER BY created, rowid"
    for version in world.store.rows(sql, row["id"]):
        made = (metadata.detailed_versions if of_model else metadata.versions).add()
        made.version = version["version"]
        made.created_on.CopyFrom(timestamp(version["created"]))
        if of_model:
            metadata.versions.append(version["version"])
    return item


def shown_item(world: World, row: sqlite3.Row, usage: Usage, markdown: bool) -> pb.RegistryItem:
    """Return an item with all that depends on other things; its documentation in Markdown only if that is wanted."""
    item = with_versions(world, row)
    uses = usage.of_item(row)
    external = [use for use in uses if use.organization_id != row["organization_id"]]
    item.total_robot_usage = len({use.robot_id for use in uses})
    item.total_external_robot_usage = len({use.robot_id for use in external})
    item.total_organization_usage = len({use.organization_id for use in uses})
    item.total_external_organization_usage = len({use.organization_id for use in external})
    if row["type"] == MODULE and not markdown:
        clear_markdown(item.module_metadata)
    return item


def module_versions(world: World, item: int) -> List[pb.ModuleVersion]:
    """Return the versions of a module in their order, each with its files."""
    rows = world.store.rows("SELECT version, body FROM item_versions WHERE item = ?", item)
    versions = {row["version"]: pb.ModuleVersion.FromString(row["body"]) for row in rows}
    for row in world.store.rows("SELECT * FROM module_files WHERE item = ? ORDER BY rowid", item):
        versions[row["version"]].files.add(platform=row["platform"], uploaded_at=timestamp(row["uploaded"]))
    return [versions[version] for version in sorted(versions, key=precedence)]


def replace_fields(target: Any, source: Any, names: Collection[str]) -> None:
    """Give fields of a message the values of the fields with the same names in another; what that lacks is cleared."""
    for name in names:
        target.ClearField(name)
    values = {field.name: value for field, value in source.ListFields() if field.name in names}
    target.MergeFrom(target.__class__(**values))


def clear_markdown(module: Any) -> None:
    """Take the documentation in Markdown from a module, or from its metadata in the registry."""
    for each in (module, *module.versions):
        each.ClearField("markdown_description")
        for model in each.models:
            model.ClearField("markdown_documentation")


def _named(world: World, name: str, caller: Optional[Caller]) -> List[sqlite3.Row]:
    rows = world.store.rows("SELECT * FROM registry WHERE name = ?", name)
    own = [row for row in rows if caller is not None and caller.belongs_to(row["organization_id"])]
    return own or [row for row in rows if row["visibility"] != PRIVATE]
