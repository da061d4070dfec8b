"""What the sandbox costs: how soon it answers its first call and its queries, and how fast it is reset.

A first call is answered when the client has it: connecting and authenticating are
part of it, and so is the making of the sample world.
"""

import statistics
import subprocess
import sys
import time
from typing import Any, Callable, Dict, Iterator, List

import grpc
from figures import Figure, Taken, milliseconds, show

from viam_sync import ViamClient
from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.sandbox import Sandbox

ROUNDS, QUERIES = 9, 50
RESETS = 100


def seconds(act: Callable[[], object]) -> float:
    """Return the seconds that an act takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def answer(address: str, key_id: str, key: str) -> None:
    """Wait until a sandbox has answered a call."""
    credentials = auth_pb.Credentials(type="api-key", payload=key)
    with grpc.insecure_channel(address) as channel:
        send: Any = channel.unary_unary("/proto.rpc.v1.AuthService/Authenticate")
        assert send(auth_pb.AuthenticateRequest(entity=key_id, credentials=credentials).SerializeToString())


def process() -> float:
    """Start the command, and return the seconds until it has answered."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "viam_sync.sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        settings: Dict[str, str] = {}
        for _ in range(3):
            name, value = run.stdout.readline().split()[1].split("=", 1)
            settings[name] = value
        answer(settings["VIAM_APP_URL"][len("http://") :], settings["VIAM_API_KEY_ID"], settings["VIAM_API_KEY"])
        taken = time.perf_counter() - started
        run.terminate()
    return taken


def started() -> float:
    """Start a sandbox in this process, and return the seconds until it has answered."""
    began = time.perf_counter()
    with Sandbox() as sandbox:
        answer(sandbox.address, sandbox.api_key_id, sandbox.api_key)
        return time.perf_counter() - began


def queries(sandbox: Sandbox, client: ViamClient) -> Dict[str, Taken]:
    """Return what small queries take: the first one, those after it, and those after a write."""
    data, organization = client.data_client, sandbox.organization_id

    def write() -> None:
        client.app_client.new_robot("new", sandbox.location_id)
        client.app_client.delete_robot(client.app_client.list_robots(sandbox.location_id)[-1].id)

    asked = {
        "SQL": lambda: data.tabular_data_by_sql(organization, "SELECT count(*) AS n FROM readings"),
        "MQL": lambda: data.tabular_data_by_mql(organization, [{"$count": "n"}]),
    }
    found = {}
    for language, ask in asked.items():
        found[language] = {
            "first": [seconds(ask)],
            "next": [seconds(ask) for _ in range(QUERIES)],
            "after a write": [(write(), seconds(ask))[1] for _ in range(ROUNDS)],  # type: ignore[func-returns-value]
        }
    return found


def in_milliseconds(work: str, taken: List[float], goal: str, bounded_by: str, **peers: List[float]) -> Figure:
    return Figure(
        work=work,
        ours=milliseconds(taken),
        peers={name.replace("_", " "): milliseconds(each) for name, each in peers.items()},
        ratio=statistics.median(taken) * 1000,
        of="ms",
        goal=goal,
        bounded_by=bounded_by,
    )


def figures() -> Iterator[Figure]:
    from_process = [process() for _ in range(ROUNDS)]
    yield in_milliseconds("sandbox: a process, to its first answer", from_process, "", "imports")
    yield in_milliseconds("sandbox: start(), to its first answer", [started() for _ in range(ROUNDS)], "", "its world")
    with Sandbox() as sandbox:
        with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
            found = queries(sandbox, client)
        for language, taken in found.items():
            yield in_milliseconds(
                f"sandbox: small {language} query",
                taken["next"],
                "≤ 20",
                "two calls over pipes, and the query",
                first_query=taken["first"],
                query_after_a_write=taken["after a write"],
            )

        def connect() -> None:
            with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url):
                pass

        def reset() -> float:
            with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
                client.app_client.new_robot("new", sandbox.location_id)
            return seconds(sandbox.reset)

        yield in_milliseconds("sandbox: a reset", [reset() for _ in range(RESETS)], "", "SQLite's backup")
        yield in_milliseconds("sandbox: a client connects", [seconds(connect) for _ in range(RESETS)], "", "HTTP/2")


if __name__ == "__main__":
    show(figures())
