"""A process that starts others, each of which makes an upload.

What to upload comes as a line of JSON. Each of the others prints its number once it is connected, and this one prints
how it ended. They are forked from what is loaded already, so that many of them are started in no time.
"""

import json
import os
import sys
from typing import Any, Dict

from viam_sync.app.viam_client import ViamClient
from viam_sync.rpc.dial import DialOptions


def upload(order: Dict[str, Any]) -> None:
    options = DialOptions.with_api_key(order["key"], order["key_id"])
    options.insecure = True
    with ViamClient.create_from_dial_options(options, order["url"]) as client:
        print(os.getpid(), flush=True)
        getattr(client.data_client, order["method"])(**order["arguments"])


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                upload(json.loads(line))
            except KeyboardInterrupt:
                sys.exit(130)
            return
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
