"""A real S3 server on loopback, that of moto, which can be told to refuse requests."""

import importlib
import threading
import uuid
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Type

import pytest

#: Such as those of AWS look, and as long as those that the tests of secrets look for.
KEY_ID = "testkeyid0123456789abcd"
SECRET = "tests3cr3twh1chn0b0dymays33"

_ERROR = b"<?xml version='1.0'?><Error><Code>%b</Code><Message>%b</Message></Error>"

#: Tells by the method, the path and the query of a request whether it is refused.
Rule = Callable[[str, str, str], bool]


class ObjectStore:
    """The server; a ``with`` block ends it.

    Attributes:
        url: Its address.
        requests: The method, the path and the query of each request.
    """

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._handle, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, name="moto")
        self._rules: List[Tuple[Rule, bytes]] = []
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.requests: List[Tuple[str, str, str]] = []

    def __enter__(self) -> "ObjectStore":
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def refuse(self, rule: Rule, code: str = "AccessDenied") -> None:
        """Answer the requests that a rule applies to with an error, from now on."""
        self._rules.append((rule, code.encode()))

    def reset(self) -> None:
        """Answer all requests, and forget those that were made."""
        self._rules.clear()
        self.requests.clear()

    def _handle(self, environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        self.requests.append(request)
        for rule, code in self._rules:
            if rule(*request):
                is_chunked = environ.get("wsgi.input_terminated")
                environ["wsgi.input"].read(*([] if is_chunked else [int(environ.get("CONTENT_LENGTH") or 0)]))
                start_response("403 Forbidden", [("Content-Type", "application/xml")])
                return [] if request[0] == "HEAD" else [_ERROR % (code, b"the test refuses it")]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


def use_only(server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what looks for AWS in the environment find this server, and nothing of the computer's own."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    # The file systems of earlier tests know the environment of then.
    importlib.import_module("s3fs").S3FileSystem.clear_instance_cache()


def create_bucket(server: ObjectStore) -> str:
    """Make a bucket, and return its URL."""
    import boto3

    name = f"bucket-{uuid.uuid4().hex}"
    client = boto3.client("s3", endpoint_url=server.url)
    client.create_bucket(Bucket=name)
    client.close()
    server.requests.clear()
    return f"s3://{name}"
