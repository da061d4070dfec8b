"""The methods of AppClient that fall back to the location that the client was made with."""

from __future__ import annotations

from typing import List, Optional

from viam_sync.checks import parameter_names, require
from viam_sync.proto import app as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class DefaultLocation(Service):
    """Methods with an optional ``location_id``."""

    _location_id: Optional[str]

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
            >>> location = cloud.get_location(sandbox.location_id)
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
            >>> auth = cloud.location_auth(sandbox.location_id)
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
            >>> auth = cloud.create_location_secret(sandbox.location_id)
            >>> len(auth.secrets)
            2
        """
        request = pb.CreateLocationSecretRequest(location_id=self._or_own(location_id))
        response: pb.CreateLocationSecretResponse = self._unary_unary(methods.CREATE_LOCATION_SECRET, request, timeout)
        return response.auth

    def delete_location_secret(
        self, secret_id: str, location_id: Optional[str] = None, *, timeout: Optional[float] = None
    ) -> None:
        """Delete a secret of a location; what still uses it is refused from then on.

        Args:
            secret_id: ID of the secret, a UUID.
            location_id: ID of the location, ten lowercase letters and digits; None for the client's own.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            NotFoundError: If the location or the secret does not exist.
            InvalidArgumentError: If no location is given, and the client has none of its own.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> auth = cloud.create_location_secret(sandbox.location_id)
            >>> cloud.delete_location_secret(auth.secrets[-1].id, sandbox.location_id)
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
            >>> machines = cloud.list_robots(sandbox.location_id)
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
            >>> machine_id = cloud.new_robot("scout", sandbox.location_id)
            >>> cloud.get_robot(machine_id).name
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
            >>> machine_id = cloud.new_robot("scout", sandbox.location_id)
            >>> cloud.update_robot(machine_id, "moon scout").name
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
