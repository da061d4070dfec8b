"""``viam_sync_machines``: the machines of an account as objects of a model."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from viam_sync.display.text_blocks import one_line
from viam_sync.django.field_map import FieldMap, add_map_argument, require_paths
from viam_sync.django.fleet_rows import machine_rows
from viam_sync.django.management.base import ViamCommand
from viam_sync.django.model_sync import Change, MachineSync, boolean_field

#: What a field may be mapped to.
_PATHS = [
    *("id", "name", "online", "online_state", "last_access", "created_on"),
    *(f"{thing}.{name}" for thing in ("location", "organization", "part") for name in ("id", "name")),
    "part.fqdn",
]
_SIGNS = {"create": "+", "update": "~", "delete": "-", "deactivate": "-", "keep": "?"}
_DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "deactivate": "deactivated",
    "keep": "gone, kept",
}


class Command(ViamCommand):
    """Makes the objects of a model those of the machines."""

    help = f"Creates and updates an object of a model for each machine. Paths of --map: {', '.join(_PATHS)}."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of the command."""
        parser.add_argument("--model", metavar="app.Model", required=True, help="The model.")
        add_map_argument(parser)
        gone = parser.add_mutually_exclusive_group()
        gone.add_argument("--delete", action="store_true", help="Delete the objects whose machine is gone.")
        gone.add_argument("--deactivate", metavar="FIELD", help="Set a field of those to false, and of others to true.")
        parser.add_argument("--dry-run", action="store_true", help="Print what would be done, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the objects, and print what was done.

        Raises:
            CommandError: If the model does not take something.
        """
        field_map = FieldMap(options["model"], options["map"])
        require_paths(field_map.fields, _PATHS)
        active = boolean_field(field_map, options["deactivate"]) if options["deactivate"] else None
        sync = MachineSync(field_map, delete=options["delete"], active=active)
        parts = any(mapped.path.startswith("part.") for mapped in field_map.fields)
        changes = sync.run(machine_rows(self.client, parts=parts), dry=options["dry_run"])
        if options["dry_run"] or options["verbosity"] > 1:
            for change in changes:
                self.stdout.write(one_line(_described(change)))
        if options["verbosity"]:
            counts = Counter(change.kind for change in changes)
            told = ", ".join(f"{counts[kind]} {_DONE[kind]}" for kind in _DONE if counts[kind])
            would = "Nothing was written: --dry-run. Otherwise: " if options["dry_run"] else ""
            self.stdout.write(f"{would}{told or 'no change'}.")


def _described(change: Change) -> str:
    fields = ", ".join(f"{name} {before!s} -> {after!s}" for name, (before, after) in change.fields.items())
    return f"{_SIGNS[change.kind]} {change.kind} {change.thing} ({change.key}){': ' if fields else ''}{fields}"
