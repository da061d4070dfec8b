"""Uploads images and tags them: context managers of the script's own."""

import asyncio
import contextlib
import os
import time

from viam.app.viam_client import ViamClient
from viam.proto.app.data import Filter
from viam.rpc.dial import DialOptions

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
PART_ID = os.environ["PART_ID"]


@contextlib.asynccontextmanager
async def connected():
    options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    client = await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])
    try:
        yield client
    finally:
        client.close()
        print("closed")


class Album:
    """Images with a tag, which are deleted at the end of the block."""

    def __init__(self, data_client, tag):
        self.data_client = data_client
        self.filter = Filter(component_name=tag)
        self.tag = tag

    async def __aenter__(self):
        print("images before:", await self.count())
        return self

    async def __aexit__(self, *exception):
        deleted = await self.data_client.delete_binary_data_by_filter(self.filter)
        print("deleted:", deleted)

    async def count(self):
        _, count, _ = await self.data_client.binary_data_by_filter(self.filter, count_only=True)
        return count

    async def add(self, name):
        await self.data_client.file_upload(
            part_id=PART_ID, data=JPEG, component_name=self.tag, file_name=name, file_extension=".jpg", tags=["new"]
        )


async def main():
    start = time.time()
    async with connected() as client:
        async with Album(client.data_client, "balcony") as album:
            for name in ("rose", "ivy"):
                await album.add(name)
            print("images now:", await album.count())
            images, _, _ = await client.data_client.binary_data_by_filter(album.filter, include_binary_data=False)
            ids = [image.metadata.binary_data_id for image in images]
            await client.data_client.add_tags_to_binary_data_by_ids(["plants"], ids)
            for image in await client.data_client.binary_data_by_ids(ids):
                print(image.metadata.file_name, sorted(image.metadata.capture_metadata.tags), image.binary == JPEG)
    assert time.time() >= start


asyncio.run(main())
