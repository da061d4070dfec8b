"""``call``: any RPC by its name, with JSON in and out; and what RPCs and messages there are."""

from __future__ import annotations

import json
import sys
from typing import Any, Iterable, List, Optional, Sequence

import click
from click.shell_completion import CompletionItem

import viam_sync
from viam_sync.checks import parameter_names
from viam_sync.cli.frame import FramedCommand, Session, confirm, pass_session, yes_option
from viam_sync.cli.printing import Column, on_terminal, print_items, print_json

#: Characters of a request that a question shows.
_SHOWN = 200
_INDENT = 2


def _names(context: click.Context, argument: click.Parameter, begun: str) -> List[CompletionItem]:
    """Return the names of RPCs that a word may become; those of services end with a slash."""
    from viam_sync.reflection.rpcs import all_rpcs

    names = (rpc.name if "." in begun else rpc.short_name for rpc in all_rpcs())
    return [CompletionItem(name) for name in names if name.startswith(begun)]


_EPILOG = """\
\b
Examples:
  viam-sync call AppService/GetRobot '{"id": "..."}'
  viam-sync call DataService/TabularDataBySQL - < request.json
  viam-sync call --list AppService
  viam-sync call --describe AppService/GetRobot
"""


@click.command("call", cls=FramedCommand, epilog=_EPILOG)
@click.argument("name", metavar="[SERVICE/METHOD]", required=False, shell_complete=_names)
@click.argument("request", metavar="[JSON|-]", required=False)
@click.option("--list", "lists", is_flag=True, help="List all RPCs instead, or those of a service.")
@click.option("--describe", "describes", is_flag=True, help="Describe an RPC, a service, a message or an enum instead.")
@click.option("--show-secrets", is_flag=True, help="Print secrets and configurations, which are hidden otherwise.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="A limit for the call.")
@yes_option
@pass_session
def call_command(
    session: Session,
    name: Optional[str],
    request: Optional[str],
    lists: bool,
    describes: bool,
    show_secrets: bool,
    timeout: Optional[float],
    yes: bool,
) -> None:
    """Call any RPC, with JSON in and out.

    The package may stand before SERVICE, and METHOD alone will do where one service has it. JSON is an object of the
    fields of the request, as proto JSON has them: bytes are base64, enums names, times RFC 3339. A - reads it from a
    pipe, where others on this computer do not see it; there, an RPC that takes a stream gets any number of objects. All
    is checked before anything is sent, and tried again as the methods of this package are.

    The answer is printed as JSON, one object a line in a pipe; one that is a stream goes on until it ends, or Ctrl-C.
    Secrets in it, and configurations, in which there may be some, are "(hidden)". A script that needs them says
    --show-secrets; a request that sends "(hidden)" in the place of one is refused.
    """
    if lists:
        _list_rpcs(name, session.json)
    elif name is None:
        raise click.UsageError("SERVICE/METHOD is missing; viam-sync call --list lists them")
    elif describes:
        _describe(name, session.json)
    else:
        _call(session, name, request, show_secrets, timeout, yes)


def _call(
    session: Session, name: str, request: Optional[str], show_secrets: bool, timeout: Optional[float], yes: bool
) -> None:
    from viam_sync.reflection.any_service import prepare_request
    from viam_sync.reflection.rpcs import find_rpc

    with parameter_names(rpc="SERVICE/METHOD", request="JSON"):
        rpc = find_rpc(name)
        prepared = prepare_request(rpc, _given(rpc, request))
    if rpc.is_final:
        confirm(f"Send {rpc.short_name} with {_short_text(prepared)}? It cannot be taken back.", yes)
    answer = session.client.call_rpc(rpc.name, prepared, timeout=timeout)
    if rpc.gives_stream:
        with answer:
            _print_answers(answer, None, show_secrets)
    else:
        _print_answers([answer], _INDENT if on_terminal() and not session.json else None, show_secrets)


def _given(rpc: Any, request: Optional[str]) -> Any:
    """Return the objects that an RPC is given: one, or for a stream all of them."""
    from viam_sync.reflection.requests import objects_in

    if rpc.takes_stream and request is None:
        raise click.UsageError(f"{rpc.short_name} takes a stream of objects: give them by a pipe, and - for JSON")
    objects = objects_in(sys.stdin.read() if request == "-" else "{}" if request is None else request)
    if rpc.takes_stream:
        return objects
    if len(objects) != 1:
        raise click.UsageError(f"{rpc.short_name} takes one object, got {len(objects)}")
    return objects[0]


def _short_text(prepared: Any) -> str:
    text = json.dumps(viam_sync.to_dict(prepared, secrets=False))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _print_answers(messages: Iterable[Any], indent: Optional[int], show_secrets: bool) -> None:
    """Print messages as they come, and say once that something in them is hidden."""
    from viam_sync.messages.secret_fields import HIDDEN

    hint = "Secrets are hidden; --show-secrets prints them."
    for each in messages:
        text = json.dumps(viam_sync.to_dict(each, secrets=show_secrets), indent=indent)
        print(text, flush=True)
        if hint and not show_secrets and json.dumps(HIDDEN) in text:
            click.echo(hint, err=True)
            hint = ""


def _list_rpcs(service: Optional[str], as_json: bool) -> None:
    from viam_sync.reflection.proto_form import how_sent
    from viam_sync.reflection.rpcs import rpcs_of

    with parameter_names(service="SERVICE"):
        found: Sequence[Any] = rpcs_of(service)
    if not as_json:
        columns = [
            Column("rpc", lambda rpc: rpc.short_name),
            Column("kind", lambda rpc: _kind(rpc)),
            Column("retries", how_sent),
        ]
        print_items(found, columns, as_json=False)
        return
    for rpc in found:
        print_json({"rpc": rpc.name, "kind": _kind(rpc), "retries": how_sent(rpc)})


def _kind(rpc: Any) -> str:
    streams = [word for word, given in (("client", rpc.takes_stream), ("server", rpc.gives_stream)) if given]
    return f"{' and '.join(streams)} streaming" if streams else "unary"


def _describe(name: str, as_json: bool) -> None:
    from viam_sync.reflection.proto_form import find_described, proto_text, template
    from viam_sync.reflection.rpcs import Rpc

    with parameter_names(name="NAME"):
        found = find_described(name)
    text = proto_text(found)
    if not as_json:
        print(text)
        return
    request: Any = found.descriptor.input_type if isinstance(found, Rpc) else found
    filled = template(request) if hasattr(request, "fields") else None
    print_json({"name": found.name if isinstance(found, Rpc) else found.full_name, "proto": text, "template": filled})
