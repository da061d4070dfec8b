"""Runs steps of a lesson: type hints with Awaitable, Callable and Coroutine."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Awaitable, Callable, Coroutine, Dict, List, Optional

from viam.app.app_client import AppClient
from viam.app.viam_client import ViamClient
from viam.proto.app import Location, Organization
from viam.rpc.dial import DialOptions

Step = Callable[[AppClient], Awaitable[str]]


async def organization(cloud: AppClient) -> str:
    found: List[Organization] = list(await cloud.list_organizations())
    return found[0].name


async def location(cloud: AppClient) -> str:
    found: Optional[Location] = await cloud.get_location(os.environ["LOCATION_ID"])
    return found.name if found else ""


def keys(cloud: AppClient) -> Coroutine[Any, Any, str]:
    async def count() -> str:
        return str(len(await cloud.list_keys(os.environ["ORG_ID"])))

    return count()


STEPS: Dict[str, Step] = {"organization": organization, "location": location, "keys": keys}


async def run(cloud: AppClient, step: Step) -> str:
    return await step(cloud)


async def main() -> int:
    options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    client: ViamClient = await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])
    cloud: AppClient = client.app_client
    for name, step in STEPS.items():
        print(name, await run(cloud, step))
    client.close()
    return 0


if __name__ == "__main__":
    print(asyncio.run(main()))
