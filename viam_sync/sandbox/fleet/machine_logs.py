"""Methods of Sandbox that write to the logs of parts, as their machines would."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping, Optional, Sequence

from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.log_entries import add_log, make_log_entry


class MachineLogs:
    """The methods of Sandbox about the logs of parts."""

    def _running(self) -> World:
        raise NotImplementedError

    def log(
        self,
        part_id: str,
        message: str,
        *,
        level: str = "info",
        logger_name: str = "rdk",
        time: Optional[datetime] = None,
        host: str = "",
        file: str = "main.go",
        line: int = 1,
        stack: str = "",
        fields: Sequence[Mapping[str, Any]] = (),
        user_facing: bool = False,
    ) -> None:
        """Write an entry to the log of a part, as its machine would; clients that follow the log receive it.

        Args:
            part_id: ID of the part, a UUID.
            message: The message.
            level: The severity: ``debug``, ``info``, ``warn``, ``error`` or ``fatal``.
            logger_name: Name of the logger; the filter ``source`` matches it, and the loggers below it.
            time: The time of the entry; without a time zone it is UTC. None is the present.
            host: Name of the computer that logged it; empty is the name of the part.
            file: Name of the source file that logged it.
            line: The line in that file.
            stack: A stack trace.
            fields: Structured fields, each a dictionary that JSON can hold.
            user_facing: Whether the filter ``user_facing_only`` includes it.

        Raises:
            ValueError: If there is no such part, or an argument has no form in an entry.
            RuntimeError: If the sandbox is not running.

        Example:
            >>> sandbox.log(sandbox.robot_part_id, "The battery is low", level="warn")
            >>> print(client.app_client.get_robot_part_logs(sandbox.robot_part_id)[0].message)
            The battery is low
        """
        world = self._running()
        entry = make_log_entry(
            message,
            level=level,
            logger_name=logger_name,
            file=file,
            line=line,
            time=time,
            host=host,
            stack=stack,
            fields=fields,
        )
        try:
            with world.store.transaction():
                add_log(world, world.part(part_id), entry, user_facing=bool(user_facing))
        except CallError as error:
            raise ValueError(error.text) from None

    def wait_for_tail(self, part_id: str, timeout: float = 10) -> None:
        """Wait until a client follows the log of a part; every entry that is logged after that reaches it.

        ``tail_robot_part_logs`` returns when the request was sent, which may be before it arrives here.

        Args:
            part_id: ID of the part, a UUID.
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: If no client follows it in that time.
            RuntimeError: If the sandbox is not running.

        Example:
            >>> with client.app_client.tail_robot_part_logs(sandbox.robot_part_id) as stream:
            ...     sandbox.wait_for_tail(sandbox.robot_part_id)
        """
        if not self._running().feed.wait_for_follower(part_id.lower(), timeout):
            raise TimeoutError(f"Nobody followed the log of the part {part_id!r} within {timeout} seconds.")
