"""A look inside: a page on loopback that shows the world and the calls as they arrive, and changes nothing."""

from __future__ import annotations

import functools
import json
import pkgutil
import threading
from typing import Any, Dict, Iterator, Optional

from viam_sync.sandbox.calls import Calls
from viam_sync.sandbox.downloads import Pieces
from viam_sync.sandbox.ui_views import IMAGES, calls_view, data_view, logs_view, world_view
from viam_sync.sandbox.web import Request, Response, plain
from viam_sync.sandbox.world import World

# Whoever looks hears of changes at most this often, and of nothing else but the connection this seldom, in seconds.
_PAUSE = 0.5
_SILENCE = 15

_STATIC = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/ui/page.css": ("page.css", "text/css; charset=utf-8"),
    "/ui/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/ui/icon.svg": ("icon.svg", "image/svg+xml"),
}
_FILES = "/ui/files/"
_FILE = "SELECT f.size, c.mime_type FROM files f JOIN captures c ON c.id = f.capture_id WHERE f.file_id = ?"

# Nothing is loaded from elsewhere, and no other page gets hold of what this one shows.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Look:
    """What answers the requests of the page, as a route of the HTTP server.

    Args:
        world: What there is to see; its `web_url` must be known when the first request comes.
        calls: The calls that arrive.
    """

    #: What the paths begin with.
    PREFIX = "/"

    def __init__(self, world: World, calls: Calls) -> None:
        self._world = world
        self._calls = calls
        self._changed = threading.Condition()
        self._counts = {"world": 0, "calls": 0}
        self._ended = threading.Event()
        world.store.on_change = functools.partial(self._count, "world")
        calls.on_change = functools.partial(self._count, "calls")

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        address = self._world.web_url.partition("//")[2]
        local = f"localhost:{address.rpartition(':')[2]}"
        # A page of somebody else may have a name that leads here; it must not read what this one shows.
        if request.headers.get("host") not in (address, local):
            return plain(403, f"This is http://{address}/ or http://{local}/ only; open one of these.", **_HEADERS)
        response = self._response(request)
        return response._replace(headers={**_HEADERS, **response.headers})

    def close(self) -> None:
        """End what is still being sent."""
        with self._changed:
            self._ended.set()
            self._changed.notify_all()

    def _response(self, request: Request) -> Response:
        if request.path in _STATIC:
            name, kind = _STATIC[request.path]
            return _whole(kind, pkgutil.get_data("viam_sync.sandbox", f"page/{name}") or b"")
        if request.path == "/ui/events":
            return Response(200, {"Content-Type": "text/event-stream"}, self._events())
        if request.path.startswith(_FILES):
            return self._file(request.path[len(_FILES) :])
        with self._world.store.transaction():
            view = self._view(request)
        if view is None:
            return plain(404, f"Nothing is at {request.path[:100]!r} here; the page is at '/'.")
        return _whole("application/json", json.dumps(view).encode())

    def _view(self, request: Request) -> Optional[Dict[str, Any]]:
        if request.path == "/ui/world.json":
            return world_view(self._world)
        if request.path == "/ui/logs.json":
            return logs_view(self._world, request.query.get("part", ""))
        if request.path == "/ui/data.json":
            return data_view(self._world)
        if request.path == "/ui/calls.json":
            return calls_view(self._world, self._calls.latest())
        return None

    def _file(self, id: str) -> Response:
        with self._world.store.transaction():
            row = self._world.store.row(_FILE, id)
            # What is not known to be a picture and nothing else might act as a page of this server.
            if row is None or row["mime_type"].lower() not in IMAGES:
                return plain(404, "No image that a browser can show has this ID.")
            try:
                file = self._world.store.blobs.path(id).open("rb")
            except FileNotFoundError:
                return plain(404, "The contents of this image are gone from the folder of the sandbox.")
        headers = {"Content-Type": row["mime_type"].lower(), "Content-Length": str(row["size"])}
        return Response(200, headers, Pieces(file, 0, row["size"]))

    def _events(self) -> Iterator[bytes]:
        """Yield how often the world and the calls have changed, at first and whenever they do."""
        seen: Dict[str, int] = {}
        while True:
            with self._changed:
                if self._counts == seen and not self._ended.is_set():
                    self._changed.wait(_SILENCE)
                before, seen = seen, dict(self._counts)
            if self._ended.is_set():
                return
            # Something must be sent now and then, or a client that went away would never be missed.
            yield f"data: {json.dumps(seen)}\n\n".encode() if seen != before else b": nothing new\n\n"
            self._ended.wait(_PAUSE)

    def _count(self, what: str) -> None:
        with self._changed:
            self._counts[what] += 1
            self._changed.notify_all()


def _whole(kind: str, body: bytes) -> Response:
    return Response(200, {"Content-Type": kind, "Content-Length": str(len(body))}, [body])
