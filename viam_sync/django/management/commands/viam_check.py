"""``viam_check``: whether each account is let in."""

from typing import Any

from django.core.management.base import CommandError

from viam_sync.django.account_checks import account_problem, organization_names
from viam_sync.django.management.base import ViamCommand
from viam_sync.django.settings import aliases


class Command(ViamCommand):
    """Tries each account by a call."""

    help = "Tries each account of the setting VIAM, or that of --alias, by a call."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each account.

        Raises:
            CommandError: If one is not let in.
        """
        wrong = []
        for alias in [options["alias"]] if options["alias"] else aliases():
            problem = account_problem(alias)
            if problem is not None:
                wrong.append(f"{problem.text} ({problem.hint})")
            elif options["verbosity"]:
                self.stdout.write(f"{alias}: {', '.join(organization_names(alias)) or 'no organization'}")
        if wrong:
            raise CommandError("\n".join(wrong))
