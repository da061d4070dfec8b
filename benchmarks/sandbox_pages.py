"""What a page of data costs in the sandbox: late pages as ratios to the first one, and queries of all readings.

100,000 readings and 10,000 images are put into its store directly, then asked for by raw calls. Pages take turns in
short rounds, so that what else the machine does meets all of them; the median of the rounds is printed.
"""

import statistics
import time
from typing import Any, Callable, Dict, List, Tuple

from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.data.captures import current_capture_metadata, find_or_add_capture
from viam_sync.sandbox.data.cursors import encode_cursor

ROUNDS = 40
READINGS, FILES = 100_000, 10_000
#: One reading in so many comes from the second sensor.
RARE = 500

Call = Callable[..., Any]


def fill(sandbox: Sandbox) -> None:
    world = sandbox._world
    assert world is not None
    metadata = current_capture_metadata(world, world.part(sandbox.robot_part_id))
    with world.store.transaction():
        world.store.run("DELETE FROM readings")
        world.store.run("DELETE FROM files")
        body = pb.TabularData(data={"readings": {"speed": 1.5, "heat": 20}}).data.SerializeToString()
        for name, matches in (("common", f"i % {RARE} > 0"), ("rare", f"i % {RARE} = 0")):
            metadata.component_name = name
            capture = find_or_add_capture(world, metadata)
            sql = f"{numbers(READINGS)} INSERT INTO readings (capture_id, requested, received, synced, body)"
            world.store.run(f"{sql} SELECT ?, i * 1000000, i * 1000000, 0, ? FROM n WHERE {matches}", capture, body)
            sql = f"{numbers(FILES)} INSERT INTO files (file_id, capture_id, requested, received, size, body)"
            sql = f"{sql} SELECT printf('%064d', i), ?, i * 1000000, i * 1000000, 0, x'' FROM n WHERE {matches}"
            world.store.run(sql, capture)


def numbers(count: int) -> str:
    return f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"


def calls(sandbox: Sandbox, client: ViamClient) -> Tuple[Call, Call]:
    channel, metadata = client.data_client._channel, list(client.data_client._metadata.items())

    def made(rpc: str, request: Any, response: Any) -> Call:
        send = channel.unary_unary(
            f"/viam.app.data.v1.DataService/{rpc}", request.SerializeToString, response.FromString
        )
        return lambda last, filter: send(
            request(data_request=pb.DataRequest(limit=100, last=last, filter=filter)), metadata=metadata
        )

    return (
        made("TabularDataByFilter", pb.TabularDataByFilterRequest, pb.TabularDataByFilterResponse),
        made("BinaryDataByFilter", pb.BinaryDataByFilterRequest, pb.BinaryDataByFilterResponse),
    )


def ratio(call: Call, last: str, filter: pb.Filter) -> str:
    """Return what a page from a place on costs, as a ratio to the first page."""
    first: List[float] = []
    late: List[float] = []
    for _ in range(ROUNDS):
        for taken, place in ((first, ""), (late, last)):
            started = time.perf_counter()
            page = call(place, filter)
            taken.append(time.perf_counter() - started)
            assert page.data
    return f"{statistics.median(b / a for a, b in zip(first, late)):.2f} ({statistics.median(late) * 1000:.1f} ms)"


def queries(client: ViamClient, organization_id: str) -> Dict[str, float]:
    asked = {
        "SQL": lambda: client.data_client.tabular_data_by_sql(
            organization_id, "SELECT avg(data.readings.speed) AS mean FROM readings"
        ),
        "MQL": lambda: client.data_client.tabular_data_by_mql(
            organization_id, [{"$match": {"data.readings.speed": {"$gt": 1}}}, {"$count": "n"}]
        ),
    }
    taken = {}
    for language, ask in asked.items():
        started = time.perf_counter()
        assert len(ask()) == 1
        taken[language] = time.perf_counter() - started
    return taken


def main() -> None:
    with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        fill(sandbox)
        tabular, binary = calls(sandbox, client)
        for what, call, count in ((f"{READINGS} readings", tabular, READINGS), (f"{FILES} images", binary, FILES)):
            for filter in (pb.Filter(), pb.Filter(component_name="common"), pb.Filter(robot_name="rover")):
                named = "no filter" if not filter.ByteSize() else str(filter).strip()
                for part in (2, 100):
                    place = encode_cursor(count // part * 1_000_000, 1)
                    print(
                        f"{what}, {named}: a page after all but 1/{part}, / the first page:", ratio(call, place, filter)
                    )
        for language, seconds in queries(client, sandbox.organization_id).items():
            print(f"a query of {READINGS} readings in {language}: {seconds:.1f} s")


if __name__ == "__main__":
    main()
