"""Each call, in each of its forms, sends the same bytes and returns the same with the official SDK as with ours."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from parity.calls import CALLS, INTENDED_DIFFERENCES, LEFT_OUT, OTHER_ORDER, REFUSED
from parity.plain import plain
from parity.recording import NAMES, recording, rpcs, serve
from servers import FakeService

from viam_sync.app import viam_client
from viam_sync.messages.pool import message, pool

ROOT = Path(__file__).parents[2]
PINNED = (ROOT / "protos" / "API_VERSION").read_text(encoding="utf-8").strip()
INSTALLED = [each.version for each in importlib.metadata.distributions() if each.metadata["Name"] == "viam-sdk"]

pytestmark = pytest.mark.skipif(not INSTALLED, reason="viam-sdk is not installed; there is nothing to compare with")
of_the_newest = pytest.mark.skipif(PINNED not in INSTALLED, reason=f"viam-sdk {PINNED} is not installed")

TEXTS = [text for texts in CALLS.values() for text in texts]
IDS = [" ".join(text.split()) for text in TEXTS]


def sent(server):
    """Return what arrived, by the text of the call: the methods, who called, and the bytes of the requests."""
    arrived = {}
    known = rpcs()
    for call in server.calls:
        request = message(known[call.method.rpartition("/")[2]].input_type)
        text = bytes.fromhex(call.metadata["call"]).decode()
        requests = [in_order(request, each) for each in call.requests]
        arrived.setdefault(text, []).append((call.method, call.metadata["authorization"], requests))
    return arrived


def in_order(request, content):
    """Return the bytes of a request with its maps in order, which is as it comes, and its text for the reader."""
    read = request.FromString(content)
    return read.SerializeToString(deterministic=True), str(read)


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
        return {"sent": sent(server), **made, "results": reordered(made["results"])}


def reordered(result):
    """Return a result with the fields of its messages in order; an older SDK has those last that it does not know."""
    if isinstance(result, list):
        return [reordered(each) for each in result]
    if not isinstance(result, dict):
        return result
    if result.keys() == {"message", "bytes"}:
        kind = message(pool().FindMessageTypeByName(result["message"]))
        content = kind.FromString(bytes.fromhex(result["bytes"])).SerializeToString(deterministic=True)
        return {**result, "bytes": content.hex()}
    return {key: reordered(each) for key, each in result.items()}


def ours(folder, calls):
    results = {}
    with recording() as (server, channel):
        for name, found in calls.items():
            for text in [form for each in found.values() for form in each["forms"]]:
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
    official = theirs(folders[0])
    return official, ours(folders[1], official["calls"]), folders


def forms_of(text, official):
    """Return the forms of a call; it is left out if this version of the official SDK cannot make it."""
    found = next((calls[text]["forms"] for calls in official["calls"].values() if text in calls), None)
    return found or pytest.skip("this version of viam-sdk does not have it")


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


def is_of_another_order(form):
    """Tell whether a form has texts by position, in an order that contradicts the one of the reference."""
    return any(form.startswith(f"{method}('") for method in OTHER_ORDER)


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_both_return_the_same_from(text, both):
    for form in forms_of(text, both[0]):
        official, mine = (made["results"][form] for made in both[:2])
        if is_of_another_order(form):
            assert refusal(mine) == "TypeError"
            continue
        assert (refusal(official) is not None) == (text in REFUSED), official
        same = refusal(mine) == refusal(official) if text in REFUSED else narrowed(mine, official) == official
        assert same == (("result", text) not in INTENDED_DIFFERENCES), (form, mine, official)


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_both_send_the_same_for(text, both):
    for form in forms_of(text, both[0]):
        official, mine = (made["sent"].get(form) for made in both[:2])
        if is_of_another_order(form):
            assert mine is None
            continue
        assert (official is None) == (text in REFUSED)
        assert (mine == official) == (("sent", text) not in INTENDED_DIFFERENCES), (form, mine, official)


def test_both_write_the_same_invoice(both):
    _, _, folders = both
    for name in ("invoice.pdf", "second.pdf"):
        written = [(Path(folder) / name).read_bytes() for folder in folders]
        assert written[0] == written[1] != b""


def test_each_argument_that_the_documentation_gives_is_one_of_a_call(both):
    official, _, _ = both
    for name, examples in official["examples"].items():
        client, _, method = name.partition(".")
        calls = [each for text, each in official["calls"][client].items() if text.startswith(f"{method}(")]
        for names in examples:
            assert any(set(names) <= set(each["arguments"]) for each in calls), (name, names)


def test_an_older_official_sdk_can_make_most_of_the_calls_and_the_newest_all(both):
    official, _, _ = both
    made = sum(len(calls) for calls in official["calls"].values())
    assert made > 0.75 * len(TEXTS)
    assert made == len(TEXTS) or PINNED not in INSTALLED


@of_the_newest
def test_no_method_of_the_official_clients_is_forgotten(both):
    official, _, _ = both
    called = {f"{name}.{text.partition('(')[0]}" for name, texts in CALLS.items() for text in texts}
    assert official["examples"].keys() - called == LEFT_OUT.keys()


def test_a_difference_is_one_of_a_call_that_is_made():
    assert {text for _, text in INTENDED_DIFFERENCES} | REFUSED <= set(TEXTS)
