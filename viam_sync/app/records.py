"""What some methods return instead of messages: plain records with plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, List, Mapping, Optional

from typing_extensions import Self

from viam_sync.proto import app as pb
from viam_sync.utils import struct_to_dict


@dataclass
class RobotPart:
    """A part of a machine: a computer that runs ``viam-server``.

    Times are UTC without a time zone, as in the official SDK. What may hold secrets is not printed.

    Attributes:
        id: ID of the part, a UUID.
        name: Its name.
        dns_name: Its name in DNS; it follows the name.
        secret: The first of its secrets.
        robot: ID of its machine.
        location_id: ID of the location of its machine.
        robot_config: Its configuration; None if the service sent none.
        last_access: When it was last online.
        user_supplied_info: What its users have said of it.
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
    def from_proto(cls, robot_part: pb.RobotPart) -> Self:
        """Return the record of a message.

        Example:
            >>> from viam_sync.app.records import RobotPart
            >>> RobotPart.from_proto(pb.RobotPart(name="arm")).name
            'arm'
        """
        return cls(
            id=robot_part.id,
            name=robot_part.name,
            dns_name=robot_part.dns_name,
            secret=robot_part.secret,
            robot=robot_part.robot,
            location_id=robot_part.location_id,
            robot_config=_mapping(robot_part, "robot_config"),
            last_access=_time(robot_part, "last_access"),
            user_supplied_info=_mapping(robot_part, "user_supplied_info"),
            main_part=robot_part.main_part,
            fqdn=robot_part.fqdn,
            local_fqdn=robot_part.local_fqdn,
            created_on=_time(robot_part, "created_on"),
            secrets=list(robot_part.secrets),
            last_updated=_time(robot_part, "last_updated"),
            robot_config_json=robot_part.robot_config_json if robot_part.HasField("robot_config_json") else None,
        )

    @property
    def proto(self) -> pb.RobotPart:
        """The record as a message.

        Example:
            >>> from viam_sync.app.records import RobotPart
            >>> RobotPart.from_proto(pb.RobotPart(name="arm")).proto.name
            'arm'
        """
        return pb.RobotPart(**vars(self))


@dataclass
class RobotPartHistoryEntry:
    """A change of a part.

    Attributes:
        part: ID of the part.
        robot: ID of its machine.
        when: When it was changed, UTC without a time zone.
        old: The part as it was before.
    """

    part: str
    robot: str
    when: Optional[datetime]
    old: Optional[RobotPart]

    @classmethod
    def from_proto(cls, entry: pb.RobotPartHistoryEntry) -> Self:
        """Return the record of a message.

        Example:
            >>> from viam_sync.app.records import RobotPartHistoryEntry
            >>> RobotPartHistoryEntry.from_proto(pb.RobotPartHistoryEntry(part="p-1")).part
            'p-1'
        """
        old = RobotPart.from_proto(entry.old) if entry.HasField("old") else None
        return cls(part=entry.part, robot=entry.robot, when=_time(entry, "when"), old=old)

    @property
    def proto(self) -> pb.RobotPartHistoryEntry:
        """The record as a message.

        Example:
            >>> from viam_sync.app.records import RobotPartHistoryEntry
            >>> RobotPartHistoryEntry.from_proto(pb.RobotPartHistoryEntry(part="p-1")).proto.part
            'p-1'
        """
        old = None if self.old is None else self.old.proto
        return pb.RobotPartHistoryEntry(part=self.part, robot=self.robot, when=self.when, old=old)


def _time(message: Any, name: str) -> Optional[datetime]:
    return getattr(message, name).ToDatetime() if message.HasField(name) else None


def _mapping(message: Any, name: str) -> Optional[Mapping[str, Any]]:
    return struct_to_dict(getattr(message, name)) if message.HasField(name) else None
