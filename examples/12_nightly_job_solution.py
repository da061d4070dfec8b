"""The solution of lesson 12."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from viam_sync.lessons import exercise, lesson_client
from viam_sync.utils import create_filter

midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
days = [midnight - timedelta(days=ago) for ago in range(7, 0, -1)]
tables = [Path(f"air-{day:%Y-%m-%d}.csv") for day in days]

with lesson_client() as client:
    data = client.data_client
    readings = [create_filter("air", start_time=day, end_time=day + timedelta(days=1)) for day in days]
    for filter, table in zip(readings, tables):
        data.export_tabular_data_to(filter, table)
    with exercise(12, client, tables):
        for filter, table in zip(readings, tables):
            data.export_tabular_data_to(filter, table.with_suffix(".jsonl"))
