"""The method of DataClient that makes URLs for downloads."""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Tuple

from viam_sync.checks import text
from viam_sync.messages.conversion import timestamp_to_datetime
from viam_sync.proto.app import data as pb
from viam_sync.rpc.retry import IDEMPOTENT
from viam_sync.rpc.service import Service


class SignedURLs(Service):
    """Methods for downloads by those who have no key."""

    def create_binary_data_signed_url(
        self, binary_data_id: str, expiration_minutes: Optional[int] = None, *, timeout: Optional[float] = None
    ) -> Tuple[str, datetime]:
        """Make a URL from which anyone can download a file until it expires.

        Args:
            binary_data_id: ID of the file, ``"organization/location/file"``.
            expiration_minutes: Minutes until it expires, up to 10080, which is a week; None for 15.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The URL, and when it expires, UTC without a time zone.

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
        response: pb.CreateBinaryDataSignedURLResponse = self._call(
            "CreateBinaryDataSignedURL", request, IDEMPOTENT, timeout
        )
        return response.signed_url, timestamp_to_datetime(response.expires_at)
