"""Reads a sensor of a machine and sends its readings to the cloud: both in one script."""

import asyncio
import datetime
import os

from viam.app.viam_client import ViamClient
from viam.components.sensor import Sensor
from viam.rpc.dial import DialOptions


class Thermometer(Sensor):
    """A sensor that needs no machine."""

    async def get_readings(self, *, extra=None, timeout=None, **kwargs):
        await asyncio.sleep(0)
        return {"celsius": 21.5}


async def connect():
    options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    return await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])


async def upload(client, readings):
    now = datetime.datetime(2025, 10, 6, 12)
    await client.data_client.tabular_data_capture_upload(
        part_id=os.environ["PART_ID"],
        component_type="rdk:component:sensor",
        component_name="station",
        method_name="Readings",
        data_request_times=[(now, now)],
        tabular_data=[{"readings": readings}],
    )
    sql = "SELECT data.readings.celsius AS celsius FROM readings WHERE component_name = 'station'"
    return await client.data_client.tabular_data_by_sql(os.environ["ORG_ID"], sql)


async def main():
    client = await connect()
    sensor = Thermometer("thermometer")
    readings = await sensor.get_readings()
    print(readings)
    print(await upload(client, readings))
    client.close()


if __name__ == "__main__":
    asyncio.run(main())
