"""Fuzzed requests: the sandbox rejects them with a reason, and never fails itself."""

import collections
import contextlib
import itertools
import os
import random
import uuid

import grpc
import pytest

from sandbox.calls import authenticate
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.servicers import SERVICERS
from viam_sync.sandbox.wire.authentication import Authentication

from .fuzz import Fuzzer, methods

#: How many requests; the environment `endurance` of tox sends more.
REQUESTS = int(os.environ.get("VIAM_SYNC_FUZZ", "4000"))
#: After so many, the world is as it was: most of it may have been deleted.
ROUND = 200

#: The device, and nothing else, answers with UNKNOWN: its errors carry no code.
DEVICE = "viam.provisioning.v1.ProvisioningService"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(seed=3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def channel(sandbox):
    with grpc.insecure_channel(sandbox.address) as channel:
        yield channel


def known_ids(sandbox):
    """Return the IDs of some existing resources, by the word that names them in requests."""
    rows = sandbox._world.store.rows
    tables = {
        "org": "organizations",
        "location": "locations",
        "robot": "robots",
        "machine": "robots",
        "part": "parts",
        "user": "users",
        "identity": "users",
        "key": "keys",
        "fragment": "fragments",
        "dataset": "datasets",
        "secret": "secrets",
        "invoice": "invoices",
        "box": "boxes",
    }
    ids = {kind: [row["id"] for row in rows(f"SELECT id FROM {table} LIMIT 5")] for kind, table in tables.items()}
    files = [row["file_id"] for row in rows("SELECT file_id FROM files LIMIT 5")]
    ids["file"] = files
    ids["binary"] = [f"{sandbox.organization_id}/{sandbox.location_id}/{each}" for each in files]
    ids["email"] = [row["email"] for row in rows("SELECT email FROM users")]
    ids["type"] = ["role", "organization", "location", "robot"]
    ids["role"] = [f"{kind}_{role}" for kind in ids["type"][1:] for role in ("owner", "operator")]
    ids["item"] = ids["module"] = [f"{sandbox.organization_id}:spare", "spare", "acme:spare"]
    ids["name"] = ["spare", "air", "Readings", "camera"]
    return ids


def implemented(method):
    classes = SERVICERS.get(method.containing_service.full_name, (Authentication,))
    return any(hasattr(each, method.name) for each in classes)


def send(channel, method, takes, sends, requests, metadata):
    """Make a call with bytes, and return the status that it ended with."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    kind = f"{'stream' if takes else 'unary'}_{'stream' if sends else 'unary'}"
    stub = getattr(channel, kind)(path)
    call = None
    try:
        if sends:
            call = stub(requests[0], metadata=metadata, timeout=20)
            with contextlib.closing(contextlib.ExitStack()) as end:
                end.callback(call.cancel)
                if method.name != "TailRobotPartLogs":  # which would wait for the first entry
                    collections.deque(itertools.islice(call, 3), maxlen=0)
        else:
            stub(iter(requests) if takes else requests[0], metadata=metadata, timeout=20)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", ""


def test_fuzzed_requests_get_a_reason_and_never_crash_it(sandbox, channel):
    source = random.Random(5)
    every = [each for each in methods() if implemented(each[0])]
    met, code = collections.Counter(), ""
    for number in range(REQUESTS):
        if number % ROUND == 0 or code == "UNAUTHENTICATED":
            sandbox.reset()
            metadata = [("authorization", "Bearer " + authenticate(channel, sandbox.api_key_id, sandbox.api_key))]
            fuzzer = Fuzzer(source, known_ids(sandbox))
        method, takes, sends = every[number % len(every)]
        requests = [fuzzer.request(method) for _ in range(source.choice((1, 1, 2, 4)) if takes else 1)]
        sent = [] if method.containing_service.full_name == "proto.rpc.v1.AuthService" else metadata
        code, details = send(channel, method, takes, sends, requests, sent)
        allowed = {"INTERNAL"} if method.containing_service.full_name == DEVICE else {"INTERNAL", "UNKNOWN"}
        assert code not in {*allowed, "UNAVAILABLE", "DEADLINE_EXCEEDED"}, f"{method.full_name}: {code} {details}"
        met[code] += 1
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"} <= set(met)


def test_a_malformed_token_is_refused(channel, sandbox):
    send = channel.unary_unary("/viam.app.v1.AppService/ListOrganizations")
    for value in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer a.b",
        "Bearer " + "x" * 5000,
        "Bearer e30.e30.e30",
        str(uuid.uuid4()),
    ):
        with pytest.raises(grpc.RpcError) as raised:
            send(b"", metadata=[("authorization", value)], timeout=20)
        assert raised.value.code().name == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/b", "//", "/viam.app.v1.AppService/", "/viam.app.v1.AppService/Nothing"]
)
def test_an_unknown_method_is_unimplemented(channel, path):
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(path)(b"malformed", timeout=20)
    assert raised.value.code().name == "UNIMPLEMENTED"
