import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bson
import grpc
import pytest
from waiting import LONG, until

from sandbox.calls import entered
from sandbox.commands import process
from sandbox.tabular_calls import Tabular
from viam_sync import ViamClient
from viam_sync.rpc.dial import DialOptions
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.queries.engine import Engine
from viam_sync.sandbox.queries.protocol import Readings

AT = 1_700_000_000
COUNT = "SELECT count(*) AS n FROM readings"
ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
ORIGIN = {"tags": [], "additional_parameters": {}}

with_children = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(),
    reason="the system does not tell which processes are children",
)


@pytest.fixture
def engine():
    with contextlib.closing(Engine("sql", "duckdb")) as engine:
        yield engine


def nothing(known):
    return (), Readings([], [])


def numbers(version, *values):
    """Return a reader of some numbers, which notes in ``read.loads`` how often they were loaded."""

    def read(known):
        if known == (version,):
            return known, None
        read.loads += 1
        documents = [{"origin": 0, "requested": 0, "received": 0, "data": {"n": value}} for value in values]
        return (version,), Readings([ORIGIN], list(map(bson.encode, documents)))

    read.loads = 0
    return read


def answer(engine, query, read=nothing):
    return [bson.decode(row) for row in engine.run(query, read)]


def state_of(pid):
    """Return the state of a process, and the ID of its parent; None if there is no such process any more."""
    with contextlib.suppress(OSError):
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
        return state, int(parent)
    return None


def children(pid=None):
    """Return the IDs of the processes that a process has started, and that are there."""
    parent = os.getpid() if pid is None else int(pid)
    states = {int(each.name): state_of(each.name) for each in Path("/proc").glob("[0-9]*")}
    return {id for id, state in states.items() if state is not None and state[1] == parent}


def is_running(pid):
    state = state_of(pid)
    return state is not None and state[0] != "Z"


@pytest.mark.parametrize(
    ("language", "package", "query"), [("sql", "duckdb", COUNT), ("mql", "mongomock", [{"$count": "n"}])]
)
def test_queries_of_the_same_readings_take_one_process_that_loads_them_once(language, package, query):
    read = numbers(1, 1.5, 2.5)
    with contextlib.closing(Engine(language, package)) as engine:
        assert [answer(engine, query, read) for _ in range(5)] == [[{"n": 2}]] * 5
        assert (engine.started, read.loads) == (1, 1)
        assert answer(engine, query, numbers(2, 1.5, 2.5, 3.5)) == [{"n": 3}]
        assert engine.started == 1


def test_a_query_that_is_refused_costs_no_process(engine):
    for query in ("SELECT", "DROP TABLE readings", "SELECT nothing FROM readings"):
        with pytest.raises(CallError):
            engine.run(query, numbers(1, 1))
    assert answer(engine, COUNT, numbers(1, 1)) == [{"n": 1}]
    assert engine.started == 1


def test_a_query_finds_nothing_of_the_one_before(engine):
    random = "SELECT random() AS x FROM readings"
    assert answer(engine, "SELECT setseed(0.5) AS x", numbers(1, 1)) == [{"x": None}]
    seeded = answer(engine, f"SELECT setseed(0.5) AS seed, ({random}) AS x", numbers(1, 1))[0]["x"]
    assert answer(engine, random, numbers(1, 1)) != [{"x": seeded}]
    assert answer(engine, "SELECT current_setting('TimeZone') AS zone") == [{"zone": "UTC"}]
    assert engine.started == 1


def test_stages_that_change_documents_change_none_of_the_next_query():
    read = numbers(1, {"deep": [1]})
    stages = [{"$set": {"data.n.deep": "gone", "tags": ["new"]}}, {"$project": {"data": 1, "tags": 1}}]
    with contextlib.closing(Engine("mql", "mongomock")) as engine:
        (changed,) = answer(engine, stages, read)
        assert (changed["data"], changed["tags"]) == ({"n": {"deep": "gone"}}, ["new"])
        (kept,) = answer(engine, [{"$project": {"data": 1, "tags": 1}}], read)
    assert (kept["data"], kept["tags"]) == ({"n": {"deep": [1]}}, [])


def test_a_query_sees_what_was_written_just_before(tabular):
    sandbox = tabular.sandbox
    before = tabular.sql(COUNT)
    for number in range(1, 4):
        tabular.put({"n": number}, at=AT + number)
        tabular.put({"n": number}, at=AT + number, tags=["a"])
        (row,) = tabular.sql("SELECT count(*) AS n, max(data.readings.n) AS newest FROM readings")
        assert (row["n"], row["newest"]) == (before[0]["n"] + 2 * number, number)
        assert tabular.mql({"$count": "n"}) == [{"n": row["n"]}]
    tabular.DeleteTabularData(organization_id=tabular.organization_id, delete_older_than_days=0)
    assert tabular.sql(COUNT) == [{"n": 0}]
    sandbox.reset()
    with entered(sandbox) as caller:
        assert Tabular(caller).sql(COUNT) == [{"n": 1008}]


def test_organizations_that_take_turns_see_their_own_readings(tabular, foreign_data):
    tabular.put({"n": 1}, at=AT)
    theirs = Tabular(foreign_data.caller)
    for _ in range(3):
        assert tabular.sql(COUNT) == [{"n": 1}]
        assert theirs.sql(COUNT, foreign_data.organization_id) == [{"n": 0}]


def test_two_queries_at_once_have_a_process_each(engine):
    both = threading.Barrier(2, timeout=LONG)

    def read(known):
        both.wait()
        return nothing(known)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda number: answer(engine, f"SELECT {number} AS n", read), range(2))) == [
            [{"n": 0}],
            [{"n": 1}],
        ]
    assert engine.started == 2
    assert answer(engine, "SELECT 1 AS n") == [{"n": 1}]
    assert engine.started == 2


@with_children
def test_a_process_that_was_killed_while_idle_is_replaced_without_a_word(engine):
    others = children()
    assert answer(engine, COUNT, numbers(1, 1)) == [{"n": 1}]
    (worker,) = children() - others
    os.kill(worker, signal.SIGKILL)
    assert answer(engine, COUNT, numbers(1, 1)) == [{"n": 1}]
    assert engine.started == 2
    assert worker not in children()


@with_children
def test_ctrl_c_in_a_terminal_leaves_the_processes_to_the_sandbox(engine):
    others = children()
    assert answer(engine, COUNT) == [{"n": 0}]
    for worker in children() - others:
        os.kill(worker, signal.SIGINT)
    assert answer(engine, COUNT) == [{"n": 0}]
    assert engine.started == 1


def test_a_query_after_one_that_took_too_much_has_a_new_process(engine):
    for _ in range(2):
        with pytest.raises(CallError, match="too much memory"):
            engine.run("SELECT list(range) FROM range(1000000000)", nothing)
        assert answer(engine, COUNT) == [{"n": 0}]
    # The second one of them has had a used process before.
    assert engine.started == 4


@with_children
def test_a_query_whose_memory_was_taken_by_those_before_it_has_a_new_process(engine):
    import resource

    others = children()
    assert answer(engine, COUNT) == [{"n": 0}]
    (worker,) = children() - others
    # What others have left behind is not given back: little of the limit is left.
    taken = int(Path(f"/proc/{worker}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(worker, resource.RLIMIT_AS, (taken + 2**20, taken + 2**20))
    assert answer(engine, "SELECT len(list(range)) AS n FROM range(5000000)") == [{"n": 5_000_000}]
    assert engine.started == 2
    assert worker not in children()


@with_children
def test_no_process_outlives_a_closed_engine_not_even_with_a_query_that_never_ends():
    others = children()
    engine = Engine("sql", "duckdb")
    with ThreadPoolExecutor(1) as threads:
        reading = threading.Event()

        def read(known):
            reading.set()
            return nothing(known)

        running = threads.submit(engine.run, ENDLESS, read)
        assert reading.wait(LONG)
        engine.close()
        with pytest.raises(CallError) as raised:
            running.result(LONG)
    assert raised.value.status is grpc.StatusCode.FAILED_PRECONDITION
    assert children() <= others
    with pytest.raises(CallError, match="has been stopped"):
        engine.run(COUNT, nothing)


@with_children
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_child_that_lives_on_keeps_no_process(engine):
    others = children()
    assert answer(engine, COUNT) == [{"n": 0}]
    (worker,) = children() - others
    held, release = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(held, 1)
        os._exit(0)
    engine.close()
    assert not is_running(worker)
    os.write(release, b".")
    os.waitpid(child, 0)
    os.close(held)
    os.close(release)


@with_children
def test_no_process_outlives_a_sandbox_that_is_killed():
    with process() as (run, settings):
        options = DialOptions.with_api_key(settings["VIAM_API_KEY"], settings["VIAM_API_KEY_ID"])
        options.insecure = True
        with ViamClient.create_from_dial_options(options, settings["VIAM_APP_URL"]) as client:
            (organization,) = client.app_client.list_organizations()
            assert client.data_client.tabular_data_by_sql(organization.id, COUNT) == [{"n": 1008}]
            (worker,) = children(run.pid)
            run.kill()
            run.wait()
    until(lambda: not is_running(worker))


def test_a_sandbox_that_is_stopped_does_not_wait_for_a_query_that_never_ends():
    sandbox = Sandbox().start()
    running = threading.Event()
    engine_run = Engine.run

    def run(engine, query, read):
        def reading(known):
            running.set()
            return read(known)

        return engine_run(engine, query, reading)

    with ThreadPoolExecutor(1) as threads, entered(sandbox) as caller, pytest.MonkeyPatch.context() as patched:
        patched.setattr(Engine, "run", run)
        answer = threads.submit(Tabular(caller).sql, ENDLESS)
        assert running.wait(LONG)
        began = time.monotonic()
        sandbox.stop()
        # It would have been ended after 30 seconds.
        assert time.monotonic() - began < 15
        assert answer.exception(LONG) is not None


def test_a_sandbox_that_is_started_again_answers_queries():
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox, entered(sandbox) as caller:
            assert Tabular(caller).sql(COUNT) == [{"n": 1008}]
