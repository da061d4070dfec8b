"""Fetching batches of files: a batch that fails is divided, unless the failure concerns all files."""

from __future__ import annotations

import math
import random
import threading
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import grpc

from viam_sync.errors import CancelledError, GRPCError, UnauthenticatedError
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.classification import is_too_large, is_transient, may_be_too_large
from viam_sync.transfer.export.contents import ContentsFetcher
from viam_sync.transfer.export.pending import PendingFile

#: How many files are asked for alone before a failure is taken for that of all.
_PROBES = 3
#: The statuses that depend on the caller, and not on the moment or the file.
_OF_THE_CALLER = {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED}

#: The organization, the location and the machine of a file: roles are granted on these.
_Scope = Tuple[str, str, str]


class Outcome(NamedTuple):
    """The outcome of a request for the contents of files.

    Attributes:
        files: The files.
        found: The response, by IDs; empty if the request failed.
        error: The failure, or None.
        is_divisible: Whether it failed, and a request for fewer files may succeed.
    """

    files: Sequence[PendingFile]
    found: Dict[str, pb.BinaryData] = {}
    error: Optional[GRPCError] = None
    is_divisible: bool = False

    @property
    def needs_download(self) -> bool:
        """Whether a single file failed that may still come from its URI, where its bytes are seen to move."""
        error = self.error
        if error is None or len(self.files) > 1 or not self.files[0].metadata.uri:
            return False
        is_late = error.status is grpc.StatusCode.DEADLINE_EXCEEDED
        return is_late or is_too_large(error.status, error.message) or may_be_too_large(error.status, error.message)


#: Takes an outcome; tells whether all of its files are there.
Take = Callable[[Outcome], bool]


class BatchFetch:
    """Fetches batches of files; workers share it.

    A batch may fail because of one of its files. It is divided then, down to that file. A failure of all files would
    take two requests for each so. Therefore a few of them are asked for alone first: where these fail alike, so do the
    rest. They are drawn at random, so that another run draws others.

    Args:
        contents: Makes the requests.
    """

    def __init__(self, contents: ContentsFetcher) -> None:
        self._contents = contents
        self._refused: Dict[_Scope, GRPCError] = {}
        #: Held by the worker that finds out whether a failure concerns all.
        self._doubt = threading.Lock()

    @property
    def batch_bytes(self) -> float:
        """The size of the contents of the next batch, in bytes."""
        return self._contents.batch_bytes

    def fetch(self, batch: Sequence[PendingFile], cancellation: Cancellation, take: Take) -> None:
        """Fetch the files of a batch, and hand on the outcome of each part of it.

        Args:
            batch: The files.
            cancellation: Ends the requests.
            take: Takes an outcome; tells whether all of its files are there.

        Raises:
            CancelledError: If it was cancelled.
            UnauthenticatedError: If the service no longer knows the caller.
        """
        files = self._without_refused(batch, take)
        if not files:
            return
        whole = self._ask(files, cancellation, patient=True)
        if not whole.is_divisible:
            take(whole)
            return
        if whole.error is not None and _may_concern_all(whole.error):
            with self._doubt:
                files = self._probe(files, whole.error, cancellation, take)
        parts = self._divided(files)
        while parts:
            outcome = self._ask(parts.pop(), cancellation, patient=False)
            if outcome.is_divisible:
                parts += self._divided(outcome.files)
            else:
                take(outcome)

    def _divided(self, files: Sequence[PendingFile]) -> List[Sequence[PendingFile]]:
        """Return files in two parts, or in as many as the line brings in good time now."""
        size = self._contents.size_of([file.metadata for file in files])
        count = min(max(math.ceil(size / self.batch_bytes), 2), len(files))
        return [files[start::count] for start in range(count)]

    def _probe(
        self, files: Sequence[PendingFile], error: GRPCError, cancellation: Cancellation, take: Take
    ) -> List[PendingFile]:
        """Find out whether a failure concerns all; return the files that are still to be asked for."""
        groups: Dict[Optional[_Scope], List[PendingFile]] = {}
        # Another worker may have found out meanwhile.
        for file in self._without_refused(files, take):
            groups.setdefault(_scope(file) if error.status in _OF_THE_CALLER else None, []).append(file)
        left: List[PendingFile] = []
        for scope, group in groups.items():
            if not self._fail_alike(group, error, cancellation, take):
                left += group
                continue
            if scope is not None:
                self._refused[scope] = error
            take(Outcome(group, error=error))
        return left

    def _fail_alike(self, group: List[PendingFile], error: GRPCError, cancellation: Cancellation, take: Take) -> bool:
        """Take a few files out of a group, and ask for each alone; tell whether all of these fail alike."""
        if len(group) < _PROBES:
            return False
        for file in random.sample(group, _PROBES):
            group.remove(file)
            outcome = self._ask([file], cancellation, patient=False)
            is_there = take(outcome)
            if is_there or outcome.error is None or outcome.error.status is not error.status:
                return False
        return True

    def _without_refused(self, files: Sequence[PendingFile], take: Take) -> List[PendingFile]:
        """Return the files that are not known to be refused."""
        others = []
        for file in files:
            error = self._refused.get(_scope(file))
            if error is None:
                others.append(file)
            else:
                take(Outcome([file], error=error))
        return others

    def _ask(self, files: Sequence[PendingFile], cancellation: Cancellation, *, patient: bool) -> Outcome:
        try:
            found = self._contents.fetch([file.metadata for file in files], cancellation, patient=patient)
        except UnauthenticatedError:
            raise
        except GRPCError as error:
            # The service, or a proxy before it, may cancel a request, too: that is a failure like others.
            if isinstance(error, CancelledError) and cancellation.cancelled:
                raise
            return Outcome(files, error=error, is_divisible=len(files) > 1)
        by_id = {id: each for each in found for id in (each.metadata.binary_data_id, each.metadata.id) if id}
        return Outcome(files, by_id)


def _scope(file: PendingFile) -> _Scope:
    captured = file.metadata.capture_metadata
    return captured.organization_id, captured.location_id, captured.robot_id


def _may_concern_all(error: GRPCError) -> bool:
    return error.status in _OF_THE_CALLER or is_transient(error)
