"""The methods of DataClient for binary data: files and their metadata."""

from __future__ import annotations

from datetime import datetime
from typing import Any, List, Optional, Sequence, Tuple

from viam_sync.app._data.arguments import BinaryIDLike, id_fields
from viam_sync.checks import parameter_names, text
from viam_sync.checks.positions import newest_order
from viam_sync.messages.conversion import timestamp_to_datetime
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.output.binary_folder import binary_destination
from viam_sync.transfer.paging.page_list import PageList
from viam_sync.transfer.paging.paged_call import PagedCall
from viam_sync.transfer.paging.pages import PageItems, Pages


def _read_files(
    request: pb.BinaryDataByFilterRequest, response: pb.BinaryDataByFilterResponse
) -> Tuple[PageItems[pb.BinaryData], str]:
    return response.data, response.last if response.data else ""


_FILES = PagedCall(
    methods.BINARY_DATA_BY_FILTER,
    _read_files,
    "limit",
    "last",
    place="data_request",
    time="metadata.time_requested",
    advice="Ask with include_binary_data=False, and download the contents by the uri in the metadata.",
)


def _has_bool_before_path(args: Sequence[Any]) -> bool:
    return len(args) > 1 and isinstance(args[1], bool)


class BinaryDataMixin(Service):
    """Methods for binary data: files and their metadata."""

    def binary_data_by_filter(
        self,
        filter: Optional[pb.Filter] = None,
        limit: Optional[int] = None,
        sort_order: Optional[pb.Order.ValueType] = None,
        last: Optional[str] = None,
        include_binary_data: bool = True,
        count_only: bool = False,
        include_internal_data: bool = False,
        dest: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> Tuple[List[pb.BinaryData], int, str]:
        """Get one page of the files that match a filter, and write it to disk where a place is named.

        For the next page, give the ``last`` that came with this one; the page after the last one is empty. A page that
        is short is not necessarily the last. If an answer is too large, ask for fewer files at a time.

        Args:
            filter: Filter that the files must match; None for all files that the caller may read.
            limit: Files in the page, up to 100; None for 50.
            sort_order: Order by time; None for the newest first.
            last: Where the page before ended; None for the first page.
            include_binary_data: Whether to get the contents too; otherwise only the metadata.
            count_only: Whether to count all that match, and return no files.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            dest: Where to write the page. A folder that exists gets a file for each in ``data/`` and in ``metadata/``,
                named as the official command line does; any other path or URL is that of a file for JSON, contents in
                base64, or for JSON lines if it ends in ``.jsonl``. There, a link is followed, and a device or a pipe is
                written through.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The files, how many there are, and where the page ends.

        Raises:
            OSError: If ``dest`` cannot be written. Found before the call, nothing was asked; found later, the error's
                attribute ``result`` has the value that would have been returned.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``limit`` is negative, or ``dest`` ends in ``.csv``.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> ripe = create_filter(robot_name="plant-watcher", tags=["ripe"])
            >>> files, count, last = client.data_client.binary_data_by_filter(ripe, limit=5)
            >>> count, files[0].metadata.capture_metadata.mime_type, files[0].binary[1:4]
            (5, 'image/png', b'PNG')
        """
        destination = None if dest is None else binary_destination(dest, contents=include_binary_data)
        with parameter_names(include_binary="include_binary_data"):
            request = pb.BinaryDataByFilterRequest(
                data_request=pb.DataRequest(filter=filter, limit=limit, sort_order=sort_order, last=last),
                include_binary=include_binary_data,
                count_only=count_only,
                include_internal_data=include_internal_data,
            )
        response: pb.BinaryDataByFilterResponse = self._unary_unary(methods.BINARY_DATA_BY_FILTER, request, timeout)
        page = (PageList(response.data), response.count, response.last)
        if destination is not None:
            destination(page[0], page)
        return page

    def iter_binary_data(
        self,
        filter: Optional[pb.Filter] = None,
        *,
        include_binary_data: bool = True,
        sort_order: Optional[pb.Order.ValueType] = None,
        page_size: int = 100,
        limit: Optional[int] = None,
        include_internal_data: bool = False,
        prefetch: bool = True,
        workers: int = 1,
        timeout: Optional[float] = None,
    ) -> Pages[pb.BinaryData]:
        """Go through all files that match a filter.

        Where a page is too large for one message, smaller ones are asked for.

        Args:
            filter: Filter that the files must match; None for all files that the caller may read.
            include_binary_data: Whether to get the contents too; otherwise only the metadata.
            sort_order: Order by time; None for the newest first.
            page_size: Files in a page, up to 100. With their contents, up to two pages are in memory at a time.
            limit: How many files at most; None for all.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            workers: How many pages to fetch at a time, up to 64, each of another time; the files and their order stay
                the same. Up to 4 pages for each worker are in memory, 16 without contents, and some may be fetched in
                vain.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the files; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size``, ``limit`` or ``workers`` is out of its range.
            InvalidArgumentError: While iterating, if a single file is too large for one message.
            InternalError: While iterating, if the service returns data that is not of the time range that was asked
                for.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> with client.data_client.iter_binary_data(limit=20) as files:
            ...     {file.binary[1:4] for file in files}
            {b'PNG'}
        """
        data_request = pb.DataRequest(filter=filter, sort_order=sort_order)
        with parameter_names(include_binary="include_binary_data"):
            request = pb.BinaryDataByFilterRequest(
                include_binary=include_binary_data, include_internal_data=include_internal_data
            )
        request.data_request.CopyFrom(data_request)
        return _FILES.pages(
            self._unary_unary,
            request,
            page_size=page_size,
            limit=limit,
            prefetch=prefetch,
            timeout=timeout,
            workers=workers,
            segment_pages=2 if include_binary_data else 8,
        )

    @newest_order("binary_ids", "include_binary_data", "dest", is_meant=_has_bool_before_path)
    def binary_data_by_ids(
        self,
        binary_ids: Sequence[BinaryIDLike],
        dest: Optional[str] = None,
        *,
        include_binary_data: bool = True,
        timeout: Optional[float] = None,
    ) -> List[pb.BinaryData]:
        """Get files by their IDs, and write them to disk where a place is named.

        By position, ``include_binary_data`` may stand before ``dest``, as the newest official SDK has it.

        Args:
            binary_ids: Their IDs, at least one: ``"organization/location/file"``, what uploads returned, or BinaryID
                messages.
            dest: Where to write the files. A folder that exists gets a file for each in ``data/`` and in ``metadata/``,
                named as the official command line does; any other path or URL is that of a file for JSON, contents in
                base64, or for JSON lines if it ends in ``.jsonl``. There, a link is followed, and a device or a pipe is
                written through.
            include_binary_data: Whether to get the contents too; otherwise only the metadata.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The files; those that the service does not know are left out.

        Raises:
            OSError: If ``dest`` cannot be written. Found before the call, nothing was asked; found later, the files are
                the error's attribute ``result``.
            TypeError: If ``binary_ids`` is no list of IDs.
            ValueError: If there are none, or ``dest`` ends in ``.csv``.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> files, _, _ = client.data_client.binary_data_by_filter(limit=1, include_binary_data=False)
            >>> (file,) = client.data_client.binary_data_by_ids([files[0].metadata.binary_data_id])
            >>> len(file.binary) == file.metadata.file_size_bytes
            True
        """
        destination = None if dest is None else binary_destination(dest, contents=include_binary_data)
        ids = id_fields("binary_ids", binary_ids)
        with parameter_names(include_binary="include_binary_data"):
            request = pb.BinaryDataByIDsRequest(include_binary=include_binary_data, **ids)
        response: pb.BinaryDataByIDsResponse = self._unary_unary(methods.BINARY_DATA_BY_IDS, request, timeout)
        files = list(response.data)
        if destination is not None:
            destination(files, files)
        return files

    def delete_binary_data_by_filter(self, filter: Optional[pb.Filter], *, timeout: Optional[float] = None) -> int:
        """Delete all files that match a filter.

        Args:
            filter: Filter that the files must match. Name the organization in it: None or an empty filter stands for
                all files that the caller may delete, unless the service refuses it.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            How many files were deleted.

        Raises:
            PermissionDeniedError: If the caller may not delete them.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> client.data_client.delete_binary_data_by_filter(create_filter(tags=["unripe"]))
            12
        """
        request = pb.DeleteBinaryDataByFilterRequest(filter=pb.Filter() if filter is None else filter)
        response: pb.DeleteBinaryDataByFilterResponse = self._unary_unary(
            methods.DELETE_BINARY_DATA_BY_FILTER, request, timeout
        )
        return response.deleted_count

    def delete_binary_data_by_ids(self, binary_ids: Sequence[BinaryIDLike], *, timeout: Optional[float] = None) -> int:
        """Delete files by their IDs; they leave their datasets too.

        Args:
            binary_ids: Their IDs, at least one: ``"organization/location/file"``, what uploads returned, or BinaryID
                messages.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            How many files were deleted; those that the service does not know are not counted. It may be too low if an
            answer was lost on its way and the call was made again; the log has a warning then.

        Raises:
            PermissionDeniedError: If the caller may not delete them.
            TypeError: If ``binary_ids`` is no list of IDs.
            ValueError: If there are none.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> files, _, _ = client.data_client.binary_data_by_filter(limit=2, include_binary_data=False)
            >>> client.data_client.delete_binary_data_by_ids([file.metadata.binary_data_id for file in files])
            2
        """
        request = pb.DeleteBinaryDataByIDsRequest(**id_fields("binary_ids", binary_ids))
        response: pb.DeleteBinaryDataByIDsResponse = self._unary_unary(
            methods.DELETE_BINARY_DATA_BY_IDS, request, timeout
        )
        return response.deleted_count

    def create_binary_data_signed_url(
        self, binary_data_id: str, expiration_minutes: Optional[int] = None, *, timeout: Optional[float] = None
    ) -> Tuple[str, datetime]:
        """Make a URL from which anyone can download a file until it expires.

        Args:
            binary_data_id: ID of the file: ``"organization/location/file"``, or what its upload returned.
            expiration_minutes: Minutes until it expires, up to 10080, which is a week; None for 15.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The URL, and when it expires, UTC without a time zone, or in that of the client's options.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``binary_data_id`` is empty, or ``expiration_minutes`` negative; nothing was asked.
            NotFoundError: If there is no such file.
            InvalidArgumentError: If it shall last longer than a week.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from urllib.request import urlopen
            >>> (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> url, expires = client.data_client.create_binary_data_signed_url(file.metadata.binary_data_id)
            >>> urlopen(url).read() == file.binary
            True
        """
        request = pb.CreateBinaryDataSignedURLRequest(
            binary_data_id=text("binary_data_id", binary_data_id), expiration_minutes=expiration_minutes
        )
        response: pb.CreateBinaryDataSignedURLResponse = self._unary_unary(
            methods.CREATE_BINARY_DATA_SIGNED_URL, request, timeout
        )
        return response.signed_url, timestamp_to_datetime(response.expires_at, self._options.tz)
