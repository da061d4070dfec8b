"""The last readings of a machine as charts, which the templates draw as SVG."""

import math
from datetime import datetime
from typing import Dict, List, NamedTuple, Tuple

from viam_sync.django import client
from viam_sync.proto.app.data import Order
from viam_sync.utils import create_filter

WIDTH, HEIGHT = 600, 120


class Chart(NamedTuple):
    title: str
    range: str
    start: datetime
    end: datetime
    line: str  # the points of a polyline, such as "0.0,60.0 300.0,10.5 600.0,120.0"


def charts_of(viam_id: str) -> List[Chart]:
    """Return a chart of each number among the last 200 readings of a machine."""
    series: Dict[str, List[Tuple[datetime, float]]] = {}
    rows = client.data_client.iter_tabular_data(
        create_filter(robot_id=viam_id), sort_order=Order.ORDER_DESCENDING, limit=200
    )
    for row in rows:
        for name, value in row.data.get("readings", {}).items():
            if isinstance(value, (int, float)) and math.isfinite(value):
                series.setdefault(f"{row.metadata.component_name} {name}", []).append((row.time_requested, value))
    return [chart_of(title, sorted(points)) for title, points in sorted(series.items())]


def chart_of(title: str, points: List[Tuple[datetime, float]]) -> Chart:
    """Return the chart of some points, the oldest first."""
    values = [value for _, value in points]
    lowest, highest, start, end = min(values), max(values), points[0][0], points[-1][0]
    seconds, height = (end - start).total_seconds() or 1, highest - lowest or 1
    line = " ".join(
        f"{(time - start).total_seconds() / seconds * WIDTH:.1f},{(highest - value) / height * HEIGHT:.1f}"
        for time, value in points
    )
    return Chart(title, f"{lowest:g} to {highest:g}", start, end, line)
