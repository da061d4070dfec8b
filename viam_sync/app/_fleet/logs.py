"""The methods of AppClient that return entries of logs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Callable, Iterable, Iterator, List, Optional, Sequence, Tuple

from viam_sync.app._fleet.log_tail import LogsStream, Tail, timestamp_from_nanoseconds
from viam_sync.app._fleet.machine_records import LogEntry
from viam_sync.checks import parameter_names, require, wrong_type
from viam_sync.checks.numbers import require_seconds, whole
from viam_sync.clock import now
from viam_sync.messages.values import require_in_order
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.service import Service
from viam_sync.rpc.streams import Stream
from viam_sync.services import methods
from viam_sync.transfer.output.response_outputs import optional_output
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import PageItems, Pages, walk

_LOGS = PagedCall(methods.GET_ROBOT_PART_LOGS, items_in("logs", LogEntry.from_proto))
#: Returns the seconds that are left for a call; None for no limit.
_Left = Callable[[], Optional[float]]
#: Levels that are dropped where only errors are wanted, as the service may ignore errors_only, which is deprecated.
_NO_ERRORS = ("debug", "info", "warn", "warning")


class LogsMixin(Service):
    """Methods for the logs of parts."""

    def get_robot_part_logs(
        self,
        robot_part_id: str,
        filter: Optional[str] = None,
        dest: Optional[str] = None,
        log_levels: List[str] = [],  # noqa: B006 - the reference has it so, and nothing changes it
        num_log_entries: int = 100,
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        order: Optional[pb.LogOrder.ValueType] = None,
        range: Optional[str] = None,
        *,
        source: Optional[str] = None,
        user_facing_only: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> List[LogEntry]:
        """Get the log entries of a part, the newest first, and write them to a file if one is named.

        The service sends them in pages, which are asked for until there are enough entries, or no more.

        Args:
            robot_part_id: ID of the part, a UUID.
            filter: Only entries whose message contains this text; None for all.
            dest: Path or URL of a file for the entries. One that ends in ``.jsonl`` gets an object on each line, any
                other a JSON list of them; their names are those of the service's JSON, and empty fields are left out. A
                link is followed, and a device or a pipe is written through.
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
            InvalidArgumentError: If ``range`` comes with both ``start`` and ``end``.
            InternalError: If the service sends pages without end.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> sandbox.log(sandbox.robot_part_id, "The battery is low", level="warn")
            >>> [entry.message for entry in app.get_robot_part_logs(sandbox.robot_part_id, filter="battery")]
            ['The battery is low']
        """
        require(robot_part_id=robot_part_id)
        timeout = require_seconds("timeout", timeout)
        count = whole("num_log_entries", num_log_entries, 0, note=", where 0 stands for all entries")
        destination = optional_output(dest, rejected=(".csv",))
        request = _logs_request(
            robot_part_id,
            filter,
            log_levels,
            start=start,
            end=end,
            order=order,
            range=range,
            source=source,
            user_facing_only=user_facing_only,
        )
        messages = self._gather_logs(request, count, timeout)
        logs = [LogEntry.from_proto(message, tz=self._options.tz) for message in messages]
        if destination is not None:
            from viam_sync.transfer.output.rows import message_to_row  # only of use with a destination
            from viam_sync.transfer.output.writers import write_rows

            write_rows(destination, messages, message_to_row, logs)
        return logs

    def iter_robot_part_logs(
        self,
        robot_part_id: str,
        *,
        filter: Optional[str] = None,
        log_levels: Sequence[str] = (),
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        order: Optional[pb.LogOrder.ValueType] = None,
        range: Optional[str] = None,
        source: Optional[str] = None,
        user_facing_only: Optional[bool] = None,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[LogEntry]:
        """Go through all log entries of a part, the newest first.

        Args:
            robot_part_id: ID of the part, a UUID.
            filter: Only entries whose message contains this text; None for all.
            log_levels: Only entries of these levels, such as ``["warn", "error"]``; empty for all.
            start: Only entries from this time on; without a time zone it is UTC.
            end: Only entries up to this time; without a time zone it is UTC.
            order: ``LogOrder.LOG_ORDER_ASCENDING`` of ``viam_sync.proto.app`` for the oldest first.
            range: How far back to look, such as ``10m``, ``10h`` or ``10d``, in place of ``start`` and ``end``.
            source: Only entries from there; None for all.
            user_facing_only: Whether to leave out entries that are not meant for users.
            limit: How many entries at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the entries; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``limit`` is negative.
            NotFoundError: While iterating, if there is no such part.
            InvalidArgumentError: While iterating, if ``range`` came with both ``start`` and ``end``.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> sandbox.log(sandbox.robot_part_id, "The battery is low", level="warn")
            >>> [entry.message for entry in app.iter_robot_part_logs(sandbox.robot_part_id, filter="battery")]
            ['The battery is low']
        """
        require(robot_part_id=robot_part_id)
        request = _logs_request(
            robot_part_id,
            filter,
            log_levels,
            start=start,
            end=end,
            order=order,
            range=range,
            source=source,
            user_facing_only=user_facing_only,
        )
        return _LOGS.with_times_in(self._options.tz).pages(
            self._unary_unary, request, limit=limit, prefetch=prefetch, timeout=timeout
        )

    def tail_robot_part_logs(
        self,
        robot_part_id: str,
        errors_only: bool = True,
        filter: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> LogsStream:
        """Follow the log of a part: get its new entries as they come in.

        The request is sent at once: what is logged once it has reached the service is not missed, even before the
        first ``next``. The stream goes on until it is closed; use it in a ``with`` statement. A connection that is lost
        is made again, and what was logged meanwhile comes from the stored log.

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

        Example:
            >>> with app.tail_robot_part_logs(sandbox.robot_part_id) as stream:
            ...     sandbox.wait_for_tail(sandbox.robot_part_id)
            ...     sandbox.log(sandbox.robot_part_id, "The motor stalled", level="error")
            ...     print(stream.next()[0].message)
            The motor stalled
        """
        require(robot_part_id=robot_part_id)
        timeout = require_seconds("timeout", timeout)
        with parameter_names(id="robot_part_id"):
            request = pb.TailRobotPartLogsRequest(
                id=robot_part_id, errors_only=errors_only, filter="" if filter is None else filter
            )

        def open(seconds: Optional[float]) -> Stream[pb.TailRobotPartLogsResponse]:
            return self._unary_stream(methods.TAIL_ROBOT_PART_LOGS, request, seconds)

        def stored(start: int, left: _Left, cancellation: Cancellation) -> Iterator[List[common_pb.LogEntry]]:
            return self._logged_since(request, start, left, cancellation)

        return LogsStream(Tail(open, stored, self._channel), self._tail_policy(), timeout, self._options.tz)

    def _logged_since(
        self, tail: pb.TailRobotPartLogsRequest, start: int, left: _Left, cancellation: Cancellation
    ) -> Iterator[List[common_pb.LogEntry]]:
        """Yield the stored entries that a tail would have sent, from a time in nanoseconds on, the oldest first."""
        request = pb.GetRobotPartLogsRequest(
            id=tail.id,
            errors_only=tail.errors_only,
            filter=tail.filter,
            start=timestamp_from_nanoseconds(start),
            order=pb.LogOrder.LOG_ORDER_ASCENDING,
        )
        for page in self._pages_of_logs(request, None, left, cancellation):
            yield [entry for entry in page if not (tail.errors_only and entry.level.lower() in _NO_ERRORS)]

    def _gather_logs(
        self, request: pb.GetRobotPartLogsRequest, count: int, timeout: Optional[float]
    ) -> List[common_pb.LogEntry]:
        """Ask for page after page until there are ``count`` entries, 0 being all."""
        end = None if timeout is None else now() + timeout

        def left() -> Optional[float]:
            return None if end is None else max(end - now(), 0)

        return [entry for page in self._pages_of_logs(request, count or None, left) for entry in page]

    def _pages_of_logs(
        self,
        request: pb.GetRobotPartLogsRequest,
        limit: Optional[int],
        left: _Left,
        cancellation: Optional[Cancellation] = None,
    ) -> Iterator[Iterable[common_pb.LogEntry]]:
        """Yield the pages of a stored log; each call may take the seconds that are ``left``."""
        method = methods.GET_ROBOT_PART_LOGS

        def fetch(token: str, size: int) -> Tuple[PageItems[common_pb.LogEntry], str]:
            request.page_token = token
            page: pb.GetRobotPartLogsResponse = self._unary_unary(method, request, left(), cancellation)
            return page.logs, page.next_page_token

        return walk(fetch, limit=limit, method=method.name)


def _logs_request(
    robot_part_id: str, filter: Optional[str], log_levels: Sequence[str], **more: Any
) -> pb.GetRobotPartLogsRequest:
    if isinstance(log_levels, (str, bytes)):
        raise wrong_type("log_levels", "a list such as ['error']", log_levels)
    with parameter_names(id="robot_part_id", levels="log_levels"):
        request = pb.GetRobotPartLogsRequest(
            id=robot_part_id, filter="" if filter is None else filter, page_token="", levels=log_levels, **more
        )
    require_in_order(request)
    return request
