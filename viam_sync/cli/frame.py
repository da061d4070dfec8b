"""The frame of a command: the options that all have, the profile, and the client."""

from __future__ import annotations

import os
import sys
from typing import Any, List, Optional, Type

import click

import viam_sync
from viam_sync.checks import parameter_names
from viam_sync.display.text_blocks import one_line


class Session:
    """What all commands share.

    Attributes:
        profile: The profile to connect with; None for the key of the environment, or the default profile.
        json: Whether to write JSON, one object a line.
        debug: Whether an error comes with its traceback.
    """

    def __init__(self) -> None:
        self.profile: Optional[str] = None
        self.json = False
        self.debug = False
        self._client: Optional[viam_sync.ViamClient] = None

    @property
    def client(self) -> viam_sync.ViamClient:
        """The client, connected when it is first asked for."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    @property
    def uses_environment(self) -> bool:
        """Whether the key is that of the environment, and not that of a profile."""
        return self.profile is None and bool(os.environ.get("VIAM_API_KEY"))

    def _connect(self) -> viam_sync.ViamClient:
        if self.uses_environment:
            return viam_sync.ViamClient.create_from_env_vars()
        with parameter_names(name="--profile"):
            return viam_sync.ViamClient.create_from_profile(self.profile)

    def close(self) -> None:
        """Close the client, if there is one."""
        if self._client is not None:
            self._client.close()


pass_session = click.make_pass_decorator(Session)


def _keep(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep an option that was given, before the command's name or after it."""
    if value == "":
        # A variable of a script that is not set would take another account than was meant.
        raise click.BadParameter("it is empty; leave it out, or say which")
    if value:
        setattr(context.find_object(Session), str(option.name), value)


def _common_options() -> List[click.Parameter]:
    return [
        click.Option(
            ["--profile"],
            metavar="NAME",
            callback=_keep,
            expose_value=False,
            help="Use the key of a profile, which login keeps.",
        ),
        click.Option(
            ["--json"], is_flag=True, callback=_keep, expose_value=False, help="Write JSON, one object a line."
        ),
        click.Option(
            ["--debug"], is_flag=True, callback=_keep, expose_value=False, help="Show the traceback of an error."
        ),
    ]


class FramedCommand(click.Command):
    """A command with the common options."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params += _common_options()


class FramedGroup(click.Group):
    """A group of such commands, which takes the common options, too."""

    command_class: Optional[Type[click.Command]] = FramedCommand
    group_class = type

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params += _common_options()

    def parse_args(self, ctx: click.Context, args: List[str]) -> List[str]:
        """Without a command, print the help and end as wrong use does; versions of click differ in that."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(click.UsageError.exit_code)
        return super().parse_args(ctx, args)


yes_option = click.option("--yes", "-y", is_flag=True, help="Do it without a question.")
part_option = click.option(
    "--part",
    "--part-name",
    "--part-id",
    "part",
    required=True,
    metavar="NAME",
    help="The part, or a machine for its main part.",
)


def confirm(question: str, yes: bool) -> None:
    """Ask before something is deleted or overwritten, unless ``--yes`` said so already.

    Raises:
        click.UsageError: If nobody is there to answer.
        click.exceptions.Exit: With status 1, if the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes, as there is no terminal to ask on.")
    if not click.confirm(one_line(question), err=True):
        click.echo("Nothing was changed.", err=True)
        raise click.exceptions.Exit(1)
