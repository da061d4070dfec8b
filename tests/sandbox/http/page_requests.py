"""Requests for the page of a sandbox and its contents, as a browser makes them."""

import http.client
import json
import urllib.parse


def get(sandbox, path, method="GET", **headers):
    """Return the response to a request with the token, and its body; the page is at "/"."""
    query = urllib.parse.urlsplit(sandbox.ui_url).query
    return get_without_token(sandbox, f"{path}{'&' if '?' in path else '?'}{query}", method, **headers)


def get_without_token(sandbox, path, method="GET", **headers):
    connection = http.client.HTTPConnection(address_of(sandbox), timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def address_of(sandbox):
    return urllib.parse.urlsplit(sandbox.ui_url).netloc


def view(sandbox, name):
    response, body = get(sandbox, f"/ui/{name}")
    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    return json.loads(body)
