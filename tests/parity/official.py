"""Makes calls with the official SDK: gets the port and a folder, reads the calls from stdin, and prints the results."""

import asyncio
import contextlib
import datetime as dt
import inspect
import json
import sys
from typing import Any, Dict, List

import bson
from forms import documented, forms, names_given
from grpclib.client import Channel
from plain import plain
from viam.app import app_client, billing_client, data_client, ml_training_client, provisioning_client
from viam.proto import app, provisioning
from viam.proto.app import data, mltraining, packages

CLIENTS = {
    "AppClient": app_client.AppClient,
    "BillingClient": billing_client.BillingClient,
    "DataClient": data_client.DataClient,
    "MLTrainingClient": ml_training_client.MLTrainingClient,
    "ProvisioningClient": provisioning_client.ProvisioningClient,
}


async def taken(result: Any) -> Any:
    """Return what is first in a stream, and a page with the one after it; any other result as it is."""
    if hasattr(result, "next_page"):
        return [result, await result.next_page()]
    return await result.next() if hasattr(result, "__anext__") else result


def known(client: str, texts: List[str]) -> Dict[str, Dict[str, List[str]]]:
    """Return the forms and the names of arguments of the calls that this version of the SDK takes, by their texts."""
    found = {}
    for text in texts:
        method = getattr(CLIENTS[client](Channel(), {}), text.partition("(")[0], None)
        with contextlib.suppress(TypeError):  # it does not take all of these arguments
            if method is not None:
                signature = inspect.signature(method)
                found[text] = {"forms": forms(text, signature), "arguments": names_given(text, signature)}
    return found


async def main(port: int, folder: str, calls: Dict[str, List[str]]) -> Dict[str, Any]:
    """Make the calls one after the other, and return them, their results and what is documented."""
    channel = Channel("127.0.0.1", port)
    names = {"app": app, "packages": packages, "mltraining": mltraining, "provisioning": provisioning}
    noon, one = dt.datetime(2024, 5, 1, 12), dt.datetime(2024, 5, 1, 13)
    names.update(records=app_client, data=data, bson=bson, folder=folder, noon=noon, one=one)
    made_calls = {client: known(client, texts) for client, texts in calls.items()}
    results = {}
    for client, found in made_calls.items():
        for text in [form for each in found.values() for form in each["forms"]]:
            made = CLIENTS[client](channel, {"authorization": "Bearer token", "call": text.encode().hex()})
            try:
                results[text] = plain(await taken(await eval(f"client.{text}", {**names, "client": made})))
            except Exception as error:
                results[text] = {"error": repr(error)}
    channel.close()
    examples = {
        f"{name}.{each}": list(documented(each, method))
        for name, cls in CLIENTS.items()
        for each, method in inspect.getmembers(cls, inspect.isfunction)
        if not each.startswith("_")
    }
    return {"calls": made_calls, "results": results, "examples": examples}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), sys.argv[2], json.load(sys.stdin)))))
