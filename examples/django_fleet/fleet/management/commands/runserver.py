"""``runserver``, with a sandbox where there is no account."""

import os
import threading
from typing import Any

from django.contrib.staticfiles.management.commands import runserver
from django.core.management import CommandError

from fleet.models import synchronise_machines
from viam_sync.sandbox import Sandbox


class Command(runserver.Command):
    """Serves the pages; ``inner_run`` is what the serving process runs, and the one that watches the files does not."""

    def inner_run(self, *args: Any, **options: Any) -> None:
        if os.environ.get("VIAM_API_KEY") or os.environ.get("VIAM_API_KEY_ID"):
            self.serve(*args, **options)
            return
        # The seed makes the same IDs in every run, so that addresses of pages stay.
        with Sandbox(seed=1) as sandbox:
            os.environ.update(sandbox.env_vars())
            self.stdout.write("VIAM_API_KEY is not set, so this is the sandbox. Other commands reach it by:")
            for name, value in sandbox.env_vars().items():
                self.stdout.write(f"export {name}={value}")
            stopped = threading.Event()
            threading.Thread(target=log_now_and_then, args=(sandbox, stopped), daemon=True).start()
            try:
                self.serve(*args, **options)
            finally:
                stopped.set()

    def serve(self, *args: Any, **options: Any) -> None:
        try:
            synchronise_machines()
        except CommandError as error:
            self.stderr.write(str(error))
        super().inner_run(*args, **options)


def log_now_and_then(sandbox: Sandbox, stopped: threading.Event) -> None:
    """Log something every five seconds, as a machine would."""
    while not stopped.wait(5):
        sandbox.log(sandbox.robot_part_id, "The battery is at 87 %", logger_name="rdk.components.power_sensor")
