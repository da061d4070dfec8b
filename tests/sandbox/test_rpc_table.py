import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "rpc_table.py"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("rpc_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_in_the_docs_is_what_the_sandbox_has(table):
    assert table.main(["--check"]) == 0


def test_a_table_that_is_out_of_date_is_told(table, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(table, "PAGE", tmp_path / "sandbox_rpcs.md")
    assert table.main(["--check"]) == 1
    assert table.main([]) == 0
    assert table.main(["--check"]) == 0
    table.PAGE.write_text(table.PAGE.read_text().replace("| GetRobot | yes |", "| GetRobot |  |"))
    assert table.main(["--check"]) == 1
    assert "run: python docs/rpc_table.py" in capsys.readouterr().err
