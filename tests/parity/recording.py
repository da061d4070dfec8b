"""A server that answers every call with something in each field, and the names that the calls use."""

import contextlib
import datetime as dt
import json
from types import SimpleNamespace

import bson
from messages.schema_walk import example, streaming
from parity.calls import CALLS
from servers import FakeService

from viam_sync.app import app_client
from viam_sync.messages.pool import message, pool
from viam_sync.proto import app, provisioning
from viam_sync.proto.app import data, mltraining, packages
from viam_sync.rpc.dial import Channel, parse_address

SERVICES = (
    "viam.app.v1.AppService",
    "viam.app.v1.BillingService",
    "viam.app.data.v1.DataService",
    "viam.app.datapipelines.v1.DataPipelinesService",
    "viam.app.dataset.v1.DatasetService",
    "viam.app.datasync.v1.DataSyncService",
    "viam.app.mltraining.v1.MLTrainingService",
    "viam.provisioning.v1.ProvisioningService",
)
NAMES = {
    "app": app,
    "bson": bson,
    "data": data,
    "mltraining": mltraining,
    "noon": dt.datetime(2024, 5, 1, 12),
    "one": dt.datetime(2024, 5, 1, 13),
    "packages": packages,
    "provisioning": provisioning,
    "records": app_client,
}
DOCUMENT = bson.encode({"speed": 1.5, "when": NAMES["noon"], "deep": {"list": [1, None]}})
STRUCT = {"speed": 1.5, "name": "arm", "on": True, "list": [1, "two", {"deep": False}]}


def rpcs():
    found = [rpc for service in SERVICES for rpc in pool().FindServiceByName(service).methods]
    named = {rpc.name: rpc for rpc in found}
    assert len(named) == len(found)
    return named


def answer(rpc):
    """Return a message with something in each field, but no token, which would ask for more pages."""
    filled = example(message(rpc.output_type), 4)
    _fill_objects(filled)
    if rpc.name == "GetRobotPartLogs":
        filled.next_page_token = ""
    elif rpc.name == "TabularDataByFilter":
        for row in filled.data:
            row.metadata_index = 0
    elif rpc.name in ("TabularDataBySQL", "TabularDataByMQL"):
        filled.raw_data[:] = [DOCUMENT]
    return filled.SerializeToString(deterministic=True)


def _fill_objects(filled):
    for field, value in filled.ListFields():
        kind = field.message_type
        if field.name.endswith("_json"):
            setattr(filled, field.name, json.dumps(STRUCT))
        elif field.name == "mql_binary":
            value[:] = [DOCUMENT, DOCUMENT]
        if kind is None or kind.GetOptions().map_entry:
            continue
        for each in value if type(field.default_value) is list else [value]:
            if kind.full_name == "google.protobuf.Struct":
                each.Clear()
                each.update(STRUCT)
            else:
                _fill_objects(each)


def serve(server):
    for rpc in rpcs().values():
        filled = answer(rpc)
        client_streaming, server_streaming = streaming(rpc)
        if client_streaming:
            server.upload[rpc.name] = lambda requests, context, filled=filled: [*requests] and filled
        elif server_streaming:
            server.stream[rpc.name] = lambda request, context, filled=filled: iter([filled, filled])
        else:
            server.unary[rpc.name] = lambda request, context, filled=filled: filled


@contextlib.contextmanager
def recording():
    """Start a server that answers every call; gives the server, and a channel to it."""
    with FakeService() as server, Channel(parse_address(server.url), 0) as channel:
        serve(server)
        yield server, channel


def arguments_of(signature, client, method, folder):
    """Return arguments that a method takes, by name: those of the known call that gives most of them; {} if none is."""
    return max(known_arguments(signature, client, method, folder), key=len, default={})


def known_arguments(signature, client, method, folder):
    """Return the arguments of each known call of a method, by name."""

    def bound(*args, **kwargs):
        return dict(signature.bind(*args, **kwargs).arguments)

    known = {**NAMES, "folder": folder, "client": SimpleNamespace(**{method: bound})}
    return [eval(f"client.{text}", known) for text in CALLS[client] if text.startswith(f"{method}(")]
