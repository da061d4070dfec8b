"""The calls for the contents of files: as many bytes at a time as the line brings in good time."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.method import Method
from viam_sync.rpc.policies import Policy
from viam_sync.transfer.concurrency.byte_window import ByteWindow
from viam_sync.transfer.concurrency.concurrency_limit import ConcurrencyLimit
from viam_sync.transfer.export.limits import ExportLimits

#: An export goes on for hours: it waits longer than a single call for a service that is overloaded.
_ATTEMPTS = 8
#: A request that takes the place of one that has failed so often need not be patient once more, in an outage neither.
_FEW_ATTEMPTS = 2
#: The attempts that the time for all of them has room for, where each takes as long as it may.
_WHOLE_ATTEMPTS = 2.5


def concurrency_for(
    workers: int, limits: ExportLimits, timeout: Optional[float], now: Callable[[], float]
) -> ConcurrencyLimit:
    """Return the limit on the requests of an export.

    Args:
        workers: The number of requests that may be under way at most.
        limits: The sizes and times of the export.
        timeout: The seconds that the caller gives a response; None to leave it to ``limits``.
        now: The clock.
    """
    good_time = limits.good_time if timeout is None else min(timeout / 2, limits.good_time)
    return ConcurrencyLimit(workers, ByteWindow(limits.first_bytes, good_time), now)


class ContentsFetcher:
    """Asks for the contents of files, several in one call.

    Args:
        call: Makes a call of a method, as ``Service`` does.
        method: The method, BinaryDataByIDs.
        concurrency: Limits the requests under way.
        limits: The sizes and times of the export.
        timeout: The seconds that the caller gives a response; None to leave it to ``limits``.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        method: Method,
        concurrency: ConcurrencyLimit,
        limits: ExportLimits,
        timeout: Optional[float],
    ) -> None:
        self._call = call
        self._method = method
        self._concurrency = concurrency
        self._limits = limits
        self._timeout = timeout

    @property
    def batch_bytes(self) -> float:
        """The size of the contents that the next call should ask for, in bytes."""
        return min(self._limits.batch_bytes, self._concurrency.window_size)

    def size_of(self, files: Iterable[pb.BinaryMetadata]) -> int:
        """Return the size of the contents of files, in bytes."""
        return sum(self._limits.size_of(file.file_size_bytes) for file in files)

    def fetch(
        self, files: Sequence[pb.BinaryMetadata], cancellation: Cancellation, *, patient: bool = True
    ) -> Iterable[pb.BinaryData]:
        """Return those of the files that the service knows, with their contents.

        Args:
            files: Their metadata.
            cancellation: Ends the call.
            patient: Whether to try as often as an export does; False for files that were tried so already.

        Raises:
            GRPCError: If the service refuses the call; a subclass says why.
        """
        request = pb.BinaryDataByIDsRequest(include_binary=True, **_file_id_fields(files))
        size = self.size_of(files)
        divisible = len(files) > 1 or bool(files[0].uri)
        method = self._method._replace(policy=self._policy(size, patient))
        with self._concurrency.slot(cancellation, size, divisible=divisible) as slot:
            response: pb.BinaryDataByIDsResponse = self._call(method, request, None, cancellation, slot)
        return response.data

    def _policy(self, size: int, patient: bool) -> Policy:
        seconds, total = self._timeout, None
        if seconds is None:
            seconds = self._limits.attempt_timeout(size)
            total = seconds * _WHOLE_ATTEMPTS
        policy = self._method.policy._replace(attempt_timeout=seconds, total_timeout=total, counts_unavailable=True)
        if patient:
            return policy._replace(attempts=_ATTEMPTS)
        return policy._replace(attempts=_FEW_ATTEMPTS, outage_timeout=0)


def _file_id_fields(wanted: Iterable[pb.BinaryMetadata]) -> Dict[str, Any]:
    """Return the fields that name files; those that an older service lists have IDs in three parts."""
    fields: Dict[str, List[Any]] = {"binary_ids": [], "binary_data_ids": []}
    for metadata in wanted:
        if metadata.binary_data_id:
            # The ID is not checked, as it comes from the service and no caller could correct it.
            fields["binary_data_ids"].append(metadata.binary_data_id)
        else:
            captured = metadata.capture_metadata
            fields["binary_ids"].append(
                pb.BinaryID(
                    file_id=metadata.id, organization_id=captured.organization_id, location_id=captured.location_id
                )
            )
    return fields
