"""The model of registry items: lookup, creation, visibility and conversion to messages."""

from __future__ import annotations

import sqlite3
from typing import Any, Collection, List, Optional

from viam_sync.proto import app as pb
from viam_sync.proto.app.packages import PackageType
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import HINTS
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.fleet.usage import Usage
from viam_sync.sandbox.registry.modules import clear_markdown, module_versions

MODULE = PackageType.PACKAGE_TYPE_MODULE
ML_MODEL = PackageType.PACKAGE_TYPE_ML_MODEL

#: For each type of item, the field with its metadata, and its name in error messages.
METADATA = {
    MODULE: ("module_metadata", "module"),
    ML_MODEL: ("ml_model_metadata", "model"),
    PackageType.PACKAGE_TYPE_ML_TRAINING: ("ml_training_metadata", "training script"),
}

PRIVATE_ITEM = pb.Visibility.VISIBILITY_PRIVATE
PUBLIC_ITEM = pb.Visibility.VISIBILITY_PUBLIC
_VISIBILITIES = (PRIVATE_ITEM, PUBLIC_ITEM, pb.Visibility.VISIBILITY_PUBLIC_UNLISTED)


def get_item(world: World, item_id: str, caller: Optional[Caller] = None, kind: str = "registry item") -> sqlite3.Row:
    """Return the row of an item.

    The prefix of the ID is the namespace or the ID of its organization. A name without a prefix refers to the item of
    an organization that the caller has a role in, or else to the one that is not private.

    Args:
        world: The state of the sandbox.
        item_id: The ID.
        caller: The caller.
        kind: "registry item", or "module" to find only modules.

    Raises:
        CallError: INVALID_ARGUMENT if the ID is malformed or ambiguous, NOT_FOUND if no item has it.
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
        rows = _items_named(world, name, caller)
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


def create_item(world: World, organization_id: str, name: str, type: PackageType.ValueType) -> sqlite3.Row:
    """Create a private item, and return its row.

    Raises:
        CallError: ALREADY_EXISTS if the organization has, or had, an item of this name.
    """
    taken = world.store.row("SELECT * FROM items WHERE organization_id = ? AND name = ?", organization_id, name)
    if taken is not None:
        had = "had a registry item" if taken["deleted"] else f"has a {METADATA[taken['type']][1]}"
        raise already_exists(
            f"The organization {had} named {name!r}; choose another name"
            f"{', since that of a deleted item is not free again' if taken['deleted'] else ''}."
        )
    now = world.now()
    item = pb.RegistryItem(name=name, type=type, visibility=PRIVATE_ITEM, created_at=now, updated_at=now)
    item.organization_id = organization_id
    getattr(item, METADATA[type][0]).SetInParent()
    world.store.insert(
        "items",
        organization_id=organization_id,
        name=name,
        type=type,
        visibility=PRIVATE_ITEM,
        body=item.SerializeToString(),
    )
    return get_item(world, f"{organization_id}:{name}")


def save_item(world: World, row: sqlite3.Row, item: pb.RegistryItem) -> None:
    """Save the changes of an item."""
    item.updated_at.CopyFrom(world.now())
    world.store.update("items", row["id"], visibility=item.visibility, body=item.SerializeToString())


def require_visible(row: sqlite3.Row, caller: Caller) -> None:
    """Require that an item is not private, or that the caller may read private items of its organization.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    if row["visibility"] == PRIVATE_ITEM:
        caller.require("read_private_registry_item", "organization", row["organization_id"])


def require_may_change(row: sqlite3.Row, caller: Caller) -> None:
    """Require that the caller owns the organization of an item.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    kind = "private" if row["visibility"] == PRIVATE_ITEM else "public"
    caller.require(f"write_{kind}_registry_item", "organization", row["organization_id"])


def checked_visibility(visibility: pb.Visibility.ValueType) -> pb.Visibility.ValueType:
    """Return a visibility that is set and exists.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    if visibility not in _VISIBILITIES:
        names = ", ".join(pb.Visibility.Name(each) for each in _VISIBILITIES)
        raise invalid_argument(f"The visibility is not given or not known; choose one of {names}.")
    return visibility


def require_may_become(world: World, row: sqlite3.Row, visibility: int) -> None:
    """Require that the visibility of an item can be changed to another one.

    Raises:
        CallError: FAILED_PRECONDITION if the item would be public and its organization has no namespace, or if it would
            be private and other organizations use it.
    """
    if visibility != PRIVATE_ITEM and row["namespace"] is None:
        raise failed_precondition(
            f"The organization of {row['item_id']!r} has no public namespace, which public items need; "
            "choose one first (update_organization, public_namespace)."
        )
    if visibility == PRIVATE_ITEM and row["visibility"] != PRIVATE_ITEM:
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


def item_to_message(world: World, row: sqlite3.Row, usage: Usage, markdown: bool) -> pb.RegistryItem:
    """Return an item with all derived fields; ``markdown`` says whether to include its documentation."""
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


def replace_fields(target: Any, source: Any, names: Collection[str]) -> None:
    """Copy fields from one message to another; those that are not set are cleared."""
    for name in names:
        target.ClearField(name)
    values = {field.name: value for field, value in source.ListFields() if field.name in names}
    target.MergeFrom(target.__class__(**values))


def _items_named(world: World, name: str, caller: Optional[Caller]) -> List[sqlite3.Row]:
    rows = world.store.rows("SELECT * FROM registry WHERE name = ?", name)
    own = [row for row in rows if caller is not None and caller.belongs_to(row["organization_id"])]
    return own or [row for row in rows if row["visibility"] != PRIVATE_ITEM]
