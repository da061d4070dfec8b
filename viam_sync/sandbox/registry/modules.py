"""The model of modules: their versions, and their documentation."""

from __future__ import annotations

from typing import Any, List

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.registry.versions import precedence


def module_versions(world: World, item: int) -> List[pb.ModuleVersion]:
    """Return the versions of a module in the order of precedence, each with its files."""
    rows = world.store.rows("SELECT version, body FROM item_versions WHERE item = ?", item)
    versions = {row["version"]: pb.ModuleVersion.FromString(row["body"]) for row in rows}
    for row in world.store.rows("SELECT * FROM module_files WHERE item = ? ORDER BY rowid", item):
        versions[row["version"]].files.add(platform=row["platform"], uploaded_at=timestamp(row["uploaded"]))
    return [versions[version] for version in sorted(versions, key=precedence)]


def clear_markdown(module: Any) -> None:
    """Clear the documentation in Markdown of a module, or of the metadata of its registry item."""
    for each in (module, *module.versions):
        each.ClearField("markdown_description")
        for model in each.models:
            model.ClearField("markdown_documentation")
