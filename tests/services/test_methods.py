"""The table of all RPCs, against the schema and the clients."""

import pkgutil
import re
from typing import Dict, List, Type

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from viam_sync.app.app_client import AppClient
from viam_sync.app.billing_client import BillingClient
from viam_sync.app.data_client import DataClient
from viam_sync.app.ml_training_client import MLTrainingClient
from viam_sync.app.provisioning_client import ProvisioningClient
from viam_sync.rpc import auth, policies
from viam_sync.rpc.method import Method
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.services.end_user_service import EndUserService
from viam_sync.services.package_service import PackageService

TABLE: Dict[str, Method] = {name: row for name, row in vars(methods).items() if isinstance(row, Method)}

#: Services without a method, as only their messages are needed: those of machines, of their agents and of viam-sdk.
OMITTED = {
    "proto.rpc.webrtc.v1.SignalingService",
    "viam.app.agent.v1.AgentDeviceService",
    "viam.app.cloudslam.v1.CloudSLAMService",
    "viam.app.v1.RobotService",
    "viam.service.mlmodel.v1.MLModelService",
}

CLIENTS = [
    *(AppClient, BillingClient, DataClient, MLTrainingClient, ProvisioningClient),
    *(EndUserService, PackageService),
]


def rows_of(client: Type[Service]) -> List[Method]:
    services = {descriptor.full_name for descriptor in client.service_descriptors()}
    return [row for row in TABLE.values() if row.name.rpartition("/")[0] in services]


def schema() -> Dict[str, str]:
    """Return the kind of each RPC of the schema, by its path."""
    compiled = pkgutil.get_data("viam_sync.proto", "schema.bin")
    assert compiled is not None
    return {
        f"/{file.package}.{service.name}/{rpc.name}": (
            f"{'stream' if rpc.client_streaming else 'unary'}_{'stream' if rpc.server_streaming else 'unary'}"
        )
        for file in FileDescriptorSet.FromString(compiled).file
        for service in file.service
        for rpc in service.method
        if f"{file.package}.{service.name}" not in OMITTED
    }


def test_each_rpc_of_the_schema_has_one_row() -> None:
    paths = [row.path for row in TABLE.values()]
    assert len(paths) == len(set(paths))
    assert {row.path: row.kind for row in TABLE.values()} == schema()


@pytest.mark.parametrize("name", TABLE)
def test_a_row_names_one_of_the_retry_classes(name: str) -> None:
    policy = TABLE[name].policy
    assert getattr(policies, policy.name) is policy


@pytest.mark.parametrize("name", TABLE)
def test_streams_have_the_retry_classes_of_streams(name: str) -> None:
    kind, policy = TABLE[name].kind, TABLE[name].policy.name
    wanted = {"unary_stream": {"STREAM", "TAIL"}, "stream_unary": {"UPLOAD"}}.get(kind)
    assert policy in wanted if wanted else policy not in {"STREAM", "TAIL", "UPLOAD"}


def test_the_row_of_the_call_that_authenticates_is_the_one_that_is_used() -> None:
    assert auth.AUTHENTICATE == methods.AUTHENTICATE


@pytest.mark.parametrize("client", CLIENTS)
def test_the_result_of_a_call_is_verified_with_a_method_of_the_same_client(client: Type[Service]) -> None:
    rows = rows_of(client)
    assert rows
    assert [row for row in rows if row.verify_with and not hasattr(client, row.verify_with)] == []


def test_only_a_call_whose_result_may_be_in_doubt_needs_to_be_verified() -> None:
    assert [name for name, row in TABLE.items() if row.verify_with and row.policy.idempotent] == []


@pytest.mark.parametrize("word", ["CHARGE", "CREATE", "SUBMIT", "ROTATE", "ADD_ROLE", "NEW"])
def test_a_call_that_would_do_harm_twice_is_not_idempotent(word: str) -> None:
    rows = [row for name, row in TABLE.items() if re.search(rf"^{word}(_|$)", name)]
    assert rows
    # Two signed URLs of one file do the same.
    assert [row.name for row in rows if row.policy.idempotent and "SignedURL" not in row.name] == []
