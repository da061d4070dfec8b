"""The faults that a service, a proxy or the network may cause, as answers of the raw HTTP/2 server."""

from typing import Callable, Optional

import grpc

from .h2_server import Answer, Exchange, framed

_GRPC = {":status": "200", "content-type": "application/grpc"}
_CODES = {status.name: status.value[0] for status in grpc.StatusCode}

#: Error codes of HTTP/2, by their names.
RESETS = {"INTERNAL_ERROR": 2, "REFUSED_STREAM": 7, "CANCEL": 8, "ENHANCE_YOUR_CALM": 11, "INADEQUATE_SECURITY": 12}


def status(name: str, message: str = "no", pushback: Optional[str] = None) -> Answer:
    """The service answers with a status; ``pushback`` says in how many ms to come again."""
    headers = {**_GRPC, "grpc-status": str(_CODES[name]), "grpc-message": message}
    told = {} if pushback is None else {"grpc-retry-pushback-ms": pushback}
    text = f"{name}{'' if message == 'no' else f': {message}'}{'' if pushback is None else f', pushback {pushback}'}"
    return Answer(text, lambda exchange: exchange.headers(headers, end=True, unindexed=told))


def http(code: int) -> Answer:
    """A proxy answers in place of the service."""

    def act(exchange: Exchange) -> None:
        exchange.headers({":status": str(code), "content-type": "text/html"})
        exchange.data(b"<html>no</html>")
        exchange.headers({"x-proxy": "yes"}, end=True)

    return Answer(f"HTTP {code}", act)


def reset(name: str, early: bool = False) -> Answer:
    """The stream is reset, as soon as the request's headers are there, or after its end."""
    when = "before" if early else "after"
    return Answer(f"RST_STREAM {name} {when} the request", lambda exchange: exchange.reset(RESETS[name]), early)


def finished(early: bool = False) -> Answer:
    """The connection is closed."""
    return Answer(f"FIN {'before' if early else 'after'} the request", Exchange.finish, early)


def cut(early: bool = False) -> Answer:
    """The connection is reset."""
    return Answer(f"TCP reset {'before' if early else 'after'} the request", Exchange.cut, early)


def midway(name: str, then: Callable[[Exchange], None]) -> Answer:
    """The answer breaks off within a message."""

    def act(exchange: Exchange) -> None:
        exchange.headers(_GRPC)
        exchange.data(framed(bytes(100))[:50])
        then(exchange)

    return Answer(f"{name} in mid-response", act)


#: A message of any type that is not empty: its field is unknown.
SOME_MESSAGE = b"\xf8\x7f\x01"


def after_one(name: str, then: Callable[[Exchange], None]) -> Answer:
    """The answer breaks off after a message."""

    def act(exchange: Exchange) -> None:
        exchange.headers(_GRPC)
        exchange.data(framed(SOME_MESSAGE))
        then(exchange)

    return Answer(f"{name} after a message", act)


def _go_away(exchange: Exchange, last: int) -> None:
    exchange.go_away(last)
    exchange.finish()


def _too_large(exchange: Exchange) -> None:
    exchange.headers(_GRPC)
    exchange.data(framed(bytes(LIMIT + 1)))
    exchange.headers({"grpc-status": "0"}, end=True)


#: Bytes of a response that a client takes at most, for ``TOO_LARGE`` to be more.
LIMIT = 4096

TOO_LARGE = Answer("a response above the limit", _too_large)
GO_AWAY_EXCLUDING = Answer("GOAWAY that excludes the stream", lambda exchange: _go_away(exchange, 0))
GO_AWAY_INCLUDING = Answer("GOAWAY that includes the stream", lambda exchange: _go_away(exchange, exchange.stream))
SILENCE = Answer("silence", lambda exchange: None)
