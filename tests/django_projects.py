"""Projects of Django as users make them, and the PostgreSQL server that some of them use."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

from command_line import Ended

ROOT = Path(__file__).resolve().parents[1]
#: Seconds after which a command hangs.
_HANGS = 120
_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
#: Whether PostgreSQL is installed; on Debian: apt-get install postgresql.
HAS_POSTGRESQL = bool(_PROGRAMS)


class Postgres:
    """A server of PostgreSQL, which listens on a socket in a temporary folder; use it in a ``with`` statement."""

    def __enter__(self) -> "Postgres":
        # The path of a socket is short, and the folder that of a user that is not root, as the server asks.
        self.folder = Path(tempfile.mkdtemp(prefix="viam-pg-"))
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-l", str(self.folder / "log"), "-w", "-o", options, "start")
        return self

    def __exit__(self, *error: object) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *words: str) -> None:
        command = [str(_PROGRAMS[-1].with_name(program)), *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            preexec_fn=_as_postgres,
        )
        assert done.returncode == 0, done.stderr.decode()

    def create_database(self, name: str) -> None:
        """Create an empty database."""
        self._run("createdb", "-h", str(self.folder), "-U", "postgres", name)

    def settings(self, name: str) -> Dict[str, Any]:
        """Return what Django takes for a database."""
        return {"ENGINE": "django.db.backends.postgresql", "HOST": str(self.folder), "USER": "postgres", "NAME": name}


def _as_postgres() -> None:
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


class Project:
    """A project that ``django-admin startproject`` has made, with three lines more.

    Args:
        folder: Where to make it.
        database: The settings of its database; None for a file of SQLite.
    """

    def __init__(self, folder: Path, database: Optional[Dict[str, Any]] = None) -> None:
        self.folder = folder / "farm"
        self.variables: Dict[str, str] = {}
        self.folder.mkdir()
        self._run([sys.executable, "-m", "django", "startproject", "farm", str(self.folder)])
        shutil.copytree(
            ROOT / "tests" / "django_shop", self.folder / "shop", ignore=shutil.ignore_patterns("__pycache__")
        )
        lines = ['INSTALLED_APPS += ["viam_sync.django", "shop"]', 'VIAM = {"TIMEOUT": 20}']
        if database is not None:
            lines.append(f"DATABASES = {{'default': {database!r}}}")
        with (self.folder / "farm" / "settings.py").open("a", encoding="utf-8") as file:
            file.write("\n".join(["", *lines, ""]))

    def connect(self, sandbox: Any) -> None:
        """Let a sandbox be the cloud of all that is run from now on."""
        self.variables = sandbox.env_vars()

    def environment(self) -> Dict[str, str]:
        """Return the variables of what is run."""
        kept = {name: os.environ[name] for name in ("PATH", "no_proxy", "COVERAGE_PROCESS_START") if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), "HOME": str(self.folder), "LANG": "C.UTF-8", **self.variables}

    def command(self, *words: str) -> List[str]:
        """Return the command line of ``manage.py`` with some words."""
        return [sys.executable, "-W", "error", "manage.py", *words]

    def manage(self, *words: str) -> Ended:
        """Run ``manage.py`` with some words."""
        return self._run(self.command(*words))

    def python(self, code: str) -> str:
        """Return what some code prints that runs in the project's shell."""
        done = self._run(self.command("shell", "-v0", "-c", code))
        assert done.status == 0, done.errors
        return done.out

    def _run(self, command: List[str]) -> Ended:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=_HANGS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)
