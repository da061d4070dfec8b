"""The method of DataClient that changes sequences."""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Sequence

from viam_sync.checks import require
from viam_sync.proto import google as google_pb
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class Sequences(Service):
    """Methods for sequences."""

    def update_sequence(
        self,
        id: str,
        resources: Optional[Sequence[pb.SequenceResourceFilter]] = None,
        sequence_tags: Optional[Sequence[str]] = None,
        start_time: Optional[datetime] = None,
        end_time: Optional[datetime] = None,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Change a sequence; what is left out stays as it is.

        Args:
            id: ID of the sequence.
            resources: The resources, with a method of each, whose data belongs to it; an empty list takes all out.
            sequence_tags: Its tags; an empty list takes all off.
            start_time: Start of its data; without a time zone it is UTC.
            end_time: End of its data; without a time zone it is UTC.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            ValueError: If nothing is to be changed; nothing was asked.
            NotFoundError: If there is no such sequence.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
        """
        require(id=id)
        fields = {
            "resources": resources,
            "sequence_tags": sequence_tags,
            "start_time": start_time,
            "end_time": end_time,
        }
        changed = [name for name, value in fields.items() if value is not None]
        if not changed:
            raise ValueError(f"update_sequence takes at least one of {', '.join(fields)}, got none")
        request = pb.UpdateSequenceRequest(
            id=id,
            resources=resources,
            sequence_tags=sequence_tags,
            start_time=start_time,
            end_time=end_time,
            field_mask=google_pb.FieldMask(paths=changed),
        )
        self._unary_unary(methods.UPDATE_SEQUENCE, request, timeout)
