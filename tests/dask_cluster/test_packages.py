"""What is said where Dask is not installed."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from viam_sync.app.viam_client import ViamClient
from viam_sync.dask import export_binary_data, export_tabular_data, read_tabular_data
from viam_sync.utils import create_filter


def test_the_room_loads_none_of_its_packages() -> None:
    names = "{'dask', 'distributed', 'pandas', 'pyarrow', 'fsspec'}"
    script = f"import viam_sync.dask, sys; print(sorted({names} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("missing", ["dask", "dask.dataframe", "distributed", "pyarrow", "fsspec"])
def test_a_package_that_is_missing_is_named_with_what_installs_all(
    client: ViamClient, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("dask", "dask.dataframe", "distributed", "pyarrow", "fsspec"):
        # Those that are asked for earlier are there, or seem to be.
        monkeypatch.setitem(sys.modules, package, None if package == missing else pytest)
    everything = create_filter(start_time=datetime(2024, 5, 1), end_time=datetime(2024, 5, 2))
    calls = {
        "read_tabular_data": lambda: read_tabular_data(client, everything),
        "export_tabular_data": lambda: export_tabular_data(client, everything, tmp_path),
        "export_binary_data": lambda: export_binary_data(client, everything, tmp_path),
    }
    for name in ["read_tabular_data"] if missing.startswith("dask") else ["export_tabular_data", "export_binary_data"]:
        package = missing.partition(".")[0]
        text = rf'^{name} takes {package}, .*; pip install "dask\[dataframe,distributed\]" pyarrow fsspec \('
        with pytest.raises(ImportError, match=text):
            calls[name]()
