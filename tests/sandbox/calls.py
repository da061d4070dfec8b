"""Raw calls of a sandbox, straight through grpcio: a test names the RPC and the fields of the request."""

import contextlib

import grpc
import pytest

from viam_sync.messages.pool import message, pool

APP = "viam.app.v1.AppService"
AUTH = "proto.rpc.v1.AuthService"


def call(channel, rpc, service=APP, metadata=(), **fields):
    """Make a unary call and return the response."""
    method = pool().FindMethodByName(f"{service}.{rpc}")
    send = channel.unary_unary(
        f"/{service}/{rpc}",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message(method.output_type).FromString,
    )
    return send(message(method.input_type)(**fields), metadata=metadata, timeout=10)


def authenticate(channel, entity, payload, type="api-key"):
    """Return the token for a key or a secret."""
    credentials = {"type": type, "payload": payload}
    return call(channel, "Authenticate", AUTH, entity=entity, credentials=credentials).access_token


class Caller:
    """Somebody with a token; ``caller.GetRobot(id=...)`` makes the call of that name."""

    def __init__(self, sandbox, key_id, key, type="api-key"):
        self.sandbox = sandbox
        self.id = key_id
        self.channel = grpc.insecure_channel(sandbox.address)
        self.metadata = [("authorization", "Bearer " + authenticate(self.channel, key_id, key, type))]

    def __getattr__(self, rpc):
        return lambda **fields: call(self.channel, rpc, metadata=self.metadata, **fields)

    def role(self, role, resource_type, resource_id, organization_id=None):
        """Return an authorization, as a dictionary."""
        return {
            "authorization_type": "role",
            "authorization_id": f"{resource_type}_{role}",
            "resource_type": resource_type,
            "resource_id": resource_id,
            "organization_id": organization_id or self.sandbox.organization_id,
        }


@contextlib.contextmanager
def entered(sandbox):
    """Provide a caller with the sandbox's own key."""
    caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
    try:
        yield caller
    finally:
        caller.channel.close()


def with_namespace(owner, organization_id, namespace="lessons"):
    """Set the public namespace of an organization."""
    owner.UpdateOrganization(organization_id=organization_id, public_namespace=namespace)


@contextlib.contextmanager
def refused(code, text=""):
    """Expect the calls in the block to end with a status whose message has a text in it."""
    with pytest.raises(grpc.RpcError) as raised:
        yield
    details = raised.value.details()
    assert raised.value.code().name == code, details
    assert text in details
