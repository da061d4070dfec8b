"""Failures of calls, without a server."""

from typing import Any, Optional

import grpc


class Failed(grpc.RpcError, grpc.Call):  # type: ignore[misc, unused-ignore]
    """A failed call as grpc would raise it, without a server."""

    def __init__(self, status: grpc.StatusCode, details: str = "", pushback: Optional[str] = None) -> None:
        super().__init__(status)
        self._status = status
        self._details = details
        self._pushback = pushback

    def code(self) -> grpc.StatusCode:
        return self._status

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> Any:
        return () if self._pushback is None else (("grpc-retry-pushback-ms", self._pushback),)


Failed.__abstractmethods__ = frozenset()
