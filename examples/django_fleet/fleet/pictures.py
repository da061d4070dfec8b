"""The last pictures of a machine, with the boxes around what is in them."""

from datetime import datetime, timezone
from typing import Any, List, NamedTuple

from viam_sync.django import client
from viam_sync.proto.app.data import Order
from viam_sync.utils import create_filter, timestamp_to_datetime

#: What a browser may show; an SVG, which may hold a script, is not among it.
PICTURE_TYPES = ["image/jpeg", "image/png"]


class Picture(NamedTuple):
    id: str
    time: datetime
    boxes: List["Box"]


class Box(NamedTuple):
    label: str
    style: str


def pictures_of(viam_id: str) -> List[Picture]:
    """Return the last six pictures of a machine, without their contents."""
    found = client.data_client.iter_binary_data(
        create_filter(robot_id=viam_id, mime_type=PICTURE_TYPES),
        sort_order=Order.ORDER_DESCENDING,
        limit=6,
        include_binary_data=False,
    )
    return [picture_of(each.metadata) for each in found]


def picture_of(metadata: Any) -> Picture:
    boxes = [Box(box.label, style_of(box)) for box in metadata.annotations.bboxes]
    return Picture(metadata.binary_data_id, timestamp_to_datetime(metadata.time_requested, timezone.utc), boxes)


def style_of(box: Any) -> str:
    """Return the place of a box in its picture as CSS."""
    left, top = box.x_min_normalized, box.y_min_normalized
    width, height = box.x_max_normalized - left, box.y_max_normalized - top
    return f"left: {left:.2%}; top: {top:.2%}; width: {width:.2%}; height: {height:.2%}"
