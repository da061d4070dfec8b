"""The resources that a role can be held on: their organization, and their deletion."""

from __future__ import annotations

from viam_sync.sandbox.core.world import World

# Blobs are deleted with an organization only: captured data outlives its machine and its location.
_BLOBS = (
    "SELECT file_id FROM (SELECT f.file_id, c.organization_id FROM files f JOIN captures c ON c.id = f.capture_id"
    " UNION ALL SELECT m.file_id, i.organization_id FROM module_files m JOIN items i ON i.id = m.item)"
    " WHERE organization_id = ?"
)


def delete_resource(world: World, resource_type: str, id: str) -> None:
    """Delete an organization, location or robot with all that belongs to it, and the keys that had no other role."""
    keys = world.store.rows("SELECT DISTINCT key_id FROM grants WHERE resource_id = ? AND key_id IS NOT NULL", id)
    parts = world.store.rows("SELECT id FROM parts WHERE robot_id = ?", id)
    world.store.discard(row["file_id"] for row in world.store.rows(_BLOBS, id))
    world.store.run(f"DELETE FROM {resource_type}s WHERE id = ?", id)
    for row in parts:
        world.feed.wake(row["id"])
    for row in keys:
        world.store.run(
            "DELETE FROM keys WHERE id = ? AND NOT EXISTS (SELECT 1 FROM grants WHERE key_id = keys.id)", row["key_id"]
        )


def organization_of_resource(world: World, resource_type: str, resource_id: str) -> str:
    """Return the ID of the organization that an organization, location or robot belongs to."""
    row = world.get(resource_type, resource_id)
    if resource_type == "organization":
        return str(row["id"])
    return world.organization_of(row["location_id"] if resource_type == "robot" else row["id"])
