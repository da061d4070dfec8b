"""Goes through binary data page by page: an asynchronous iterator of the script's own."""

import asyncio
import os

from viam.app.data_client import DataClient
from viam.app.viam_client import ViamClient
from viam.proto.app.data import Filter
from viam.rpc.dial import DialOptions


class Pages:
    """The pages of what a filter selects."""

    def __init__(self, data_client: DataClient, size: int) -> None:
        self.data_client = data_client
        self.size = size
        self.last = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        page, _, self.last = await self.data_client.binary_data_by_filter(
            Filter(), limit=self.size, last=self.last, include_binary_data=False
        )
        if not page:
            raise StopAsyncIteration
        return page


async def main():
    options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    viam = await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])
    async for page in Pages(viam.data_client, 10):
        print([image.metadata.capture_metadata.component_name for image in page])
    viam.close()


asyncio.new_event_loop().run_until_complete(main())
