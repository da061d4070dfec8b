"""The bar of ``progress=True`` in a real notebook, which is run as Jupyter runs it."""

import importlib.util
from typing import Any, List

import pytest

if importlib.util.find_spec("nbclient") is None:
    pytest.skip("nbclient is missing", allow_module_level=True)

from notebook_cells import outputs

EXPORT = """
import tempfile
from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
    with tempfile.TemporaryDirectory() as folder:
        result = client.data_client.export_binary_data(None, folder, progress=PROGRESS)
print(result.complete)
"""
WITHOUT_WIDGETS = "import sys; sys.modules['ipywidgets'] = None"
WARNINGS_ARE_ERRORS = "import warnings; warnings.simplefilter('error')"


def text_of(found: List[Any], stream: str) -> str:
    return "".join(each.text for each in found if each.output_type == "stream" and each.name == stream)


def test_a_notebook_shows_a_bar_as_a_widget() -> None:
    found = outputs(EXPORT.replace("PROGRESS", "True"))
    (shown,) = (each.data for each in found if each.output_type == "display_data")
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert "24" in shown["text/plain"]
    assert "files" in shown["text/plain"]
    assert text_of(found, "stdout") == "True\n"
    assert text_of(found, "stderr") == ""


@pytest.mark.parametrize("first", ["", WARNINGS_ARE_ERRORS])
def test_a_notebook_without_widgets_shows_a_bar_of_text_and_no_warning(first: str) -> None:
    found = outputs(WITHOUT_WIDGETS, first, EXPORT.replace("PROGRESS", "True"))
    assert "100%" in text_of(found, "stderr")
    assert "24/24" in text_of(found, "stderr")
    assert "Warning" not in text_of(found, "stderr")
    assert text_of(found, "stdout") == "True\n"


def test_a_notebook_shows_no_bar_that_nobody_asked_for() -> None:
    (only,) = outputs(EXPORT.replace("PROGRESS", "None"))
    assert only.text == "True\n"
