"""The base of commands that make calls: the account, errors in one line, and the end by a signal."""

from __future__ import annotations

import signal
import sys
import threading
from traceback import walk_tb
from typing import Any, List, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from viam_sync import ViamClient, ViamError
from viam_sync.checks.urls import redact_urls
from viam_sync.django.account_clients import clients
from viam_sync.django.settings import DEFAULT
from viam_sync.exit_status import INTERRUPTED, TERMINATED, end_without_reader, silence_grpc, status_after

_PACKAGE = "viam_sync."


class ViamCommand(BaseCommand):
    """A command that makes calls; derive your own from it, too.

    It takes ``--alias``, has the client of that account as ``self.client``, and turns the errors of viam_sync into a
    ``CommandError``, whose traceback ``--traceback`` shows. As a process, it ends with 1 for an error, 2 for wrong use,
    130 after Ctrl-C, 143 after SIGTERM, which undoes the transaction and the file that are under way, and 141 where its
    reader has gone.

    Example:
        >>> from viam_sync.django.management import ViamCommand
        >>> class Command(ViamCommand):
        ...     def handle(self, **options):
        ...         self.stdout.write(self.client.app_client.list_organizations()[0].name)
    """

    #: The client of the account that ``--alias`` names.
    client: ViamClient

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser of the command's arguments, ``--alias`` among them."""
        parser: CommandParser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--alias", metavar="NAME", help="The account in VIAM['ALIASES']; VIAM itself by default.")
        return parser

    def execute(self, *args: Any, **options: Any) -> Any:
        """Run the command.

        Raises:
            django.core.management.CommandError: For an error of viam_sync, besides those of the command itself.
        """
        self.client = clients[options.get("alias") or DEFAULT]
        try:
            return super().execute(*args, **options)
        except Exception as error:
            if not _is_ours(error):
                raise
            raise CommandError(redact_urls(str(error)), returncode=status_after(error)) from error

    def run_from_argv(self, argv: List[str]) -> None:
        """Run the command as a process, which ends with a status."""
        silence_grpc()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _terminate)
        try:
            super().run_from_argv(argv)
            sys.stdout.flush()
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            sys.exit(end_without_reader())


def _terminate(number: int, frame: Any) -> NoReturn:
    sys.exit(TERMINATED)


def _is_ours(error: Exception) -> bool:
    """Tell whether an error is one of viam_sync: by its class, or by what raised it."""
    if isinstance(error, (BrokenPipeError, CommandError)):
        return False
    if isinstance(error, ViamError):
        return True
    modules = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    raised = any(name.startswith(_PACKAGE) and name != __name__ for name in modules)
    return raised and isinstance(error, (ValueError, TypeError, OSError, ImportError, ImproperlyConfigured))
