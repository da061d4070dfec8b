"""The call of an RPC by its name, as a method of a ViamClient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Union

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from viam_sync.reflection.any_service import AnyService


class NamedRpcs:
    """The base of a client whose services share a connection: it calls RPCs by their names."""

    if TYPE_CHECKING:

        def _client(self, name: str, *arguments: Any, cls: Any = None) -> Any: ...

    def call_rpc(
        self,
        rpc: str,
        request: Union[Message, Mapping[str, Any], Sequence[Union[Message, Mapping[str, Any]]], None] = None,
        *,
        timeout: Optional[float] = None,
    ) -> Any:
        """Call any RPC of the cloud by its name, also one that no method calls; ``viam-sync call`` does so in a shell.

        It is tried again where the method that calls it would be; one that no method calls is sent once.

        Args:
            rpc: Its name: ``AppService/GetRobot``, with its package or without, or ``GetRobot`` alone.
            request: The message that it takes, or a dict of its fields, as proto JSON has them; or a list of these, for
                an RPC that takes a stream. None for an empty one.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The message that answers it; for an RPC that answers with a stream, an iterator of them, to be closed by a
            ``with`` statement.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If there is no such RPC, or something in the request does not fit.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> client.call_rpc("AppService/GetRobot", {"id": sandbox.robot_id}).robot.name
            'rover'
        """
        from viam_sync.reflection.any_service import AnyService  # the table of all RPCs, slow to load

        service: AnyService = self._client("any", cls=AnyService)
        return service.call(rpc, request, timeout)
