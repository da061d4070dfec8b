"""How deep a call goes before grpcio has it: a traceback that a beginner can read."""

import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, Callable, List, cast

import grpc
import pytest

import viam_sync
from viam_sync.app.app_client import AppClient
from viam_sync.proto import app as pb

PACKAGE = str(Path(viam_sync.__file__).parent)
#: What a call without an error needs: its checks, its request, its place, its headers and its limits.
MOST_FUNCTIONS = 24


class Stacks(grpc.Channel):  # type: ignore[misc, unused-ignore]
    """A channel that keeps the frames of this package above each call, and answers with nothing."""

    def __init__(self) -> None:
        self.frames: List[List[str]] = []

    def unary_unary(self, path: str, *args: Any) -> Any:
        def stub(request: Any, **settings: Any) -> Any:
            stack = traceback.extract_stack()
            self.frames.append([frame.name for frame in stack if frame.filename.startswith(PACKAGE)])
            return {"GetRobot": pb.GetRobotResponse, "GetRobotPart": pb.GetRobotPartResponse}[path.rpartition("/")[2]]()

        return stub

    def _never(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("nothing else is called")

    unary_stream = stream_unary = stream_stream = subscribe = unsubscribe = close = _never
    __enter__ = __exit__ = _never


@pytest.mark.parametrize(
    "call", [lambda app: app.get_robot("r-1"), lambda app: app.get_robot_part("p-1")], ids=["generated", "by hand"]
)
def test_a_unary_call_has_at_most_five_frames_of_ours_above_grpc(call: Callable[[AppClient], object]) -> None:
    channel = Stacks()
    call(AppClient(cast("grpc.Channel", channel), {"authorization": "Bearer token"}))
    assert [frames[1:] for frames in channel.frames] == [["_unary_unary", "_run", "run", "attempt"]]


def test_a_unary_call_runs_few_functions_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests of this process load OpenTelemetry, which most programs do not.
    monkeypatch.delitem(sys.modules, "opentelemetry.trace", raising=False)
    # After a wait for the network each costs about a microsecond, as the caches hold none of them any more.
    app = AppClient(cast("grpc.Channel", Stacks()), {"authorization": "Bearer token"})
    app.get_robot("r-1")
    ours: List[str] = []

    def count(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            ours.append(frame.f_code.co_name)

    sys.setprofile(count)
    try:
        app.get_robot("r-1")
    finally:
        sys.setprofile(None)
    assert len(ours) <= MOST_FUNCTIONS, ours
