"""The methods of AppClient that return fragments as records."""

from __future__ import annotations

from datetime import datetime
from typing import Any, List, Mapping, Optional

from viam_sync.app._fleet.fragment_records import Fragment, FragmentHistoryEntry
from viam_sync.checks import parameter_names, require, wrong_type, wrong_word
from viam_sync.proto import app as pb
from viam_sync.rpc.retry import IDEMPOTENT, NON_IDEMPOTENT, READ
from viam_sync.rpc.service import Service


class Fragments(Service):
    """Methods for fragments."""

    def list_fragments(
        self,
        org_id: str,
        show_public: bool = True,
        *,
        visibilities: Optional[List[Fragment.Visibility]] = None,
        timeout: Optional[float] = None,
    ) -> List[Fragment]:
        """List the fragments that an organization can use: its own, and the public ones of all.

        Args:
            org_id: ID of the organization, a UUID.
            show_public: True for the public ones only, False for the organization's private ones only.
            visibilities: Only fragments that are seen by these; it goes before ``show_public``.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The fragments.

        Raises:
            TypeError: If ``visibilities`` is no list; nothing was asked.
            ValueError: If one of them is no ``Fragment.Visibility``; nothing was asked.
            NotFoundError: If there is no such organization.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> fragments = cloud.list_fragments(sandbox.organization_id, show_public=False)
            >>> [fragment.name for fragment in fragments]
            ['data-capture']
        """
        require(org_id=org_id)
        if visibilities is not None and not isinstance(visibilities, (list, tuple)):
            raise wrong_type("visibilities", "a list of Fragment.Visibility", visibilities)
        wanted = [_checked("visibilities", visibility).to_proto() for visibility in visibilities or ()]
        with parameter_names(organization_id="org_id"):
            request = pb.ListFragmentsRequest(
                organization_id=org_id, show_public=show_public, fragment_visibility=wanted
            )
        response: pb.ListFragmentsResponse = self._call("ListFragments", request, READ, timeout)
        return [Fragment.from_proto(fragment) for fragment in response.fragments]

    def get_fragment(
        self, fragment_id: str, *, version: Optional[str] = None, timeout: Optional[float] = None
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
            >>> fragment = cloud.get_fragment(sandbox.fragment_id)
            >>> print(fragment.name, fragment.robot_part_count)
            data-capture 1
        """
        require(fragment_id=fragment_id)
        with parameter_names(id="fragment_id"):
            request = pb.GetFragmentRequest(id=fragment_id, version=version)
        response: pb.GetFragmentResponse = self._call("GetFragment", request, READ, timeout)
        return Fragment.from_proto(response.fragment)

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
            visibility: Who shall see it; None for its organization alone.
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
            >>> fragment = cloud.create_fragment(sandbox.organization_id, "fake-arm", {"components": [arm]})
            >>> fragment.visibility.value
            'private'
        """
        require(org_id=org_id, name=name)
        seen_by = None if visibility is None else _checked("visibility", visibility).to_proto()
        with parameter_names(organization_id="org_id"):
            request = pb.CreateFragmentRequest(name=name, config=config, organization_id=org_id, visibility=seen_by)
        response: pb.CreateFragmentResponse = self._call(
            "CreateFragment", request, NON_IDEMPOTENT, timeout, look="list_fragments"
        )
        return Fragment.from_proto(response.fragment)

    def update_fragment(
        self,
        fragment_id: str,
        name: str,
        config: Optional[Mapping[str, Any]] = None,
        public: Optional[bool] = None,
        *,
        visibility: Optional[Fragment.Visibility] = None,
        last_known_update: Optional[datetime] = None,
        fragment_config_json: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Fragment:
        """Rename a fragment, and change its configuration and who can see it where these are given.

        Args:
            fragment_id: ID of the fragment, a UUID.
            name: Name of the fragment from now on.
            config: The whole new configuration; None leaves the old one, and ``{}`` empties it.
            public: Whether everyone shall see it; None leaves that as it is.
            visibility: Who shall see it; it goes before ``public``, and None leaves that as it is.
            last_known_update: When the fragment last changed as far as the caller knows; if it has changed since,
                nothing is done.
            fragment_config_json: The configuration as JSON, which keeps integers apart from floats; it goes before
                ``config``.
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
            >>> fragment = cloud.get_fragment(sandbox.fragment_id)
            >>> changed = cloud.update_fragment(fragment.id, "capture", last_known_update=fragment.last_updated)
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
                visibility=None if visibility is None else _checked("visibility", visibility).to_proto(),
                last_known_update=last_known_update,
                fragment_config_json=fragment_config_json,
            )
        # Against a last known update, a second attempt would be refused for what the first one did.
        policy = IDEMPOTENT if last_known_update is None else NON_IDEMPOTENT
        response: pb.UpdateFragmentResponse = self._call(
            "UpdateFragment", request, policy, timeout, look="get_fragment"
        )
        return Fragment.from_proto(response.fragment)

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
            >>> changed = cloud.update_fragment(sandbox.fragment_id, "capture")
            >>> cloud.get_fragment_history(sandbox.fragment_id)[0].old.name
            'data-capture'
        """
        require(id=id)
        request = pb.GetFragmentHistoryRequest(id=id, page_token=page_token, page_limit=page_limit)
        response: pb.GetFragmentHistoryResponse = self._call("GetFragmentHistory", request, READ, timeout)
        return [FragmentHistoryEntry.from_proto(entry) for entry in response.history]


def _checked(parameter: str, given: object) -> Fragment.Visibility:
    try:
        return Fragment.Visibility(given)
    except (ValueError, RecursionError):  # its message shows what was given, however deep
        members = ", ".join(str(member) for member in Fragment.Visibility)
    raise wrong_word(parameter, f"a Fragment.Visibility ({members})", given)
