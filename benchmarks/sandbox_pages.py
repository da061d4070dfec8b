"""What a page of data costs in the sandbox: late pages as ratios to the first one, and queries of all readings.

100,000 readings and 10,000 images are put into its store directly, then asked for by raw calls.
"""

from typing import Any, Callable, Dict, Iterator, List, Tuple

from figures import Figure, Taken, in_turns, milliseconds, ratio, show

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


def pages(call: Call, last: str, filter: pb.Filter) -> Taken:
    """Return what a page from a place on takes, and what the first page takes."""

    def ask(place: str) -> None:
        assert call(place, filter).data

    return in_turns({"first": lambda: ask(""), "late": lambda: ask(last)}, ROUNDS)


def queries(client: ViamClient, organization_id: str) -> Dict[str, List[float]]:
    """Return what two queries of the same readings take, one after the other."""
    data = client.data_client
    sql, stages = "SELECT avg(data.readings.speed) AS mean FROM readings", [{"$count": "n"}]
    asked = {
        "SQL": lambda: data.tabular_data_by_sql(organization_id, sql),
        "MQL": lambda: data.tabular_data_by_mql(organization_id, stages),
    }
    taken = in_turns(asked, 2)
    return {language: taken[language] for language in asked}


def figures() -> Iterator[Figure]:
    with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        fill(sandbox)
        tabular, binary = calls(sandbox, client)
        for what, call, count in ((f"{READINGS:,} readings", tabular, READINGS), (f"{FILES:,} images", binary, FILES)):
            for filter in (pb.Filter(), pb.Filter(component_name="common"), pb.Filter(robot_name="rover")):
                taken = pages(call, encode_cursor(count // 100 * 1_000_000, 1), filter)
                yield Figure(
                    work=f"sandbox: the last page of {what}, {str(filter).strip() or 'no filter'}",
                    ours=milliseconds(taken["late"]),
                    peers={"the first page": milliseconds(taken["first"])},
                    ratio=ratio(taken, "late", "first"),
                    of="of the first page's time",
                    goal="",
                    bounded_by="making the messages, as an index finds the rows",
                )
        for language, (first, second) in queries(client, sandbox.organization_id).items():
            yield Figure(
                work=f"sandbox: a query of {READINGS:,} readings in {language}, again",
                ours=milliseconds([second]),
                peers={"the first time": milliseconds([first])},
                ratio=second / first,
                of="of the first time",
                goal="",
                bounded_by="DuckDB" if language == "SQL" else "decoding BSON, as stages change documents",
            )


if __name__ == "__main__":
    show(figures())
