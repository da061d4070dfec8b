import inspect
import json
import os
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List

import pytest
from servers import FakeService

from viam_sync.app._fleet.machine_records import RobotPart, RobotPartHistoryEntry
from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Channel
from viam_sync.sandbox import Sandbox

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_a_part_is_written_to_a_file_as_json(sandbox: Sandbox, app: AppClient, tmp_path: Path) -> None:
    app.update_robot_part(sandbox.robot_part_id, "brain", {"components": [{"name": "arm"}]})
    part = app.get_robot_part(sandbox.robot_part_id, str(tmp_path / "config.json"), indent=2)
    text = (tmp_path / "config.json").read_text(encoding="utf-8")
    assert json.loads(text)["components"] == [{"name": "arm"}]
    assert text.splitlines()[1].startswith('  "')
    assert part.name == "brain"


def test_a_destination_that_cannot_be_written_is_found_before_anything_is_asked(
    server: FakeService, channel: Channel, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        AppClient(channel, {}).get_robot_part("p-1", str(tmp_path / "absent" / "config.json"))
    assert server.calls == []


def test_a_part_is_not_lost_when_its_file_cannot_be_written(
    sandbox: Sandbox, app: AppClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        app.get_robot_part(sandbox.robot_part_id, str(tmp_path / "config.json"))
    assert caught.value.result.id == sandbox.robot_part_id  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_is_no_json_is_kept_as_it_came(
    server: FakeService, channel: Channel, tmp_path: Path
) -> None:
    answer = pb.GetRobotPartResponse(part=pb.RobotPart(id="p-1"), config_json="{broken")
    server.unary["GetRobotPart"] = lambda request, context: answer.SerializeToString()
    assert AppClient(channel, {}).get_robot_part("p-1", str(tmp_path / "config.json")).id == "p-1"
    assert (tmp_path / "config.json").read_text(encoding="utf-8") == "{broken"


def test_a_configuration_is_kept_replaced_and_emptied(sandbox: Sandbox, app: AppClient) -> None:
    first = app.update_robot_part(sandbox.robot_part_id, "brain", {"speed": 1})
    kept = app.update_robot_part(sandbox.robot_part_id, "brain")
    emptied = app.update_robot_part(sandbox.robot_part_id, "brain", {})
    assert (first.robot_config, kept.robot_config, emptied.robot_config) == ({"speed": 1.0}, {"speed": 1.0}, {})


def test_null_in_a_configuration_is_none(sandbox: Sandbox, app: AppClient) -> None:
    part = app.update_robot_part(sandbox.robot_part_id, "brain", {"limit": None})
    assert part.robot_config == {"limit": None}


def test_a_stale_update_changes_nothing(sandbox: Sandbox, app: AppClient) -> None:
    long_ago = datetime(2001, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    with pytest.raises(FailedPreconditionError):
        app.update_robot_part(sandbox.robot_part_id, "stale", last_known_update=long_ago)
    assert app.get_robot_part(sandbox.robot_part_id).name != "stale"


def test_history_is_newest_first_and_can_be_cut(sandbox: Sandbox, app: AppClient) -> None:
    part_id = app.new_robot_part(sandbox.robot_id, "one")
    for name in ("two", "three"):
        app.update_robot_part(part_id, name)
    history = app.get_robot_part_history(part_id)
    assert [entry.old.name for entry in history if entry.old] == ["two", "one"]
    assert [type(entry.when) for entry in history] == [datetime, datetime]
    assert len(app.get_robot_part_history(part_id, page_limit=1)) == 1
    assert app.get_robot_part_history(part_id, end=datetime(2001, 1, 1)) == []


def test_a_location_of_the_clients_own_is_the_default(sandbox: Sandbox, client: ViamClient) -> None:
    own = AppClient(client._channel, client._metadata, sandbox.location_id)
    assert own.get_location().id == sandbox.location_id
    assert own.location_auth().location_id == sandbox.location_id
    assert sandbox.robot_id in [machine.id for machine in own.list_robots()]
    machine_id = own.new_robot("scout")
    assert own.update_robot(machine_id, "far scout").location == sandbox.location_id
    secret = own.create_location_secret().secrets[-1]
    own.delete_location_secret(secret.id)
    assert len(own.location_auth().secrets) == 1


def test_without_a_location_the_service_asks_for_one(app: AppClient) -> None:
    with pytest.raises(InvalidArgumentError):
        app.get_location()


def test_a_location_moves_only_when_a_parent_is_given(sandbox: Sandbox, app: AppClient) -> None:
    shelf = app.create_location(sandbox.organization_id, "Shelf", sandbox.location_id)
    renamed = app.update_location(shelf.id, "Board")
    assert (renamed.name, renamed.parent_location_id) == ("Board", sandbox.location_id)
    moved = app.update_location(shelf.id, name="", parent_location_id="")
    assert (moved.name, moved.parent_location_id) == ("Board", "")


def test_a_part_survives_the_way_into_a_record_and_back(sandbox: Sandbox, app: AppClient) -> None:
    app.update_robot_part(sandbox.robot_part_id, "brain", {"components": [{"speed": 1.5, "on": None}]})
    part = app.get_robot_part(sandbox.robot_part_id)
    assert RobotPart.from_proto(part.proto) == part
    (entry, *_) = app.get_robot_part_history(sandbox.robot_part_id)
    assert RobotPartHistoryEntry.from_proto(entry.proto) == entry


def test_an_empty_part_becomes_a_record_of_nothing() -> None:
    part = RobotPart.from_proto(pb.RobotPart())
    assert (part.id, part.robot_config, part.created_on, part.secrets) == ("", None, None, [])
    assert part.proto == pb.RobotPart()


def test_no_secret_of_a_part_is_printed(sandbox: Sandbox, app: AppClient) -> None:
    app.update_robot_part(sandbox.robot_part_id, "brain", {"network": {"password": "hush-hush"}})
    part = app.create_robot_part_secret(sandbox.robot_part_id)
    assert part.secrets is not None
    secrets = [part.secret, "hush-hush", *(secret.secret for secret in part.secrets)]
    assert not [secret for secret in secrets if secret in repr(part)]


def test_one_client_serves_many_threads(sandbox: Sandbox, app: AppClient) -> None:
    made: List[str] = []

    def make(number: int) -> None:
        made.append(app.new_robot(f"scout-{number}", sandbox.location_id))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(made) <= {machine.id for machine in app.list_robots(sandbox.location_id)}
    assert len(set(made)) == 8


@pytest.mark.parametrize(
    "call",
    [
        lambda app: app.get_organization(NOBODY),
        lambda app: app.get_location("zzzzzzzzzz"),
        lambda app: app.get_robot(NOBODY),
        lambda app: app.get_robot_part(NOBODY),
        lambda app: app.delete_key(NOBODY),
    ],
)
def test_what_does_not_exist_is_not_found(app: AppClient, call: Any) -> None:
    with pytest.raises(NotFoundError):
        call(app)


def test_every_method_takes_a_timeout_by_keyword() -> None:
    methods = [value for name, value in inspect.getmembers(AppClient, inspect.isfunction) if not name.startswith("_")]
    timeouts = [inspect.signature(method).parameters["timeout"] for method in methods]
    assert len(methods) > 100
    assert {each.default for each in timeouts} == {None}
    assert {each.kind for each in timeouts} <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
