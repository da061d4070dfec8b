"""The sample logs: the start of each machine, some warnings, and an error with its stack trace."""

from __future__ import annotations

from typing import Dict, Tuple

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.world import World, microseconds_of, timestamp
from viam_sync.sandbox.fleet.log_entries import add_log, make_log_entry

_SECOND = 1_000_000

# The seconds before the machine was last seen, level, logger, file and line, and message.
_Line = Tuple[float, str, str, str, str]
_Story = Tuple[_Line, ...]


def add_log_story(world: World, part: pb.RobotPart) -> None:
    """Add the log of a part of the sample world, up to the time when it was last seen."""
    seen = microseconds_of(part.last_access)
    for ago, level, logger_name, place, message in _STORIES[part.name]:
        file, _, line = place.partition(":")
        stack = _STACKS.get(message, "")
        entry = make_log_entry(message, level=level, logger_name=logger_name, file=file, line=int(line), stack=stack)
        entry.time.CopyFrom(timestamp(seen - round(ago * _SECOND)))
        add_log(world, part, entry, user_facing=level in ("warn", "error"))


_START, _CONFIG, _NET = "server/start.go:58", "robot/configure.go:131", "network/connection.go:87"
_DRIVE, _PING = "base/wheeled.go:212", "motor/fake.go:96"
_MOVE, _GRIP, _FRAME = "arm/fake.go:140", "gripper/fake.go:75", "camera/fake.go:118"
_SYNC, _AIR = "data/sync.go:203", "sensor/fake.go:64"

_STALLED = "The motor left stalled for 2.1 s and was stopped"
_JAMMED = "The gripper did not close within 5 s"
_LOST = "The connection to the cloud was lost, and 12 attempts to get it back have failed"

_STACKS = {
    _STALLED: (
        "motor.(*Motor).GoFor\n\tmotor/fake.go:171\n"
        "base.(*Wheeled).MoveStraight\n\tbase/wheeled.go:212\n"
        "web.(*Server).serve\n\tweb/server.go:340"
    ),
    _JAMMED: (
        "gripper.(*Gripper).Grab\n\tgripper/fake.go:92\n"
        "web.(*Server).serve\n\tweb/server.go:340"
    ),
    _LOST: (
        "network.(*Connection).dial\n\tnetwork/connection.go:133\n"
        "network.(*Connection).keep\n\tnetwork/connection.go:87"
    ),
}  # fmt: skip

_ROVER: _Story = (
    (71_940, "info", "rdk", _START, "Starting on rover-main"),
    (71_938.7, "info", "rdk.networking", _NET, "Connected to the cloud"),
    (71_938.1, "debug", "rdk.resource_manager", _CONFIG, "Configuring left, right, base"),
    (71_937.6, "info", "rdk.resource_manager", _CONFIG, "All 3 resources are ready"),
    (66_000, "info", "rdk.components.base", _DRIVE, "Moved 3000 mm at 200 mm/s"),
    (65_980, "info", "rdk.components.base", _DRIVE, "Turned 90 degrees"),
    (43_200, "debug", "rdk.networking", _NET, "The token was renewed"),
    (9_000, "info", "rdk.components.base", _DRIVE, "Moved 1500 mm at 200 mm/s"),
    (8_400, "warn", "rdk.components.motor.left", _PING, "The current of the motor left is 1.8 A, more than usual"),
    (8_395, "warn", "rdk.components.motor.left", _PING, "The current of the motor left is 2.4 A, more than usual"),
    (8_392.9, "error", "rdk.components.motor.left", "motor/fake.go:171", _STALLED),
    (8_392.8, "error", "rdk.components.base", _DRIVE, "Moving straight ended early: 610 of 1500 mm"),
    (8_100, "info", "rdk.components.motor.left", _PING, "The motor left is back to normal"),
    (3_600, "info", "rdk.components.base", _DRIVE, "Moved 1500 mm at 150 mm/s"),
    (30, "debug", "rdk.networking", _NET, "Checked in with the cloud"),
)
_ARM: _Story = (
    (50_400, "info", "rdk", _START, "Starting on arm-main"),
    (50_398.9, "info", "rdk.networking", _NET, "Connected to the cloud"),
    (50_398.2, "debug", "rdk.resource_manager", _CONFIG, "Configuring arm, gripper"),
    (50_397.5, "warn", "rdk.resource_manager", _CONFIG, "The part arm-camera has not checked in; going on without it"),
    (50_397.4, "info", "rdk.resource_manager", _CONFIG, "All 2 resources are ready"),
    (36_000, "info", "rdk.components.arm", _MOVE, "Moved to the position home"),
    (35_990, "info", "rdk.components.gripper", _GRIP, "Opened"),
    (14_400, "info", "rdk.components.arm", _MOVE, "Moved to the position shelf"),
    (14_392, "warn", "rdk.components.gripper", _GRIP, "Closing takes longer than usual: 3.2 s"),
    (14_340, "error", "rdk.components.gripper", "gripper/fake.go:92", _JAMMED),
    (14_339, "info", "rdk.components.arm", _MOVE, "Moved to the position home"),
    (14_000, "info", "rdk.components.gripper", _GRIP, "Opened"),
    (60, "info", "rdk", "server/stop.go:31", "Stopping, as asked"),
)
_PLANT_WATCHER: _Story = (
    (79_200, "info", "rdk", _START, "Starting on plant-watcher-main"),
    (79_198.4, "info", "rdk.networking", _NET, "Connected to the cloud"),
    (79_197.8, "debug", "rdk.resource_manager", _CONFIG, "Configuring air, camera, data"),
    (79_197, "info", "rdk.resource_manager", _CONFIG, "All 3 resources are ready"),
    (75_600, "info", "rdk.services.data_manager", _SYNC, "Uploaded 120 readings and 12 images"),
    (61_200, "warn", "rdk.components.sensor.air", _AIR, "The humidity is 97 %; the sensor may be wet"),
    (60_600, "warn", "rdk.components.sensor.air", _AIR, "The humidity is 99 %; the sensor may be wet"),
    (57_600, "info", "rdk.components.sensor.air", _AIR, "The humidity is back to 64 %"),
    (43_200, "info", "rdk.services.data_manager", _SYNC, "Uploaded 540 readings and 54 images"),
    (21_600, "debug", "rdk.components.camera", _FRAME, "It is too dark for an image; waiting for the morning"),
    (1_200, "warn", "rdk.networking", _NET, "The cloud did not answer within 10 s; trying again"),
    (900, "warn", "rdk.services.data_manager", _SYNC, "31 readings wait to be uploaded"),
    (10, "error", "rdk.networking", "network/connection.go:133", _LOST),
)
_STORIES: Dict[str, _Story] = {
    "rover-main": _ROVER,
    "arm-main": _ARM,
    "plant-watcher-main": _PLANT_WATCHER,
}
