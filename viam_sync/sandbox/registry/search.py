"""Searching the registry, page by page."""

from __future__ import annotations

import json
import sqlite3
from typing import Iterable, Iterator, List, Set

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.usage import Usage
from viam_sync.sandbox.registry.items import METADATA, MODULE, PUBLIC_ITEM, item_to_message, with_versions
from viam_sync.sandbox.registry.platforms import checked_platform, runs_on

_PAGE = 50


def items_page(world: World, request: pb.ListRegistryItemsRequest, caller: Caller) -> List[pb.RegistryItem]:
    """Return a page of the items that a request asks for.

    These are the public items, and the private ones of the organization in the request, or of all organizations of the
    caller where it is left out or empty.
    """
    for platform in _platforms(request):
        checked_platform(platform)
    organizations = {grant.organization_id for grant in caller.grants}
    if request.organization_id:
        organization = world.organization(request.organization_id)
        caller.require_role_in(organization.id)
        organizations = {organization.id}
    private = with_private_items(caller, organizations)
    usage = Usage(world, of_many=True)
    found: List[pb.RegistryItem] = []
    for row in visible_items(world, private, _decode_page_token(world, request.page_token)):
        item = with_versions(world, row)
        own = row["organization_id"] in private
        if item.HasField("deprecated_status") and not (own and request.show_owned_deprecated):
            continue
        if all(_tests(item, request)):
            found.append(item_to_message(world, row, usage, request.include_markdown_documentation))
            if len(found) == _PAGE:
                break
    return found


def with_private_items(caller: Caller, organizations: Iterable[str]) -> Set[str]:
    """Return those of some organizations whose private items the caller may read."""
    return {each for each in organizations if caller.may("read_private_registry_item", "organization", each)}


def visible_items(world: World, organizations: Iterable[str], after: str = "") -> List[sqlite3.Row]:
    """Return the rows of the public items and of all items of some organizations, ordered by ID, after an ID."""
    sql = (
        "SELECT * FROM registry WHERE item_id > ?"
        " AND (visibility = ? OR organization_id IN (SELECT value FROM json_each(?))) ORDER BY item_id"
    )
    return world.store.rows(sql, after, PUBLIC_ITEM, json.dumps(sorted(organizations)))


def _decode_page_token(world: World, token: str) -> str:
    """Return the ID before a page; the ID in the token changes when its organization gets a namespace."""
    prefix, colon, name = token.partition(":")
    if token and not colon:
        raise invalid_argument("The page token is none of this call: it is the ID of the last item of the page before.")
    row = world.store.row("SELECT namespace FROM organizations WHERE id = ?", prefix)
    return token if row is None or row["namespace"] is None else f"{row['namespace']}:{name}"


def _tests(item: pb.RegistryItem, request: pb.ListRegistryItemsRequest) -> Iterator[bool]:
    """Yield whether an item matches each filter of a request; an empty filter matches every item."""
    module = item.module_metadata
    asked = request.search_term.lower()
    yield not request.types or item.type in request.types
    yield not request.visibilities or item.visibility in request.visibilities
    yield not request.statuses or _status(item) in request.statuses
    yield not request.public_namespaces or item.public_namespace in request.public_namespaces
    yield not request.module_source_types or module.source_type in request.module_source_types
    yield not request.module_languages or module.language in request.module_languages
    yield any(asked in text.lower() for text in (item.item_id, item.description))
    # Only modules have platforms.
    platforms = _platforms(request)
    yield item.type != MODULE or not platforms or _runs_on_one(item, platforms)


def _platforms(request: pb.ListRegistryItemsRequest) -> List[str]:
    """Return the platforms that a request names; an empty one is none, as in the example of the official SDK."""
    return [platform for platform in request.platforms if platform]


def _status(item: pb.RegistryItem) -> pb.RegistryItemStatus.ValueType:
    versions = getattr(item, METADATA[item.type][0]).versions
    status = pb.RegistryItemStatus
    return status.REGISTRY_ITEM_STATUS_PUBLISHED if versions else status.REGISTRY_ITEM_STATUS_IN_DEVELOPMENT


def _runs_on_one(item: pb.RegistryItem, platforms: Iterable[str]) -> bool:
    files = {file.platform for version in item.module_metadata.versions for file in version.files}
    return any(runs_on(file, platform) for file in files for platform in platforms)
