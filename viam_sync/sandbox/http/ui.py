"""The page that shows the state of the sandbox and its calls in a browser, without changing anything."""

from __future__ import annotations

import functools
import json
import pkgutil
import threading
from typing import Any, Callable, Dict, Iterator, Mapping, Optional

from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.http.file_body import FileBody
from viam_sync.sandbox.http.messages import Request, Response, text_response
from viam_sync.sandbox.http.page_token import PageToken
from viam_sync.sandbox.http.ui_chart import chart_view, sensor_view
from viam_sync.sandbox.http.ui_lists import IMAGES, lists_view
from viam_sync.sandbox.http.ui_views import calls_view, logs_view, machines_view
from viam_sync.sandbox.training.jobs import advance_jobs, seconds_to_change
from viam_sync.sandbox.wire.call_log import CallLog

# Seconds between two events at least, and before a comment that keeps the connection alive.
_MIN_INTERVAL = 0.5
_KEEPALIVE = 15

_STATIC = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/ui/page.css": ("page.css", "text/css; charset=utf-8"),
    "/ui/chart.js": ("chart.js", "text/javascript; charset=utf-8"),
    "/ui/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/ui/icon.svg": ("icon.svg", "image/svg+xml"),
}
_NO_TOKEN = (
    "This page takes the token that the sandbox made when it started. Open the whole address that it printed after "
    "'# look inside:', with ?token=… at its end; in Python, that is sandbox.ui_url."
)
#: The contents of the page, from the query of its address.
View = Callable[[Mapping[str, str]], Optional[Dict[str, Any]]]

_FILES = "/ui/files/"
_FILE = "SELECT f.size, c.mime_type FROM files f JOIN captures c ON c.id = f.capture_id WHERE f.file_id = ?"

# The page loads nothing from other origins, and no other origin can read or embed it.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class PageRoute:
    """The route of the page.

    Args:
        world: The state of the sandbox; its `web_url` must be set before the first request.
        calls: The log of the last calls.
        token: The token that requests must have.
        min_interval: Seconds between two events at least.
        keepalive: Seconds without an event after which a comment is sent, which detects closed connections.
    """

    #: The prefix of its paths.
    PREFIX = "/"

    def __init__(
        self,
        world: World,
        calls: CallLog,
        token: PageToken,
        min_interval: float = _MIN_INTERVAL,
        keepalive: float = _KEEPALIVE,
    ) -> None:
        self._token = token
        self._min_interval = min_interval
        self._keepalive = keepalive
        self._world = world
        self._calls = calls
        self._changed = threading.Condition()
        self._counts = {"world": 0, "calls": 0}
        self._ended = threading.Event()
        self._views: Dict[str, View] = {
            "/ui/world.json": self._world_view,
            "/ui/logs.json": self._logs_view,
            "/ui/calls.json": self._calls_view,
            "/ui/chart.json": functools.partial(chart_view, world),
        }
        world.store.on_change = functools.partial(self._count, "world")
        calls.on_change = functools.partial(self._count, "calls")

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        address = self._world.web_url.partition("//")[2]
        local = f"localhost:{address.rpartition(':')[2]}"
        # The host is checked against DNS rebinding: another page's host name may resolve to this address.
        if request.headers.get("host") not in (address, local):
            return text_response(
                403, f"This is http://{address}/ or http://{local}/ only; open one of these.", **_HEADERS
            )
        if not self._token.is_in(request):
            return text_response(403, _NO_TOKEN, **_HEADERS)
        response = self._response(request)
        cookie = {"Set-Cookie": self._token.cookie} if "token" in request.query else {}
        return response._replace(headers={**_HEADERS, **cookie, **response.headers})

    def close(self) -> None:
        """End the streams of events."""
        with self._changed:
            self._ended.set()
            self._changed.notify_all()

    def _response(self, request: Request) -> Response:
        if request.path in _STATIC:
            name, kind = _STATIC[request.path]
            return _content_response(kind, pkgutil.get_data("viam_sync.sandbox.http", f"page/{name}") or b"")
        if request.path == "/ui/events":
            return Response(200, {"Content-Type": "text/event-stream"}, self._events())
        if request.path.startswith(_FILES):
            return self._file(request.path[len(_FILES) :])
        if request.path not in self._views:
            return text_response(404, f"Nothing is at {request.path[:100]!r} here; the page is at '/'.")
        view = self._views[request.path](request.query)
        return _content_response("application/json", json.dumps(view).encode())

    def _world_view(self, query: Mapping[str, str]) -> Dict[str, Any]:
        with self._world.store.transaction():
            advance_jobs(self._world)
            return {
                "machines": machines_view(self._world, query.get("machines", "")),
                **lists_view(self._world, query),
                "sensor": sensor_view(self._world, query.get("sensor", "")),
                "changes_in": seconds_to_change(self._world),
            }

    def _logs_view(self, query: Mapping[str, str]) -> Dict[str, Any]:
        with self._world.store.transaction():
            return logs_view(self._world, query.get("part", ""), query.get("page", ""))

    def _calls_view(self, query: Mapping[str, str]) -> Dict[str, Any]:
        with self._world.store.transaction():
            return calls_view(self._world, self._calls.latest(), query.get("calls", ""))

    def _file(self, id: str) -> Response:
        with self._world.store.transaction():
            row = self._world.store.row(_FILE, id)
            # Other types of files could act as a page of this origin.
            if row is None or row["mime_type"].lower() not in IMAGES:
                return text_response(404, "No image that a browser can show has this ID.")
            try:
                file = self._world.store.blobs.path(id).open("rb")
            except FileNotFoundError:
                return text_response(404, "The contents of this image are gone from the folder of the sandbox.")
        headers = {"Content-Type": row["mime_type"].lower(), "Content-Length": str(row["size"])}
        return Response(200, headers, FileBody(file, 0, row["size"]))

    def _events(self) -> Iterator[bytes]:
        """Yield the numbers of changes of the state and of the calls, at first and after each change."""
        seen: Dict[str, int] = {}
        while True:
            with self._changed:
                if self._counts == seen and not self._ended.is_set():
                    self._changed.wait(self._keepalive)
                before, seen = seen, dict(self._counts)
            if self._ended.is_set():
                return
            # A closed connection is detected only when something is sent.
            yield f"data: {json.dumps(seen)}\n\n".encode() if seen != before else b": nothing new\n\n"
            self._ended.wait(self._min_interval)

    def _count(self, what: str) -> None:
        with self._changed:
            self._counts[what] += 1
            self._changed.notify_all()


def _content_response(kind: str, body: bytes) -> Response:
    return Response(200, {"Content-Type": kind, "Content-Length": str(len(body))}, [body])
