"""What the constructor of a message costs: ours, and that of a class that protobuf alone has made."""

import pkgutil
import statistics
from timeit import timeit
from typing import Any, Dict, Iterator, Tuple

from figures import Figure, in_turns, ratio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from viam_sync.proto import app
from viam_sync.proto.app import data

ROUNDS, CALLS = 50, 1000

#: For each case: the full name of the message, our class, and the arguments.
CASES: Dict[str, Tuple[str, Any, str]] = {
    "no field": ("viam.app.v1.Robot", app.Robot, ""),
    "1 text": ("viam.app.v1.GetRobotRequest", app.GetRobotRequest, "id='r'"),
    "3 texts": ("viam.app.v1.Robot", app.Robot, "id='r', name='rover', location='l'"),
    "a number, an enum, a text": ("viam.app.data.v1.DataRequest", data.DataRequest, "limit=5, sort_order=1, last='x'"),
    "a message": ("viam.app.data.v1.DataRequest", data.DataRequest, "filter=filter"),
    "a list of 3 texts": (
        "viam.app.v1.ListRobotsForLocationsRequest",
        app.ListRobotsForLocationsRequest,
        "location_ids=['a', 'b', 'c']",
    ),
    "a list of 3 messages": ("viam.app.v1.ListRobotsResponse", app.ListRobotsResponse, "robots=robots"),
    "a list of 20 messages": ("viam.app.v1.ListRobotsResponse", app.ListRobotsResponse, "robots=many"),
}


def plain_pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in FileDescriptorSet.FromString(pkgutil.get_data("viam_sync.proto", "schema.bin") or b"").file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


POOL = plain_pool()


def plain(name: str) -> Any:
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(name))


def values(cls: Any, filter: Any, robot: Any) -> Dict[str, Any]:
    robots = [robot(id="r") for _ in range(20)]
    return {"cls": cls, "filter": filter(robot_id="r"), "robots": robots[:3], "many": robots}


def figures() -> Iterator[Figure]:
    for label, (name, ours, arguments) in CASES.items():
        classes = {
            "ours": values(ours, data.Filter, app.Robot),
            "plain": values(plain(name), plain("viam.app.data.v1.Filter"), plain("viam.app.v1.Robot")),
        }
        acts = {
            who: lambda names=names, arguments=arguments: timeit(f"cls({arguments})", number=CALLS, globals=names)
            for who, names in classes.items()
        }
        taken = in_turns(acts, ROUNDS)
        our, their = (f"{statistics.median(taken[who]) / CALLS * 1e9:.0f} ns" for who in ("ours", "plain"))
        yield Figure(
            work=f"the constructor of a message, {label}",
            ours=our,
            peers={"protobuf's": their},
            ratio=ratio(taken, "ours", "plain"),
            of="of protobuf's time",
            goal="",
            bounded_by="passing the arguments on",
        )
