"""One call of every kind, as programs make them that are tested in processes of their own."""

import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict

from viam_sync.app.viam_client import ViamClient
from viam_sync.utils import create_filter

#: The result of each call.
RESULTS: Dict[str, Any] = {
    "unary": 1,
    "iterator": 100,
    "without prefetch": 100,
    "with workers": 100,
    "begun before": 99,
    "sql": 3,
    "one file": b"pixels",
    "export": True,
    "table": 1008,
    "reading": True,
    "image": True,
    "file": True,
    "several files": 1,
    "stream": [],
    "tail": "begun",
}


def calls(client: ViamClient) -> Dict[str, Callable[[], Any]]:
    """Return a call of each kind, to a sandbox with its sample fleet; an iterator of them has begun already."""
    app, data = client.app_client, client.data_client
    organization = app.list_organizations()[0].id
    robot = app.list_robots(app.list_locations(organization)[0].id)[0].id
    part = app.get_robot_parts(robot)[0].id
    folder = Path(tempfile.mkdtemp())
    file = folder / "notes.txt"
    file.write_text("watered")
    now = datetime.now(timezone.utc)
    image = data.binary_data_capture_upload(b"pixels", part, "camera", "cam", "GetImages", ".jpg")
    begun = data.iter_tabular_data(page_size=20, limit=100)
    next(begun)

    def rows(**options: Any) -> int:
        return len(list(data.iter_tabular_data(page_size=20, limit=100, **options)))

    def capture() -> bool:
        times = [(now, now)]
        reading = data.tabular_data_capture_upload(
            [{"level": 1}], part, "sensor", "tank", "Readings", data_request_times=times
        )
        return bool(reading)

    def tail() -> str:
        with app.tail_robot_part_logs(part):
            return "begun"

    return {
        "unary": lambda: len(app.list_organizations()),
        "iterator": rows,
        "without prefetch": lambda: rows(prefetch=False),
        "with workers": lambda: rows(workers=3),
        "begun before": lambda: len(list(begun)),
        "sql": lambda: len(data.tabular_data_by_sql(organization, "select part_id from readings limit 3")),
        "one file": lambda: data.binary_data_by_ids([image])[0].binary,
        "export": lambda: data.export_binary_data(None, folder / "out").complete,
        "table": lambda: data.export_tabular_data_to(
            create_filter(component_name="air"), folder / "rows.csv", workers=3
        ),
        "reading": capture,
        "image": lambda: bool(data.binary_data_capture_upload(b"more", part, "camera", "cam", "GetImages", ".jpg")),
        "file": lambda: bool(data.file_upload_from_path(file, part)),
        "several files": lambda: len(data.upload_files([file], part)),
        "stream": lambda: data.export_tabular_data(part, "nothing", "sensor", "Readings"),
        "tail": tail,
    }
