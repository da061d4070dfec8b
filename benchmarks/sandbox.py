"""What the sandbox costs: how soon it answers its first call, and how fast it is reset.

The median of the rounds is printed. A first call is answered when the client has it: connecting and authenticating are
part of it, and so is the making of the sample world.
"""

import os
import statistics
import subprocess
import sys
import time
from typing import Callable, Dict

import grpc

from viam_sync import ViamClient
from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.sandbox import Sandbox

ROUNDS = 15
RESETS = 300


def median(act: Callable[[], float], rounds: int = ROUNDS) -> str:
    """Return the median of what ``act`` returns, in milliseconds."""
    return f"{statistics.median(act() for _ in range(rounds)) * 1000:.1f} ms"


def answer(address: str, key_id: str, key: str) -> None:
    """Wait until a sandbox has answered a call."""
    credentials = auth_pb.Credentials(type="api-key", payload=key)
    with grpc.insecure_channel(address) as channel:
        send = channel.unary_unary("/proto.rpc.v1.AuthService/Authenticate")
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


def main() -> None:
    print("from the start of a process to the first answer:", median(process))
    print("from Sandbox().start() to the first answer:", median(started))
    with Sandbox() as sandbox:

        def reset() -> float:
            with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
                client.app_client.new_robot("new", sandbox.location_id)
            began = time.perf_counter()
            sandbox.reset()
            return time.perf_counter() - began

        def connect() -> float:
            began = time.perf_counter()
            with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url):
                return time.perf_counter() - began

        print("a reset after a change:", median(reset, RESETS))
        print("a client that is connected to it:", median(connect, RESETS))
    print(f"on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
