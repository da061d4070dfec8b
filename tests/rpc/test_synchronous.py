"""Code that still awaits what it gets from viam_sync is told what to take out, and tools go on working."""

import asyncio
import contextlib
import copy
import inspect
import pickle
import sys
from typing import Any, Awaitable, Callable, Dict, Iterator
from unittest import mock

import pytest

from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app.datapipelines import ListDataPipelineRunsResponse
from viam_sync.sandbox import Sandbox

RULE = "viam_sync is synchronous: take out `{}`"

#: Whatever has a connection behind it, made by a client.
OBJECTS: Dict[str, Callable[[Sandbox, ViamClient], Any]] = {
    "ViamClient": lambda sandbox, client: client,
    "a copy of it": lambda sandbox, client: client.options(timeout=5),
    "AppClient": lambda sandbox, client: client.app_client,
    "BillingClient": lambda sandbox, client: client.billing_client,
    "DataClient": lambda sandbox, client: client.data_client,
    "MLTrainingClient": lambda sandbox, client: client.ml_training_client,
    "ProvisioningClient": lambda sandbox, client: client.provisioning_client,
    "iter_tabular_data": lambda sandbox, client: client.data_client.iter_tabular_data(),
    "iter_robot_part_logs": lambda sandbox, client: client.app_client.iter_robot_part_logs(sandbox.robot_part_id),
    "iter_export_tabular_data": lambda sandbox, client: client.data_client.iter_export_tabular_data(
        sandbox.robot_part_id, "gps", "rdk:component:movement_sensor", "Position"
    ),
    "tail_robot_part_logs": lambda sandbox, client: client.app_client.tail_robot_part_logs(sandbox.robot_part_id),
    "iter_training_job_logs": lambda sandbox, client: client.ml_training_client.iter_training_job_logs("j-1"),
    "a page of runs": lambda sandbox, client: client.data_client.DataPipelineRunsPage.from_proto(
        ListDataPipelineRunsResponse(), client.data_client, 5
    ),
}


@pytest.fixture(params=OBJECTS.values(), ids=list(OBJECTS))
def thing(request: pytest.FixtureRequest, sandbox: Sandbox, client: ViamClient) -> Iterator[Any]:
    made = request.param(sandbox, client)
    yield made
    if hasattr(made, "close"):
        made.close()


async def await_it(thing: Any) -> None:
    await thing


async def enter_it(thing: Any) -> None:
    async with thing:
        pass


async def enter_it_in_a_stack(thing: Any) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(thing)


async def go_through_it(thing: Any) -> None:
    async for _ in thing:
        pass


async def wait_for_it(thing: Any) -> None:
    await asyncio.wait_for(thing, 30)


IDIOMS = {
    "await": (await_it, RULE.format("await")),
    "async with": (enter_it, RULE.format("async")),
    "enter_async_context": (enter_it_in_a_stack, RULE.format("async")),
    "async for": (go_through_it, RULE.format("async")),
    "wait_for": (wait_for_it, RULE.format("await")),
}


@pytest.mark.parametrize(("idiom", "text"), IDIOMS.values(), ids=list(IDIOMS))
def test_asynchronous_code_is_told_what_to_take_out(
    thing: Any, idiom: Callable[[Any], Awaitable[None]], text: str
) -> None:
    with pytest.raises(TypeError) as raised:
        asyncio.run(idiom(thing))  # type: ignore[arg-type]
    assert str(raised.value).startswith(text)


def test_gather_is_told(client: ViamClient) -> None:
    async def gather() -> None:
        await asyncio.gather(client, client.app_client)  # type: ignore[call-overload]

    with pytest.raises(TypeError, match="take out `await`"):
        asyncio.run(gather())


@pytest.mark.skipif(sys.version_info < (3, 10), reason="anext is of Python 3.10")
def test_anext_is_told_to_be_next(client: ViamClient) -> None:
    with client.data_client.iter_tabular_data() as rows, pytest.raises(TypeError, match="`next` in place of `anext`"):
        anext(rows)  # type: ignore[name-defined, call-overload, unused-ignore]  # noqa: F821


def test_the_first_line_of_a_half_migrated_script_is_told(sandbox: Sandbox) -> None:
    async def connect() -> None:
        await ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url)  # type: ignore[misc]

    with pytest.raises(TypeError, match="take out `await`"):
        asyncio.run(connect())


def test_messages_and_records_are_not_awaitable(sandbox: Sandbox, client: ViamClient) -> None:
    # Frameworks await an awaitable result of a callback or a resolver.
    app = client.app_client
    robot, part = app.get_robot(sandbox.robot_id), app.get_robot_part(sandbox.robot_part_id)
    assert not [each for each in (robot, part, part.proto, sandbox.dial_options()) if inspect.isawaitable(each)]


def test_a_client_can_be_made_and_used_in_the_threads_of_a_loop(sandbox: Sandbox) -> None:
    def names() -> Any:
        made = ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url)
        return made, [organization.name for organization in made.app_client.list_organizations()]

    async def main() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, names)

    client, found = asyncio.run(main())
    client.close()
    assert found == ["Lesson Robotics"]


class Script:
    """A script with a client, as its tests see it."""

    client: Any = None
    app: Any = None


@pytest.mark.parametrize("options", [{}, {"spec": True}, {"autospec": True}], ids=["plain", "spec", "autospec"])
def test_a_patched_client_is_a_plain_mock(
    client: ViamClient, monkeypatch: pytest.MonkeyPatch, options: Dict[str, Any]
) -> None:
    monkeypatch.setattr(Script, "client", client)
    monkeypatch.setattr(Script, "app", client.app_client)
    with mock.patch.object(Script, "client", **options), mock.patch.object(Script, "app", **options):
        Script.client.app_client.list_robots.return_value = ["rover"]
        Script.app.list_locations.return_value = ["workshop"]
        assert (Script.client.app_client.list_robots(), Script.app.list_locations("o")) == (["rover"], ["workshop"])
    with mock.patch.object(AppClient, "list_robots", return_value=[]):
        assert client.app_client.list_robots() == []


def test_a_client_is_copied_and_pickled_as_ever(client: ViamClient) -> None:
    for twin in (copy.copy(client), copy.deepcopy(client), pickle.loads(pickle.dumps(client))):
        with twin:
            assert len(twin.app_client.list_organizations()) == 1
