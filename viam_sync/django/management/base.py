"""The base of commands that make calls: the account, errors in one line, and the end by a signal."""

from __future__ import annotations

import os
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

FAILED, WRONG_USE, INTERRUPTED, NO_READER, TERMINATED = 1, 2, 130, 141, 143
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
            is_wrong_use = isinstance(error, (ValueError, TypeError)) and not isinstance(error, ViamError)
            status = WRONG_USE if is_wrong_use else FAILED
            raise CommandError(redact_urls(str(error)), returncode=status) from error

    def run_from_argv(self, argv: List[str]) -> None:
        """Run the command as a process, which ends with a status."""
        # The core of grpc, which is loaded late, would write lines of its own between ours.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _terminate)
        try:
            super().run_from_argv(argv)
            sys.stdout.flush()
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # The reader, such as head, has seen enough. What is buffered for it goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(NO_READER)


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
