"""Takes its functions from another file."""

import asyncio
import os

import lesson_helpers
from lesson_helpers import Workshop, names


async def main():
    async with lesson_helpers.cloud() as app_client:
        print(await Workshop(app_client).name())
        async for name in names(app_client, os.environ["LOCATION_ID"]):
            print(name)
    client = await lesson_helpers.connect()
    print(len(await client.app_client.list_organizations()))
    client.close()


asyncio.run(main())
