"""How lessons and tests write to the logs of a sandbox's parts, as their machines would."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping, Optional, Sequence

from viam_sync.sandbox.errors import CallError
from viam_sync.sandbox.log_entries import add_log, log_entry
from viam_sync.sandbox.world import World


class MachineLogs:
    """The methods of a sandbox for the logs of its parts."""

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
        """Write an entry to the log of a part, as its machine would; clients that follow the log get it.

        Args:
            part_id: ID of the part, a UUID.
            message: What it says.
            level: How grave it is: ``debug``, ``info``, ``warn``, ``error`` or ``fatal``.
            logger_name: Name of the logger; a ``source`` is such a name, and stands for all those that begin with it
                and a dot.
            time: When it was logged; without a time zone it is UTC. None is now.
            host: Name of the computer that logged it; empty is the name of the part.
            file: The source file that logged it.
            line: The line in there.
            stack: A stack trace.
            fields: What else to log with it, each a dictionary that JSON can hold.
            user_facing: Whether it is among the entries for ``user_facing_only``.

        Raises:
            ValueError: If there is no such part, or an argument is not what an entry can hold.

        Example:
            >>> sandbox.log(sandbox.robot_part_id, "The battery is low", level="warn")
            >>> print(cloud.get_robot_part_logs(sandbox.robot_part_id)[0].message)
            The battery is low
        """
        world = self._running()
        entry = log_entry(
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
        """Wait until a client follows the log of a part; what is logged from then on reaches it.

        A client has sent its request when ``tail_robot_part_logs`` returns, but that must still arrive here.

        Args:
            part_id: ID of the part, a UUID.
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: If nobody follows it in that time.

        Example:
            >>> with cloud.tail_robot_part_logs(sandbox.robot_part_id) as stream:
            ...     sandbox.wait_for_tail(sandbox.robot_part_id)
        """
        if not self._running().feed.wait_for_follower(part_id.lower(), timeout):
            raise TimeoutError(f"Nobody followed the log of the part {part_id!r} within {timeout} seconds.")
