"""The methods of AppClient for organizations, and for the locations and machines in them."""

from __future__ import annotations

from typing import List, Optional, Sequence, Union

from google.protobuf.message import Message

from viam_sync.checks import parameter_names, require
from viam_sync.proto import app as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class OrganizationsMixin(Service):
    """Methods for organizations, and for the locations and machines in them.

    Those with an optional ``location_id`` fall back to the location that the client was made with.
    """

    _location_id: Optional[str]

    def update_organization(
        self,
        org_id: str,
        name: Optional[str] = None,
        public_namespace: Optional[str] = None,
        region: Optional[str] = None,
        cid: Optional[str] = None,
        default_fragments: Optional[Union[Sequence[pb.FragmentImport], pb.FragmentImportList]] = None,
        *,
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
            >>> organization = app.update_organization(sandbox.organization_id, name="Evening School")
            >>> organization.name
            'Evening School'
        """
        require(org_id=org_id)
        if default_fragments is not None and not isinstance(default_fragments, Message):
            with parameter_names(fragments="default_fragments"):
                default_fragments = pb.FragmentImportList(fragments=default_fragments)
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

    def get_location(self, location_id: Optional[str] = None, *, timeout: Optional[float] = None) -> pb.Location:
        """Get a location.

        Args:
            location_id: ID of the location, ten lowercase letters and digits; None for the client's own.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The location.

        Raises:
            NotFoundError: If there is no such location.
            InvalidArgumentError: If no ID is given, and the client has no location of its own.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> location = app.get_location(sandbox.location_id)
            >>> location.name
            'Workshop'
        """
        request = pb.GetLocationRequest(location_id=self._or_own(location_id))
        response: pb.GetLocationResponse = self._unary_unary(methods.GET_LOCATION, request, timeout)
        return response.location

    def location_auth(self, location_id: Optional[str] = None, *, timeout: Optional[float] = None) -> pb.LocationAuth:
        """Get the secrets of a location.

        Args:
            location_id: ID of the location, ten lowercase letters and digits; None for the client's own.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The secrets.

        Raises:
            NotFoundError: If there is no such location.
            InvalidArgumentError: If no ID is given, and the client has no location of its own.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> auth = app.location_auth(sandbox.location_id)
            >>> len(auth.secrets)
            1
        """
        request = pb.LocationAuthRequest(location_id=self._or_own(location_id))
        response: pb.LocationAuthResponse = self._unary_unary(methods.LOCATION_AUTH, request, timeout)
        return response.auth

    def create_location_secret(
        self, location_id: Optional[str] = None, *, timeout: Optional[float] = None
    ) -> pb.LocationAuth:
        """Give a location another secret; it can have two at a time.

        Args:
            location_id: ID of the location, ten lowercase letters and digits; None for the client's own.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            All secrets of the location, the new one included.

        Raises:
            FailedPreconditionError: If it has two already.
            NotFoundError: If there is no such location.
            InvalidArgumentError: If no ID is given, and the client has no location of its own.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> auth = app.create_location_secret(sandbox.location_id)
            >>> len(auth.secrets)
            2
        """
        request = pb.CreateLocationSecretRequest(location_id=self._or_own(location_id))
        response: pb.CreateLocationSecretResponse = self._unary_unary(methods.CREATE_LOCATION_SECRET, request, timeout)
        return response.auth

    def delete_location_secret(
        self, secret_id: str, location_id: Optional[str] = None, *, timeout: Optional[float] = None
    ) -> None:
        """Delete a secret of a location; clients that still use it are refused from then on.

        Args:
            secret_id: ID of the secret, a UUID.
            location_id: ID of the location, ten lowercase letters and digits; None for the client's own.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            NotFoundError: If the location or the secret does not exist.
            InvalidArgumentError: If no location is given, and the client has none of its own.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> auth = app.create_location_secret(sandbox.location_id)
            >>> app.delete_location_secret(auth.secrets[-1].id, sandbox.location_id)
        """
        require(secret_id=secret_id)
        request = pb.DeleteLocationSecretRequest(location_id=self._or_own(location_id), secret_id=secret_id)
        self._unary_unary(methods.DELETE_LOCATION_SECRET, request, timeout)

    def list_robots(self, location_id: Optional[str] = None, *, timeout: Optional[float] = None) -> List[pb.Robot]:
        """List the machines of a location, without those of the locations inside it.

        Args:
            location_id: ID of the location, ten lowercase letters and digits; None for the client's own.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The machines.

        Raises:
            NotFoundError: If there is no such location.
            InvalidArgumentError: If no ID is given, and the client has no location of its own.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> machines = app.list_robots(sandbox.location_id)
            >>> sandbox.robot_id in [machine.id for machine in machines]
            True
        """
        request = pb.ListRobotsRequest(location_id=self._or_own(location_id))
        response: pb.ListRobotsResponse = self._unary_unary(methods.LIST_ROBOTS, request, timeout)
        return list(response.robots)

    def new_robot(self, name: str, location_id: Optional[str] = None, *, timeout: Optional[float] = None) -> str:
        """Create a machine, with a main part and a secret of its own.

        Args:
            name: Name of the machine, unique within the location.
            location_id: ID of the location, ten lowercase letters and digits; None for the client's own.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            ID of the new machine, a UUID.

        Raises:
            AlreadyExistsError: If the location has a machine of this name.
            InvalidArgumentError: If the name is empty, or no location is given and the client has none of its own.
            NotFoundError: If there is no such location.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> machine_id = app.new_robot("scout", sandbox.location_id)
            >>> app.get_robot(machine_id).name
            'scout'
        """
        require(name=name)
        with parameter_names(location="location_id"):
            request = pb.NewRobotRequest(name=name, location=self._or_own(location_id))
        response: pb.NewRobotResponse = self._unary_unary(methods.NEW_ROBOT, request, timeout)
        return response.id

    def update_robot(
        self, robot_id: str, name: str, location_id: Optional[str] = None, *, timeout: Optional[float] = None
    ) -> pb.Robot:
        """Rename a machine, or move it to another location of its organization.

        The data that it has captured stays with the old location.

        Args:
            robot_id: ID of the machine, a UUID.
            name: New name, unique within the location.
            location_id: ID of the location that it shall be in; None for the client's own, and where that has none,
                for the location that the machine is in.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The machine after the change.

        Raises:
            FailedPreconditionError: If the location belongs to another organization.
            AlreadyExistsError: If the location has another machine of this name.
            NotFoundError: If the machine or the location does not exist.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> machine_id = app.new_robot("scout", sandbox.location_id)
            >>> app.update_robot(machine_id, "moon scout").name
            'moon scout'
        """
        require(robot_id=robot_id, name=name)
        with parameter_names(id="robot_id", location="location_id"):
            request = pb.UpdateRobotRequest(id=robot_id, name=name, location=self._or_own(location_id))
        response: pb.UpdateRobotResponse = self._unary_unary(methods.UPDATE_ROBOT, request, timeout)
        return response.robot

    def _or_own(self, location_id: Optional[str]) -> Optional[str]:
        if location_id is None:
            return self._location_id
        require(location_id=location_id)
        return location_id
