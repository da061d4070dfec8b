"""Serves calls until the standard input ends, as each server of these benchmarks does in a process of its own."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc


def serve(handler: grpc.GenericRpcHandler, threads: int = 4, *told: object, **options: Any) -> None:
    """Print the port and what else is told in one line, and answer calls until the input ends.

    Args:
        handler: Answers them.
        threads: How many at a time.
        told: What follows the port in the line.
        options: What ``grpc.server`` takes besides.
    """
    server = grpc.server(ThreadPoolExecutor(threads), **options)
    server.add_generic_rpc_handlers([handler])
    print(server.add_insecure_port("127.0.0.1:0"), *told, flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0).wait()
