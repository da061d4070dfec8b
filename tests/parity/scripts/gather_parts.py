"""Asks for many things at once: gather, and a lambda."""

import asyncio
import os

from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions


async def connect():
    options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    return await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])


async def main():
    client = await connect()
    cloud = client.app_client
    robots = await cloud.list_robots(os.environ["LOCATION_ID"])
    parts = await asyncio.gather(*[cloud.get_robot_parts(robot.id) for robot in robots])
    for robot, found in zip(robots, parts):
        print(robot.name, [part.name for part in found])
    organizations, location = await asyncio.gather(
        cloud.list_organizations(),
        cloud.get_location(os.environ["LOCATION_ID"]),  # one of them
    )
    print(organizations[0].name, location.name)
    results = await asyncio.gather(
        cloud.get_robot(robots[0].id), cloud.get_robot("00000000-0000-0000-0000-000000000000"), return_exceptions=True
    )
    print([isinstance(result, Exception) for result in results])
    by_name = sorted(robots, key=lambda robot: robot.name)
    print([(await cloud.get_robot(robot.id)).name for robot in by_name])
    client.close()


if __name__ == "__main__":
    asyncio.run(main())
