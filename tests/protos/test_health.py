"""The generator also serves a service it was not written for: grpc.health.v1, called for real."""

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from viam_sync.errors import NotFoundError

from .mini_schemas import tomllib

pytest.importorskip("grpc_health", reason="needs grpcio-health-checking")
pytest.importorskip("ruff", reason="the generator formats with ruff")

from generate import formatted, service_files  # isort: skip
from google.protobuf import descriptor_pool  # isort: skip
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # isort: skip

SURFACE = """
[grpc.health.v1.Health.Check]
params = ["service = ''"]
returns = "status"
retry = "READ"

[grpc.health.v1.Health.Watch]
params = ["service = ''"]
retry = "TAIL"
"""
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def servicer():
    servicer = health.HealthServicer()
    servicer.set("pump", SERVING)
    return servicer


@pytest.fixture
def channel(servicer):
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        server.stop(None).wait()


@pytest.fixture
def client(channel, tmp_path, monkeypatch):
    services = list(health_pb2.DESCRIPTOR.services_by_name.values())
    table = tomllib.loads(SURFACE)
    made = formatted(service_files(services, {}, table, lambda _: "grpc_health.v1.health_pb2", "clinic"))
    (tmp_path / "clinic" / "services").mkdir(parents=True)
    for name, content in made.items():
        (tmp_path / "clinic" / name).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("clinic", "clinic.services", "clinic.services.methods", "clinic.services.health_service"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("clinic.services.health_service")

    class Health(module.HealthService):
        _find_service = staticmethod(descriptor_pool.Default().FindServiceByName)

    return Health(channel, {})


def test_a_plain_call_returns_the_field_that_the_table_names(client):
    assert client.check() == SERVING
    assert client.check("pump", timeout=10) == SERVING


def test_a_refusal_is_one_of_our_errors(client):
    with pytest.raises(NotFoundError):
        client.check("fountain")


def test_a_stream_gives_the_messages_as_they_come(client, servicer):
    with client.watch("pump", timeout=10) as statuses:
        assert next(statuses).status == SERVING
        servicer.set("pump", NOT_SERVING)
        assert next(statuses).status == NOT_SERVING
