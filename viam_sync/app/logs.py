"""The methods of AppClient that return entries of logs."""

from __future__ import annotations

import time
from datetime import datetime
from types import TracebackType
from typing import Iterator, List, Optional, Set, Type

import grpc
from typing_extensions import Self

from viam_sync.app.records import LogEntry
from viam_sync.errors import GRPCError, grpc_error
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto._refusals import naming
from viam_sync.rpc.retry import READ, TAIL
from viam_sync.rpc.service import Service, Stream
from viam_sync.transfer.files import Destination, message_to_row

#: A filter can leave pages empty, but a service that sends this many in a row is not going anywhere.
_MOST_EMPTY_PAGES = 100


class LogsStream(Iterator[List[LogEntry]]):
    """The entries that a part logs from now on, in lists as they come in, until it is closed.

    It can be closed from another thread, which ends a waiting ``next`` at once.

    Args:
        stream: What the service sends.

    Example:
        >>> from viam_sync.app.logs import LogsStream
        >>> from viam_sync.proto import common
        >>> from viam_sync.rpc.service import Stream
        >>> answer = pb.TailRobotPartLogsResponse(logs=[common.LogEntry(message="hot")])
        >>> with LogsStream(Stream(iter([answer]), "demo/Tail")) as stream:
        ...     [entry.message for entry in stream.next()]
        ['hot']
    """

    def __init__(self, stream: Stream[pb.TailRobotPartLogsResponse]) -> None:
        self._stream = stream

    def __next__(self) -> List[LogEntry]:
        for response in self._stream:
            if response.logs:
                return [LogEntry.from_proto(entry) for entry in response.logs]
        raise StopIteration

    def next(self) -> List[LogEntry]:
        """Wait for the next entries.

        Returns:
            The entries, at least one.

        Raises:
            StopIteration: If the stream has ended or was closed.
            GRPCError: If the service ends it with an error, or is lost; a subclass says which.
        """
        return next(self)

    def close(self) -> None:
        """End the stream; closing it again does nothing."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class Logs(Service):
    """Methods for the logs of parts."""

    def get_robot_part_logs(
        self,
        robot_part_id: str,
        filter: Optional[str] = None,
        dest: Optional[str] = None,
        log_levels: List[str] = [],  # noqa: B006 - the reference has it so, and nothing changes it
        num_log_entries: int = 100,
        *,
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        order: Optional[pb.LogOrder.ValueType] = None,
        range: Optional[str] = None,
        source: Optional[str] = None,
        user_facing_only: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> List[LogEntry]:
        """Get what a part has logged, the newest first, and write it to a file where one is named.

        The service sends it in pages; they are asked for until there are enough entries, or no more.

        Args:
            robot_part_id: ID of the part, a UUID.
            filter: Only entries whose message contains this text; None for all.
            dest: Path of a file for the entries. One that ends in ``.jsonl`` gets an object on each line, any other a
                JSON list of them; their names are those of the service's JSON, and empty fields are left out.
            log_levels: Only entries of these levels, such as ``["warn", "error"]``; empty for all.
            num_log_entries: How many entries at most; 0 for all that there are.
            start: Only entries from this time on; without a time zone it is UTC.
            end: Only entries up to this time; without a time zone it is UTC.
            order: ``LogOrder.LOG_ORDER_ASCENDING`` of ``viam_sync.proto.app`` for the oldest first.
            range: How far back to look, such as ``10m``, ``10h`` or ``10d``, in place of ``start`` and ``end``.
            source: Only entries from there; None for all.
            user_facing_only: Whether to leave out entries that are not meant for users.
            timeout: Seconds that all pages may take together, retries included; None for the limit of the retry class,
                which each page has for itself.

        Returns:
            The entries.

        Raises:
            ValueError: If ``num_log_entries`` is negative, or ``dest`` ends in ``.csv``; nothing was asked.
            TypeError: If ``log_levels`` is a text, or ``num_log_entries`` no int; nothing was asked.
            OSError: If ``dest`` cannot be written. Found before the call, nothing was asked; found later, the entries
                are the error's attribute ``result``.
            NotFoundError: If there is no such part.
            InvalidArgumentError: If ``range`` comes with ``start`` or ``end``.
            InternalError: If the service sends pages without end.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
        """
        if isinstance(log_levels, (str, bytes)):
            raise TypeError(f"log_levels takes a list such as ['error'], got {log_levels!r}")
        count = _checked_count(num_log_entries)
        destination = None if dest is None else Destination(dest, refused=(".csv",))
        with naming(id="robot_part_id", levels="log_levels"):
            request = pb.GetRobotPartLogsRequest(
                id=robot_part_id,
                filter=filter or "",
                page_token="",
                levels=log_levels,
                start=start,
                end=end,
                order=order,
                range=range,
                source=source,
                user_facing_only=user_facing_only,
            )
        messages = self._gather_logs(request, count, timeout)
        logs = [LogEntry.from_proto(message) for message in messages]
        if destination is not None:
            destination.write_rows([message_to_row(message) for message in messages], result=logs)
        return logs

    def tail_robot_part_logs(
        self,
        robot_part_id: str,
        errors_only: bool = True,
        filter: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> LogsStream:
        """Follow the log of a part: get its new entries as they come in.

        The request is sent at once, so nothing is missed that is logged between this call and the first ``next``.
        The stream goes on until it is closed; use it in a ``with`` statement.

        Args:
            robot_part_id: ID of the part, a UUID.
            errors_only: Whether to leave out entries that are no errors.
            filter: Only entries whose message contains this text; None for all.
            timeout: Seconds after which the stream ends with DeadlineExceededError; None for no limit.

        Returns:
            An iterator over lists of entries, none of them empty. Each ``next`` waits for the service and raises what
            it refuses the call with, such as NotFoundError.

        Raises:
            ClosedError: If the client was closed.
        """
        with naming(id="robot_part_id"):
            request = pb.TailRobotPartLogsRequest(id=robot_part_id, errors_only=errors_only, filter=filter or "")
        return LogsStream(self._receive("TailRobotPartLogs", request, TAIL, timeout))

    def _gather_logs(
        self, request: pb.GetRobotPartLogsRequest, count: int, timeout: Optional[float]
    ) -> List[common_pb.LogEntry]:
        """Ask for page after page until there are ``count`` entries, 0 being all."""
        over = None if timeout is None else time.monotonic() + timeout
        found: List[common_pb.LogEntry] = []
        tokens: Set[str] = set()
        empty_pages = 0
        while True:
            left = None if over is None else max(over - time.monotonic(), 0)
            page: pb.GetRobotPartLogsResponse = self._call("GetRobotPartLogs", request, READ, left)
            found += page.logs
            token = page.next_page_token
            if not token or 0 < count <= len(found):
                return found[:count] if count else found
            empty_pages = 0 if page.logs else empty_pages + 1
            if token in tokens:
                raise _endless(f"gave the page token {token!r} a second time")
            if empty_pages == _MOST_EMPTY_PAGES:
                raise _endless(f"sent {empty_pages} empty pages in a row")
            tokens.add(token)
            request.page_token = token


def _checked_count(count: int) -> int:
    if not isinstance(count, int):
        raise TypeError(f"num_log_entries takes an int, got {count!r}")
    if count < 0:
        raise ValueError(f"num_log_entries takes 0 for all entries, or how many at most, got {count}")
    return count


def _endless(what: str) -> GRPCError:
    return grpc_error(
        grpc.StatusCode.INTERNAL,
        f"The service {what}, so its pages would never end; name a start and an end to ask for less.",
        method="viam.app.v1.AppService/GetRobotPartLogs",
    )
