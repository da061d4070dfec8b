"""The methods of AppClient that go through all pages of histories and of the registry."""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Sequence, Tuple

from viam_sync.app._fleet.fragment_records import FragmentHistoryEntry
from viam_sync.app._fleet.records import RobotPartHistoryEntry
from viam_sync.checks import parameter_names, require
from viam_sync.proto import app as pb
from viam_sync.proto.app import packages as packages_pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Page, Pages

_PART_HISTORY = PagedCall(
    methods.GET_ROBOT_PART_HISTORY, items_in("history", RobotPartHistoryEntry.from_proto), size="page_limit"
)
_FRAGMENT_HISTORY = PagedCall(
    methods.GET_FRAGMENT_HISTORY, items_in("history", FragmentHistoryEntry.from_proto), size="page_limit"
)


def _read_registry_items(
    request: pb.ListRegistryItemsRequest, response: pb.ListRegistryItemsResponse
) -> Tuple[Page[pb.RegistryItem], str]:
    last = response.items[-1].item_id if response.items else ""
    # A service that ignores the token sends the same page for ever.
    return ([], "") if last == request.page_token else (response.items, last)


_REGISTRY_ITEMS = PagedCall(methods.LIST_REGISTRY_ITEMS, _read_registry_items)


class FleetIterators(Service):
    """Methods that return iterators over histories and the registry."""

    def iter_robot_part_history(
        self,
        robot_part_id: str,
        *,
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[RobotPartHistoryEntry]:
        """Go through all changes of a part, the newest first.

        Args:
            robot_part_id: ID of the part, a UUID.
            start: Only changes from this time on; without a time zone it is UTC.
            end: Only changes before this time; without a time zone it is UTC.
            page_size: Changes in a page, up to 100.
            limit: How many changes at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the changes, each with the part as it was before; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            NotFoundError: While iterating, if there is no such part.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> part_id = cloud.new_robot_part(sandbox.robot_id, "arm")
            >>> part = cloud.update_robot_part(part_id, "left arm")
            >>> [change.old.name for change in cloud.iter_robot_part_history(part_id)]
            ['arm']
        """
        require(robot_part_id=robot_part_id)
        with parameter_names(id="robot_part_id"):
            request = pb.GetRobotPartHistoryRequest(id=robot_part_id, start=start, end=end)
        return _PART_HISTORY.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

    def iter_fragment_history(
        self,
        id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[FragmentHistoryEntry]:
        """Go through all changes of a fragment.

        Args:
            id: ID of the fragment, a UUID.
            page_size: Changes in a page, up to 100.
            limit: How many changes at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the changes, each with the fragment as it was before; nothing is asked before the first one
            is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            NotFoundError: While iterating, if there is no such fragment.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> changed = cloud.update_fragment(sandbox.fragment_id, "capture")
            >>> [change.old.name for change in cloud.iter_fragment_history(sandbox.fragment_id, limit=1)]
            ['data-capture']
        """
        require(id=id)
        request = pb.GetFragmentHistoryRequest(id=id)
        return _FRAGMENT_HISTORY.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

    def iter_registry_items(
        self,
        organization_id: Optional[str] = None,
        *,
        types: Sequence[packages_pb.PackageType.ValueType] = (),
        visibilities: Sequence[pb.Visibility.ValueType] = (),
        platforms: Sequence[str] = (),
        statuses: Sequence[pb.RegistryItemStatus.ValueType] = (),
        search_term: Optional[str] = None,
        public_namespaces: Sequence[str] = (),
        include_markdown_documentation: Optional[bool] = None,
        module_source_types: Sequence[pb.ModuleSourceType.ValueType] = (),
        module_languages: Sequence[pb.ModuleLanguage.ValueType] = (),
        show_owned_deprecated: Optional[bool] = None,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.RegistryItem]:
        """Go through all items of the registry that match.

        The caller sees the private items of its own organization and the public ones of all. As an answer says nothing
        of the next page, that is asked for by the ID of the last item.

        Args:
            organization_id: ID of the organization, a UUID; None for all.
            types: Types to return; empty for all.
            visibilities: Visibilities to return; empty for all.
            platforms: Platforms that the items must support, such as ``linux/arm64``; empty for all.
            statuses: Statuses to return; empty for all.
            search_term: Text to search for; None for all.
            public_namespaces: Namespaces to return items of; empty for all.
            include_markdown_documentation: Whether to include the documentation in Markdown.
            module_source_types: Kinds of module source to return; empty for all.
            module_languages: Programming languages of modules to return; empty for all.
            show_owned_deprecated: Whether to return deprecated items of the caller's organization too.
            limit: How many items at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the items; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``limit`` is negative.
            NotFoundError: While iterating, if there is no such organization.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> [item.name for item in cloud.iter_registry_items(sandbox.organization_id, search_term="soil")]
            ['soil-sensor']
        """
        request = pb.ListRegistryItemsRequest(
            organization_id=organization_id,
            types=types,
            visibilities=visibilities,
            platforms=platforms,
            statuses=statuses,
            search_term=search_term,
            public_namespaces=public_namespaces,
            include_markdown_documentation=include_markdown_documentation,
            module_source_types=module_source_types,
            module_languages=module_languages,
            show_owned_deprecated=show_owned_deprecated,
        )
        return _REGISTRY_ITEMS.pages(self._unary_unary, request, limit=limit, prefetch=prefetch, timeout=timeout)
