"""A program that PyInstaller has made one file of, as Viam's template for modules does."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from reliability.processes import environment

from viam_sync.sandbox import Sandbox

pytestmark = pytest.mark.skipif(
    {"pyinstaller", "viam-sync"} - {found.metadata["Name"] for found in metadata.distributions()} != set(),
    reason="PyInstaller is not installed, or this package is not, so that its hook cannot be found",
)

PROGRAM = """
import pkgutil, sys
from viam_sync import NotFoundError, Retry, ViamClient

with ViamClient.create_from_env_vars() as client:
    app, data = client.app_client, client.data_client
    organization = app.list_organizations()[0].id
    part = app.get_robot_parts(app.list_robots(app.list_locations(organization)[0].id)[0].id)[0].id
    print(len(list(data.iter_tabular_data(page_size=20, limit=50))))
    print(len(data.tabular_data_by_sql(organization, "select part_id from readings limit 3")))
    print(len(data.upload_files([sys.argv[1]], part)))
    with app.options(retry=Retry(attempts=2)).tail_robot_part_logs(part):
        print("tail")
    try:
        app.get_robot("00000000-0000-4000-8000-000000000000")
    except NotFoundError as error:
        print(type(error).__name__)
print(b"BEGIN CERTIFICATE" in pkgutil.get_data("grpc", "_cython/_credentials/roots.pem"))
print([name for name in sys.modules if name.startswith(("viam_sync.sandbox", "PyInstaller"))])
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "PyInstaller", "--onefile", "--log-level=WARN", "program.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "dist" / "program"


def test_a_bundle_makes_every_kind_of_call(program: Path, sandbox: Sandbox) -> None:
    file = program.parent.parent / "program.py"
    # Nothing but the bundle has the package.
    env = environment(sandbox, PYTHONPATH="")
    done = subprocess.run([program, file], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["50", "3", "1", "tail", "NotFoundError", "True", "[]"], done.stderr
