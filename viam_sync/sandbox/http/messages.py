"""HTTP requests and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterable, Mapping, NamedTuple

if TYPE_CHECKING:
    pass


class Request(NamedTuple):
    """A request.

    Attributes:
        method: GET or HEAD.
        path: The decoded path.
        query: The query parameters; of repeated ones, the last.
        headers: The headers, with lowercase names.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class Response(NamedTuple):
    """A response.

    Attributes:
        status: The status code.
        headers: The headers.
        body: The chunks of the body; not sent for HEAD. If it has a method ``close``, that is called at the end, also
            if the client disconnects.
    """

    status: int
    headers: Mapping[str, str]
    body: Iterable[bytes] = ()


#: A function that answers the requests whose path has a prefix.
Route = Callable[[Request], Response]


def text_response(status: int, text: str, **headers: str) -> Response:
    """Return a response with one line of plain text."""
    body = f"{text}\n".encode()
    kind = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}
    return Response(status, {**kind, **headers}, [body])
