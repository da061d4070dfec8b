import errno
import socket
import sqlite3
import threading
from pathlib import Path

import grpc
import pytest

from sandbox.calls import APP, AUTH, Caller, authenticate, call, refused
from sandbox.data_calls import BINARY, SYNC, blob_names
from sandbox.stream_calls import follow, upload
from viam_sync.messages.pool import message, pool
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.faults.connections import cut_connection
from viam_sync.sandbox.faults.faults import CODES, Faults
from viam_sync.sandbox.faults.parsing import plan_from_text

BILLING = "viam.app.v1.BillingService"


@pytest.fixture
def sandbox(start):
    """Provide a sandbox of its own to each test: grpc shares connections to an address, and these tests cut them."""
    return start(seed=1)


@pytest.fixture
def faults(sandbox):
    return sandbox.faults


@pytest.fixture
def apart(sandbox, callers):
    """Provide a caller with a connection of its own; channels of one process share one otherwise."""
    caller = callers(sandbox.api_key_id, sandbox.api_key)
    caller.channel.close()
    caller.channel = grpc.insecure_channel(sandbox.address, options=[("grpc.use_local_subchannel_pool", 1)])
    return caller


def get_robot(sandbox, owner, times=1):
    """Call GetRobot, and return the codes of the statuses."""
    codes = []
    for _ in range(times):
        try:
            owner.GetRobot(id=sandbox.robot_id)
            codes.append("OK")
        except grpc.RpcError as error:
            codes.append(error.code().name)
    return codes


def capture(sandbox, owner, contents):
    """Upload a file in one message, and return the response."""
    method = pool().FindMethodByName(f"{SYNC}.DataCaptureUpload")
    metadata = {"part_id": sandbox.robot_part_id, "type": BINARY}
    request = message(method.input_type)(metadata=metadata, sensor_contents=[{"binary": contents}])
    send = owner.channel.unary_unary(f"/{SYNC}/DataCaptureUpload")
    return send(request.SerializeToString(), metadata=owner.metadata, timeout=10)


def test_the_next_calls_fail_as_planned_and_those_after_them_do_not(sandbox, owner, faults):
    fault = faults.fail("GetRobot", "UNAVAILABLE", times=2)
    assert get_robot(sandbox, owner, 3) == ["UNAVAILABLE", "UNAVAILABLE", "OK"]
    assert (fault.met, faults.met) == (2, 2)
    assert faults.planned == []


def test_other_rpcs_do_not_meet_the_fault_of_one(owner, faults):
    fault = faults.fail("GetRobot", "UNAVAILABLE")
    assert owner.ListOrganizations().organizations
    assert faults.planned == [fault]
    assert fault.met == 0


@pytest.mark.parametrize("name", ["GetRobot", "viam.app.v1.AppService/GetRobot", "all"])
def test_an_rpc_has_a_short_and_a_full_name_and_all_is_every_one(sandbox, owner, faults, name):
    faults.fail(name, "INTERNAL")
    with refused("INTERNAL", "was told to let viam.app.v1.AppService/GetRobot fail, before it took effect"):
        owner.GetRobot(id=sandbox.robot_id)


@pytest.mark.parametrize("code", CODES)
def test_a_call_can_fail_with_every_code(sandbox, owner, faults, code):
    faults.fail("GetRobot", getattr(grpc.StatusCode, code))
    assert get_robot(sandbox, owner) == [code]


def test_all_is_also_the_rpc_that_hands_out_tokens(sandbox, owner, faults):
    faults.fail("all", "UNAVAILABLE")
    with refused("UNAVAILABLE"):
        authenticate(owner.channel, sandbox.api_key_id, sandbox.api_key)


def test_a_failure_before_the_effect_leaves_none(sandbox, owner, faults):
    faults.fail("NewRobot", "UNAVAILABLE")
    with refused("UNAVAILABLE", "before it took effect"):
        owner.NewRobot(name="new", location=sandbox.location_id)
    assert "new" not in {robot.name for robot in owner.ListRobots(location_id=sandbox.location_id).robots}


def test_a_failure_after_the_effect_leaves_it(sandbox, owner, faults):
    faults.fail("NewRobot", "UNAVAILABLE", after=True)
    with refused("UNAVAILABLE", "after it took effect"):
        owner.NewRobot(name="new", location=sandbox.location_id)
    assert "new" in {robot.name for robot in owner.ListRobots(location_id=sandbox.location_id).robots}


def test_a_call_that_is_refused_leaves_the_fault_after_its_effect_to_the_next(sandbox, owner, faults):
    fault = faults.fail("GetRobot", "UNAVAILABLE", after=True)
    with refused("INVALID_ARGUMENT"):
        owner.GetRobot(id="x")
    assert (fault.met, faults.planned) == (0, [fault])
    assert get_robot(sandbox, owner, 2) == ["UNAVAILABLE", "OK"]


def test_faults_of_one_rpc_are_met_in_the_order_in_which_they_were_planned(sandbox, owner, faults):
    faults.fail("GetRobot", "UNAVAILABLE", times=2)
    faults.fail("all", "ABORTED")
    assert get_robot(sandbox, owner, 4) == ["UNAVAILABLE", "UNAVAILABLE", "ABORTED", "OK"]


def test_a_share_of_the_calls_fails_and_the_same_share_under_the_same_seed():
    def codes(seed):
        with Sandbox(seed=seed) as sandbox:
            caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
            sandbox.faults.fail("GetRobot", "UNAVAILABLE", times=None, rate=0.5)
            try:
                return get_robot(sandbox, caller, 40)
            finally:
                caller.channel.close()

    first = codes(1)
    assert codes(1) == first
    assert codes(2) != first
    assert 8 < first.count("UNAVAILABLE") < 32


def test_a_rate_of_nothing_is_never_met(sandbox, owner, faults):
    faults.fail("GetRobot", "UNAVAILABLE", rate=0)
    assert get_robot(sandbox, owner, 5) == ["OK"] * 5


def test_faults_do_not_change_which_ids_are_made(sandbox, owner, faults):
    sandbox.reset()
    faults.fail("GetRobot", "UNAVAILABLE", times=None, rate=0.5)
    get_robot(sandbox, owner, 10)
    made = owner.NewRobot(name="new", location=sandbox.location_id).id
    sandbox.reset()
    assert owner.NewRobot(name="new", location=sandbox.location_id).id == made


def test_a_failure_tells_when_to_try_again(sandbox, owner, faults):
    faults.fail("GetRobot", "RESOURCE_EXHAUSTED", pushback_ms=1500)
    with pytest.raises(grpc.RpcError) as raised:
        owner.GetRobot(id=sandbox.robot_id)
    assert ("grpc-retry-pushback-ms", "1500") in [tuple(each) for each in raised.value.trailing_metadata()]


def test_a_call_waits_while_others_go_on(sandbox, owner, faults):
    fault = faults.delay("GetRobot", 3600)
    waiting = owner.channel.unary_unary(f"/{APP}/GetRobot").future(b"", metadata=owner.metadata)
    assert owner.ListOrganizations().organizations
    assert not waiting.done()
    waiting.cancel()
    assert faults.planned == [fault]


def test_the_end_of_the_sandbox_ends_a_wait():
    with Sandbox() as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        fault = sandbox.faults.delay("GetRobot", 3600)
        begun = threading.Event()
        trigger = sandbox.faults.trigger
        sandbox.faults.trigger = lambda fault: (trigger(fault), begun.set())
        waiting = caller.channel.unary_unary(f"/{APP}/GetRobot").future(b"", metadata=caller.metadata)
        assert begun.wait(10)
    assert waiting.exception(10) is not None
    assert fault.met == 1
    caller.channel.close()


def test_a_call_waits_before_it_fails(sandbox, owner, faults):
    delay = faults.delay("GetRobot", 0.001)
    faults.fail("GetRobot", "UNAVAILABLE")
    assert get_robot(sandbox, owner, 2) == ["UNAVAILABLE", "OK"]
    assert delay.met == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_dropped_connection_is_unavailable_whether_or_not_the_call_took_effect(sandbox, owner, apart, faults, after):
    fault = faults.drop("NewRobot", after=after)
    with refused("UNAVAILABLE"):
        owner.NewRobot(name="new", location=sandbox.location_id)
    assert fault.met == 1
    assert ("new" in {robot.name for robot in apart.ListRobots(location_id=sandbox.location_id).robots}) == after


def test_all_calls_on_a_dropped_connection_are_lost_and_those_on_another_are_not(sandbox, owner, apart, faults):
    stream = follow(sandbox, owner)
    sandbox.wait_for_tail(sandbox.robot_part_id)
    faults.drop("GetRobot")
    assert get_robot(sandbox, owner) == ["UNAVAILABLE"]
    with refused("UNAVAILABLE"):
        next(stream)
    assert get_robot(sandbox, apart) == ["OK"]


def test_a_drop_in_one_sandbox_leaves_the_others_alone(sandbox, owner, faults):
    with Sandbox() as second:
        caller = Caller(second, second.api_key_id, second.api_key)
        stream = follow(second, caller)
        second.wait_for_tail(second.robot_part_id)
        faults.drop("GetRobot")
        assert get_robot(sandbox, owner) == ["UNAVAILABLE"]
        second.log(second.robot_part_id, "still here")
        assert next(stream).logs[0].message == "still here"
        caller.channel.close()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_stream_of_answers_is_dropped_after_as_many_messages_as_planned(sandbox, owner, faults, count):
    fault = faults.drop("TailRobotPartLogs", after_messages=count)
    stream = follow(sandbox, owner)
    got = []
    if count:
        sandbox.wait_for_tail(sandbox.robot_part_id)
    with refused("UNAVAILABLE"):
        for number in range(count + 1):
            sandbox.log(sandbox.robot_part_id, f"entry {number}")
            got.append(next(stream).logs[0].message)
    assert got == [f"entry {number}" for number in range(count)]
    assert fault.met == 1


def test_a_stream_that_ends_before_leaves_the_fault_to_the_next(owner, sandbox, faults):
    fault = faults.drop("GetInvoicePdf", after_messages=1000)
    invoices = call(
        owner.channel, "GetInvoicesSummary", BILLING, owner.metadata, org_id=sandbox.organization_id
    ).invoices
    method = pool().FindMethodByName(f"{BILLING}.GetInvoicePdf")
    send = owner.channel.unary_stream(f"/{BILLING}/GetInvoicePdf")
    request = message(method.input_type)(id=invoices[0].id, org_id=sandbox.organization_id)
    assert list(send(request.SerializeToString(), metadata=owner.metadata, timeout=10))
    assert (fault.met, faults.planned) == (0, [fault])


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_an_upload_is_dropped_after_as_many_messages_as_planned_and_leaves_nothing(sandbox, owner, faults, count):
    before = blob_names(sandbox)
    fault = faults.drop("FileUpload", after_messages=count)
    with refused("UNAVAILABLE"):
        upload(sandbox, owner)
    for active in sandbox._dispatcher.active_calls():
        assert active.ended.wait(30)
    assert fault.met == 1
    assert blob_names(sandbox) == before


def test_an_upload_that_is_told_to_fail_is_refused_with_the_reason(sandbox, owner, faults):
    faults.fail("FileUpload", "UNAVAILABLE")
    with refused("UNAVAILABLE", "before it took effect"):
        upload(sandbox, owner, [b"x" * 65536] * 100)


def test_an_upload_that_took_effect_can_fail_too(sandbox, owner, faults):
    before = blob_names(sandbox)
    faults.fail("FileUpload", "UNAVAILABLE", after=True)
    with refused("UNAVAILABLE", "after it took effect"):
        upload(sandbox, owner)
    assert len(blob_names(sandbox)) == len(before) + 1


def test_where_connections_cannot_be_found_dropping_one_is_refused_at_once():
    faults = Faults(open_files=(Path("/nowhere"),))
    with pytest.raises(RuntimeError, match=r"does not let a process look at its own connections.*UNAVAILABLE instead"):
        faults.drop("GetRobot")
    assert faults.planned == []


def test_looking_for_a_connection_leaves_no_file_open(sandbox, owner, faults):
    with socket.socket(socket.AF_UNIX) if hasattr(socket, "AF_UNIX") else socket.socket():
        cut_connection(1, 1)
        before = len(list(Path("/dev/fd").iterdir()))
        cut_connection(1, 1)
        assert len(list(Path("/dev/fd").iterdir())) == before
    assert get_robot(sandbox, owner) == ["OK"]


def test_a_full_disk_takes_no_contents_and_keeps_no_half_of_them(sandbox, owner, faults):
    before = blob_names(sandbox)
    fault = faults.fill_disk()
    with refused("RESOURCE_EXHAUSTED", "No space left on device"):
        upload(sandbox, owner)
    with refused("RESOURCE_EXHAUSTED", "free some room"):
        capture(sandbox, owner, b"a picture")
    assert (fault.met, blob_names(sandbox)) == (2, before)
    assert get_robot(sandbox, owner) == ["OK"]
    faults.clear()
    assert upload(sandbox, owner).file_id in blob_names(sandbox)


def test_a_disk_can_be_full_for_some_contents_only(sandbox, owner, faults):
    faults.fill_disk(times=1)
    with refused("RESOURCE_EXHAUSTED"):
        upload(sandbox, owner)
    assert upload(sandbox, owner).file_id


def test_a_database_that_finds_no_room_is_resource_exhausted_and_all_is_well_afterwards(sandbox, owner):
    connection = sandbox._world.store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with refused("RESOURCE_EXHAUSTED", "database or disk is full"):
        owner.UpdateRobotMetadata(id=sandbox.robot_id, data={"text": "n" * 1_000_000})
    connection.execute("PRAGMA max_page_count = 1000000")
    assert not owner.GetRobotMetadata(id=sandbox.robot_id).data
    owner.UpdateRobotMetadata(id=sandbox.robot_id, data={"text": "n" * 1_000_000})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "RESOURCE_EXHAUSTED"),
        (OSError(errno.EMFILE, "Too many open files"), "RESOURCE_EXHAUSTED"),
        (sqlite3.OperationalError("database or disk is full"), "RESOURCE_EXHAUSTED"),
        (sqlite3.OperationalError("no such table: robots"), "INTERNAL"),
        (OSError(errno.EIO, "Input/output error"), "INTERNAL"),
    ],
)
def test_only_a_lack_of_room_is_resource_exhausted(sandbox, owner, monkeypatch, error, code):
    def broken(*_):
        raise error

    monkeypatch.setattr(sandbox._world, "robot", broken)
    assert get_robot(sandbox, owner) == [code]


def test_planned_faults_are_listed_and_can_be_given_up(sandbox, owner, faults):
    first = faults.fail("GetRobot", "UNAVAILABLE")
    second = faults.delay("all", 3600)
    assert faults.planned == [first, second]
    faults.clear(second)
    assert faults.planned == [first]
    faults.clear()
    assert faults.planned == []
    assert get_robot(sandbox, owner) == ["OK"]


def test_a_fault_says_what_it_is(faults):
    shown = repr(faults.fail("GetRobot", "UNAVAILABLE", times=2, pushback_ms=5))
    assert "what='UNAVAILABLE', rpc='GetRobot', times=2" in shown
    assert "pushback_ms=5, met=0" in shown


@pytest.mark.parametrize(
    ("do", "text"),
    [
        (lambda faults: faults.fail("GetRobots", "UNAVAILABLE"), r"'GetRobots' is no RPC.*mean GetRobot"),
        (lambda faults: faults.fail("get_robot", "UNAVAILABLE"), r"did you mean .*GetRobot"),
        (lambda faults: faults.fail("???", "UNAVAILABLE"), r"'\?\?\?' is no RPC of the cloud; give one such as"),
        (lambda faults: faults.fail("", "UNAVAILABLE"), "'' is no RPC"),
        (lambda faults: faults.fail(7, "UNAVAILABLE"), "7 is no RPC"),
        (lambda faults: faults.fail("GetRobot", "UNAVALABLE"), "'UNAVALABLE' is no code.*did you mean UNAVAILABLE"),
        (lambda faults: faults.fail("GetRobot", "OK"), "'OK' is no code"),
        (lambda faults: faults.fail("GetRobot", 14), "'14' is no code"),
        (lambda faults: faults.fail("GetRobot", "INTERNAL", times=0), "times takes a whole number from 1 or None"),
        (lambda faults: faults.fail("GetRobot", "INTERNAL", times=1.5), "times takes a whole number"),
        (lambda faults: faults.fail("GetRobot", "INTERNAL", times=True), "times takes a whole number"),
        (lambda faults: faults.fail("GetRobot", "INTERNAL", rate=1.5), "rate takes a number from 0 to 1, got 1.5"),
        (lambda faults: faults.fail("GetRobot", "INTERNAL", rate=float("nan")), "rate takes a number from 0 to 1"),
        (lambda faults: faults.fail("GetRobot", "INTERNAL", pushback_ms=-1), "pushback_ms takes a whole number from 0"),
        (lambda faults: faults.delay("GetRobot", -1), "seconds takes a number from 0 on, got -1"),
        (lambda faults: faults.delay("GetRobot", float("inf")), "seconds takes a number from 0 on, got inf"),
        (lambda faults: faults.delay("GetRobot", "1"), "seconds takes a number from 0 on, got '1'"),
        (lambda faults: faults.drop("GetRobot", after_messages=3), "GetRobot has no stream"),
        (lambda faults: faults.drop("FileUpload", after_messages=-1), "after_messages takes a whole number from 0 on"),
        (lambda faults: faults.drop("FileUpload", after_messages=1, after=True), "give one of them"),
        (lambda faults: faults.fill_disk(times=-1), "times takes a whole number from 1"),
    ],
)
def test_invalid_arguments_are_refused_and_nothing_is_planned(faults, do, text):
    with pytest.raises(ValueError, match=text):
        do(faults)
    assert faults.planned == []


@pytest.mark.parametrize(
    ("text", "planned"),
    [
        ("GetRobot:UNAVAILABLE", {"what": "UNAVAILABLE", "rpc": "GetRobot", "times": 1}),
        (
            "viam.app.v1.AppService/GetRobot:INTERNAL:times=all:rate=0.25:after=yes:pushback_ms=500",
            {"what": "INTERNAL", "times": None, "rate": 0.25, "after": True, "pushback_ms": 500},
        ),
        ("all:delay:seconds=0.5", {"what": "delay", "rpc": "all", "seconds": 0.5, "times": None}),
        ("FileUpload:drop:after_messages=3", {"what": "drop", "after_messages": 3, "times": 1}),
        ("GetRobot:drop:after=no:times=2", {"what": "drop", "after": False, "times": 2}),
        ("disk:full:times=1", {"what": "full disk", "times": 1}),
    ],
)
def test_a_fault_can_be_written_as_text(text, planned):
    fault = plan_from_text(Faults(), text)
    assert {name: getattr(fault, name) for name in planned} == planned


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is no fault; it is RPC:WHAT"),
        ("GetRobot", "'GetRobot' is no fault; it is RPC:WHAT"),
        (":UNAVAILABLE", "is no fault; it is RPC:WHAT"),
        ("GetRobot:UNAVAILABLE:2", "'2' is no setting; it is RPC:WHAT:NAME=VALUE…, such as"),
        ("GetRobot:UNAVAILABLE:times=x", "times takes a whole number, or all, got 'x'"),
        ("GetRobot:UNAVAILABLE:times=0", "times takes a whole number from 1"),
        ("GetRobot:UNAVAILABLE:after=maybe", "after takes yes or no, got 'maybe'"),
        ("GetRobot:UNAVAILABLE:seconds=1", "UNAVAILABLE takes no 'seconds'; it takes times, rate, after, pushback_ms"),
        ("GetRobot:UNAVAILABLE:times=1:times=2", "times is given twice"),
        ("GetRobot:delay", "a delay needs its length, such as seconds=0.5"),
        ("GetRobot:SLOW", "'SLOW' is no code"),
        ("GetRobbot:drop", "did you mean GetRobot"),
        ("disk:full:rate=1", "disk:full takes no 'rate'; it takes times"),
    ],
)
def test_a_text_that_is_no_fault_is_refused_with_what_would_be_one(text, reason):
    with pytest.raises(ValueError) as raised:
        plan_from_text(Faults(), text)
    assert reason in str(raised.value)


def test_tokens_expire_at_once_and_new_ones_are_good(sandbox, owner, callers, faults):
    faults.expire_tokens()
    with refused("UNAUTHENTICATED", "The token has expired; authenticate again"):
        owner.ListOrganizations()
    again = callers(sandbox.api_key_id, sandbox.api_key)
    assert again.ListOrganizations().organizations
    faults.expire_tokens()
    with refused("UNAUTHENTICATED", "has expired"):
        again.ListOrganizations()


def test_a_restart_makes_no_expired_token_good_again(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        sandbox.faults.expire_tokens()
        caller.channel.close()
    expired = refused("UNAUTHENTICATED", "has expired")
    with Sandbox(tmp_path) as sandbox, grpc.insecure_channel(sandbox.address) as channel, expired:
        call(channel, "ListOrganizations", metadata=caller.metadata)


def test_a_token_is_good_for_as_long_as_was_said():
    with Sandbox(token_lifetime=60) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        sandbox.advance(59)
        assert caller.ListOrganizations().organizations
        sandbox.advance(1)
        with refused("UNAUTHENTICATED", "The token has expired; authenticate again"):
            caller.ListOrganizations()
        renewed = authenticate(caller.channel, sandbox.api_key_id, sandbox.api_key)
        assert call(caller.channel, "ListOrganizations", metadata=[("authorization", f"Bearer {renewed}")])
        caller.channel.close()


@pytest.mark.parametrize("lifetime", [0, -1, float("nan"), float("inf")])
def test_a_lifetime_that_makes_no_sense_is_refused(lifetime):
    with pytest.raises(ValueError, match="token_lifetime takes a number of seconds above 0"):
        Sandbox(token_lifetime=lifetime)


def test_a_refused_token_does_not_come_back_in_the_message(sandbox, owner, faults):
    faults.expire_tokens()
    with pytest.raises(grpc.RpcError) as raised:
        call(owner.channel, "GetRobot", metadata=owner.metadata, id=sandbox.robot_id)
    assert owner.metadata[0][1].split(".")[2] not in raised.value.details()


def test_a_number_that_the_database_cannot_hold_is_an_invalid_argument(sandbox, owner):
    from viam_sync.sandbox.core.call_errors import CallError

    with pytest.raises(CallError, match="64 bits with a sign") as raised:
        sandbox._world.store.row("SELECT ?", 2**63)
    assert raised.value.status is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(CallError, match="surrogate pair"):
        sandbox._world.store.row("SELECT ?", "\ud800")


def test_a_reason_that_is_long_or_no_unicode_still_arrives(sandbox, owner, monkeypatch):
    from viam_sync.sandbox.core.call_errors import not_found

    def broken(*_):
        raise not_found("\ud800" + "ä" * 100_000)

    monkeypatch.setattr(sandbox._world, "robot", broken)
    with refused("NOT_FOUND", "?ä"):
        owner.GetRobot(id=sandbox.robot_id)


def test_authenticating_can_be_told_to_fail(sandbox, owner, faults):
    faults.fail("Authenticate", "UNAVAILABLE")
    with refused("UNAVAILABLE", f"{AUTH}/Authenticate"):
        authenticate(owner.channel, sandbox.api_key_id, sandbox.api_key)
