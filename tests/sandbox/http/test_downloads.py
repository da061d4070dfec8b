import contextlib
import http.client
import socket
import threading
import urllib.parse

import pytest

from sandbox.calls import Caller, refused
from sandbox.data_calls import NO_FILE, PNG, Data
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox


def get(url, method="GET", **headers):
    """Return the response to a request, and its body."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request(method, url[url.index(parts.netloc) + len(parts.netloc) :], headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.fixture
def token(owner):
    """Provide the header with the owner's token."""
    return {"Authorization": owner.metadata[0][1]}


@pytest.fixture
def file(data):
    """Provide the metadata of a file with ten bytes."""
    return data.about(data.put(b"0123456789", mime_type="text/plain"))


def test_a_uri_gives_the_contents_to_a_token_or_a_key(sandbox, token, file):
    assert file.uri.startswith("http://127.0.0.1:")
    assert file.uri.endswith("/data/" + file.binary_data_id)
    for headers in (token, {"key_id": sandbox.api_key_id, "key": sandbox.api_key}):
        response, body = get(file.uri, **headers)
        assert (response.status, body) == (200, b"0123456789")
        assert response.headers["Content-Type"] == "text/plain"
        assert response.headers["Content-Length"] == "10"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["ETag"] == f'"{file.id}"'
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_head_request_gets_the_headers_alone(token, file):
    response, body = get(file.uri, "HEAD", **token)
    assert (response.status, response.headers["Content-Length"], body) == (200, "10", b"")
    response, body = get(file.uri, "HEAD", Range="bytes=2-3", **token)
    assert (response.status, response.headers["Content-Length"], body) == (206, "2", b"")


@pytest.mark.parametrize(
    ("range", "span", "contents"),
    [
        ("bytes=0-0", "0-0", b"0"),
        ("bytes=2-5", "2-5", b"2345"),
        ("bytes=7-", "7-9", b"789"),
        ("bytes=8-99", "8-9", b"89"),
        ("bytes=-3", "7-9", b"789"),
        ("bytes=-99", "0-9", b"0123456789"),
    ],
)
def test_a_range_gives_that_part(token, file, range, span, contents):
    response, body = get(file.uri, Range=range, **token)
    assert (response.status, body) == (206, contents)
    assert response.headers["Content-Range"] == f"bytes {span}/10"
    assert response.headers["Content-Length"] == str(len(contents))


@pytest.mark.parametrize(
    "range", ["bytes=5-2", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "lines=1-2", "bytes=" + "9" * 5000 + "-", ""]
)
def test_a_range_that_means_nothing_gives_everything(token, file, range):
    response, body = get(file.uri, Range=range, **token)
    assert (response.status, body) == (200, b"0123456789")


@pytest.mark.parametrize("range", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=" + "9" * 18 + "-"])
def test_a_range_beyond_the_end_is_refused(token, file, range):
    response, _ = get(file.uri, Range=range, **token)
    assert (response.status, response.headers["Content-Range"]) == (416, "bytes */10")


def test_a_range_of_another_version_gives_everything(token, file):
    assert get(file.uri, Range="bytes=0-1", **{"If-Range": f'"{file.id}"'}, **token)[0].status == 206
    assert get(file.uri, Range="bytes=0-1", **{"If-Range": '"other"'}, **token)[0].status == 200


def test_an_empty_file_is_one(data, token):
    uri = data.about(data.put(b"")).uri
    response, body = get(uri, **token)
    assert (response.status, response.headers["Content-Length"], body) == (200, "0", b"")
    assert get(uri, Range="bytes=0-", **token)[0].status == 416


def test_a_download_without_valid_credentials_is_refused(sandbox, file):
    for headers in (
        {},
        {"Authorization": "Bearer malformed"},
        {"Authorization": "Basic abc"},
        {"Authorization": "Bearer \u00e9.\u00e9"},
        {"key_id": sandbox.api_key_id},
        {"key_id": sandbox.api_key_id, "key": "wrong"},
        {"key_id": "\u00e9", "key": "\u00e9"},
    ):
        response, body = get(file.uri, **headers)
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer"), body
        assert response.headers["Content-Type"].startswith("text/plain")
        assert body.count(b"\n") == 1


def test_a_key_that_was_deleted_gets_nothing(sandbox, owner, callers, file):
    given = [owner.role("owner", "organization", sandbox.organization_id)]
    key = owner.CreateKey(authorizations=given)
    other = callers(key.id, key.key)
    assert get(file.uri, key_id=key.id, key=key.key)[0].status == 200
    owner.DeleteKey(id=key.id)
    assert get(file.uri, key_id=key.id, key=key.key)[0].status == 401
    assert get(file.uri, Authorization=other.metadata[0][1])[0].status == 401


def test_a_download_needs_the_permission_to_read_which_an_operator_has(sandbox, file, foreign_data, caller_with):
    response, body = get(file.uri, Authorization=foreign_data.caller.metadata[0][1])
    assert (response.status, b"read_robot_data_management" in body) == (403, True)
    operator = caller_with("operator", "robot", sandbox.robot_id)
    assert get(file.uri, Authorization=operator.metadata[0][1])[0].status == 200


def test_an_unknown_path_is_not_found(file, token):
    base = file.uri[: file.uri.index("/data/")]
    assert get(f"{base}/data/{NO_FILE}", **token)[0].status == 404
    assert get(f"{base}/data/{file.id}", **token)[0].status == 200
    assert get(f"{base}/data/x", **token)[0].status == 400
    assert get(f"{base}/data/..%2F..%2Fetc%2Fpasswd", **token)[0].status == 400
    assert get(f"{base}/data/%00%ff", **token)[0].status == 400
    assert get(f"{base}/nowhere", **token)[0].status == 404


def test_other_methods_are_refused(file, token):
    for method in ("POST", "PUT", "DELETE", "ODD"):
        assert get(file.uri, method, **token)[0].status == 501


def test_contents_that_are_gone_from_the_disk_are_not_found(sandbox, file, token):
    sandbox._world.store.blobs.path(file.id).unlink()
    response, body = get(file.uri, **token)
    assert (response.status, b"are gone" in body) == (404, True)


@pytest.mark.parametrize("kind", ["text/html\r\nX-Evil: 1", "no type", "\u00e9/x", "a/b/c", "x" * 1000])
def test_an_odd_type_does_not_become_a_header(data, token, kind):
    response, body = get(data.about(data.put(mime_type=kind)).uri, **token)
    assert (response.headers["Content-Type"], response.headers["X-Evil"], body) == (
        *("application/octet-stream", None, PNG),
    )


def test_malformed_http_harms_nothing(file, token):
    parts = urllib.parse.urlsplit(file.uri)
    for request in (b"", b"\0\xff\r\n\r\n", b"GET\r\n\r\n", b"GET /data/ HTTP/9.9\r\n\r\n", b"A" * 100_000):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            connection.sendall(request)
            # The server may have answered and closed already, which leaves nothing to shut down.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
    assert get(file.uri, **token)[0].status == 200


def test_a_large_file_comes_whole_to_several_at_once(data, token):
    chunk = bytes(range(256)) * 4096
    sent = [{"metadata": data.metadata(3)}, *[{"file_contents": {"data": chunk}}] * 8]
    uri = data.about(data.send("FileUpload", iter(sent)).binary_data_id).uri
    found = []
    threads = [threading.Thread(target=lambda: found.append(get(uri, **token)[1] == chunk * 8)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4
    assert get(uri, Range=f"bytes={len(chunk) - 1}-{len(chunk)}", **token)[1] == b"\xff\0"


def rest_of(connection):
    """Return how many bytes come before a connection ends, one way or the other."""
    size = 0
    with contextlib.suppress(ConnectionError):
        while True:
            piece = connection.recv(1024 * 1024)
            if not piece:
                break
            size += len(piece)
    return size


def test_stopping_ends_a_download_and_frees_the_port():
    others = set(threading.enumerate())
    with Sandbox() as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        data = Data(caller)
        sent = [{"metadata": data.metadata(3)}, *[{"file_contents": {"data": bytes(1024 * 1024)}}] * 20]
        uri = data.about(data.send("FileUpload", iter(sent)).binary_data_id).uri
        parts = urllib.parse.urlsplit(uri)
        connection = socket.create_connection((parts.hostname, parts.port), timeout=10)
        headers = f"GET {parts.path} HTTP/1.0\r\nAuthorization: {caller.metadata[0][1]}\r\n\r\n"
        connection.sendall(headers.encode())
        assert connection.recv(100).startswith(b"HTTP/1.0 200")
        idle = socket.create_connection((parts.hostname, parts.port), timeout=10)
        caller.channel.close()
    with connection, idle:
        assert rest_of(connection) < 20 * 1024 * 1024
        assert rest_of(idle) == 0
    with pytest.raises(OSError):
        socket.create_connection((parts.hostname, parts.port), timeout=10).close()
    assert not [each for each in threading.enumerate() if each.name == "viam-sandbox-web" and each not in others]


def test_a_signed_url_works_without_credentials_until_it_expires():
    time = [1_700_000_000.0]
    with Sandbox(clock=lambda: time[0]) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        data = Data(caller)
        id = data.put()
        signed = data.CreateBinaryDataSignedURL(binary_data_id=id)
        short = data.CreateBinaryDataSignedURL(binary_data_id=id, expiration_minutes=1)
        caller.channel.close()
        assert (signed.expires_at.seconds, short.expires_at.seconds) == (1_700_000_900, 1_700_000_060)
        assert get(signed.signed_url)[1] == get(short.signed_url)[1] == PNG
        assert get(short.signed_url, Range="bytes=1-3")[1] == b"PNG"
        time[0] += 60
        assert get(signed.signed_url)[0].status == 200
        response, body = get(short.signed_url)
        assert (response.status, b"no longer good" in body) == (403, True)


def test_a_signed_url_is_good_for_its_own_file_and_time_alone(data, file):
    other = data.put()
    url = data.CreateBinaryDataSignedURL(binary_data_id=file.binary_data_id).signed_url
    for wrong in (
        url.replace(file.id, other.rpartition("/")[2]),
        url.replace("expires=", "expires=9"),
        url.replace("expires=", "expires=x"),
        url[:-1],
        url.partition("expires=")[0] + "signature=%00%ff",
    ):
        response, body = get(wrong)
        assert (response.status, b"does not go with this URL" in body) == (403, True)
    data.DeleteBinaryDataByIDs(binary_data_ids=[file.id])
    assert get(url)[0].status == 404


@pytest.mark.parametrize("minutes", [0, 10081, 2**32 - 1])
def test_a_signed_url_lasts_a_minute_to_a_week(data, file, minutes):
    with refused("INVALID_ARGUMENT", f"expiration_minutes is {minutes}"):
        data.CreateBinaryDataSignedURL(binary_data_id=file.binary_data_id, expiration_minutes=minutes)
    assert data.CreateBinaryDataSignedURL(binary_data_id=file.binary_data_id, expiration_minutes=10080).signed_url
    with refused("NOT_FOUND", "No file has the ID"):
        data.CreateBinaryDataSignedURL(binary_data_id=NO_FILE)


def test_the_client_gets_a_signed_url(sandbox):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
        url, _ = client.data_client.create_binary_data_signed_url(file.metadata.binary_data_id, 5)
        assert get(url)[1] == file.binary
