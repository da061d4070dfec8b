"""Every method returns data or raises a clear error whatever a server answers, after a bounded number of requests."""

import inspect
import logging
import os
import re
import sys
from itertools import islice

import pytest
from label_folders import PETS, write_labels
from parity.calls import CALLS
from parity.recording import NAMES
from servers import connect

from viam_sync.app import viam_client
from viam_sync.errors import AmbiguousResultError, DeadlineExceededError, InternalError, ViamError
from viam_sync.proto.app import data
from viam_sync.proto.rpc import auth
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.transfer.output.binary_folder import BinaryFolder

from .hostile import ATTACKS, MANY, MOST_REQUESTS, REFUSALS, HostileServer, Reply, at_random, many_items

#: How many random answers each call gets; the environment `reliability` of tox says 200.
SEEDS = range(int(os.environ.get("VIAM_SYNC_SEEDS", "4")))

#: An argument for each required parameter, by its annotation.
REQUIRED = {
    "str": '"x-1"',
    "Optional[pb.Filter]": "None",
    "StrPath": 'folder + "/out"',
    "Sequence[bytes]": '[bson.encode({"$limit": 1})]',
    "bytes": 'b"bytes"',
    "pb.BillingAddress": "app.BillingAddress()",
    "pb.OAuthConfig": "app.OAuthConfig()",
    "pb.ModelType.ValueType": "1",
}
#: Calls of methods that are ours alone, where their required parameters do not say enough.
OWN_CALLS = {
    "DataClient.create_filter": ["create_filter()"],
    "DataClient.export_tabular_data_to": [
        'export_tabular_data_to(None, folder + "/rows.jsonl")',
        'export_tabular_data_to(None, folder + "/rows.csv", workers=3)',
        'export_tabular_data_to("select 1", folder + "/rows.csv", organization_id="o-1")',
        'export_tabular_data_to([{"$limit": 1}], folder + "/rows.jsonl", organization_id="o-1")',
    ],
    "DataClient.mirror_tabular_data": [
        'mirror_tabular_data(None, folder + "/mirror.duckdb")',
        'mirror_tabular_data(None, folder + "/mirror", workers=1)',
    ],
    "DataClient.upload_files": ['upload_files(folder + "/upload", "p-1")'],
    "DataClient.import_dataset": ['import_dataset(folder + "/pets", format="viam", name="pets", part_id="p-1")'],
    "DataClient.iter_tabular_data": ["iter_tabular_data()", "iter_tabular_data(prefetch=False, limit=7)"],
    "DataClient.binary_data_by_filter": ["binary_data_by_filter(dest=folder)"],
    "DataClient.tabular_data_by_filter": ['tabular_data_by_filter(dest=folder + "/rows.csv")'],
    "AppClient.list_nested_fragments": ['list_nested_fragments(fragment_id="f-1")'],
    "AppClient.search_organizations": ['search_organizations(org_name="Lesson Robotics")'],
    "AppClient.get_robot_part_logs": ['get_robot_part_logs("p-1", dest=folder + "/logs.json", num_log_entries=0)'],
}


def methods():
    """Return the public methods of every client."""
    for name in CALLS:
        for method, found in inspect.getmembers(getattr(viam_client, name), inspect.isroutine):
            if not method.startswith("_") and method != "options":
                yield name, method, found


def calls(client, method, found):
    """Return calls of a method, as texts: those that are compared with the official SDK, and those above."""
    known = [text for text in CALLS[client] if text.startswith(f"{method}(")]
    known += OWN_CALLS.get(f"{client}.{method}", [])
    if known:
        return known
    parameters = list(inspect.signature(found).parameters.values())[1:]
    given = [f"{each.name}={REQUIRED[each.annotation]}" for each in parameters if each.default is each.empty]
    return [f"{method}({', '.join(given)})"]


#: The texts of errors for values that have no form in Python; all other errors are ViamErrors.
DOCUMENTED = ("no calendar has", "holds a row that cannot be read", "takes at least one", "is no UTF-8")

METHODS = [(client, method, calls(client, method, found)) for client, method, found in methods()]


@pytest.fixture(scope="module")
def hostile():
    with HostileServer() as server, Channel(parse_address(server.url), 0) as channel:
        yield server, channel


@pytest.fixture
def known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "upload.txt").write_text("text")
    (tmp_path / "upload").mkdir()
    (tmp_path / "upload" / "cat.txt").write_text("text")
    write_labels(tmp_path / "pets", "viam", PETS)
    return {**NAMES, "folder": str(tmp_path)}


IDS = [f"{client}.{method}" for client, method, _ in METHODS]


@pytest.mark.parametrize(("client", "method", "texts"), METHODS, ids=IDS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_answer_breaks_a_method(hostile, known, caplog, client, method, texts):
    server, channel = hostile
    known["client"] = getattr(viam_client, client)(channel, {"authorization": "Bearer token"})
    for attack in (*ATTACKS.values(), *REFUSALS.values(), *map(at_random, SEEDS)):
        for text in texts[:1] if attack is many_items else texts:
            server.begin(attack)
            outcome = drive(f"client.{text}", known)
            assert is_clear(outcome), f"{text} after {attack.__name__}: {outcome!r}"
            assert not server.endless, f"{text} after {attack.__name__}: more than {MOST_REQUESTS} requests"
    # grpc itself logs that it cannot read the text of an error.
    said = [record for record in caplog.records if "Invalid encoding" not in record.msg]
    assert [record.getMessage() for record in said if record.levelno >= logging.ERROR] == []


def drive(text, known):
    """Make a call, go through all that it gives, and print it; return the error if there was one."""
    try:
        result = eval(text, known)
        if hasattr(result, "__next__"):
            with result:
                result = list(islice(result, 3 * MANY))
        if not isinstance(result, list) or len(result) < MANY:
            repr(result)
    except Exception as error:
        return error
    return None


def is_clear(outcome):
    """Tell whether a call gave something, or an error that says what is wrong with the answer."""
    if outcome is None or isinstance(outcome, ViamError):
        return True
    if isinstance(outcome, OSError):
        return "no form in JSON" in str(outcome) and hasattr(outcome, "result")
    if isinstance(outcome, NotImplementedError):
        return "is gone from the service" in str(outcome)
    if isinstance(outcome, ImportError):
        return "pip install" in str(outcome)
    return isinstance(outcome, ValueError) and any(text in str(outcome) for text in DOCUMENTED)


def test_a_method_without_arguments_here_would_be_noticed():
    def new(self, region):
        return region

    new.__annotations__ = {"region": "Region"}

    with pytest.raises(KeyError, match="Region"):
        calls("AppClient", "move_to", new)
    assert len(METHODS) > 200


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("nothing", "The service reported success and sent no message."),
        ("no_message_of_any_kind", "The service sent 40 bytes that are no {answer}."),
        ("text_that_is_no_utf8", r"The service sent \d+ bytes that are no {answer}."),
    ],
)
def test_an_answer_that_cannot_be_read_is_an_error_that_says_what_to_do(hostile, attack, said):
    server, channel = hostile
    app = viam_client.AppClient(channel, {})
    server.begin(ATTACKS[attack])
    advice = "Check the address; if it is right, a newer version of viam-sync may be needed."
    with pytest.raises(InternalError) as read:
        app.list_organizations()
    answer = said.format(answer="ListOrganizationsResponse")
    assert re.fullmatch(f"viam.app.v1.AppService/ListOrganizations: INTERNAL: {answer} {advice}", str(read.value))
    with pytest.raises(AmbiguousResultError, match=said.format(answer="CreateOrganizationResponse")):
        app.create_organization("Night School")
    assert server.requests == 2


def test_a_stream_that_cannot_be_read_is_an_error_that_says_what_to_do(hostile):
    server, channel = hostile
    server.begin(ATTACKS["no_message_of_any_kind"])
    said = r"The service sent 40 bytes that are no TailRobotPartLogsResponse\. Check the address"
    stream = viam_client.AppClient(channel, {}).tail_robot_part_logs("p-1")
    with stream, pytest.raises(InternalError, match=said):
        next(stream)


def test_an_answer_that_does_not_end_is_given_up_when_the_time_is_up(hostile):
    server, channel = hostile
    server.begin(lambda rpc, number: Reply([b"", b""]))
    with pytest.raises(DeadlineExceededError):
        viam_client.AppClient(channel, {}).list_organizations(timeout=0.5)


def test_thousands_of_files_of_one_name_are_written_without_looking_at_all_before_for_each(tmp_path):
    calls = []
    files = [data.BinaryData(metadata=data.BinaryMetadata(file_name="pets/cat")) for _ in range(300)]
    folder = BinaryFolder(tmp_path, contents=False)
    profile = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    try:
        folder.write(files[:50], None)
        first = len(calls)
        folder.write(files[50:], None)
    finally:
        sys.setprofile(profile)
    assert len(list((tmp_path / "metadata" / "pets").iterdir())) == 300
    assert len(calls) < 7 * first


@pytest.mark.parametrize("token", ["", "hush\nhush", "h\u00fcsh", "\x00hush", "hush hush", " "])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(server, token):
    given = auth.AuthenticateResponse(access_token=token).SerializeToString()
    server.unary["Authenticate"] = lambda request, context: given
    with pytest.raises(InternalError) as caught:
        connect(server)
    text = "INTERNAL: The service gave a token that cannot be sent. Check the address; this is no Viam service."
    assert str(caught.value) == text
