"""``viam_export_readings``: the readings of a day into a file, a dataset, or a model."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date, datetime, time, timedelta
from datetime import timezone as fixed_zones
from typing import Any, Optional, Tuple

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from viam_sync.app._data.tabular_records import plain_rows
from viam_sync.checks import parameter_names
from viam_sync.django.field_map import FieldMap, add_map_argument
from viam_sync.django.management.base import ViamCommand
from viam_sync.django.reading_models import unique_fields, write_readings
from viam_sync.proto.app.data import Order
from viam_sync.utils import create_filter


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day such as 2024-05-31") from None


class Command(ViamCommand):
    """Exports readings; another run for the same days replaces what the first has written."""

    help = "Writes the readings of a day, yesterday by default, to a file, a dataset or a model; again does no harm."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of the command."""
        targets = parser.add_mutually_exclusive_group(required=True)
        targets.add_argument("--file", metavar="PATH", help="A file of .csv, .jsonl or .parquet, which is replaced.")
        targets.add_argument("--dataset", metavar="FOLDER", help="A folder with a Parquet file for each day, in UTC.")
        targets.add_argument("--model", metavar="app.Model", help="A model, into the fields of --map.")
        add_map_argument(parser)
        parser.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="The first day, in the current time zone.")
        parser.add_argument("--days", type=int, default=1, help="How many days; 1 by default.")
        parser.add_argument("--machine", metavar="ID", help="Only those of a machine.")
        parser.add_argument("--location", metavar="ID", help="Only those of a location.")
        parser.add_argument("--component", metavar="NAME", help="Only those of a component or service.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export the readings, and say how many there were."""
        start, end = _interval(options["day"], options["days"])
        filter = create_filter(
            component_name=options["component"],
            robot_id=options["machine"],
            location_ids=[options["location"]] if options["location"] else None,
            start_time=start,
            end_time=end,
        )
        count = self._to_model(filter, options) if options["model"] else self._to_disk(filter, options)
        if options["verbosity"]:
            target = options["model"] or options["dataset"] or options["file"]
            self.stdout.write(f"{count} readings from {start.isoformat()} to {end.isoformat()} are in {target}.")

    def _to_disk(self, filter: Any, options: Any) -> int:
        data = self.client.data_client
        if options["dataset"]:
            with parameter_names(path="--dataset"):
                return data.export_tabular_data_to(filter, options["dataset"], partition_by="day")
        with parameter_names(path="--file"):
            return data.export_tabular_data_to(filter, options["file"], sort_order=Order.ORDER_ASCENDING)

    def _to_model(self, filter: Any, options: Any) -> int:
        field_map = FieldMap(options["model"], options["map"])
        unique_fields(field_map)  # before anything is fetched
        client = self.client.options(tz=fixed_zones.utc)
        rows = client.data_client.iter_tabular_data(filter, sort_order=Order.ORDER_ASCENDING)
        written = write_readings(field_map, plain_rows(rows))
        if written.replaced and options["verbosity"]:
            keys = ", ".join(unique_fields(field_map))
            self.stderr.write(f"{written.replaced} readings had the {keys} of a later one, which replaced them.")
        return written.rows


def _interval(first: Optional[date], days: int) -> Tuple[datetime, datetime]:
    """Return the beginning of the first day, and the end of the last one, by the clock of the current time zone."""
    if days < 1:
        raise CommandError(f"--days takes a number from 1 on, got {days}", returncode=2)
    zone = timezone.get_current_timezone()
    first = first or datetime.now(zone).date() - timedelta(days=1)
    try:
        start, end = (datetime.combine(day, time.min) for day in (first, first + timedelta(days=days)))
        return timezone.make_aware(start, zone), timezone.make_aware(end, zone)
    except OverflowError:
        raise CommandError(
            f"--days takes a number that leads to no year after 9999, got {days}", returncode=2
        ) from None
