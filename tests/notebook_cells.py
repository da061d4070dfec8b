"""A notebook, run as Jupyter runs it."""

from typing import Any, List

import nbformat
from nbclient import NotebookClient


def outputs(*cells: str) -> List[Any]:
    """Run a notebook, and return the outputs of its last cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    ran = NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    found: List[Any] = ran.cells[-1].outputs
    return found
