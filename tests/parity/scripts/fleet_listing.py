"""Lists a fleet: a class with asynchronous methods, run below ``if __name__``."""

import asyncio
import os

from viam.app.viam_client import ViamClient
from viam.rpc.dial import Credentials, DialOptions


class Fleet:
    """The machines of an organization."""

    def __init__(self, viam_client: ViamClient) -> None:
        self.viam_client = viam_client
        self.cloud = viam_client.app_client

    @classmethod
    async def connect(cls) -> "Fleet":
        dial_options = DialOptions(
            auth_entity=os.environ["VIAM_API_KEY_ID"],
            credentials=Credentials(type="api-key", payload=os.environ["VIAM_API_KEY"]),
        )
        return cls(await ViamClient.create_from_dial_options(dial_options, os.environ["APP_URL"]))

    async def parts(self, robot_id: str) -> list:
        return [part.name for part in await self.cloud.get_robot_parts(robot_id)]

    async def report(self) -> None:
        for organization in await self.cloud.list_organizations():
            print(organization.name)
            for location in await self.cloud.list_locations(organization.id):
                print(" ", location.name)
                # Machines of each location, with the names of their parts.
                for robot in await self.cloud.list_robots(location.id):
                    print("   ", robot.name, await self.parts(robot.id))

    def close(self) -> None:
        self.viam_client.close()


async def main():
    fleet = await Fleet.connect()
    try:
        await fleet.report()
    finally:
        fleet.close()


if __name__ == "__main__":
    asyncio.run(main())
