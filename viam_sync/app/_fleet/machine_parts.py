"""The methods of AppClient for the parts of machines."""

from __future__ import annotations

from datetime import datetime
from typing import Any, List, Mapping, Optional

from google.protobuf.struct_pb2 import Struct

from viam_sync.app._fleet.machine_records import RobotPart, RobotPartHistoryEntry
from viam_sync.checks import require, wrong_type
from viam_sync.checks.numbers import whole
from viam_sync.messages.values import require_in_order, value_to_message
from viam_sync.proto import app as pb
from viam_sync.rpc.policies import IDEMPOTENT
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.output.response_outputs import optional_output
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Pages

#: The most spaces of an indent: many more would make the file huge, and take all the memory.
_DEEPEST_INDENT = 100


_PART_HISTORY = PagedCall(
    methods.GET_ROBOT_PART_HISTORY, items_in("history", RobotPartHistoryEntry.from_proto), size="page_limit"
)


class MachinePartsMixin(Service):
    """Methods for the parts of machines."""

    def get_robot_parts(self, robot_id: str, *, timeout: Optional[float] = None) -> List[RobotPart]:
        """List the parts of a machine, the main part first.

        Args:
            robot_id: ID of the machine, a UUID.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The parts.

        Raises:
            NotFoundError: If there is no such machine.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> parts = app.get_robot_parts(sandbox.robot_id)
            >>> [part.main_part for part in parts][0]
            True
        """
        require(robot_id=robot_id)
        request = pb.GetRobotPartsRequest(robot_id=robot_id)
        response: pb.GetRobotPartsResponse = self._unary_unary(methods.GET_ROBOT_PARTS, request, timeout)
        return [RobotPart.from_proto(part, tz=self._options.tz) for part in response.parts]

    def get_robot_part(
        self, robot_part_id: str, dest: Optional[str] = None, indent: int = 4, *, timeout: Optional[float] = None
    ) -> RobotPart:
        """Get a part, and write its configuration to a file where one is named.

        Args:
            robot_part_id: ID of the part, a UUID.
            dest: Path or URL of a file for the configuration, as JSON; it may hold secrets, so only its owner can read
                it. A link is followed, and a device or a pipe is written through.
            indent: Spaces by which the JSON is indented, 0 to 100.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The part.

        Raises:
            ValueError: If ``indent`` is out of its range.
            NotFoundError: If there is no such part.
            OSError: If ``dest`` cannot be written. Found before the call, nothing was asked; found later, the part is
                the error's attribute ``result``.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> part = app.get_robot_part(sandbox.robot_part_id)
            >>> part.robot == sandbox.robot_id
            True
        """
        require(robot_part_id=robot_part_id)
        indent = whole("indent", indent, 0, _DEEPEST_INDENT)
        destination = optional_output(dest, secret=True, rejected=(".csv", ".jsonl"))
        request = pb.GetRobotPartRequest(id=robot_part_id)
        response: pb.GetRobotPartResponse = self._unary_unary(methods.GET_ROBOT_PART, request, timeout)
        part = RobotPart.from_proto(response.part, tz=self._options.tz)
        if destination is not None:
            destination.write(_indented(response.config_json, indent).encode(), result=part)
        return part

    def get_robot_part_by_name_and_location(
        self, name: str, location_id: str, *, timeout: Optional[float] = None
    ) -> RobotPart:
        """Get a part by its name.

        Args:
            name: Name of the part.
            location_id: ID of the location that its machine is in, ten lowercase letters and digits.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The part.

        Raises:
            NotFoundError: If the location has no such part.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> part = app.get_robot_part(sandbox.robot_part_id)
            >>> app.get_robot_part_by_name_and_location(part.name, part.location_id).id == part.id
            True
        """
        require(name=name, location_id=location_id)
        request = pb.GetRobotPartByNameAndLocationRequest(name=name, location_id=location_id)
        response: pb.GetRobotPartByNameAndLocationResponse = self._unary_unary(
            methods.GET_ROBOT_PART_BY_NAME_AND_LOCATION, request, timeout
        )
        return RobotPart.from_proto(response.part, tz=self._options.tz)

    def get_robot_part_history(
        self,
        robot_part_id: str,
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        page_limit: Optional[int] = None,
        *,
        timeout: Optional[float] = None,
    ) -> List[RobotPartHistoryEntry]:
        """List the changes of a part, the newest first.

        Args:
            robot_part_id: ID of the part, a UUID.
            start: Only changes from this time on; without a time zone it is UTC.
            end: Only changes before this time; without a time zone it is UTC.
            page_limit: How many changes at most; None for all.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The changes, each with the part as it was before.

        Raises:
            NotFoundError: If there is no such part.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> part_id = app.new_robot_part(sandbox.robot_id, "arm")
            >>> part = app.update_robot_part(part_id, "left arm")
            >>> [change.old.name for change in app.get_robot_part_history(part_id)]
            ['arm']
        """
        require(robot_part_id=robot_part_id)
        request = pb.GetRobotPartHistoryRequest(id=robot_part_id, start=start, end=end, page_limit=page_limit)
        require_in_order(request)
        response: pb.GetRobotPartHistoryResponse = self._unary_unary(methods.GET_ROBOT_PART_HISTORY, request, timeout)
        return [RobotPartHistoryEntry.from_proto(entry, tz=self._options.tz) for entry in response.history]

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
            >>> part_id = app.new_robot_part(sandbox.robot_id, "arm")
            >>> part = app.update_robot_part(part_id, "left arm")
            >>> [change.old.name for change in app.iter_robot_part_history(part_id)]
            ['arm']
        """
        require(robot_part_id=robot_part_id)
        request = pb.GetRobotPartHistoryRequest(id=robot_part_id, start=start, end=end)
        require_in_order(request)
        return _PART_HISTORY.with_times_in(self._options.tz).pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

    def update_robot_part(
        self,
        robot_part_id: str,
        name: str,
        robot_config: Optional[Mapping[str, Any]] = None,
        last_known_update: Optional[datetime] = None,
        robot_config_json: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> RobotPart:
        """Rename a part, and give it another configuration where one is given.

        Args:
            robot_part_id: ID of the part, a UUID.
            name: Name of the part; its name in DNS follows it.
            robot_config: The whole new configuration; None leaves the old one, and ``{}`` empties it.
            last_known_update: When the part last changed as far as the caller knows; if it has changed since, nothing
                is done.
            robot_config_json: The configuration as JSON, which keeps integers apart from floats; it takes precedence
                over ``robot_config``.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The part after the change.

        Raises:
            AlreadyExistsError: If the machine has another part of this name.
            FailedPreconditionError: If the part has changed since ``last_known_update``.
            NotFoundError: If there is no such part.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> part = app.update_robot_part(sandbox.robot_part_id, "brain", {"components": []})
            >>> part.name, part.robot_config
            ('brain', {'components': []})
        """
        require(robot_part_id=robot_part_id, name=name)
        request = pb.UpdateRobotPartRequest(
            id=robot_part_id,
            name=name,
            robot_config=robot_config,
            last_known_update=last_known_update,
            robot_config_json=robot_config_json,
        )
        method = methods.UPDATE_ROBOT_PART
        # With a last known update, a second attempt would be rejected because of the change that the first one made.
        if last_known_update is None:
            method = method._replace(policy=IDEMPOTENT)
        response: pb.UpdateRobotPartResponse = self._unary_unary(method, request, timeout)
        return RobotPart.from_proto(response.part, tz=self._options.tz)

    def create_robot_part_secret(self, robot_part_id: str, *, timeout: Optional[float] = None) -> RobotPart:
        """Give a part another secret; it can have two at a time.

        Args:
            robot_part_id: ID of the part, a UUID.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The part with all its secrets, the new one included.

        Raises:
            FailedPreconditionError: If it has two already.
            NotFoundError: If there is no such part.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> part = app.create_robot_part_secret(sandbox.robot_part_id)
            >>> len(part.secrets)
            2
        """
        require(robot_part_id=robot_part_id)
        request = pb.CreateRobotPartSecretRequest(part_id=robot_part_id)
        response: pb.CreateRobotPartSecretResponse = self._unary_unary(
            methods.CREATE_ROBOT_PART_SECRET, request, timeout
        )
        return RobotPart.from_proto(response.part, tz=self._options.tz)

    def set_config_property(
        self, robot_part_id: str, property_changes: Mapping[str, Any], timeout: Optional[float] = None
    ) -> List[pb.ConfigPropertyChangeResult]:
        """Change single properties in the configuration of a part.

        Each change succeeds or fails for itself; look at every result.

        Args:
            robot_part_id: ID of the part, a UUID.
            property_changes: For each path of a property, such as ``components.0.attributes.max_rpm``, its new value:
                None, a bool, a number, a string, or a list or dict of these.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The result of each change.

        Raises:
            TypeError: If ``property_changes`` is no dict, or holds what JSON cannot.
            ValueError: If it holds itself.
            NotFoundError: If there is no such part.
            InvalidArgumentError: If there are no changes.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> changes = {"components.0.attributes.max_rpm": 90}
            >>> [result.success for result in app.set_config_property(sandbox.robot_part_id, changes)]
            [True]
        """
        require(robot_part_id=robot_part_id, property_changes=property_changes)
        if not isinstance(property_changes, Mapping):
            raise wrong_type("property_changes", "a dict of paths and values", property_changes)
        values: Struct = value_to_message(Struct, property_changes, "property_changes")
        changes = [pb.ConfigPropertyChange(path=path, value=values.fields[path]) for path in property_changes]
        request = pb.SetConfigPropertyRequest(robot_part_id=robot_part_id, property_changes=changes)
        response: pb.SetConfigPropertyResponse = self._unary_unary(methods.SET_CONFIG_PROPERTY, request, timeout)
        return list(response.property_changes)


def _indented(config_json: str, indent: int) -> str:
    import json  # only of use with a destination

    try:
        return json.dumps(json.loads(config_json or "{}"), indent=indent) + "\n"
    except (ValueError, RecursionError):
        # The configuration is written as it came, rather than lost.
        return config_json
