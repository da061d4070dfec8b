"""The token that opens the page: other users of this computer can connect to loopback, too."""

from __future__ import annotations

import secrets

from viam_sync.sandbox.http.messages import Request


class PageToken:
    """A random token, which a browser gives in the query of its first request and in a cookie from then on.

    Args:
        secure: Whether the page is served with TLS.

    Attributes:
        query: The query of the address that opens the page, such as "?token=5f3c…".
        cookie: The value of Set-Cookie for a browser that has given the token.
    """

    def __init__(self, secure: bool = False) -> None:
        self._token = secrets.token_hex(24)
        # Cookies do not tell the ports of a host apart: each page has a name of its own.
        self._name = f"viam-sandbox-{secrets.token_hex(4)}"
        self.query = f"?token={self._token}"
        self.cookie = f"{self._name}={self._token}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"

    def is_in(self, request: Request) -> bool:
        """Return whether a request has the token."""
        pairs = (each.strip().partition("=") for each in request.headers.get("cookie", "").split(";"))
        given = [request.query.get("token", ""), *(value for name, _, value in pairs if name == self._name)]
        return any(secrets.compare_digest(each.encode(), self._token.encode()) for each in given)
