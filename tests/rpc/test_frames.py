"""How deep a call goes before grpcio has it: a traceback that a beginner can read."""

import traceback
from pathlib import Path
from typing import Any, Callable, List, cast

import grpc
import pytest

import viam_sync
from viam_sync.app.app_client import AppClient
from viam_sync.proto import app as pb

PACKAGE = str(Path(viam_sync.__file__).parent)


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
