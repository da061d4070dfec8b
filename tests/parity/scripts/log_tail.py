"""Reads a log, and follows it: asynchronous generators and comprehensions."""

import asyncio
import os
from typing import AsyncIterator

from viam.app.app_client import LogEntry
from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions

PART = os.environ["PART_ID"]


async def connect() -> ViamClient:
    opts = DialOptions.with_api_key(api_key=os.environ["VIAM_API_KEY"], api_key_id=os.environ["VIAM_API_KEY_ID"])
    return await ViamClient.create_from_dial_options(opts, app_url=os.environ["APP_URL"])


async def entries(client: ViamClient, *levels: str) -> AsyncIterator[LogEntry]:
    for level in levels:
        for entry in await client.app_client.get_robot_part_logs(PART, log_levels=[level], num_log_entries=3):
            yield entry


async def messages(client: ViamClient) -> AsyncIterator[str]:
    async for entry in entries(client, "error", "warn"):
        yield f"{entry.level}: {entry.message}"


async def follow(client: ViamClient) -> None:
    logs = await client.app_client.tail_robot_part_logs(PART, errors_only=True)
    async for batch in logs:
        print("tail:", batch[0].message)
        break


async def main() -> None:
    client = await connect()
    async for message in messages(client):
        print(message)
    print(len([entry async for entry in entries(client, "info")]))
    print(sorted({entry.level async for entry in entries(client, "error", "warn") if entry.message}))
    await follow(client)
    client.close()


asyncio.run(main())
