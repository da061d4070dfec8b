"""The server of gRPC, with the limits of the cloud, and the port that it listens on."""

import os
import socket
from concurrent.futures import Executor
from typing import Callable, Optional

import grpc

from viam_sync.clock import is_ahead, time_of_grpc
from viam_sync.sandbox.wire.certificates import Certificate

#: Each tail of a log occupies a thread; threads are started only when none is idle.
MOST_THREADS = 256
#: At its end, the server asks clients to leave, and ends the calls of those that have not after this time. Without it,
#: a connection that is just being closed gets an error, which grpc prints in the client's program.
_SECONDS_TO_LEAVE = 1
_LARGEST_MESSAGE = 32 * 1024 * 1024
_OPTIONS = (
    # With so_reuseport, a port in use would be shared with its other user.
    ("grpc.so_reuseport", 0),
    # The limits of the cloud; it allows pings every 5 seconds.
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ("grpc.max_metadata_size", _LARGEST_MESSAGE),
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
)


def check_ports(port: int, ui_port: Optional[int]) -> None:
    """Raise ValueError if the port for clients, or that of the page, is none."""
    for name, value in (("port", port), ("ui_port", 0 if ui_port is None else ui_port)):
        if not isinstance(value, int) or not 0 <= value < 65536:
            raise ValueError(f"{name} takes an int from 0 to 65535, got {value!r}")
    if port and port == ui_port:
        raise ValueError(f"ui_port is {port}, as port is; clients and the page take one each")


def new_server(threads: Executor) -> grpc.Server:
    """Return a server that has not started yet, and makes its calls on threads.

    Raises:
        RuntimeError: If the clock of this program is set to the future.
    """
    if is_ahead(time_of_grpc()):
        raise RuntimeError(
            "The clock of this program was set to the future, so the server of gRPC would take years to start."
            " Start the sandbox before, such as in a fixture, and stop or move the clock after that."
        )
    return grpc.server(threads, options=_OPTIONS)  # type: ignore[arg-type, unused-ignore]


def stop(server: grpc.Server, end_work: Callable[[], None]) -> None:
    """Stop a server, and wait until all calls have ended.

    Args:
        server: The server.
        end_work: Ends what calls still do after their time, such as queries that nobody waits for any more.
    """
    ended = server.stop(_SECONDS_TO_LEAVE)
    ended.wait(_SECONDS_TO_LEAVE)
    end_work()
    ended.wait()


def listen(server: grpc.Server, port: int, certificate: Optional[Certificate]) -> int:
    """Bind a server to a port of 127.0.0.1, a free one for 0, and return the port.

    Raises:
        OSError: If it is in use.
    """
    address = f"127.0.0.1:{port}"
    try:
        # The port is probed first, since grpc would report a failure on the standard error.
        _require_port_free(port)
        if certificate is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, certificate.credentials())
    except (OSError, RuntimeError) as error:
        raise cannot_listen("The sandbox", port, error) from error


def cannot_listen(what: str, port: int, error: Exception) -> OSError:
    """Return the error of a server that finds its port taken."""
    return OSError(
        f"{what} cannot listen on port {port} of 127.0.0.1 ({error}). "
        "Stop what is using it, or choose another port; port 0 takes a free one."
    )


def _require_port_free(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
