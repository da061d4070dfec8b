"""``login``, ``logout`` and ``whoami``: profiles, each checked by a call before it is kept."""

from __future__ import annotations

import os
import sys
from typing import Optional

import click

import viam_sync
from viam_sync import profiles
from viam_sync.checks import parameter_names
from viam_sync.cli.frame import FramedCommand, Session, pass_session
from viam_sync.cli.printing import print_items, print_record, row_column

#: What is read at most of a pipe that gives a key.
_LONGEST_KEY = 10_000


@click.command("login", cls=FramedCommand)
@click.option("--api-key-id", metavar="ID", help="The key's ID; without it, VIAM_API_KEY_ID says it, or you are asked.")
@click.option("--url", metavar="URL", help="The address of the cloud; without it, VIAM_APP_URL says it.")
@pass_session
def login_command(session: Session, api_key_id: Optional[str], url: Optional[str]) -> None:
    """Keep an API key as a profile, for yourself alone.

    The key is read from a pipe, if there is one, else from VIAM_API_KEY; else you are asked, and it is not shown.
    No option takes it, as everybody on this computer can list the arguments of programs.
    """
    profile = profiles.Profile(
        session.profile or profiles.DEFAULT,
        api_key_id or os.environ.get("VIAM_API_KEY_ID") or _ask_id(),
        _key(),
        url or os.environ.get("VIAM_APP_URL") or None,
    )
    with viam_sync.ViamClient.create_from_dial_options(profile.dial_options(), profile.url) as client:
        names = [organization.name for organization in client.app_client.list_organizations()]
    profiles.save_profile(profile)
    click.echo(f"Logged in to {', '.join(names) or 'no organization'}, as the profile {profile.name}.", err=True)


def _ask_id() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("--api-key-id is missing, and VIAM_API_KEY_ID is not set")
    answer: str = click.prompt("ID of the API key", err=True)
    return answer


def _key() -> str:
    if not sys.stdin.isatty():
        piped = sys.stdin.read(_LONGEST_KEY).strip()
        if piped:
            return piped
    known = os.environ.get("VIAM_API_KEY")
    if known:
        return known
    if not sys.stdin.isatty():
        raise click.UsageError("there is no key: give it by a pipe, or set VIAM_API_KEY")
    answer: str = click.prompt("API key (it is not shown)", hide_input=True, err=True)
    return answer


@click.command("logout", cls=FramedCommand)
@pass_session
def logout_command(session: Session) -> None:
    """Forget a profile: that of --profile, or else the default one."""
    name = session.profile or profiles.load_profiles().default
    if not profiles.delete_profile(name):
        raise click.ClickException(f"there is no profile {name} to forget")
    click.echo(f"Forgot the profile {name}. Its key stays valid until it is deleted in the cloud.", err=True)


@click.command("whoami", cls=FramedCommand)
@click.option("--all", "everything", is_flag=True, help="List all profiles instead; no call is made.")
@pass_session
def whoami_command(session: Session, everything: bool) -> None:
    """Show which key is used, and what it opens."""
    if everything:
        kept = profiles.load_profiles()
        rows = [
            {"name": each.name, "default": each.name == kept.default, "api_key_id": each.api_key_id, "url": each.url}
            for each in kept.profiles.values()
        ]
        print_items(rows, [row_column(name) for name in ("name", "default", "api_key_id", "url")], session.json)
        return
    if session.uses_environment:
        source, key_id, url = "VIAM_API_KEY", os.environ.get("VIAM_API_KEY_ID", ""), os.environ.get("VIAM_APP_URL")
    else:
        with parameter_names(name="--profile"):
            profile = profiles.find_profile(session.profile)
        source, key_id, url = f"profile {profile.name}", profile.api_key_id, profile.url
    organizations = [organization.name for organization in session.client.app_client.list_organizations()]
    print_record({"source": source, "api_key_id": key_id, "url": url, "organizations": organizations}, session.json)
