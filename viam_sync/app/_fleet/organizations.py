"""The method of AppClient that changes organizations."""

from __future__ import annotations

from typing import Optional, Sequence, Union

from google.protobuf.message import Message

from viam_sync.checks import parameter_names, require
from viam_sync.proto import app as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class Organizations(Service):
    """Methods for organizations."""

    def update_organization(
        self,
        org_id: str,
        name: Optional[str] = None,
        public_namespace: Optional[str] = None,
        region: Optional[str] = None,
        cid: Optional[str] = None,
        *,
        default_fragments: Optional[Union[Sequence[pb.FragmentImport], pb.FragmentImportList]] = None,
        allowed_login_methods: Optional[pb.AllowedLoginMethods] = None,
        timeout: Optional[float] = None,
    ) -> pb.Organization:
        """Change the settings of an organization; those left out stay as they are.

        The public namespace can be set here only while there is none; setting it changes the prefix of the
        organization's registry item and module IDs. The region cannot be changed once data has been synced.

        Args:
            org_id: ID of the organization, a UUID.
            name: New name; left out, the name stays.
            public_namespace: Public namespace, lowercase letters, digits and dashes, where none is set yet; left out,
                it stays.
            region: Region to store data in, us-central or eu-west; left out, the region stays.
            cid: ID of the organization in the CRM; left out, the ID stays.
            default_fragments: Fragments that the configuration of new machines starts with; an empty list for none,
                and left out, they stay.
            allowed_login_methods: Ways for the members to log in; left out, they stay.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The organization after the change.

        Raises:
            TypeError: If ``default_fragments`` is no list of fragments, or another argument is of the wrong type.
            NotFoundError: If there is no such organization.
            FailedPreconditionError: If it has a namespace already, or a region that its data is tied to.
            AlreadyExistsError: If another organization has the namespace.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> organization = cloud.update_organization(sandbox.organization_id, name="Evening School")
            >>> organization.name
            'Evening School'
        """
        require(org_id=org_id)
        if default_fragments is not None and not isinstance(default_fragments, Message):
            with parameter_names(fragments="default_fragments"):
                default_fragments = pb.FragmentImportList(fragments=default_fragments)
        with parameter_names(organization_id="org_id"):
            request = pb.UpdateOrganizationRequest(
                organization_id=org_id,
                name=name,
                public_namespace=public_namespace,
                region=region,
                cid=cid,
                default_fragments=default_fragments,
                allowed_login_methods=allowed_login_methods,
            )
        # The namespace can be set only once, so sending it again would fail.
        response: pb.UpdateOrganizationResponse = self._unary_unary(methods.UPDATE_ORGANIZATION, request, timeout)
        return response.organization
