"""Each call sends the same and returns the same with the official SDK as with ours."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from parity.calls import CALLS, INTENDED_DIFFERENCES, LEFT_OUT, REFUSED
from parity.plain import plain
from parity.recording import NAMES, recording, rpcs, serve
from servers import FakeService

from viam_sync.app import viam_client
from viam_sync.messages.pool import message

ROOT = Path(__file__).parents[2]
PINNED = (ROOT / "protos" / "API_VERSION").read_text(encoding="utf-8").strip()
INSTALLED = [each.version for each in importlib.metadata.distributions() if each.metadata["Name"] == "viam-sdk"]

pytestmark = pytest.mark.skipif(
    PINNED not in INSTALLED, reason=f"viam-sdk {PINNED} is not installed; there is nothing to compare with"
)

TEXTS = [text for texts in CALLS.values() for text in texts]
IDS = [" ".join(text.split()) for text in TEXTS]


def sent(server):
    """Return what arrived, by the text of the call: the methods, who called, and the requests."""
    arrived = {}
    for call in server.calls:
        request = message(rpcs()[call.method.rpartition("/")[2]].input_type)
        texts = [str(request.FromString(each)) for each in call.requests]
        text = bytes.fromhex(call.metadata["call"]).decode()
        arrived.setdefault(text, []).append((call.method, call.metadata["authorization"], texts))
    return arrived


def theirs(folder):
    with FakeService() as server:
        serve(server)
        command = [
            sys.executable,
            "-W",
            "ignore",
            str(Path(__file__).with_name("official.py")),
            str(server.port),
            folder,
        ]
        done = subprocess.run(command, input=json.dumps(CALLS), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        return {"sent": sent(server), **made}


def ours(folder):
    results = {}
    with recording() as (server, channel):
        for name, texts in CALLS.items():
            for text in texts:
                metadata = {"authorization": "Bearer token", "call": text.encode().hex()}
                client = getattr(viam_client, name)(channel, metadata)
                known = {**NAMES, "folder": folder, "client": client}
                try:
                    results[text] = json.loads(json.dumps(plain(taken(eval(f"client.{text}", known)))))
                except (grpc.RpcError, TypeError, ValueError, AttributeError) as error:
                    results[text] = {"error": repr(error)}
        return {"sent": sent(server), "results": results}


def taken(result):
    """Return what is first in a stream, and a page with the one after it; any other result as it is."""
    if hasattr(result, "next_page"):
        return [result, result.next_page()]
    if not hasattr(result, "__next__"):
        return result
    with result:
        return next(result)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folders = [str(tmp_path_factory.mktemp(name)) for name in ("theirs", "ours")]
    for folder in folders:
        (Path(folder) / "upload.txt").write_bytes(b"contents")
    return theirs(folders[0]), ours(folders[1]), folders


def narrowed(mine, official):
    """Return a result of ours without what the official record does not have."""
    if isinstance(mine, dict) and isinstance(official, dict):
        kept = official if "record" in official else mine
        return {key: narrowed(mine[key], official.get(key)) for key in kept if key in mine}
    if isinstance(mine, list) and isinstance(official, list) and len(mine) == len(official):
        return [narrowed(*each) for each in zip(mine, official)]
    return mine


def refusal(result):
    """Return the kind of exception that a call ended with; None if it did not."""
    return result["error"].partition("(")[0] if isinstance(result, dict) and "error" in result else None


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_both_return_the_same_from(text, both):
    official, mine = (made["results"][text] for made in both[:2])
    assert (refusal(official) is not None) == (text in REFUSED), official
    same = refusal(mine) == refusal(official) if text in REFUSED else narrowed(mine, official) == official
    assert same == (("result", text) not in INTENDED_DIFFERENCES), (mine, official)


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_both_send_the_same_for(text, both):
    official, mine = (made["sent"].get(text) for made in both[:2])
    assert (official is None) == (text in REFUSED)
    assert (mine == official) == (("sent", text) not in INTENDED_DIFFERENCES), (mine, official)


def test_both_write_the_same_invoice(both):
    _, _, folders = both
    for name in ("invoice.pdf", "second.pdf"):
        written = [(Path(folder) / name).read_bytes() for folder in folders]
        assert written[0] == written[1] != b""


def test_no_method_of_the_official_clients_is_forgotten(both):
    official, _, _ = both
    called = {f"{name}.{text.partition('(')[0]}" for name, texts in CALLS.items() for text in texts}
    assert set(official["methods"]) - called == LEFT_OUT.keys()


def test_a_difference_is_one_of_a_call_that_is_made():
    assert {text for _, text in INTENDED_DIFFERENCES} | REFUSED <= set(TEXTS)
