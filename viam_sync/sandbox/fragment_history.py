"""The revisions of fragments: their history, their tags, and who uses which."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox import checks
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.errors import invalid_argument, not_found
from viam_sync.sandbox.fragments import find_visible, require_reader, tags_of, usage_of, with_organization
from viam_sync.sandbox.usage import Usage
from viam_sync.sandbox.world import World, timestamp

# As far as SQLite counts.
_LAST = 2**63 - 1


class FragmentHistory:
    """The RPCs of AppService about the revisions of fragments."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetFragmentHistory(
        self, request: pb.GetFragmentHistoryRequest, caller: Caller
    ) -> pb.GetFragmentHistoryResponse:
        """List the edits of a fragment, newest first: all, or a page of ``page_limit``."""
        before = _place(request.page_token) if request.page_token else _LAST
        if request.page_limit < 0:
            raise invalid_argument(
                f"page_limit is {request.page_limit}; give a positive number, or none for everything."
            )
        limit = min(request.page_limit or _LAST, _LAST - 2)
        row = self._world.find("fragment", request.id)
        require_reader(caller, row["organization_id"])
        sql = "SELECT * FROM fragment_revisions WHERE fragment_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
        revisions = self._world.store.rows(sql, row["id"], before, limit + 2)
        response = pb.GetFragmentHistoryResponse()
        # An edit leads from one revision to the next; so the first one of all is not an edit.
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
        """Count who uses each version of a fragment; those that follow the newest come first, without a version."""
        row = find_visible(self._world, request.fragment_id, caller)
        current = {grant.organization_id for grant in caller.grants}
        uses = sorted(Usage(self._world).by_version(row["id"]).items())
        usages = [usage_of(row["id"], each, current, version or None) for version, each in uses]
        return pb.GetFragmentUsageResponse(version_usages=usages)

    def SetFragmentTag(self, request: pb.SetFragmentTagRequest, caller: Caller) -> pb.SetFragmentTagResponse:
        """Point a tag at a revision."""
        tag = checks.required(request.tag, "The tag")
        revision = checks.required(request.revision, "The revision")
        row = self._world.find("fragment", request.fragment_id)
        caller.require("write_fragment", "organization", row["organization_id"])
        sql = "SELECT 1 FROM fragment_revisions WHERE fragment_id = ? AND revision = ?"
        if self._world.store.row(sql, row["id"], revision) is None:
            raise not_found(
                f"The fragment {row['name']!r} has no revision {revision[:256]!r}; "
                "get_fragment_history shows its revisions."
            )
        self._world.store.run("INSERT OR REPLACE INTO fragment_tags VALUES (?, ?, ?)", row["id"], tag, revision)
        return pb.SetFragmentTagResponse(tags=tags_of(self._world, row["id"]))

    def DeleteFragmentTag(self, request: pb.DeleteFragmentTagRequest, caller: Caller) -> pb.DeleteFragmentTagResponse:
        """Delete a tag; the revision that it points at stays."""
        tag = checks.required(request.tag, "The tag")
        row = self._world.find("fragment", request.fragment_id)
        caller.require("write_fragment", "organization", row["organization_id"])
        if not self._world.store.run("DELETE FROM fragment_tags WHERE fragment_id = ? AND tag = ?", row["id"], tag):
            raise not_found(f"The fragment {row['name']!r} has no tag {tag[:256]!r}; get_fragment shows its tags.")
        return pb.DeleteFragmentTagResponse(tags=tags_of(self._world, row["id"]))


def _place(token: str) -> int:
    number = token[len("revision-") :]
    if not token.startswith("revision-") or not number.isdecimal() or len(number) > 18:
        raise invalid_argument(
            "The page token is none that this call returned; leave it out to begin at the newest edit."
        )
    return int(number)
