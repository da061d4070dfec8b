"""Takes the tour with the official SDK.

Gets where the sandbox is as a line of JSON. Prints a line of JSON for each thing that the sandbox is to do, and reads
what that gave; the last line is what each call returned.
"""

import asyncio
import datetime as dt
import inspect
import json
import sys
from typing import Any, Dict, List

from plain import plain
from tour import Tour
from viam.app import app_client
from viam.app.viam_client import ViamClient
from viam.proto import app, provisioning
from viam.proto.app import data, mltraining, packages
from viam.rpc.dial import DialOptions

MODULES = {
    "app": app,
    "data": data,
    "mltraining": mltraining,
    "packages": packages,
    "provisioning": provisioning,
    "records": app_client,
    "datetime": dt.datetime,
}


def hook(name: str, *args: Any) -> Any:
    print(json.dumps({"hook": name, "args": args}), flush=True)
    return json.loads(sys.stdin.readline())


async def main(given: Dict[str, Any]) -> List[Any]:
    """Take the tour, and return what each call returned."""
    options = DialOptions.with_api_key(given["key"], given["key_id"])
    options.insecure = True
    client = await ViamClient.create_from_dial_options(options, given["address"])
    made: List[Any] = []

    async def do(of: str, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            result = getattr(getattr(client, of), method)(*args, **kwargs)
            result = await result if inspect.isawaitable(result) else result
            if method == "tail_robot_part_logs":
                result = await first(result, args[0])
        except NotImplementedError as error:
            made.append([method, type(error).__name__])
            raise
        made.append([method, plain(result)])
        return result

    try:
        await Tour(do, hook, MODULES, given["ids"], given["folder"]).run()
    finally:
        client.close()
    return made


async def first(logs: Any, part: str) -> Any:
    """Return the first entries of a tail, which begins somewhat after it was asked for."""
    waiting = asyncio.ensure_future(logs.__anext__())
    while not waiting.done():
        hook("log", part, "A tail is wagged.", "error")
        await asyncio.wait([waiting], timeout=0.2)
    return (await waiting)[:1]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))))
