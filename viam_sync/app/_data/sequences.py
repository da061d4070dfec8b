"""The methods of DataClient that change sequences and go through them."""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Sequence

from viam_sync.checks import require
from viam_sync.proto import google as google_pb
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Pages

_SEQUENCES = PagedCall(methods.LIST_SEQUENCES, items_in("sequences"), "page_size")
_DATASET_SEQUENCES = PagedCall(methods.SEQUENCES_BY_DATASET_ID, items_in("sequences"), "page_size")
_SEQUENCE_FILES = PagedCall(
    methods.GET_SEQUENCE_BINARY_DATA,
    items_in("data"),
    "page_size",
    advice="Go through the files of the same time by iter_binary_data with include_binary_data=False.",
)


class SequencesMixin(Service):
    """Methods for sequences."""

    def update_sequence(
        self,
        id: str,
        resources: Optional[Sequence[pb.SequenceResourceFilter]] = None,
        sequence_tags: Optional[Sequence[str]] = None,
        start_time: Optional[datetime] = None,
        end_time: Optional[datetime] = None,
        timeout: Optional[float] = None,
    ) -> None:
        """Change a sequence; arguments that are left out change nothing.

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

    def iter_sequences(
        self,
        organization_id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.Sequence]:
        """Go through all sequences of an organization.

        Args:
            organization_id: ID of the organization, a UUID.
            page_size: Sequences in a page, up to 100.
            limit: How many sequences at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the sequences; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.
        """
        require(organization_id=organization_id)
        request = pb.ListSequencesRequest(organization_id=organization_id)
        return _SEQUENCES.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

    def iter_sequences_by_dataset_id(
        self,
        dataset_id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.Sequence]:
        """Go through all sequences in a dataset.

        Args:
            dataset_id: ID of the dataset, 24 hexadecimal digits.
            page_size: Sequences in a page, up to 100.
            limit: How many sequences at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the sequences; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            NotFoundError: While iterating, if there is no such dataset.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.
        """
        require(dataset_id=dataset_id)
        request = pb.SequencesByDatasetIDRequest(dataset_id=dataset_id)
        return _DATASET_SEQUENCES.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

    def iter_sequence_binary_data(
        self,
        sequence_id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.BinaryData]:
        """Go through all binary data that lies in a sequence.

        Where a page is too large for one message, smaller ones are asked for.

        Args:
            sequence_id: ID of the sequence.
            page_size: Files in a page, up to 100. Up to two pages are in memory at a time.
            limit: How many files at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the files; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            NotFoundError: While iterating, if there is no such sequence.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.
        """
        require(sequence_id=sequence_id)
        request = pb.GetSequenceBinaryDataRequest(sequence_id=sequence_id)
        return _SEQUENCE_FILES.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )
