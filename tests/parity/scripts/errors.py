"""Meets errors of the service: grpclib's errors and statuses."""

import asyncio
import os

import grpclib.exceptions
from grpclib import GRPCError, Status
from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions

MISSING = "00000000-0000-0000-0000-000000000000"


async def main():
    options = DialOptions.with_api_key(os.environ["VIAM_API_KEY"], os.environ["VIAM_API_KEY_ID"])
    client = await ViamClient.create_from_dial_options(options, os.environ["APP_URL"])
    try:
        await client.app_client.get_robot(MISSING)
    except GRPCError as error:
        print(error.status == Status.NOT_FOUND, error.status.name)
    try:
        await client.app_client.get_organization(MISSING)
    except (ValueError, grpclib.exceptions.GRPCError) as error:
        print(isinstance(error, GRPCError), error.status in (Status.NOT_FOUND, Status.PERMISSION_DENIED))
    else:
        print("found")
    finally:
        client.close()


asyncio.run(main())
