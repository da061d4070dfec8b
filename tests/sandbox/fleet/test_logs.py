import contextlib
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
import pytest

import viam_sync
from sandbox.calls import APP, Caller, refused
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import NotFoundError
from viam_sync.messages.pool import message, pool
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.fleet.log_entries import add_log, make_log_entry

ROOT = Path(viam_sync.__file__).parents[1]
NOTHING = "00000000-0000-4000-8000-000000000000"
NOW = 1_700_000_000
SAMPLE = {"rover-main": 15, "arm-main": 13, "plant-watcher-main": 13}


@pytest.fixture
def part(sandbox, owner):
    """Provide the ID of a part without entries."""
    return owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="quiet").part_id


@pytest.fixture
def at_now(start, owner_of):
    """Provide a sandbox whose clock shows NOW, its owner, and a part without entries."""
    sandbox = start(clock=lambda: NOW)
    owner = owner_of(sandbox)
    return sandbox, owner, owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="quiet").part_id


def ago(**span):
    return datetime.fromtimestamp(NOW, timezone.utc) - timedelta(**span)


def texts(response):
    return [entry.message for entry in response.logs]


def logs(owner, part, **fields):
    return texts(owner.GetRobotPartLogs(id=part, **fields))


def pages(owner, part, **fields):
    """Yield the pages, as texts, and the token that follows each."""
    token = ""
    while True:
        response = owner.GetRobotPartLogs(id=part, page_token=token, **fields)
        token = response.next_page_token
        yield texts(response), token
        if not token:
            return


def all_of(owner, part, **fields):
    return [text for page, _ in pages(owner, part, **fields) for text in page]


def tail(owner, part, **fields):
    """Start to follow a part; the call is returned before the service has answered."""
    method = pool().FindMethodByName(f"{APP}.TailRobotPartLogs")
    stub = owner.channel.unary_stream(
        f"/{APP}/TailRobotPartLogs",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message(method.output_type).FromString,
    )
    return stub(message(method.input_type)(id=part, **fields), metadata=owner.metadata, timeout=60)


@contextlib.contextmanager
def tailing(owner, part, **fields):
    """Follow a part: what is logged in the block arrives."""
    call = tail(owner, part, **fields)
    try:
        call.initial_metadata()
        yield call
    finally:
        call.cancel()


def until(call, last):
    """Return the texts that arrive, up to one of them; no message may be empty."""
    found = []
    while last not in found:
        response = next(call)
        assert response.logs
        found += texts(response)
    return found


def write(world, part, text):
    """Log an entry within a transaction."""
    add_log(world, world.part(part), make_log_entry(text, level="info", logger_name="rdk", file="main.go", line=1))


def nobody_follows(sandbox, part):
    """Wait until the last tail of a part has ended."""
    feed = sandbox._world.feed
    with feed._changed:
        return feed._changed.wait_for(lambda: part not in feed._followers, 10)


def test_an_entry_comes_back_with_all_that_was_logged(sandbox, owner, part):
    time = datetime(2024, 2, 3, 4, 5, 6, 789_012)
    where = {"file": "left.go", "line": 7, "host": "pi", "logger_name": "rdk.left"}
    sandbox.log(part, "hot", level="error", time=time, stack="a\nb", fields=[{"celsius": 81.5}], **where)
    (entry,) = owner.GetRobotPartLogs(id=part).logs
    assert (entry.message, entry.level, entry.host, entry.logger_name) == ("hot", "error", "pi", "rdk.left")
    assert entry.time.ToDatetime() == time
    assert dict(entry.caller) == {"File": "left.go", "Line": 7}
    assert (entry.stack, [dict(field) for field in entry.fields]) == ("a\nb", [{"celsius": 81.5}])


def test_an_entry_needs_no_more_than_a_message(at_now):
    sandbox, owner, part = at_now
    sandbox.log(part.upper(), "hello")
    (entry,) = owner.GetRobotPartLogs(id=part.upper()).logs
    assert (entry.level, entry.host, entry.logger_name, entry.time.seconds) == ("info", "quiet", "rdk", NOW)
    assert dict(entry.caller) == {"File": "main.go", "Line": 1}
    assert not entry.stack
    assert not entry.fields


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"level": "warning"}, "choose one of debug, info, warn, error, fatal"),
        ({"message": "\ud800"}, "cannot be logged"),
        ({"message": 5}, "message takes a str, got a int"),
        ({"logger_name": None}, "logger_name takes a str, got a NoneType"),
        ({"file": b"main.go"}, "file takes a str, got a bytes"),
        ({"file": "\ud800"}, "cannot be logged"),
        ({"line": "7"}, "line takes a int, got a str"),
        ({"line": 10**400}, "cannot be logged"),
        ({"fields": [{"celsius": float("inf")}]}, "cannot be logged"),
        ({"fields": [{"what": object()}]}, "cannot be logged"),
        ({"fields": ["celsius"]}, "cannot be logged"),
        ({"fields": 5}, "cannot be logged"),
        ({"time": 1_700_000_000}, "time takes a datetime, got a int"),
        ({"message": "m" * (1 << 20)}, "at most 1048576 bytes"),
        ({"part_id": NOTHING}, "No robot part has the ID"),
        ({"part_id": "rover-main"}, "is no robot part ID"),
    ],
)
def test_invalid_entries_are_a_value_error_and_leave_nothing(sandbox, owner, part, arguments, text):
    with pytest.raises(ValueError, match=text):
        sandbox.log(**{"part_id": part, "message": "m", **arguments})
    assert logs(owner, part) == []


def test_a_field_that_is_nested_too_deep_is_a_value_error(sandbox, owner, part):
    deep = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="nested deeper than 30 levels"):
        sandbox.log(part, "m", fields=[deep])
    assert logs(owner, part) == []


def test_logging_takes_a_running_sandbox():
    with pytest.raises(RuntimeError, match="use `with"):
        Sandbox().log(NOTHING, "m")
    with pytest.raises(RuntimeError, match="use `with"):
        Sandbox().wait_for_tail(NOTHING)


def test_the_newest_come_first_in_pages_of_100(sandbox, owner, part):
    for number in range(230):
        sandbox.log(part, str(number))
    found = list(pages(owner, part))
    assert [len(page) for page, _ in found] == [100, 100, 30]
    assert [bool(token) for _, token in found] == [True, True, False]
    assert [text for page, _ in found for text in page] == [str(number) for number in reversed(range(230))]


@pytest.mark.parametrize("order", [0, 2])
def test_the_order_unspecified_is_that_of_descending(at_now, order):
    sandbox, owner, part = at_now
    for minutes in (2, 3, 1):
        sandbox.log(part, str(minutes), time=ago(minutes=minutes))
    assert logs(owner, part, order=order) == ["1", "2", "3"]
    assert logs(owner, part, order=1) == ["3", "2", "1"]


@pytest.mark.parametrize("order", [1, 2])
def test_entries_of_the_same_moment_are_paged_in_the_order_of_their_arrival(at_now, order):
    sandbox, owner, part = at_now
    for number in range(25):
        sandbox.log(part, str(number))
    numbers = [str(number) for number in range(25)]
    assert all_of(owner, part, limit=7, order=order) == (numbers if order == 1 else numbers[::-1])


@pytest.mark.parametrize("order", [1, 2])
def test_entries_that_arrive_meanwhile_shift_no_page(at_now, order):
    sandbox, owner, part = at_now
    for minutes in range(1, 21):
        sandbox.log(part, str(minutes), time=ago(minutes=minutes))
    found = []
    for page, _ in pages(owner, part, limit=5, order=order):
        found += page
        for span in ({"seconds": 1}, {"hours": 1}):
            sandbox.log(part, "new", time=ago(**span))
    numbers = [text for text in found if text != "new"]
    assert numbers == [str(number) for number in (range(20, 0, -1) if order == 1 else range(1, 21))]
    # New entries before the page are not listed any more, and those after it are.
    assert found.index("new") == 20


def test_the_last_page_has_no_token_even_if_it_is_full(sandbox, owner, part):
    for number in range(100):
        sandbox.log(part, str(number))
    assert owner.GetRobotPartLogs(id=part).next_page_token == ""
    assert owner.GetRobotPartLogs(id=part, limit=99).next_page_token != ""
    assert len(owner.GetRobotPartLogs(id=part, page_token="", filter="").logs) == 100


@pytest.mark.parametrize(("limit", "number"), [(1, 1), (99, 99), (0, 100), (101, 100), (2**63 - 1, 100)])
def test_a_limit_makes_pages_smaller_but_not_larger_than_100(sandbox, owner, part, limit, number):
    for _ in range(105):
        sandbox.log(part, "m")
    assert len(owner.GetRobotPartLogs(id=part, limit=limit).logs) == number


@pytest.mark.parametrize("limit", [-1, -(2**63)])
def test_a_negative_limit_is_refused(owner, part, limit):
    with refused("INVALID_ARGUMENT", f"limit is {limit}; give a positive number"):
        owner.GetRobotPartLogs(id=part, limit=limit)


def test_large_entries_make_a_page_shorter_and_none_is_lost(sandbox, owner, part):
    for number in range(10):
        sandbox.log(part, str(number), stack="s" * 1_000_000)
    found = list(pages(owner, part))
    assert [len(page) for page, _ in found] == [3, 3, 3, 1]
    assert [text for page, _ in found for text in page] == list("9876543210")


@pytest.mark.parametrize(
    "token",
    [
        *("malformed", "entry-", "entry-1", "entry-1-", "entry-1-x", "entry-1-2\n", "entry-1-2-3", "edit-1", "\0"),
        *("entry-1--2", "entry-9999999999999999999-1", "entry-1-9999999999999999999", "entry-" + "9" * 5000 + "-1"),
        *("entry--9999999999999999999-1", "entry-\u0661-\u0662", "entry-1-1 OR 1=1"),
    ],
    ids=lambda token: ascii(token)[:24],
)
def test_a_page_token_from_elsewhere_is_refused(owner, part, token):
    with refused("INVALID_ARGUMENT", "The page token is none that this call returned"):
        owner.GetRobotPartLogs(id=part, page_token=token)


def test_a_token_leads_before_1970_too(at_now):
    sandbox, owner, part = at_now
    for year in (1, 1900, 1969):
        sandbox.log(part, str(year), time=datetime(year, 1, 1))
    assert all_of(owner, part, limit=1) == ["1969", "1900", "1"]


def test_a_filter_finds_part_of_a_message_whatever_the_case(sandbox, owner, part):
    for text in ("Motor LEFT is hot", "motor right", "Größe 100%", "a_b", "nul\0byte", ""):
        sandbox.log(part, text)
    assert logs(owner, part, filter="MOTOR") == ["motor right", "Motor LEFT is hot"]
    assert logs(owner, part, filter="left") == ["Motor LEFT is hot"]
    assert logs(owner, part, filter="GRÖSSE") == ["Größe 100%"]
    assert logs(owner, part, filter="0%") == ["Größe 100%"]
    assert logs(owner, part, filter="_") == ["a_b"]
    assert logs(owner, part, filter="L\0B") == ["nul\0byte"]
    assert logs(owner, part, filter="\0x") == []
    assert len(logs(owner, part, filter="")) == 6


def test_a_filter_leaves_the_pages_full(sandbox, owner, part):
    for number in range(30):
        sandbox.log(part, f"{'even' if number % 2 == 0 else 'odd'} {number}")
    assert [len(page) for page, _ in pages(owner, part, filter="even", limit=10)] == [10, 5]


def test_levels_are_those_that_are_named(sandbox, owner, part):
    for level in ("debug", "info", "warn", "error", "fatal"):
        sandbox.log(part, level, level=level)
    assert logs(owner, part, levels=["warn"]) == ["warn"]
    assert logs(owner, part, levels=["info", "ERROR", "info"]) == ["error", "info"]
    assert len(logs(owner, part, levels=[])) == 5
    assert logs(owner, part, levels=["fatal", "debug"] * 50_000) == ["fatal", "debug"]
    assert logs(owner, part, errors_only=True) == ["fatal", "error"]
    assert logs(owner, part, errors_only=True, levels=["warn", "error"]) == ["error"]
    for level in ("warning", "", "warn\0"):
        with refused("INVALID_ARGUMENT", "is not a level; choose from debug, info, warn, error, fatal"):
            owner.GetRobotPartLogs(id=part, levels=["info", level])


def test_start_and_end_are_in_the_span(at_now):
    sandbox, owner, part = at_now
    for minutes in (1, 2, 3, 4):
        sandbox.log(part, str(minutes), time=ago(minutes=minutes))
    assert logs(owner, part, start=ago(minutes=3)) == ["1", "2", "3"]
    assert logs(owner, part, end=ago(minutes=3)) == ["3", "4"]
    assert logs(owner, part, start=ago(minutes=3), end=ago(minutes=2)) == ["2", "3"]
    assert logs(owner, part, start=ago(minutes=2), end=ago(minutes=3)) == []
    for far in (2**63 - 1, -(2**63)):
        assert logs(owner, part, start={"seconds": far}) == ([] if far > 0 else ["1", "2", "3", "4"])
        assert logs(owner, part, end={"seconds": far, "nanos": -(2**31)}) == (["1", "2", "3", "4"] if far > 0 else [])


def test_a_range_reaches_back_from_now_or_from_the_end_or_on_from_the_start(at_now):
    sandbox, owner, part = at_now
    for minutes in (5, 15, 700, 20_000):
        sandbox.log(part, str(minutes), time=ago(minutes=minutes))
    assert logs(owner, part, range="10m") == ["5"]
    assert logs(owner, part, range="1h") == ["5", "15"]
    assert logs(owner, part, range="10d") == ["5", "15", "700"]
    assert logs(owner, part, range="999999999d") == ["5", "15", "700", "20000"]
    assert logs(owner, part, range="12h", end=ago(minutes=10)) == ["15", "700"]
    assert logs(owner, part, range="10m", start=ago(minutes=20)) == ["15"]
    assert logs(owner, part, range="") == ["5", "15", "700", "20000"]


def test_a_range_with_both_start_and_end_is_refused(owner, part):
    with refused("INVALID_ARGUMENT", "at most one of start and end"):
        owner.GetRobotPartLogs(id=part, range="10m", start={"seconds": 1}, end={"seconds": 2})


@pytest.mark.parametrize(
    "text", ["10", "m", "10y", "-10m", "1.5h", "10 m", "10m\n", "10M", "\u0661m", "9" * 30 + "d", "\0"]
)
def test_a_range_of_another_form_is_refused(owner, part, text):
    with refused("INVALID_ARGUMENT", "give minutes, hours or days, such as '10m', '10h' or '10d'"):
        owner.GetRobotPartLogs(id=part, range=text)


def test_a_source_is_a_logger_and_those_below_it(sandbox, owner, part):
    for name in ("rdk", "rdk.motor", "rdk.motor.left", "rdk.motors", "module"):
        sandbox.log(part, name, logger_name=name)
    assert logs(owner, part, source="rdk.motor") == ["rdk.motor.left", "rdk.motor"]
    assert logs(owner, part, source="module") == ["module"]
    assert logs(owner, part, source="mod%") == []
    assert len(logs(owner, part, source="")) == 5


def test_user_facing_entries_are_those_that_were_written_so(sandbox, owner, part):
    sandbox.log(part, "for users", user_facing=True)
    sandbox.log(part, "for makers")
    assert logs(owner, part, user_facing_only=True) == ["for users"]
    assert logs(owner, part, user_facing_only=False) == ["for makers", "for users"]


@pytest.mark.parametrize("order", [3, -1, 2**31 - 1])
def test_an_order_that_is_none_is_refused(owner, part, order):
    with refused("INVALID_ARGUMENT", f"order is {order}; give one of LOG_ORDER_UNSPECIFIED (0)"):
        owner.GetRobotPartLogs(id=part, order=order)


def test_each_part_has_a_log_of_its_own(sandbox, owner, part):
    other = owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="other").part_id
    sandbox.log(part, "here")
    sandbox.log(other, "there")
    assert (logs(owner, part), logs(owner, other)) == (["here"], ["there"])


def list_them(caller, part):
    caller.GetRobotPartLogs(id=part)


def follow_it(caller, part):
    next(tail(caller, part))


both = pytest.mark.parametrize("ask", [list_them, follow_it])


@both
def test_a_part_that_does_not_exist_is_refused(owner, ask):
    with refused("NOT_FOUND", f"No robot part has the ID '{NOTHING}'; get_robot_parts shows"):
        ask(owner, NOTHING)
    with refused("INVALID_ARGUMENT", "'rover-main' is no robot part ID"):
        ask(owner, "rover-main")
    with refused("INVALID_ARGUMENT", "The robot part ID is empty"):
        ask(owner, "")


@both
@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_operator_is_refused(sandbox, caller_with, part, ask, level):
    operator = caller_with("operator", level, getattr(sandbox, f"{level}_id"))
    with refused("PERMISSION_DENIED", "read_robot_logs"):
        ask(operator, part)


@both
def test_a_stranger_of_another_organization_is_refused(owner, caller_with, part, ask):
    other = owner.CreateOrganization(name="Other").organization.id
    with refused("PERMISSION_DENIED", "read_robot_logs"):
        ask(caller_with("owner", "organization", other, other), part)


@both
def test_without_a_token_it_is_refused(owner, part, ask):
    owner.metadata = ()
    with refused("UNAUTHENTICATED"):
        ask(owner, part)


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_owner_at_any_level_above_reads_and_follows(sandbox, caller_with, part, level):
    owner = caller_with("owner", level, getattr(sandbox, f"{level}_id"))
    with tailing(owner, part) as call:
        sandbox.log(part, "m")
        assert until(call, "m") == logs(owner, part) == ["m"]


def test_a_request_is_looked_at_before_the_part_is(owner):
    with refused("INVALID_ARGUMENT", "is not a level"):
        owner.GetRobotPartLogs(id=NOTHING, levels=["x"])


def test_the_log_of_a_part_goes_with_it(sandbox, owner, part):
    sandbox.log(part, "m")
    owner.DeleteRobotPart(part_id=part)
    assert not sandbox._world.store.rows("SELECT 1 FROM logs WHERE part_id = ?", part)


def test_logs_survive_a_restart(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        before = [sandbox.robot_part_id, "kept"]
        sandbox.log(sandbox.robot_part_id, "kept")
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        assert [sandbox.robot_part_id, logs(caller, sandbox.robot_part_id)[0]] == before
        assert len(logs(caller, sandbox.robot_part_id)) == SAMPLE["rover-main"] + 1
        caller.channel.close()


def sample_logs(sandbox):
    caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
    robots = caller.ListRobotsForOrg(org_id=sandbox.organization_id).robots
    parts = [part for robot in robots for part in caller.GetRobotParts(robot_id=robot.id).parts]
    found = [(part, list(caller.GetRobotPartLogs(id=part.id).logs)) for part in parts]
    caller.channel.close()
    return found


def test_the_machines_of_the_sample_have_logged_up_to_when_they_were_seen(sandbox):
    for part, entries in sample_logs(sandbox):
        assert len(entries) == SAMPLE.get(part.name, 0)
        if entries:
            assert entries[-1].message == f"Starting on {part.name}"
            assert {entry.level for entry in entries} == {"debug", "info", "warn", "error"}
            assert any(entry.stack for entry in entries if entry.level == "error")
            assert not any(entry.stack for entry in entries if entry.level != "error")
            assert all(set(dict(entry.caller)) == {"File", "Line"} for entry in entries)
            seen = part.last_access.ToDatetime()
            times = [entry.time.ToDatetime() for entry in entries]
            assert seen - timedelta(days=1) < min(times) < max(times) < seen


def test_the_sample_of_a_seed_is_the_same_each_time():
    with Sandbox(seed=5, clock=lambda: NOW) as one, Sandbox(seed=5, clock=lambda: NOW) as two:
        assert [entries for _, entries in sample_logs(one)] == [entries for _, entries in sample_logs(two)]


def test_a_tail_gets_what_is_logged_after_its_headers_and_nothing_older(sandbox, owner, part):
    sandbox.log(part, "old")
    with tailing(owner, part) as call:
        for number in range(5):
            sandbox.log(part, str(number))
        assert until(call, "4") == ["0", "1", "2", "3", "4"]
        sandbox.log(part, "later")
        assert until(call, "later") == ["later"]


def test_a_tail_gets_entries_as_they_arrive_whatever_their_time(at_now):
    sandbox, owner, part = at_now
    with tailing(owner, part) as call:
        sandbox.log(part, "from yesterday", time=ago(days=1))
        sandbox.log(part, "from tomorrow", time=ago(days=-1))
        assert until(call, "from tomorrow") == ["from yesterday", "from tomorrow"]


def test_a_tail_of_errors_gets_errors_and_worse(sandbox, owner, part):
    with tailing(owner, part, errors_only=True) as call:
        for level in ("error", "debug", "info", "warn", "fatal"):
            sandbox.log(part, level, level=level)
        assert until(call, "fatal") == ["error", "fatal"]


def test_a_tail_with_a_filter_gets_what_matches(sandbox, owner, part):
    with tailing(owner, part, filter="MOTOR") as call:
        for text in ("a Motor", "a base", "the motor"):
            sandbox.log(part, text)
        assert until(call, "the motor") == ["a Motor", "the motor"]


def test_a_tail_gets_nothing_of_other_parts(sandbox, owner, part):
    with tailing(owner, part.upper()) as call:
        sandbox.log(sandbox.robot_part_id, "elsewhere")
        sandbox.log(part, "here")
        assert until(call, "here") == ["here"]


def test_a_tail_gets_nothing_of_a_transaction_that_was_taken_back(sandbox, owner, part):
    world = sandbox._world
    with tailing(owner, part) as call:
        with contextlib.suppress(KeyError), world.store.transaction():
            write(world, part, "taken back")
            raise KeyError
        sandbox.log(part, "kept")
        assert until(call, "kept") == ["kept"]


def test_a_tail_gets_nothing_before_the_transaction_is_over(sandbox, owner, part):
    world = sandbox._world
    with tailing(owner, part) as call:
        arrived = threading.Event()
        reader = threading.Thread(target=lambda: (next(call), arrived.set()))
        with world.store.transaction():
            write(world, part, "first")
            reader.start()
            assert not arrived.wait(0.05)
        assert arrived.wait(10)
        reader.join()


def test_a_slow_reader_loses_nothing_and_holds_up_nobody(sandbox, owner, part):
    sent = [str(number) for number in range(400)]
    with tailing(owner, part) as call:
        for text in sent:
            # All entries are far more than a connection buffers until the client reads.
            sandbox.log(part, text, stack="s" * 50_000)
        assert until(call, sent[-1]) == sent


def test_fifty_tails_at_once_each_get_everything(sandbox, owner, part):
    calls = [tail(owner, part) for _ in range(50)]
    for call in calls:
        call.initial_metadata()
    for number in range(20):
        sandbox.log(part, str(number))
    for call in calls:
        assert until(call, "19") == [str(number) for number in range(20)]
        call.cancel()
    assert nobody_follows(sandbox, part)


def test_many_threads_log_and_all_of_it_arrives_once(sandbox, owner, part):
    def write(name):
        for number in range(25):
            sandbox.log(part, f"{name}.{number}")

    with tailing(owner, part) as call:
        writers = [threading.Thread(target=write, args=(name,)) for name in range(8)]
        for writer in writers:
            writer.start()
        found = []
        while len(found) < 200:
            found += texts(next(call))
        for writer in writers:
            writer.join()
    assert sorted(found) == sorted(f"{name}.{number}" for name in range(8) for number in range(25))
    for name in range(8):
        assert [text for text in found if text.startswith(f"{name}.")] == [f"{name}.{number}" for number in range(25)]


def test_a_tail_ends_when_its_client_goes_away(sandbox, owner, part):
    with tailing(owner, part):
        assert part in sandbox._world.feed._followers
    assert nobody_follows(sandbox, part)


def test_a_tail_ends_when_its_client_goes_away_without_reading(sandbox, owner, part):
    with tailing(owner, part):
        for number in range(200):
            sandbox.log(part, str(number), stack="s" * 50_000)
    assert nobody_follows(sandbox, part)


def test_a_tail_ends_at_its_deadline(sandbox, owner, part):
    stub = owner.channel.unary_stream(f"/{APP}/TailRobotPartLogs")
    request = message(pool().FindMessageTypeByName("viam.app.v1.TailRobotPartLogsRequest"))(id=part)
    with refused("DEADLINE_EXCEEDED"):
        next(stub(request.SerializeToString(), metadata=owner.metadata, timeout=0.2))
    assert nobody_follows(sandbox, part)


def test_a_tail_ends_when_the_part_is_deleted(sandbox, owner, part):
    with tailing(owner, part) as call:
        owner.DeleteRobotPart(part_id=part)
        with refused("NOT_FOUND", "The robot part 'quiet' was deleted"):
            next(call)
    assert nobody_follows(sandbox, part)


def test_a_tail_ends_when_the_machine_is_deleted(sandbox, owner, part):
    with tailing(owner, part) as call:
        owner.DeleteRobot(id=sandbox.robot_id)
        with refused("NOT_FOUND", "The robot part 'quiet' was deleted"):
            next(call)


def test_a_tail_goes_on_when_the_deletion_is_refused(sandbox, owner):
    with tailing(owner, sandbox.robot_part_id) as call:
        with refused("FAILED_PRECONDITION"):
            owner.DeleteRobotPart(part_id=sandbox.robot_part_id)
        sandbox.log(sandbox.robot_part_id, "still here")
        assert until(call, "still here") == ["still here"]


def test_tails_end_when_the_sandbox_stops(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        calls = [tail(caller, sandbox.robot_part_id) for _ in range(20)]
        for call in calls:
            call.initial_metadata()
    for call in calls:
        with pytest.raises(grpc.RpcError) as raised:
            next(call)
        assert raised.value.code().name in ("UNAVAILABLE", "CANCELLED")
    caller.channel.close()
    with Sandbox(tmp_path):
        pass


@pytest.fixture
def client(sandbox):
    """Provide our own client."""
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        yield client.app_client


def test_our_client_reads_pages_and_levels(sandbox, client, part, tmp_path):
    for number in range(250):
        sandbox.log(part, str(number), level="error" if number % 50 == 0 else "info")
    assert [entry.message for entry in client.get_robot_part_logs(part, num_log_entries=3)] == ["249", "248", "247"]
    assert len(client.get_robot_part_logs(part, num_log_entries=0)) == 250
    errors = client.get_robot_part_logs(part, log_levels=["error"], dest=str(tmp_path / "errors.json"))
    assert [entry.message for entry in errors] == ["200", "150", "100", "50", "0"]
    assert errors[0].caller == {"File": "main.go", "Line": 1}


def test_our_client_follows_errors_until_it_is_closed_from_another_thread(sandbox, client, part):
    with client.tail_robot_part_logs(part) as stream:
        sandbox.wait_for_tail(part)
        sandbox.log(part, "fine")
        sandbox.log(part, "broken", level="error")
        assert [entry.message for entry in stream.next()] == ["broken"]
        closing = threading.Thread(target=stream.close)
        closing.start()
        assert list(stream) == []
        closing.join()
        assert nobody_follows(sandbox, part)


def test_our_client_is_told_what_a_tail_is_refused_with(sandbox, client, owner, part):
    with pytest.raises(NotFoundError), client.tail_robot_part_logs(NOTHING) as stream:
        stream.next()
    with client.tail_robot_part_logs(part) as stream:
        sandbox.wait_for_tail(part)
        owner.DeleteRobotPart(part_id=part)
        with pytest.raises(NotFoundError, match="was deleted, so there is no more of its log"):
            stream.next()


def test_a_program_that_stops_nothing_ends_in_spite_of_its_tail():
    code = """
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox

sandbox = Sandbox().start()
client = ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url)
stream = client.app_client.tail_robot_part_logs(sandbox.robot_part_id)
sandbox.wait_for_tail(sandbox.robot_part_id)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_one_can_wait_for_a_tail(sandbox, owner, part):
    call = tail(owner, part)
    sandbox.wait_for_tail(part.upper())
    sandbox.log(part, "m")
    assert until(call, "m") == ["m"]
    call.cancel()
    assert nobody_follows(sandbox, part)
    with pytest.raises(TimeoutError, match=f"Nobody followed the log of the part '{part}' within 0 seconds"):
        sandbox.wait_for_tail(part, timeout=0)
