"""What a real notebook shows of messages, records, results and plain lists of them."""

import importlib.util
from typing import Any, Dict

import pytest

if importlib.util.find_spec("nbclient") is None:
    pytest.skip("nbclient is missing", allow_module_level=True)

from notebook_cells import outputs

START = """
import warnings
warnings.simplefilter("error")
import viam_sync
from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

sandbox = Sandbox(seed=1).start()
client = ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url)
app, data = client.app_client, client.data_client
"""
PICTURE = """
import io, os
from PIL import Image
from viam_sync.proto.app.data import BinaryData
big = io.BytesIO()
Image.frombytes("RGB", (2000, 1600), os.urandom(2000 * 1600 * 3)).save(big, "PNG")
picture = BinaryData(binary=big.getvalue(), metadata={"annotations": {"bboxes": [{"label": "cat"}]}})
assert len(picture.binary) > 9_000_000
"""


def shown(*cells: str) -> Dict[str, Any]:
    """Return what the last cell shows, by its MIME type."""
    (only,) = outputs(START, *cells)
    data: Dict[str, Any] = only.data
    return data


@pytest.mark.parametrize(
    ("cell", "title"),
    [
        ("app.list_robots(sandbox.location_id)", "Robot (2)"),
        ("app.get_robot_part_logs(sandbox.robot_part_id)", "LogEntry ("),
        ("data.tabular_data_by_filter(limit=3)", "TabularData (3)"),
        ("data.list_datasets_by_organization_id(sandbox.organization_id)", "Dataset (1)"),
        ("app.get_robot_parts(sandbox.robot_id)[0]", "RobotPart"),
        ("sandbox", "Sandbox"),
        ("viam_sync.show([{'speed': 1.5}])", "rows (1)"),
    ],
)
def test_a_cell_shows_a_table_the_first_time(cell: str, title: str) -> None:
    found = shown(cell)
    assert title in found["text/html"]
    assert "<table" in found["text/html"]


def test_a_picture_of_ten_megabytes_is_a_thumbnail_with_its_boxes_in_a_list_too() -> None:
    for cell in ("picture", "[picture, picture], 2, 'last'"):
        found = shown(PICTURE, cell)
        assert len(found["text/html"]) < 100_000
        assert len(found["text/plain"]) < 1000
        assert "data:image/jpeg;base64," in found["text/html"]
        assert "PNG, 2000 x 1600" in found["text/html"]
        assert ">cat</span>" in found["text/html"]
        assert "binary=9.2 MiB" in found["text/plain"]


def test_a_damaged_picture_is_shown_by_its_size() -> None:
    found = shown(
        "from viam_sync.proto.app.data import BinaryData", r"BinaryData(binary=b'\x89PNG\r\n\x1a\n' + bytes(5000))"
    )
    assert "<img" not in found["text/html"]
    assert "PNG, 4.9 KiB" in found["text/html"]


def test_lists_of_other_things_are_left_alone() -> None:
    other = """
class Fancy(list):
    def _repr_html_(self):
        return "<b>fancy</b>"
"""
    assert shown("app.list_robots(sandbox.location_id)", "[1, 'a', None]") == {"text/plain": "[1, 'a', None]"}
    assert shown("app.list_robots(sandbox.location_id)", other, "Fancy()")["text/html"] == "<b>fancy</b>"
    before = (
        "get_ipython().display_formatter.formatters['text/html'].for_type(list, lambda value: f'<i>{len(value)}</i>')"
    )
    robots = "robots = app.list_robots(sandbox.location_id)"
    assert shown(f"{before};", robots, "robots", "[1, 2]")["text/html"] == "<i>2</i>"


def test_text_of_a_message_has_no_secret_and_no_line_for_each_byte() -> None:
    text = shown("app.get_location(sandbox.location_id)")["text/plain"]
    assert text.startswith("Location(id=")
    assert "secret=(hidden)" in text
    assert "name='Workshop'" in text


def test_a_time_alone_is_a_date() -> None:
    found = shown("app.get_robot(sandbox.robot_id).created_on")
    assert {*found} == {"text/plain"}
    assert found["text/plain"].startswith("20")


def test_showing_before_viam_sync_is_imported_last_does_not_matter() -> None:
    # The package is loaded before the shell begins, as a module of the kernel's start would load it.
    found = shown("import sys; assert 'viam_sync.display.notebook' not in sys.modules", "app.list_organizations()")
    assert "Organization (1)" in found["text/html"]


def test_secrets_are_shown_where_they_are_asked_for() -> None:
    (printed, display) = outputs(
        START,
        "(part,) = app.get_robot_parts(sandbox.robot_id)",
        "print(part.secret)\nviam_sync.show(part, secrets=True)",
    )
    assert printed.text.strip() in display.data["text/html"]
    assert printed.text.strip() in display.data["text/plain"]
