"""Spans of OpenTelemetry: one for each call, in programs that have loaded OpenTelemetry themselves."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import grpc

from viam_sync.errors import AmbiguousResultError, GRPCError, ViamError
from viam_sync.rpc.address import Address

#: The values of our variable that turn spans off, and the names by which a list turns them off.
_OFF = {"0", "false", "no", "off"}
_OURS = {"viam_sync", "viam-sync", "*"}


def begin(method: str, address: Optional[Address]) -> Optional[Span]:
    """Return the span of a call that begins now; None if the program has not loaded OpenTelemetry, or wants no spans.

    Args:
        method: The full name of the RPC.
        address: The address of the service; None if it is not known.

    The variables of the environment that turn spans off are read at each call.

    Example:
        >>> import sys
        >>> from viam_sync.rpc import tracing
        >>> span = tracing.begin("viam.app.v1.AppService/GetRobot", None)
        >>> (span is None) == ("opentelemetry.trace" not in sys.modules)
        True
    """
    trace = sys.modules.get("opentelemetry.trace")
    # A module that another thread is still importing has no __all__ yet.
    if trace is None or not hasattr(trace, "__all__") or _are_off():
        return None
    return Span(trace, method, address)


def _are_off() -> bool:
    """Tell whether the environment turns spans off, ours alone or as one of OpenTelemetry's instrumentations."""
    if os.environ.get("VIAM_SYNC_SPANS", "").strip().lower() in _OFF:
        return True
    return not _OURS.isdisjoint(_listed("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"))


def _listed(variable: str) -> Set[str]:
    """Return the words of a variable of the environment that lists some, divided by commas."""
    return {each.strip() for each in os.environ.get(variable, "").split(",")}


class Span:
    """One call as a span of OpenTelemetry, with all its attempts; a span that is dropped ends with that.

    It is the current span only while the call is made from here, never between two messages of a stream.

    Args:
        trace: The module ``opentelemetry.trace``.
        method: The full name of the RPC.
        address: The address of the service; None if it is not known.
    """

    def __init__(self, trace: Any, method: str, address: Optional[Address]) -> None:
        self._trace = trace
        # The first to end it takes it out: the caller, another thread that closes a stream, or the garbage collector.
        self._open: List[Any] = []
        self._attempt = 0
        self._told = 0
        self._names = _Names()
        attributes = self._names.of_method(method)
        if address is not None:
            attributes["server.address"] = address.host
            attributes["server.port"] = address.port
        tracer = trace.get_tracer("viam_sync")
        self._span = tracer.start_span(method, kind=trace.SpanKind.CLIENT, attributes=attributes)
        if not self._span.get_span_context().is_valid:
            # Without an SDK, older versions return an invalid span; the caller's own span goes on in its place.
            self._span = trace.NonRecordingSpan(trace.get_current_span().get_span_context())
        self._context = trace.set_span_in_context(self._span)
        self._recording = self._span.is_recording()
        self._open.append(self._span)

    def headers(self, attempt: int) -> Tuple[Tuple[str, str], ...]:
        """Return the metadata that tells the service what its work belongs to; begins an attempt."""
        self._attempt = attempt
        carrier: Dict[str, str] = {}
        importlib.import_module("opentelemetry.propagate").inject(carrier, self._context)
        return tuple((name.lower(), value) for name, value in carrier.items())

    @contextlib.contextmanager
    def active(self, whole: bool) -> Iterator[None]:
        """Make it the current span in a ``with`` block, which ends it if it fails, or is the ``whole`` of the call."""
        try:
            with self._trace.use_span(self._span, record_exception=False, set_status_on_exception=False):
                yield
        except BaseException as failure:
            self.end(failure)
            raise
        if whole:
            self.end()

    def failed(self, status: grpc.StatusCode, wait: Optional[float] = None) -> None:
        """Add the event of an attempt that failed, with the seconds to the next; None if there is none."""
        self._told = self._attempt
        if self._recording:
            attributes = {"viam_sync.attempt": self._attempt, "rpc.response.status_code": status.name}
            if wait is not None:
                attributes["viam_sync.retry_delay"] = wait
            self._span.add_event("attempt failed", attributes)

    def renewed(self) -> None:
        """Add the event of a token that was replaced."""
        self._span.add_event("token renewed")

    def end(self, failure: Optional[BaseException] = None) -> None:
        """End the span, with the failure of its call if it has one; ending it again does nothing."""
        if isinstance(failure, GRPCError) and self._told < self._attempt:
            self.failed(failure.status)
        status = failure.status if isinstance(failure, GRPCError) else None if failure else grpc.StatusCode.OK
        self._end(status, failure)

    def leave(self) -> None:
        """End the span of a stream whose rest the caller does not want."""
        self._end(grpc.StatusCode.CANCELLED, None)

    def _end(self, status: Optional[grpc.StatusCode], failure: Optional[BaseException]) -> None:
        try:
            span = self._open.pop()
        except IndexError:
            return
        if self._recording:
            span.set_attribute("viam_sync.attempts", self._attempt)
            if status is not None:
                span.set_attributes(self._names.of_status(status))
            if failure is not None:
                span.set_attribute("error.type", _kind(failure))
                # The text of another exception may quote the request.
                text = str(failure) if isinstance(failure, ViamError) else type(failure).__name__
                span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, text))
            if isinstance(failure, AmbiguousResultError):
                span.record_exception(failure)
        span.end()

    def __del__(self) -> None:
        self.leave()


class _Names:
    """The names of the attributes: they were renamed, and not every tool has followed.

    The variable of the environment is the one that OpenTelemetry has for this.
    """

    def __init__(self) -> None:
        wanted = _listed("OTEL_SEMCONV_STABILITY_OPT_IN")
        self._old = "rpc" not in wanted or "rpc/dup" in wanted
        self._full_method = bool(wanted & {"rpc", "rpc/dup"})

    def of_method(self, method: str) -> Dict[str, Any]:
        service, _, rpc = method.rpartition("/")
        names = {"rpc.system.name": "grpc", "rpc.method": method if self._full_method else rpc}
        return {**names, "rpc.system": "grpc", "rpc.service": service} if self._old else names

    def of_status(self, status: grpc.StatusCode) -> Dict[str, Any]:
        names: Dict[str, Any] = {"rpc.response.status_code": status.name}
        return {**names, "rpc.grpc.status_code": status.value[0]} if self._old else names


def _kind(failure: BaseException) -> str:
    if isinstance(failure, GRPCError):
        return failure.status.name
    cls = type(failure)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
