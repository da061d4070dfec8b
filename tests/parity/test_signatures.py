"""Whatever the installed official SDK takes, ours takes: each list of arguments by position, and each by keyword."""

import importlib.metadata
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from parity.calls import CALLS, LEFT_OUT
from parity.recording import known_arguments, recording
from reference.newest import NEWEST, names_by_position, ours

from viam_sync.app import viam_client

ROOT = Path(__file__).parents[2]
PINNED = (ROOT / "protos" / "API_VERSION").read_text(encoding="utf-8").strip()
INSTALLED = [each.version for each in importlib.metadata.distributions() if each.metadata["Name"] == "viam-sdk"]

pytestmark = pytest.mark.skipif(not INSTALLED, reason="viam-sdk is not installed; there is nothing to compare with")

#: Parameters of theirs that no call of ``CALLS`` names, as they are other names of these.
OTHER_NAMES = {"query": "mql_binary", "resource_subtype": "resource_api"}

#: Methods that take their order only where the arguments tell it apart from that of the reference.
OTHER_ORDER = {
    "DataClient.binary_data_by_ids",
    "DataClient.binary_data_capture_upload",
    "DataClient.tabular_data_by_mql",
    "DataClient.tabular_data_capture_upload",
    "MLTrainingClient.submit_custom_training_job",
}
#: One whose arguments are all texts, so nothing tells the orders apart, and how it is refused.
REFUSED = "MLTrainingClient.submit_custom_training_job"
ADVICE = "as the reference has it.* give registry_item_version=, model_name=, model_version=, container_id= by keyword"

NOT_CALLED = (*LEFT_OUT, REFUSED)


@pytest.fixture(scope="module")
def theirs():
    command = [sys.executable, "-W", "ignore", str(ROOT / "tests" / "reference" / "read_sdk.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(PINNED not in INSTALLED, reason=f"viam-sdk {PINNED} is not installed")
def test_the_table_of_the_newest_sdk_is_what_it_has(theirs):
    assert theirs == NEWEST


def test_each_signature_binds_by_keywords_and_by_position(theirs):
    for name, fact in theirs.items():
        signature = inspect.signature(ours(name))
        given = {each["name"]: each for each in fact["parameters"]}
        own = [None] if "self" in signature.parameters else []
        assert signature.bind(*own, **given).kwargs.keys() <= given.keys(), name
        if not name.endswith(tuple(OTHER_ORDER)):
            names = names_by_position(fact)
            assert list(signature.bind(*own, *names).arguments)[len(own) :] == names, name


def calls_of(facts):
    """Yield the client, the name and the parameters of each method that sends something."""
    for path, fact in facts.items():
        client, _, name = path.rpartition(".")
        client = client.rpartition(".")[2]
        if client in CALLS and inspect.isfunction(ours(path)) and not path.endswith(NOT_CALLED):
            yield client, name, fact


def values_of(client, method, folder):
    """Return a value for each parameter of a method that a known call gives, the other names included."""
    values = {"timeout": 7}
    for arguments in known_arguments(inspect.signature(method), client, method.__name__, folder):
        values.update(arguments)
    return {**values, **{other: values[name] for other, name in OTHER_NAMES.items() if name in values}}


def sent_by(server, method, *args, **kwargs):
    """Return what a call sends: the methods and the requests."""
    before = len(server.calls)
    result = method(*args, **kwargs)
    if hasattr(result, "__next__"):
        with result:
            next(result)
    return [(call.method, call.requests) for call in server.calls[before:]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_each_method_sends_the_same_by_keywords_and_by_position(theirs, tmp_path):
    (tmp_path / "upload.txt").write_bytes(b"contents")
    with recording() as (server, channel):
        for client, name, fact in calls_of(theirs):
            call = getattr(getattr(viam_client, client)(channel, {"authorization": "Bearer token"}), name)
            values = values_of(client, call, str(tmp_path))
            given = {each["name"]: values[each["name"]] for each in fact["parameters"]}
            by_keywords = sent_by(server, call, **given)
            assert by_keywords, name
            assert sent_by(server, call, *(given[each] for each in names_by_position(fact))) == by_keywords, name


def test_an_order_that_cannot_be_told_apart_is_refused_with_the_keywords_to_use():
    with recording() as (server, channel):
        client = viam_client.MLTrainingClient(channel, {"authorization": "Bearer token"})
        for args, kwargs in [
            (("o-1", "d-1", "acme:script", "1", "cats", "v1"), {}),
            (("o-1", "d-1", "acme:script", "1", "cats"), {"model_version": "v1"}),
            (("o-1", "d-1", "acme:script", "1"), {"model_name": "cats", "model_version": "v1"}),
        ]:
            with pytest.raises(TypeError, match=ADVICE):
                client.submit_custom_training_job(*args, **kwargs)
        assert server.calls == []
