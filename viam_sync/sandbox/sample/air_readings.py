"""The sample readings: a week of the air in the greenhouse."""

from __future__ import annotations

import functools
import math
import random
from typing import Any, List

from viam_sync.proto import app as app_pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.data.captures import current_capture_metadata, find_or_add_capture

_STEP = 10 * 60 * 1_000_000
_DAY = 24 * 60 * 60 * 1_000_000
_DAYS, _A_DAY = 7, _DAY // _STEP
# The delays between request and receipt, and between request and upload, in microseconds.
_TAKES, _WAITS = 12_000, 45_000_000

# One statement for each day is several times as fast as one for each reading, and within the limit of parameters.
_INSERT = f"""
WITH a_day (requested, body) AS (VALUES {", ".join(["(?, ?)"] * _A_DAY)})
INSERT INTO readings (capture_id, requested, received, synced, body)
SELECT ?, requested, requested + {_TAKES}, requested + {_WAITS}, body FROM a_day
"""


def add_sample_readings(world: World, part: app_pb.RobotPart) -> None:
    """Add a reading of the sensor ``air`` of a part for each ten minutes of the week before it was last seen.

    By day it is warm and dry, and plants take carbon dioxide from the air; at night it is the reverse.
    """
    capture = current_capture_metadata(world, part)
    capture.component_type = "rdk:component:sensor"
    capture.component_name = "air"
    capture.method_name = "Readings"
    capture.tags.append("greenhouse")
    capture_id = find_or_add_capture(world, capture)
    first = microseconds_of(part.last_access) - (_DAYS * _A_DAY - 1) * _STEP
    bodies = _bodies(first % _DAY // _STEP)
    for day in range(_DAYS):
        values: List[Any] = []
        for number in range(day * _A_DAY, (day + 1) * _A_DAY):
            values += (first + number * _STEP, bodies[number])
        world.store.run(_INSERT, *values, capture_id)


# The sandboxes of a process, as tests start many of them, have the same readings if they start in the same ten minutes.
@functools.lru_cache(maxsize=1)
def _bodies(step: int) -> List[bytes]:
    """Return the readings of a week, of which the first is in this step of a day."""
    noise = random.Random(0)
    body = Struct()
    body.update({"readings": {"co2": 0, "humidity": 0, "temperature": 0}})
    readings = body.fields["readings"].struct_value.fields
    bodies = []
    for number in range(_DAYS * _A_DAY):
        sun = math.sin(((step + number) / _A_DAY - 0.375) * 2 * math.pi)  # the warmest hour is at 15:00 UTC
        readings["temperature"].number_value = round(21 + 6 * sun + noise.uniform(-0.4, 0.4), 1)
        readings["humidity"].number_value = round(64 - 14 * sun + noise.uniform(-1.5, 1.5), 1)
        readings["co2"].number_value = round(520 - 110 * sun + noise.uniform(-12, 12))
        bodies.append(body.SerializeToString())
    return bodies
