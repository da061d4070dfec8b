"""Parts of machines, their history and their log entries as plain records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, List, Mapping, Optional

from typing_extensions import Self

from viam_sync.messages.acceptance import adopt
from viam_sync.messages.conversion import struct_to_dict, timestamp_to_datetime
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.shown import ShortRepr


@dataclass(repr=False)
class RobotPart(ShortRepr):
    """A part of a machine: a computer that runs ``viam-server``.

    Times are UTC without a time zone, as in the official SDK, or in that of the client's options. ``repr()`` leaves out
    the fields that may hold secrets.

    Attributes:
        id: ID of the part, a UUID.
        name: Its name.
        dns_name: Its name in DNS; it follows the name.
        secret: The first of its secrets.
        robot: ID of its machine.
        location_id: ID of the location of its machine.
        robot_config: Its configuration; None if the service sent none.
        last_access: When it was last online.
        user_supplied_info: Information that its users have stored with it.
        main_part: Whether it is the main part of its machine.
        fqdn: Its full name in DNS.
        local_fqdn: Its full name within its own network.
        created_on: When it was created.
        secrets: Its secrets.
        last_updated: When its name or configuration last changed.
        robot_config_json: Its configuration as JSON, where the service sent it so.
    """

    id: str
    name: str
    dns_name: str
    secret: str = field(repr=False)
    robot: str
    location_id: str
    robot_config: Optional[Mapping[str, Any]] = field(repr=False)
    last_access: Optional[datetime]
    user_supplied_info: Optional[Mapping[str, Any]]
    main_part: bool
    fqdn: str
    local_fqdn: str
    created_on: Optional[datetime]
    secrets: Optional[List[pb.SharedSecret]] = field(repr=False)
    last_updated: Optional[datetime] = None
    robot_config_json: Optional[str] = field(default=None, repr=False)

    @classmethod
    def from_proto(cls, robot_part: pb.RobotPart, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Example:
            >>> from viam_sync.app.app_client import RobotPart
            >>> RobotPart.from_proto(pb.RobotPart(name="arm")).name
            'arm'
        """
        robot_part = adopt(pb.RobotPart, robot_part, "robot_part")
        return cls(
            id=robot_part.id,
            name=robot_part.name,
            dns_name=robot_part.dns_name,
            secret=robot_part.secret,
            robot=robot_part.robot,
            location_id=robot_part.location_id,
            robot_config=mapping_of(robot_part, "robot_config"),
            last_access=time_of(robot_part, "last_access", tz),
            user_supplied_info=mapping_of(robot_part, "user_supplied_info"),
            main_part=robot_part.main_part,
            fqdn=robot_part.fqdn,
            local_fqdn=robot_part.local_fqdn,
            created_on=time_of(robot_part, "created_on", tz),
            secrets=list(robot_part.secrets),
            last_updated=time_of(robot_part, "last_updated", tz),
            robot_config_json=robot_part.robot_config_json if robot_part.HasField("robot_config_json") else None,
        )

    @property
    def proto(self) -> pb.RobotPart:
        """The record as a message.

        Example:
            >>> from viam_sync.app.app_client import RobotPart
            >>> RobotPart.from_proto(pb.RobotPart(name="arm")).proto.name
            'arm'
        """
        return pb.RobotPart(**vars(self))


@dataclass(repr=False)
class RobotPartHistoryEntry(ShortRepr):
    """A change of a part.

    Attributes:
        part: ID of the part.
        robot: ID of its machine.
        when: When it was changed, UTC without a time zone, or in that of the client's options.
        old: The part as it was before.
    """

    part: str
    robot: str
    when: Optional[datetime]
    old: Optional[RobotPart]

    @classmethod
    def from_proto(cls, robot_part_history_entry: pb.RobotPartHistoryEntry, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Example:
            >>> from viam_sync.app.app_client import RobotPartHistoryEntry
            >>> RobotPartHistoryEntry.from_proto(pb.RobotPartHistoryEntry(part="p-1")).part
            'p-1'
        """
        entry = adopt(pb.RobotPartHistoryEntry, robot_part_history_entry, "robot_part_history_entry")
        old = RobotPart.from_proto(entry.old, tz=tz) if entry.HasField("old") else None
        return cls(part=entry.part, robot=entry.robot, when=time_of(entry, "when", tz), old=old)

    @property
    def proto(self) -> pb.RobotPartHistoryEntry:
        """The record as a message.

        Example:
            >>> from viam_sync.app.app_client import RobotPartHistoryEntry
            >>> RobotPartHistoryEntry.from_proto(pb.RobotPartHistoryEntry(part="p-1")).proto.part
            'p-1'
        """
        old = None if self.old is None else self.old.proto
        return pb.RobotPartHistoryEntry(part=self.part, robot=self.robot, when=self.when, old=old)


@dataclass(repr=False)
class LogEntry(ShortRepr):
    """An entry of the log of a part.

    Attributes:
        host: Name of the computer that logged it.
        level: Its level, in lowercase: ``debug``, ``info``, ``warn`` or ``error``.
        time: When it was logged, UTC without a time zone, or in that of the client's options.
        logger_name: Name of the logger.
        message: The message.
        caller: Where in the source code it was logged, with ``File`` and ``Line``; None if the service sent nothing.
        stack: A stack trace, where there is one.
        fields: Other values that were logged with it.
    """

    host: str
    level: str
    time: Optional[datetime]
    logger_name: str
    message: str
    caller: Optional[Mapping[str, Any]]
    stack: str
    fields: Optional[List[Mapping[str, Any]]]

    @classmethod
    def from_proto(cls, log_entry: common_pb.LogEntry, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Example:
            >>> from viam_sync.app.app_client import LogEntry
            >>> from viam_sync.proto import common
            >>> LogEntry.from_proto(common.LogEntry(level="warn", message="hot")).level
            'warn'
        """
        log_entry = adopt(common_pb.LogEntry, log_entry, "log_entry")
        return cls(
            host=log_entry.host,
            level=log_entry.level,
            time=time_of(log_entry, "time", tz),
            logger_name=log_entry.logger_name,
            message=log_entry.message,
            caller=mapping_of(log_entry, "caller"),
            stack=log_entry.stack,
            fields=[struct_to_dict(field) for field in log_entry.fields],
        )

    @property
    def proto(self) -> common_pb.LogEntry:
        """The record as a message.

        Example:
            >>> from viam_sync.app.app_client import LogEntry
            >>> from viam_sync.proto import common
            >>> LogEntry.from_proto(common.LogEntry(message="hot")).proto.message
            'hot'
        """
        return common_pb.LogEntry(**vars(self))


def time_of(message: Any, name: str, tz: Optional[tzinfo]) -> Optional[datetime]:
    """Return a time of a message in a time zone, UTC without one for None; None where it is not set."""
    return timestamp_to_datetime(getattr(message, name), tz) if message.HasField(name) else None


def mapping_of(message: Any, name: str) -> Optional[Mapping[str, Any]]:
    """Return a Struct of a message as a dict; None where it is not set."""
    return struct_to_dict(getattr(message, name)) if message.HasField(name) else None
