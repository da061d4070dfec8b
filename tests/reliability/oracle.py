"""An oracle: it makes the calls of a schedule on a sandbox, and reports outcomes that are wrong."""

import logging
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import AmbiguousResultError, GRPCError
from viam_sync.rpc.policies import Retry
from viam_sync.rpc.retry import LOGGER
from viam_sync.rpc.retry_limits import RetryThrottle
from viam_sync.sandbox import Sandbox

from .fault_proxy import FaultProxy
from .in_process import InProcessSandbox, Line, Operation
from .items import Item
from .schedules import (
    CLASSES,
    FULL,
    NOTHING,
    FolderPlan,
    Outcome,
    Plan,
    PlannedFault,
    expected,
    folder_schedule,
    schedule,
)

#: Seconds that the client of a late call waits, and those that the call takes.
BRIEF, EVER = 0.03, 3600


class Log(logging.Handler):
    """Keeps the log of the client's retries.

    Attributes:
        retries: The name of the RPC of each retry, and its wait in seconds.
        counts: The RPCs that warned of a count that may be too low.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.clear()

    def clear(self) -> None:
        self.retries: List[Tuple[str, float]] = []
        self.counts: List[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        arguments: Any = record.args
        if "lower bound" in record.msg:
            self.counts.append(arguments[0])
        elif record.levelno == logging.INFO:
            self.retries.append((arguments[0].rpartition("/")[2], arguments[3]))

    def __enter__(self) -> "Log":
        self._level, self._propagates = LOGGER.level, LOGGER.propagate
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False
        LOGGER.addHandler(self)
        return self

    def __exit__(self, *error: object) -> None:
        LOGGER.removeHandler(self)
        LOGGER.setLevel(self._level)
        LOGGER.propagate = self._propagates


class Caller(NamedTuple):
    """A client that does not wait between attempts, and its connection."""

    client: ViamClient
    channel: Any
    line: Line


class Oracle:
    """Runs schedules, and judges their outcomes; it is used in a ``with`` statement.

    Args:
        folder: A folder for files.

    Attributes:
        tally: How many calls there were, how many faults, and so on.
    """

    def __init__(self, folder: Path) -> None:
        self.tally: "Counter[str]" = Counter()
        self._folder = folder
        self._log = Log()
        self._slept: List[float] = []
        self._expires: Optional[int] = None
        #: How often the operation of each call that is not idempotent was done, counted at the end of the call.
        self._once: Dict[Tuple[str, bytes], int] = {}
        self._begun: List[Operation] = []
        self._stack = ExitStack()

    def __enter__(self) -> "Oracle":
        enter = self._stack.enter_context
        self._sandbox = enter(Sandbox(seed=1))
        self._sandbox.faults.drop_delay = 0
        enter(self._log)
        self._in_process = InProcessSandbox(self._sandbox)
        self._steady = self._connect(self._sandbox.url)
        proxy = enter(FaultProxy(int(self._sandbox.address.rpartition(":")[2])))
        self._straight = self._caller(None)
        self._proxied = self._caller(proxy)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _connect(self, url: str) -> ViamClient:
        return self._stack.enter_context(ViamClient.create_from_dial_options(self._sandbox.dial_options(), url))

    def _caller(self, proxy: Optional[FaultProxy]) -> Caller:
        client = self._connect(self._sandbox.url if proxy is None else f"http://127.0.0.1:{proxy.port}")
        channel: Any = client._channel
        channel.sleep = self._sleep
        # Tokens that came back with time could not be counted.
        channel.retry_throttle = RetryThrottle(lambda: 0)
        client.app_client.list_organizations()
        return Caller(client, channel, Line(channel, proxy))

    def judge(self, seed: int) -> List[str]:
        """Make the calls of a schedule; return the faults of the client, a text each."""
        wrong = [
            f"schedule {seed}, call {number}, {plan.write.rpc}: {text}\n    {plan}"
            for number, plan in enumerate(schedule(seed))
            for text in self._call(plan, Item(f"m{seed}x{number}e", self._sandbox, self._folder, plan.size))
        ]
        self._sandbox.reset()
        return wrong

    def judge_folder(self, seed: int) -> List[str]:
        """Upload a folder as a schedule says; return the faults of the client, a text each."""
        plan = folder_schedule(seed)
        wrong = [f"folder {seed}, {text}\n    {plan}" for text in self._upload(plan, f"folder{seed}")]
        self._sandbox.reset()
        return wrong

    def judge_the_end(self) -> List[str]:
        """Return the operations that were done again after the end of their call."""
        counts = Counter((begun.rpc, mark) for begun in self._begun if begun.done for mark in begun.marks)
        return [
            f"{rpc} of {mark.decode()} was done {counts[rpc, mark]} times in the end, and {count} times before"
            for (rpc, mark), count in self._once.items()
            if counts[rpc, mark] > count
        ]

    def _sleep(self, seconds: float, cancellation: object = None) -> None:
        """Do not wait, except for the events that must precede the next attempt."""
        self._slept.append(seconds)
        self._in_process.notice()
        rpc = self._log.retries[-1][0]
        if rpc != "Authenticate" and sum(name == rpc for name, _ in self._log.retries) == self._expires:
            self._sandbox.faults.expire_tokens()

    def _begin(self, caller: Caller, line: Optional[Line], **faults: Sequence[PlannedFault]) -> None:
        self._log.clear()
        self._slept = []
        caller.channel.retry_throttle.tokens = FULL
        self._in_process.plan(line, **faults)

    def _call(self, plan: Plan, item: Item) -> List[str]:
        write, caller = plan.write, self._proxied if plan.proxied else self._straight
        item.subject = write.prepare(self._steady, item)
        self._in_process.settle()
        self._begin(caller, caller.line, **{write.rpc: plan.faults, "Authenticate": plan.authentication})
        caller.channel.retry_throttle.tokens = plan.tokens
        if plan.late:
            self._sandbox.faults.delay(write.rpc, EVER, times=1)
        self._expires = plan.expires
        if plan.expires == 0:
            self._sandbox.faults.expire_tokens()
        retry = None if plan.attempts is None else Retry(attempts=plan.attempts)
        client = caller.client.options(retry=retry, timeout=BRIEF if plan.late else None)
        answer: Any = None
        error: Optional[GRPCError] = None
        try:
            answer = write.call(client, item)
        except GRPCError as raised:
            error = raised
        self._in_process.settle(arrived=plan.late)
        self._expires = None
        wrong = list(self._wrong(plan, item, answer, error))
        if plan.expires is not None:
            # The tokens of the next call are to be good.
            for client in (self._straight.client, self._proxied.client, self._steady):
                client.app_client.list_organizations()
        return wrong

    def _wrong(self, plan: Plan, item: Item, answer: Any, error: Optional[GRPCError]) -> Iterator[str]:
        """Yield the errors in the outcome of a call."""
        write = plan.write
        got = self._outcome(plan, item, error)
        there = write.there(item)
        yield from _untrue(plan, got, there)
        # A count is too low where it says that it may be.
        if error is None and write.answer is not None and there and not got.counts and answer != write.answer(item):
            yield f"returned {answer!r}, not {write.answer(item)!r}"
        # The time of a late call may be over before its one attempt arrives.
        sent = max(got.sent, 1) if plan.late else got.sent
        if error is not None and error.method.endswith(f"/{write.rpc}") and error.attempts != sent:
            yield f"says that it was sent {error.attempts} times, not {sent}"
        if [wait for _, wait in self._log.retries] != self._slept:
            yield f"waited {self._slept}, and wrote {self._log.retries} into the log"
        yield from _unexpected(got, expected(plan), late=plan.late)

    def _outcome(self, plan: Plan, item: Item, error: Optional[GRPCError]) -> Outcome:
        rpc = plan.write.rpc
        begun = [each for each in self._in_process.begun if each.rpc == rpc]
        done = sum(each.done for each in begun)
        got = Outcome(
            "returned" if error is None else "ambiguous" if isinstance(error, AmbiguousResultError) else "plain",
            "" if error is None else error.status.name,
            sent=self._in_process.sent(rpc),
            begun=len(begun),
            done=done,
            met=self._in_process.met(rpc),
            waits=tuple(wait for name, wait in self._log.retries if name == rpc),
            counts=bool(self._log.counts),
        )
        self._begun += begun
        if not CLASSES[plan.write.policy].idempotent:
            self._once[rpc, item.mark.encode()] = done
        self.tally.update(["calls", got.raised], faults=got.met + self._in_process.met("Authenticate"))
        self.tally["retries"] += len(self._log.retries)
        return got

    def _upload(self, plan: FolderPlan, name: str) -> Iterator[str]:
        """Upload a folder, up to three times with a journal; yield the errors in the outcomes."""
        item = Item(name, self._sandbox, self._folder / name)
        item.folder.mkdir()
        contents = {f"{number}-{name}": bytes([65 + number]) * size for number, size in enumerate(plan.sizes)}
        for file, data in contents.items():
            (item.folder / file).write_bytes(data)
        stored: Dict[str, List[str]] = {file: [] for file in contents}
        for run in range(3 if plan.journal else 1):
            faults = {"FileUpload": plan.faults if run == 0 else [], "BinaryDataByFilter": plan.asking[: run * 9]}
            self._begin(self._straight, None, **(faults if run < 2 else {}))
            before = stored
            results = self._straight.client.data_client.upload_files(
                item.folder,
                self._sandbox.robot_part_id,
                component_name=name,
                workers=plan.workers,
                journal=None if plan.journal else False,
            )
            self._in_process.settle()
            # A dropped connection is made anew before the next run.
            self._straight.client.app_client.list_organizations()
            stored = {file: _stored(item, file, data) for file, data in contents.items()}
            self.tally.update(runs=1, faults=sum(map(self._in_process.met, faults)) if run < 2 else 0)
            for result in results:
                for text in _wrong_file(plan, result, before[result.path.name], stored[result.path.name]):
                    yield f"run {run}, {result.path.name}: {text}"
            if [result.path.name for result in results] != list(contents):
                yield f"run {run}: there are results of {results}"
        if plan.journal and not all(stored.values()):
            yield f"never came as a whole: {stored}"


def _stored(item: Item, file: str, data: bytes) -> List[str]:
    """Return the IDs under which a file was stored; a text in place of an ID whose contents differ."""
    sql = (
        "SELECT f.file_id FROM files f JOIN captures c ON c.id = f.capture_id"
        " WHERE c.component_name = ? AND instr(f.body, ?) > 0"
    )
    ids = [row["file_id"] for row in item.rows(sql, item.mark, file.encode())]
    blobs = item.sandbox._world.store.blobs
    return [id if blobs.read(id) == data else f"{id}, which is no copy of it" for id in ids]


def _wrong_file(plan: FolderPlan, result: Any, before: List[str], ids: List[str]) -> Iterator[str]:
    """Yield the statements of one file's result that are not true."""
    ambiguous = isinstance(result.error, AmbiguousResultError)
    if len(ids) > 1:
        yield f"is there {len(ids)} times"
    if result.error is None and ids != [result.id]:
        yield f"is said to be {result.id}, and is {ids}"
    if result.error is not None and not ambiguous and ids != before:
        yield f"is there, and said not to be: {result.error}"
    if ambiguous and not any(fault.proves == NOTHING for fault in plan.faults):
        yield f"is left in doubt without need: {result.error}"
    if (result.already_sent or before) and ids != before:
        yield f"was {before}, and is {ids}"


def _untrue(plan: Plan, got: Outcome, there: int) -> Iterator[str]:
    """Yield the statements of an outcome that are not true; the policy does not matter here."""
    policy = plan.write.policy
    if not CLASSES[policy].idempotent:
        if got.begun > 1:
            yield f"was begun {got.begun} times"
        if there not in (0, 1) or there != got.done:
            yield f"was done {got.done} times, and there are {there}"
        if got.raised == "plain" and there:
            yield "raised an error that says that it was not done, and it was"
    elif got.raised == "ambiguous":
        yield "is left in doubt, and could have been called again"
    elif policy != "READ" and there != min(got.done, 1):
        yield f"was done {got.done} times, and it shows {there} times"
    if got.raised == "returned" and not got.done:
        yield "returned, and it was not done"


def _unexpected(got: Outcome, wanted: Outcome, *, late: bool) -> Iterator[str]:
    """Yield the differences between an outcome and the one that the policy asks for."""
    for name, value in vars(wanted).items():
        found = getattr(got, name)
        if name == "waits":
            told = zip(found, value)
            if len(found) != len(value) or any(not 0 <= wait <= 10 if n is None else wait != n for wait, n in told):
                yield f"waited {found}, not {value}"
        elif late and name in ("sent", "begun", "done"):
            # Its time may be over before it arrives.
            if found > 1:
                yield f"{name} is {found}"
        elif found != value:
            yield f"{name} is {found!r}, not {value!r}"
