"""The RPCs about revisions of fragments: their history, tags and usage."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import required
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.fleet.fragments import (
    fragment_tags,
    fragment_usage,
    get_visible_fragment,
    require_fragment_reader,
    with_organization,
)
from viam_sync.sandbox.fleet.usage import Usage

# The largest integer of SQLite.
_LAST = 2**63 - 1


class FragmentHistoryServicer:
    """The RPCs of AppService about the revisions of fragments."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetFragmentHistory(
        self, request: pb.GetFragmentHistoryRequest, caller: Caller
    ) -> pb.GetFragmentHistoryResponse:
        """List the edits of a fragment, newest first: all of them, or a page of ``page_limit``."""
        before = _decode_page_token(request.page_token) if request.page_token else _LAST
        if request.page_limit < 0:
            raise invalid_argument(
                f"page_limit is {request.page_limit}; give a positive number, or none for everything."
            )
        limit = min(request.page_limit or _LAST, _LAST - 2)
        row = self._world.get("fragment", request.id)
        require_fragment_reader(caller, row["organization_id"])
        sql = "SELECT * FROM fragment_revisions WHERE fragment_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
        revisions = self._world.store.rows(sql, row["id"], before, limit + 2)
        response = pb.GetFragmentHistoryResponse()
        # An edit is the step from one revision to the next, so the first revision is none.
        for new, old in list(zip(revisions, revisions[1:]))[:limit]:
            response.history.add(
                fragment=row["id"],
                edited_on=timestamp(new["created"]),
                old=with_organization(self._world, pb.Fragment.FromString(old["body"])),
                edited_by=pb.AuthenticatorInfo.FromString(new["editor"]),
                revision=new["revision"],
                config=pb.Fragment.FromString(new["body"]).fragment,
            )
        if len(revisions) > limit + 1:
            response.next_page_token = f"revision-{revisions[limit - 1]['id']}"
        return response

    def GetFragmentUsage(self, request: pb.GetFragmentUsageRequest, caller: Caller) -> pb.GetFragmentUsageResponse:
        """Return the usage of each version of a fragment; the first one, without a version, follows the newest."""
        row = get_visible_fragment(self._world, request.fragment_id, caller)
        current = {grant.organization_id for grant in caller.grants}
        uses = sorted(Usage(self._world).by_version(row["id"]).items())
        usages = [fragment_usage(row["id"], each, current, version or None) for version, each in uses]
        return pb.GetFragmentUsageResponse(version_usages=usages)

    def SetFragmentTag(self, request: pb.SetFragmentTagRequest, caller: Caller) -> pb.SetFragmentTagResponse:
        """Set a tag to a revision."""
        tag = required(request.tag, "The tag")
        revision = required(request.revision, "The revision")
        row = self._world.get("fragment", request.fragment_id)
        caller.require("write_fragment", "organization", row["organization_id"])
        sql = "SELECT 1 FROM fragment_revisions WHERE fragment_id = ? AND revision = ?"
        if self._world.store.row(sql, row["id"], revision) is None:
            raise not_found(
                f"The fragment {row['name']!r} has no revision {revision[:256]!r}; "
                "get_fragment_history shows its revisions."
            )
        self._world.store.run("INSERT OR REPLACE INTO fragment_tags VALUES (?, ?, ?)", row["id"], tag, revision)
        return pb.SetFragmentTagResponse(tags=fragment_tags(self._world, row["id"]))

    def DeleteFragmentTag(self, request: pb.DeleteFragmentTagRequest, caller: Caller) -> pb.DeleteFragmentTagResponse:
        """Delete a tag; its revision stays."""
        tag = required(request.tag, "The tag")
        row = self._world.get("fragment", request.fragment_id)
        caller.require("write_fragment", "organization", row["organization_id"])
        if not self._world.store.run("DELETE FROM fragment_tags WHERE fragment_id = ? AND tag = ?", row["id"], tag):
            raise not_found(f"The fragment {row['name']!r} has no tag {tag[:256]!r}; get_fragment shows its tags.")
        return pb.DeleteFragmentTagResponse(tags=fragment_tags(self._world, row["id"]))


def _decode_page_token(token: str) -> int:
    number = token[len("revision-") :]
    if not token.startswith("revision-") or not number.isdecimal() or len(number) > 18:
        raise invalid_argument(
            "The page token is none that this call returned; leave it out to begin at the newest edit."
        )
    return int(number)
