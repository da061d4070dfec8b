"""``viam_machines``: the machines of an account."""

import json
from typing import Any

from django.core.management.base import CommandParser

from viam_sync.display.json_form import to_dict
from viam_sync.display.text_blocks import one_line
from viam_sync.django.fleet_rows import machine_rows
from viam_sync.django.management.base import ViamCommand


class Command(ViamCommand):
    """Lists machines."""

    help = "Lists the machines of an account: name, ID, location, state, and when each was last online."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of the command."""
        parser.add_argument("--location", metavar="NAME", help="Only those in a location, by its name or ID.")
        parser.add_argument("--json", action="store_true", help="Write JSON, one object a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each machine, its fields separated by tabs."""
        for row in machine_rows(self.client):
            if options["location"] and options["location"] not in row["location"].values():
                continue
            if options["json"]:
                self.stdout.write(json.dumps(to_dict(row)))
                continue
            seen = "" if row["last_access"] is None else row["last_access"].isoformat(sep=" ", timespec="seconds")
            words = [row["name"], row["id"], row["location"]["name"] or "", row["online_state"], seen]
            self.stdout.write("\t".join(map(one_line, words)))
