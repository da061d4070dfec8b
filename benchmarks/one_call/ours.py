"""One call through the client; its argument is the port of the server."""

import sys

from viam_sync.app.viam_client import ViamClient
from viam_sync.rpc.dial import DialOptions

options = DialOptions.with_api_key("secret", "5ec1a9f2-0000-4000-8000-000000000001")
with ViamClient.create_from_dial_options(options, f"http://127.0.0.1:{sys.argv[1]}") as client:
    assert client.app_client.get_robot("r-1").name == "rover"
