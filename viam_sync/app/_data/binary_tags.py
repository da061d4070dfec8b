"""The methods of DataClient for the tags of binary data."""

from __future__ import annotations

from typing import List, Optional, Sequence

from viam_sync.app._data.arguments import BinaryIDLike, id_fields
from viam_sync.checks import texts
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class TagsMixin(Service):
    """Methods for the tags of files."""

    def add_tags_to_binary_data_by_ids(
        self, tags: Sequence[str], binary_ids: Sequence[BinaryIDLike], *, timeout: Optional[float] = None
    ) -> None:
        """Tag files given by their IDs; a tag that a file has already stays as it is.

        Args:
            tags: The tags, at least one.
            binary_ids: Their IDs, at least one: ``"organization/location/file"``, what uploads returned, or BinaryID
                messages.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            NotFoundError: If there is no such file.
            TypeError: If ``tags`` or ``binary_ids`` is no list, or holds something that is no tag or no ID.
            ValueError: If one of them is empty.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> client.data_client.add_tags_to_binary_data_by_ids(["checked"], [file.metadata.binary_data_id])
            >>> "checked" in client.data_client.tags_by_filter()
            True
        """
        request = pb.AddTagsToBinaryDataByIDsRequest(tags=texts("tags", tags), **id_fields("binary_ids", binary_ids))
        self._unary_unary(methods.ADD_TAGS_TO_BINARY_DATA_BY_IDS, request, timeout)

    def add_tags_to_binary_data_by_filter(
        self, tags: Sequence[str], filter: Optional[pb.Filter] = None, *, timeout: Optional[float] = None
    ) -> None:
        """Tag all files that match a filter.

        The service has deprecated this method, though it still answers.

        Args:
            tags: The tags, at least one.
            filter: Filter that the files must match; None for all files that the caller may tag.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            TypeError: If ``tags`` is no list of strings.
            ValueError: If there are none.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> client.data_client.add_tags_to_binary_data_by_filter(["red"], create_filter(bbox_labels=["ripe"]))
            >>> client.data_client.binary_data_by_filter(create_filter(tags=["red"]), count_only=True)[1]
            12
        """
        request = pb.AddTagsToBinaryDataByFilterRequest(
            tags=texts("tags", tags), filter=pb.Filter() if filter is None else filter
        )
        self._unary_unary(methods.ADD_TAGS_TO_BINARY_DATA_BY_FILTER, request, timeout)

    def remove_tags_from_binary_data_by_ids(
        self, tags: Sequence[str], binary_ids: Sequence[BinaryIDLike], *, timeout: Optional[float] = None
    ) -> int:
        """Take tags from files given by their IDs.

        Args:
            tags: The tags, at least one.
            binary_ids: Their IDs, at least one: ``"organization/location/file"``, what uploads returned, or BinaryID
                messages.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            How many files lost a tag. It may be too low if an answer was lost on its way and the call was made again.

        Raises:
            TypeError: If ``tags`` or ``binary_ids`` is no list, or holds something that is no tag or no ID.
            ValueError: If one of them is empty.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> id = file.metadata.binary_data_id
            >>> client.data_client.remove_tags_from_binary_data_by_ids(["ripe", "unripe"], [id])
            1
        """
        request = pb.RemoveTagsFromBinaryDataByIDsRequest(
            tags=texts("tags", tags), **id_fields("binary_ids", binary_ids)
        )
        response: pb.RemoveTagsFromBinaryDataByIDsResponse = self._unary_unary(
            methods.REMOVE_TAGS_FROM_BINARY_DATA_BY_IDS, request, timeout
        )
        return response.deleted_count

    def remove_tags_from_binary_data_by_filter(
        self, tags: Sequence[str], filter: Optional[pb.Filter] = None, *, timeout: Optional[float] = None
    ) -> int:
        """Take tags from all files that match a filter.

        The service has deprecated this method, though it still answers.

        Args:
            tags: The tags, at least one.
            filter: Filter that the files must match; None for all files that the caller may tag.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            How many files lost a tag.

        Raises:
            TypeError: If ``tags`` is no list of strings.
            ValueError: If there are none.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> watcher = create_filter(robot_name="plant-watcher")
            >>> client.data_client.remove_tags_from_binary_data_by_filter(["unripe"], watcher)
            12
        """
        request = pb.RemoveTagsFromBinaryDataByFilterRequest(
            tags=texts("tags", tags), filter=pb.Filter() if filter is None else filter
        )
        response: pb.RemoveTagsFromBinaryDataByFilterResponse = self._unary_unary(
            methods.REMOVE_TAGS_FROM_BINARY_DATA_BY_FILTER, request, timeout
        )
        return response.deleted_count

    def tags_by_filter(self, filter: Optional[pb.Filter] = None, *, timeout: Optional[float] = None) -> List[str]:
        """List the tags of the data that matches a filter.

        The service has deprecated this method, though it still answers.

        Args:
            filter: Filter that the data must match; None for all data that the caller may read.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The tags, each once.

        Raises:
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> client.data_client.tags_by_filter(create_filter(component_name="camera"))
            ['ripe', 'unripe']
        """
        request = pb.TagsByFilterRequest(filter=pb.Filter() if filter is None else filter)
        response: pb.TagsByFilterResponse = self._unary_unary(methods.TAGS_BY_FILTER, request, timeout)
        return list(response.tags)
