"""``viam_tail_logs``: what a machine logs from now on."""

import contextlib
from typing import Any, Optional
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from viam_sync import NotFoundError
from viam_sync.display.text_blocks import one_line
from viam_sync.django.fleet_rows import machine_rows
from viam_sync.django.management.base import ViamCommand


class Command(ViamCommand):
    """Follows the log of a part."""

    help = "Prints what a part logs from now on, until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of the command."""
        parser.add_argument("name", help="The name or ID of a part, or of a machine for its main part.")
        parser.add_argument("--errors-only", action="store_true", help="Only errors.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each entry."""
        part_id = self._part_of_id(options["name"]) or self._part_of_name(options["name"])
        app = self.client.options(tz=timezone.get_current_timezone()).app_client
        with app.tail_robot_part_logs(part_id, errors_only=options["errors_only"]) as tail:
            if options["verbosity"] > 1:
                self.stderr.write(f"Following the part {part_id}")
            for entries in tail:
                for entry in entries:
                    self._print(entry)

    def _print(self, entry: Any) -> None:
        time = "" if entry.time is None else entry.time.isoformat(sep=" ", timespec="milliseconds")
        words = [time, entry.level.lower(), entry.logger_name, entry.message]
        self.stdout.write("\t".join(map(one_line, words)))
        self.stdout.flush()

    def _part_of_id(self, name: str) -> Optional[str]:
        """Return the part that an ID means, its own or that of its machine; None if it is no ID of them."""
        try:
            UUID(name)
        except ValueError:
            return None
        app = self.client.app_client
        with contextlib.suppress(NotFoundError):
            return app.get_robot_part(name).id
        with contextlib.suppress(NotFoundError):
            return next((part.id for part in app.get_robot_parts(name) if part.main_part), None)
        return None

    def _part_of_name(self, name: str) -> str:
        rows = list(machine_rows(self.client, parts=True))
        parts = [(part["id"], part["name"]) for row in rows for part in row["parts"]]
        parts += [(row["part"]["id"], word) for row in rows for word in (row["id"], row["name"]) if row["part"]["id"]]
        found = {part_id for part_id, word in parts if name in (part_id, word)}
        if len(found) != 1:
            what = f"{name!r} is the name of {len(found)} machines or parts; give the ID"
            what = what if found else f"there is no machine or part {name!r}"
            raise CommandError(f"{what}; manage.py viam_machines lists the machines")
        return str(found.pop())
