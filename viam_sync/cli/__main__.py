"""The commands of ``viam-sync``, and how each ends: with a status, and an error in one line."""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

import click
from click.shell_completion import shell_complete

import viam_sync
from viam_sync.checks.urls import redact_urls
from viam_sync.cli.frame import FramedGroup, Session
from viam_sync.cli.plain_commands import PLAIN_COMMANDS, run_plain
from viam_sync.display.text_blocks import one_line
from viam_sync.exit_status import DONE, INTERRUPTED, WRONG_USE, end_without_reader, silence_grpc, status_after

#: The modules of the commands, each imported when its command is named; the order is that of the help.
MODULES: Mapping[str, str] = {
    "login": "login",
    "logout": "login",
    "whoami": "login",
    "ls": "inventory",
    "show": "inventory",
    "tree": "inventory",
    "logs": "log_lines",
    "config": "configuration",
    "data": "data_group",
    "dataset": "dataset_commands",
    "train": "training",
    "call": "call",
    "doctor": "doctor",
    "completion": "completion",
}

_EPILOG = """\
\b
Exit codes:
  0    done
  1    the service or the data said no
  2    wrong use
  130  Ctrl-C
  141  the reader of the output has gone

viam-sync COMMAND --help tells more about one.
"""


class _Commands(FramedGroup):
    """The commands, each loaded late."""

    def list_commands(self, ctx: click.Context) -> List[str]:
        return [*MODULES, *PLAIN_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> Optional[click.Command]:
        if cmd_name in PLAIN_COMMANDS:
            return _plain_command(cmd_name)
        if cmd_name not in MODULES:
            return None
        module = importlib.import_module(f"viam_sync.cli.{MODULES[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


def _plain_command(name: str) -> click.Command:
    def run(words: Sequence[str]) -> None:
        raise click.exceptions.Exit(run_plain(name, words))

    words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)
    raw = {"ignore_unknown_options": True, "allow_interspersed_args": False}
    return click.Command(
        name, callback=run, params=[words], help=PLAIN_COMMANDS[name], add_help_option=False, context_settings=raw
    )


@click.group(
    "viam-sync",
    cls=_Commands,
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(viam_sync.__version__, message="%(version)s")
@click.pass_context
def viam_sync_command(context: click.Context) -> None:
    """Look after machines, data and jobs in the Viam cloud."""
    context.call_on_close(context.ensure_object(Session).close)
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(WRONG_USE)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a command, and return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    asked = os.environ.get("_VIAM_SYNC_COMPLETE")
    if asked:
        importlib.import_module("viam_sync.cli.completion")  # for PowerShell
        return shell_complete(viam_sync_command, {}, "viam-sync", "_VIAM_SYNC_COMPLETE", asked)
    _prepare_streams()
    silence_grpc()
    session = Session()
    try:
        with viam_sync_command.make_context("viam-sync", words, obj=session) as context:
            viam_sync_command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        return INTERRUPTED
    except BrokenPipeError:
        return end_without_reader()
    except Exception as error:
        return _report(error, session.debug)
    return DONE


def _prepare_streams() -> None:
    """Replace streams that are closed, and let a name have letters that a terminal lacks."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r+", encoding="utf-8"))  # noqa: SIM115 - it stays open
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _report(error: Exception, debug: bool) -> int:
    """Print an error in one line, with its traceback if that is asked for, and return the exit status."""
    if debug:
        traceback.print_exception(type(error), error, error.__traceback__)
    click.echo(f"error: {one_line(redact_urls(_text_of(error)))}", err=True)
    if isinstance(error, click.ClickException):
        return error.exit_code
    return status_after(error)


def _text_of(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx is not None else "viam-sync"
        return f"{error.format_message().rstrip('.')} ({where} --help tells more)"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, (viam_sync.ViamError, ValueError, TypeError, OSError, ImportError)):
        return str(error)
    return f"{type(error).__name__}: {error}; this should not happen, and --debug shows where"


if __name__ == "__main__":
    sys.exit(main())
