"""What the scripts of a lesson share; another script imports it."""

import contextlib
import os

from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions


async def connect():
    options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    return await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])


@contextlib.asynccontextmanager
async def cloud():
    client = await connect()
    try:
        yield client.app_client
    finally:
        client.close()


async def names(app_client, location_id):
    for robot in await app_client.list_robots(location_id):
        yield robot.name


class Workshop:
    """A location."""

    def __init__(self, app_client):
        self.app_client = app_client

    async def name(self):
        return (await self.app_client.get_location(os.environ["LOCATION_ID"])).name
