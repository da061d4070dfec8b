"""Runs the scripts and notebooks of a folder, one after the other, and prints what each printed as JSON by its name."""

import ast
import asyncio
import contextlib
import inspect
import io
import json
import runpy
import sys
import traceback
from pathlib import Path


def run_notebook(path: Path) -> None:
    """Run the cells of a notebook as its kernel does, which awaits what they await; magics are left out."""
    known = {}
    loop = asyncio.new_event_loop()
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and not source.startswith("%"):
            code = compile(source, str(path), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, known)
            if inspect.iscoroutine(result):
                loop.run_until_complete(result)
    loop.close()


def printed(path: Path) -> str:
    """Return what a script or notebook printed; an error is printed, too."""
    output = io.StringIO()
    # A script may ask for the loop of its thread, which asyncio.run takes away.
    asyncio.set_event_loop(asyncio.new_event_loop())
    with contextlib.redirect_stdout(output):
        try:
            run_notebook(path) if path.suffix == ".ipynb" else runpy.run_path(str(path), run_name="__main__")
        except Exception:
            print(traceback.format_exc())
    return output.getvalue()


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    files = sorted(Path(sys.argv[1]).iterdir())
    print(json.dumps({path.name: printed(path) for path in files if path.suffix in (".py", ".ipynb")}))
