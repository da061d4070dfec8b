"""The health view, and messages in a JsonResponse."""

import json
import logging
from datetime import datetime, timezone
from typing import Any, Mapping, Tuple

import pytest
from servers import KEY_ID, FakeService, SilentServer

pytest.importorskip("django.core", reason="tox -e django-newest has it")

import django_settings  # noqa: F401
from django.http import JsonResponse
from django.test import RequestFactory, override_settings

from viam_sync import ViamClient
from viam_sync.django import MachineStatus, MessageEncoder
from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox


def ask(**options: Any) -> Tuple[int, Any]:
    response = MachineStatus.as_view(**options)(RequestFactory().get("/health/"))
    assert response["Cache-Control"] == "no-store"
    return response.status_code, json.loads(response.content)


def test_the_cloud_is_well_as_long_as_it_answers(account: Mapping[str, str], sandbox: Sandbox) -> None:
    assert ask() == (200, {"ok": True})
    sandbox.stop()
    assert ask(seconds=2) == (503, {"ok": False, "error": "UNAVAILABLE"})


def test_a_machine_is_well_as_long_as_it_is_online(account: Mapping[str, str], server: FakeService) -> None:
    states = iter(["ONLINE_STATE_ONLINE", "ONLINE_STATE_OFFLINE"])

    def get_robot(request: bytes, context: Any) -> bytes:
        asked = pb.GetRobotRequest.FromString(request).id
        seen = datetime(2026, 5, 31, tzinfo=timezone.utc)
        robot = pb.Robot(id=asked, name="rover", online_state=next(states), last_access=seen)
        return pb.GetRobotResponse(robot=robot).SerializeToString()

    server.unary["GetRobot"] = get_robot
    with override_settings(VIAM={**account, "APP_URL": server.url}):
        rover = {"id": KEY_ID, "name": "rover", "last_access": "2026-05-31T00:00:00Z"}
        assert ask(machine_id=KEY_ID) == (200, {"ok": True, "machine": {**rover, "online_state": "online"}})
        assert ask(machine_id=KEY_ID) == (503, {"ok": False, "machine": {**rover, "online_state": "offline"}})


def test_a_machine_may_be_named_by_the_url(account: Mapping[str, str], sandbox: Sandbox) -> None:
    request = RequestFactory().get(f"/machines/{sandbox.robot_id}/health/")
    response = MachineStatus.as_view()(request, machine_id=sandbox.robot_id)
    assert json.loads(response.content)["machine"]["id"] == sandbox.robot_id


def test_an_answer_comes_in_time_from_a_cloud_that_is_silent(account: Mapping[str, str]) -> None:
    with SilentServer() as silent, override_settings(VIAM={**account, "APP_URL": f"http://{silent.address}"}):
        status, answer = ask(seconds=1)
    assert (status, answer["ok"]) == (503, False)


def test_an_answer_tells_no_text_of_an_error_but_the_log_does(
    account: Mapping[str, str], sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {**account, "API_KEY": "k" * 32}
    with override_settings(VIAM=wrong), caplog.at_level(logging.WARNING):
        assert ask() == (503, {"ok": False, "error": "UNAUTHENTICATED"})
    assert "MachineStatus of the account 'default': " in caplog.text
    with override_settings(VIAM={"TIMEOUT": "soon"}):
        assert ask() == (503, {"ok": False, "error": "ImproperlyConfigured"})
    with override_settings(VIAM={}):
        assert ask() == (503, {"ok": False, "error": "ValueError"})


def test_messages_records_and_what_django_knows_go_into_one_response(
    account: Mapping[str, str], sandbox: Sandbox, client: ViamClient
) -> None:
    (part,) = client.app_client.get_robot_parts(sandbox.robot_id)
    now = datetime(2026, 5, 31, tzinfo=timezone.utc)
    values = {"robot": client.app_client.get_robot(sandbox.robot_id), "parts": [part], "now": now}
    answer = json.loads(JsonResponse(values, encoder=MessageEncoder).content)
    assert answer["robot"]["name"] == "rover"
    assert answer["parts"][0]["secret"] == "(hidden)"
    assert answer["now"] == "2026-05-31T00:00:00Z"
    with pytest.raises(TypeError, match="not JSON serializable"):
        JsonResponse({"what": object()}, encoder=MessageEncoder)
