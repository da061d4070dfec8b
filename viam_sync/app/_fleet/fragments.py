"""The methods of AppClient that return fragments as records."""

from __future__ import annotations

from datetime import datetime
from typing import Any, List, Mapping, Optional

from viam_sync.app._fleet.fragment_records import Fragment, FragmentHistoryEntry
from viam_sync.checks import parameter_names, require, wrong_type, wrong_word
from viam_sync.proto import app as pb
from viam_sync.rpc.policies import IDEMPOTENT
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Pages

_FRAGMENT_HISTORY = PagedCall(
    methods.GET_FRAGMENT_HISTORY, items_in("history", FragmentHistoryEntry.from_proto), size="page_limit"
)


class FragmentsMixin(Service):
    """Methods for fragments."""

    def list_fragments(
        self,
        org_id: str,
        show_public: bool = True,
        visibilities: Optional[List[Fragment.Visibility]] = None,
        *,
        timeout: Optional[float] = None,
    ) -> List[Fragment]:
        """List the fragments that an organization can use: its own, and the public ones of all.

        Args:
            org_id: ID of the organization, a UUID.
            show_public: True for the public ones only, False for the organization's private ones only.
            visibilities: Only fragments of these visibilities; it takes precedence over ``show_public``.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The fragments.

        Raises:
            TypeError: If ``visibilities`` is no list; nothing was asked.
            ValueError: If one of them is no ``Fragment.Visibility``; nothing was asked.
            NotFoundError: If there is no such organization.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> fragments = app.list_fragments(sandbox.organization_id, show_public=False)
            >>> [fragment.name for fragment in fragments]
            ['data-capture']
        """
        require(org_id=org_id)
        if visibilities is not None and not isinstance(visibilities, (list, tuple)):
            raise wrong_type("visibilities", "a list of Fragment.Visibility", visibilities)
        wanted = [_visibility("visibilities", visibility).to_proto() for visibility in visibilities or ()]
        with parameter_names(organization_id="org_id"):
            request = pb.ListFragmentsRequest(
                organization_id=org_id, show_public=show_public, fragment_visibility=wanted
            )
        response: pb.ListFragmentsResponse = self._unary_unary(methods.LIST_FRAGMENTS, request, timeout)
        return [Fragment.from_proto(fragment, tz=self._options.tz) for fragment in response.fragments]

    def get_fragment(
        self, fragment_id: str, version: Optional[str] = None, *, timeout: Optional[float] = None
    ) -> Fragment:
        """Get a fragment.

        Args:
            fragment_id: ID of the fragment, a UUID.
            version: Revision or tag to get; None for the newest revision.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The fragment.

        Raises:
            NotFoundError: If there is no such fragment, or no such version of it.
            PermissionDeniedError: If it is private to an organization that the caller has no role in.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> fragment = app.get_fragment(sandbox.fragment_id)
            >>> print(fragment.name, fragment.robot_part_count)
            data-capture 1
        """
        require(fragment_id=fragment_id)
        with parameter_names(id="fragment_id"):
            request = pb.GetFragmentRequest(id=fragment_id, version=version)
        response: pb.GetFragmentResponse = self._unary_unary(methods.GET_FRAGMENT, request, timeout)
        return Fragment.from_proto(response.fragment, tz=self._options.tz)

    def create_fragment(
        self,
        org_id: str,
        name: str,
        config: Optional[Mapping[str, Any]] = None,
        *,
        visibility: Optional[Fragment.Visibility] = None,
        timeout: Optional[float] = None,
    ) -> Fragment:
        """Create a fragment, which is private unless another visibility is named.

        Args:
            org_id: ID of the organization that shall own it, a UUID.
            name: Name of the fragment, unique within the organization.
            config: Its configuration; None for an empty one, to be filled in by `update_fragment`.
            visibility: Its visibility; None for private.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The new fragment.

        Raises:
            ValueError: If ``visibility`` is no ``Fragment.Visibility``; nothing was asked.
            AlreadyExistsError: If the organization has a fragment of this name.
            InvalidArgumentError: If the name is empty.
            NotFoundError: If there is no such organization.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> arm = {"name": "arm", "api": "rdk:component:arm", "model": "rdk:builtin:fake"}
            >>> fragment = app.create_fragment(sandbox.organization_id, "fake-arm", {"components": [arm]})
            >>> fragment.visibility.value
            'private'
        """
        require(org_id=org_id, name=name)
        seen_by = None if visibility is None else _visibility("visibility", visibility).to_proto()
        with parameter_names(organization_id="org_id"):
            request = pb.CreateFragmentRequest(name=name, config=config, organization_id=org_id, visibility=seen_by)
        response: pb.CreateFragmentResponse = self._unary_unary(methods.CREATE_FRAGMENT, request, timeout)
        return Fragment.from_proto(response.fragment, tz=self._options.tz)

    def update_fragment(
        self,
        fragment_id: str,
        name: str,
        config: Optional[Mapping[str, Any]] = None,
        public: Optional[bool] = None,
        visibility: Optional[Fragment.Visibility] = None,
        last_known_update: Optional[datetime] = None,
        *,
        fragment_config_json: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Fragment:
        """Rename a fragment, and change its configuration and who can see it where these are given.

        Args:
            fragment_id: ID of the fragment, a UUID.
            name: Name of the fragment from now on.
            config: The whole new configuration; None leaves the old one, and ``{}`` empties it.
            public: Whether it is public; None leaves that as it is.
            visibility: Its new visibility, which takes precedence over ``public``; None leaves it as it is.
            last_known_update: When the fragment last changed as far as the caller knows; if it has changed since,
                nothing is done.
            fragment_config_json: The configuration as JSON, which keeps integers apart from floats; it takes precedence
                over ``config``.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The fragment after the change.

        Raises:
            ValueError: If ``visibility`` is no ``Fragment.Visibility``; nothing was asked.
            FailedPreconditionError: If the fragment has changed since ``last_known_update``, if it shall be public
                but its organization has no namespace, or if fragments would contain each other or nest too deep.
            NotFoundError: If there is no such fragment.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> fragment = app.get_fragment(sandbox.fragment_id)
            >>> changed = app.update_fragment(fragment.id, "capture", last_known_update=fragment.last_updated)
            >>> print(changed.name, changed.fragment == fragment.fragment)
            capture True
        """
        require(fragment_id=fragment_id, name=name)
        with parameter_names(id="fragment_id"):
            request = pb.UpdateFragmentRequest(
                id=fragment_id,
                name=name,
                config=config,
                public=public,
                visibility=None if visibility is None else _visibility("visibility", visibility).to_proto(),
                last_known_update=last_known_update,
                fragment_config_json=fragment_config_json,
            )
        method = methods.UPDATE_FRAGMENT
        # With a last known update, a second attempt would be rejected because of the change that the first one made.
        if last_known_update is None:
            method = method._replace(policy=IDEMPOTENT)
        response: pb.UpdateFragmentResponse = self._unary_unary(method, request, timeout)
        return Fragment.from_proto(response.fragment, tz=self._options.tz)

    def get_fragment_history(
        self,
        id: str,
        page_token: Optional[str] = "",
        page_limit: Optional[int] = 10,
        *,
        timeout: Optional[float] = None,
    ) -> List[FragmentHistoryEntry]:
        """List the changes of a fragment.

        Args:
            id: ID of the fragment, a UUID.
            page_token: Token of the page to get; empty for the first.
            page_limit: How many changes at most; None leaves it to the service.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The changes, each with the fragment as it was before.

        Raises:
            NotFoundError: If there is no such fragment.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> changed = app.update_fragment(sandbox.fragment_id, "capture")
            >>> app.get_fragment_history(sandbox.fragment_id)[0].old.name
            'data-capture'
        """
        require(id=id)
        request = pb.GetFragmentHistoryRequest(id=id, page_token=page_token, page_limit=page_limit)
        response: pb.GetFragmentHistoryResponse = self._unary_unary(methods.GET_FRAGMENT_HISTORY, request, timeout)
        return [FragmentHistoryEntry.from_proto(entry, tz=self._options.tz) for entry in response.history]

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
            >>> changed = app.update_fragment(sandbox.fragment_id, "capture")
            >>> [change.old.name for change in app.iter_fragment_history(sandbox.fragment_id, limit=1)]
            ['data-capture']
        """
        require(id=id)
        request = pb.GetFragmentHistoryRequest(id=id)
        return _FRAGMENT_HISTORY.with_times_in(self._options.tz).pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )


def _visibility(parameter: str, given: object) -> Fragment.Visibility:
    try:
        return Fragment.Visibility(given)
    except (ValueError, RecursionError):  # its message would show the whole value
        members = ", ".join(str(member) for member in Fragment.Visibility)
    raise wrong_word(parameter, f"a Fragment.Visibility ({members})", given)
