"""The method of AppClient that changes single properties of configurations."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional

from google.protobuf.struct_pb2 import Struct

from viam_sync.checks import require, wrong_type
from viam_sync.messages.values import value_to_message
from viam_sync.proto import app as pb
from viam_sync.rpc.retry import NON_IDEMPOTENT
from viam_sync.rpc.service import Service


class ConfigProperties(Service):
    """Methods for single properties of configurations."""

    def set_config_property(
        self, robot_part_id: str, property_changes: Mapping[str, Any], *, timeout: Optional[float] = None
    ) -> List[pb.ConfigPropertyChangeResult]:
        """Change single properties in the configuration of a part.

        Each change succeeds or fails for itself; look at every result.

        Args:
            robot_part_id: ID of the part, a UUID.
            property_changes: For each path of a property, such as ``components.0.attributes.max_rpm``, its new value:
                None, a bool, a number, a string, or a list or dict of these.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            What became of each change.

        Raises:
            TypeError: If ``property_changes`` is no dict, or holds what JSON cannot.
            ValueError: If it holds itself.
            NotFoundError: If there is no such part.
            InvalidArgumentError: If there are no changes.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> changes = {"components.0.attributes.max_rpm": 90}
            >>> [result.success for result in cloud.set_config_property(sandbox.robot_part_id, changes)]
            [True]
        """
        require(robot_part_id=robot_part_id, property_changes=property_changes)
        if not isinstance(property_changes, Mapping):
            raise wrong_type("property_changes", "a dict of paths and values", property_changes)
        values: Struct = value_to_message(Struct, property_changes, "property_changes")
        changes = [pb.ConfigPropertyChange(path=path, value=values.fields[path]) for path in property_changes]
        request = pb.SetConfigPropertyRequest(robot_part_id=robot_part_id, property_changes=changes)
        response: pb.SetConfigPropertyResponse = self._call("SetConfigProperty", request, NON_IDEMPOTENT, timeout)
        return list(response.property_changes)
