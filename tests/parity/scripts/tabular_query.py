"""Uploads readings and queries them: decorators of asynchronous functions."""

import asyncio
import datetime
import functools
import os

from viam.app.viam_client import ViamClient
from viam.proto.app.data import Order
from viam.rpc.dial import DialOptions
from viam.utils import create_filter

ORG_ID = os.environ["ORG_ID"]
PART_ID = os.environ["PART_ID"]
NOON = datetime.datetime(2025, 10, 6, 12)


def announced(function):
    """Print the name of a function before it runs."""

    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        print("--", function.__name__)
        return await function(*args, **kwargs)

    return wrapper


def repeated(times):
    def decorate(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            results = [await function(*args, **kwargs) for _ in range(times)]
            return results[-1]

        return wrapper

    return decorate


@announced
async def upload(client):
    rows = [{"readings": {"speed": float(speed), "moving": speed > 1}} for speed in range(4)]
    times = [(NOON.replace(minute=minute), NOON.replace(minute=minute, second=1)) for minute in range(4)]
    await client.data_client.tabular_data_capture_upload(
        part_id=PART_ID,
        component_type="rdk:component:movement_sensor",
        component_name="gps",
        method_name="Readings",
        tags=["lesson"],
        data_request_times=times,
        tabular_data=rows,
    )


@announced
@repeated(2)
async def query(client):
    sql = "SELECT data.readings.speed AS speed FROM readings WHERE component_name = 'gps' ORDER BY speed DESC LIMIT 2"
    for row in await client.data_client.tabular_data_by_sql(organization_id=ORG_ID, sql_query=sql):
        print(row)
    stages = [
        {"$match": {"component_name": "gps"}},
        {"$group": {"_id": "$component_name", "most": {"$max": "$data.readings.speed"}}},
    ]
    print(await client.data_client.tabular_data_by_mql(organization_id=ORG_ID, query=stages))


@announced
async def pages(client):
    data_client = client.data_client
    last = None
    while True:
        rows, count, last = await data_client.tabular_data_by_filter(
            create_filter(component_name="gps"), limit=3, sort_order=Order.ORDER_ASCENDING, last=last
        )
        if not rows:
            break
        for row in rows:
            print(row.time_requested.strftime("%H:%M"), sorted(row.data["readings"].items()))


async def main():
    opts = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    client = await ViamClient.create_from_dial_options(opts, os.environ["APP_URL"])
    await upload(client)
    await query(client)
    await pages(client)
    client.close()


if __name__ == "__main__":
    asyncio.run(main())
