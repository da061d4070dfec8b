"""One call through the official SDK; its argument is the port of the server."""

import asyncio
import sys

from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions


async def main() -> None:
    options = DialOptions.with_api_key("secret", "5ec1a9f2-0000-4000-8000-000000000001")
    options.insecure = True
    client = await ViamClient.create_from_dial_options(options, f"127.0.0.1:{sys.argv[1]}")
    assert (await client.app_client.get_robot("r-1")).name == "rover"
    client.close()


asyncio.run(main())
